#pragma once
// Requests' bodies into commands. Strict: unknown members are errors, and all errors come at once,
// each with its JSON pointer. What has been parsed here is not checked again.
#include <optional>
#include <vector>

#include "api/field_reader.hpp"
#include "core/base/secret.hpp"
#include "core/domain/command.hpp"

namespace slipway::api {

// A secret of the request on its way into the store; the command has the reference.
struct SecretValue {
  domain::SecretRef ref;
  base::Secret value;
};

struct ParsedCommand {
  domain::CommandKind kind = domain::CommandKind::VmCreate;
  // RedriveTask has only `from`, and a CreateUser or SetUserPassword no password reference yet:
  // whoever submits them fills in the rest.
  domain::CommandBody body;
  std::optional<base::Time> not_before;
  std::optional<base::Time> deadline;
  std::uint32_t priority = 5;
  std::vector<domain::TaskId> depends_on;
  bool dry_run = false;
  std::vector<SecretValue> secrets;
  base::Secret password;  // user.create, user.set_password
};

inline constexpr std::size_t kMaxBatchItems = 1000;

// {"command": ..., "args": {...}, "not_before": ..., ...}
base::Result<ParsedCommand> parse_command(const base::JsonValue& body);

// The arguments alone, as the body of a route that says which command it is; the members of the
// envelope may stand beside them. `vm` (or `image`, `task`): of the path, else nil.
base::Result<ParsedCommand> parse_arguments(domain::CommandKind kind,
                                            const std::optional<base::JsonValue>& body,
                                            const base::Uuid& subject);

// Whether only an admin may send it.
bool needs_admin(domain::CommandKind kind);

}  // namespace slipway::api
