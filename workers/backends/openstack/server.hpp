#pragma once
// What Nova says of a server, read once, as values that outlive the answer.
#include <optional>
#include <string>

#include "core/base/json_read.hpp"
#include "core/domain/inventory.hpp"
#include "workers/backends/backend.hpp"

namespace slipway::workers::openstack {

struct Server {
  std::string id;
  std::string name;
  std::string status;      // ACTIVE, SHUTOFF, BUILD, ...
  std::string task_state;  // empty: at rest
  std::string vm_state;
  std::string host;  // its name for an admin, else what tells hosts apart
  bool host_is_name = false;
  std::string image_id;  // empty: boots from a volume
  domain::Size size;     // `flavor`: the id, or from 2.47 on the name; see Flavors::id_of
  std::string ipv4;
  std::string mac;
  std::string network;  // name of the first
  std::string task;     // of our tag
  std::string key;
  std::string installation;
  std::string vm;
  std::optional<base::Time> created;
  std::optional<BackendError> fault;  // of a server in ERROR
  bool gone = false;                  // deleted, or never known

  bool at_rest() const { return task_state.empty() && status != "BUILD"; }
  bool is(std::string_view s) const { return status == s; }
  bool in_error() const { return status == "ERROR" && task_state.empty(); }
};

Server parse_server(base::JsonValue json);
domain::VmState state_of(const Server& server);
// As a step's result: VmFacts.
base::RawJson facts_of(const Server& server);

}  // namespace slipway::workers::openstack
