#pragma once
// How what we make is marked, so that it is known again: by its task after a lost answer, and as
// ours by reconciliation.
//   server  metadata task, slipway_key, slipway_installation, slipway_vm; where the cloud has tags
//           of servers, also those: "slipway" and the key, by which it can be looked up
//   port    its name is the key; its description tells installation and VM
//   image   properties of the same names, slipway_snapshot (of a snapshot, its name) and
//           slipway_image, which is the image's own name: Nova copies properties of an image to
//           what is made from its servers later, by whomever, and such a copy has another name
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/json_write.hpp"
#include "workers/backends/openstack/job.hpp"

namespace slipway::workers::openstack {

// Members of an object that is open.
void write_tag(base::JsonWriter& w, const domain::WorkOrder& order, std::string_view key);

std::string port_description(const domain::WorkOrder& order);
// The installation of such a description; empty: it is none of ours.
std::string installation_of(std::string_view port_description);

struct TaggedImage {
  std::string id;
  std::string name;
  std::string status;
  std::string key;
  std::string task;
  std::string installation;
  std::string vm;
  std::string snapshot;
  std::uint64_t size_bytes = 0;
  std::optional<base::Time> created;
  bool is_ours = false;  // else it is a copy, or was never marked
};
TaggedImage parse_tagged(base::JsonValue image);
// The images with that property, oldest first.
Async<Outcome<std::vector<TaggedImage>>> images_with(Job& job, std::string property,
                                                     std::string value);

// RFC 4648, padded.
std::string base64(std::string_view bytes);

}  // namespace slipway::workers::openstack
