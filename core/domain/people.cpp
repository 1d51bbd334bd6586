#include "core/domain/people.hpp"

#include <fmt/format.h>

#include "core/domain/membership_rules.hpp"

namespace slipway::domain {

using base::Errc;
using base::fail;
using base::Status;

Status decide_on(Draft& draft, const Command& /*command*/, const CreateUser& c) {
  if (draft.world.user(c.user.name) != nullptr) {
    return fail(Errc::NameTaken, fmt::format("a user '{}' exists", c.user.name));
  }
  draft.add(StreamKind::User, c.user.name, UserCreated{c.user});
  return {};
}

Status decide_on(Draft& draft, const Command& /*command*/, const SetUserPassword& c) {
  if (draft.world.user(c.user) == nullptr) {
    return fail(Errc::NotFound, fmt::format("no user '{}'", c.user));
  }
  draft.add(StreamKind::User, c.user, UserPasswordChanged{c.password});
  close_sessions(draft, c.user);
  return {};
}

Status decide_on(Draft& draft, const Command& /*command*/, const DeleteUser& c) {
  if (draft.world.user(c.user) == nullptr) {
    return fail(Errc::NotFound, fmt::format("no user '{}'", c.user));
  }
  draft.add(StreamKind::User, c.user, UserDeleted{});
  close_sessions(draft, c.user);
  return {};
}

Status decide_on(Draft& draft, const Command& /*command*/, const CreateToken& c) {
  draft.add(StreamKind::Token, c.token.id, TokenCreated{c.token});
  return {};
}

Status decide_on(Draft& draft, const Command& command, const DeleteToken& c) {
  const AccessToken* token = draft.world.token(c.token);
  if (token == nullptr ||
      (!command.caller.owns(token->tenant) && command.caller.role != Role::Admin)) {
    return fail(Errc::NotFound, "no such token");
  }
  draft.add(StreamKind::Token, c.token, TokenDeleted{});
  return {};
}

Status decide_on(Draft& draft, const Command& /*command*/, const SetQuota& c) {
  if (draft.world.project(c.project) == nullptr) {
    return fail(Errc::NotFound, fmt::format("no project '{}'", c.project));
  }
  draft.add(StreamKind::Project, c.project, ProjectQuotaSet{c.quota});
  return {};
}

}  // namespace slipway::domain
