#pragma once
// The bodies of dialect 001's requests. Unknown members are refused; `auth_token` may stand in each
// (who asks has been found out by then).
#include <optional>
#include <string>

#include "api/edge/request.hpp"
#include "core/base/json_read.hpp"
#include "core/domain/command.hpp"

namespace slipway::api::orchestrator {

// Name, flavor (its `size`), image, keypair, labels (its `metadata`); a fresh VM's id.
base::Result<domain::CreateVm> parse_start(const base::JsonValue& body);

// By id, or by name where no id is given.
struct NodeName {
  std::string node;
  std::string hostname;
};
base::Result<NodeName> parse_node(const base::JsonValue& body);

struct AssignBody {
  NodeName node;
  std::string user;
  std::string vm_type;
};
base::Result<AssignBody> parse_assign(const base::JsonValue& body);
base::Result<NodeName> parse_release(const base::JsonValue& body);
// Whether the request asks for the fixed sample in place of an assignment.
bool asks_to_emulate(const base::JsonValue& body);

struct Login {
  std::string username;
  std::string password;
};
base::Result<Login> parse_login(const base::JsonValue& body);

// The body as an object; an absent one is empty. The value lives until this thread parses the next.
base::Result<base::JsonValue> parse_body(std::string_view text, const base::JsonLimits& limits);
// Of the header or the body; empty without one.
std::string token_of(const Request& request, const base::JsonLimits& limits);

}  // namespace slipway::api::orchestrator
