#pragma once
// The bodies of the bulk calls, and what they ask for as one batch. Parsing comes first and knows
// nothing of what exists; what is asked about things that exist is put together with a reader, so
// that ids that the service does not know are left out.
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/domain/command.hpp"
#include "eventstore/read_models.hpp"

namespace slipway::api::perspective {

using Ids = std::vector<std::string>;
using Names = std::vector<std::pair<std::string, std::string>>;  // id, new name

struct NewImage {
  std::string name;
  std::string instance;  // id
};

// InvalidArgument: the body has another shape. An empty body is an empty list.
base::Result<Ids> parse_ids(std::string_view body);
base::Result<Names> parse_names(std::string_view body);
base::Result<std::vector<domain::CreateVm>> parse_instances(std::string_view body);
base::Result<std::vector<NewImage>> parse_images(std::string_view body);

// One item for each id that is a VM of the scope; each id once. `act` has the rest of the command.
// Resume is unpause where the VM is paused.
base::Result<domain::OpenBatch> on_instances(eventstore::Reader& reader,
                                             const eventstore::Scope& scope, const Ids& ids,
                                             const domain::ActOnVm& act);
base::Result<domain::OpenBatch> rename_instances(eventstore::Reader& reader,
                                                 const eventstore::Scope& scope,
                                                 const Names& names);
base::Result<domain::OpenBatch> capture_images(eventstore::Reader& reader,
                                               const eventstore::Scope& scope,
                                               const std::vector<NewImage>& images);
base::Result<domain::OpenBatch> delete_images(eventstore::Reader& reader,
                                              const eventstore::Scope& scope, const Ids& ids);
domain::OpenBatch create_instances(std::vector<domain::CreateVm> vms);

}  // namespace slipway::api::perspective
