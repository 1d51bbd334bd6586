#include "core/domain/membership_rules.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace slipway::domain {

using base::Errc;
using base::fail;
using base::Status;

namespace {

constexpr std::size_t kMaxSessions = 10000;

tl::unexpected<base::Error> no_role(std::string_view name) {
  return fail(Errc::NotFound, fmt::format("invalid role '{}'", name));
}
tl::unexpected<base::Error> no_group(std::string_view name) {
  return fail(Errc::NotFound, fmt::format("invalid group '{}'", name));
}
tl::unexpected<base::Error> no_user(std::string_view name) {
  return fail(Errc::NotFound, fmt::format("invalid user '{}'", name));
}

Status check_roles(const Draft& draft, const std::vector<std::string>& roles) {
  for (const std::string& name : roles) {
    if (draft.world.membership().role(name) == nullptr) return no_role(name);
  }
  return {};
}

void add_group(Draft& draft, const Group& group, const ProjectId& project) {
  if (draft.world.project(group.name) == nullptr) {
    draft.add(StreamKind::Project, group.name,
              ProjectCreated{{project, group.name, "default", {}}});
  }
  draft.add(StreamKind::Group, group.name, GroupCreated{group});
}

}  // namespace

// ---- roles ----

Status decide_on(Draft& draft, const Command&, const CreateRole& c) {
  if (draft.world.membership().role(c.role.name) != nullptr) {
    return fail(Errc::NameTaken, fmt::format("role '{}' already exists", c.role.name));
  }
  draft.add(StreamKind::Role, c.role.name, RoleCreated{c.role});
  return {};
}

Status decide_on(Draft& draft, const Command&, const UpdateRole& c) {
  if (draft.world.membership().role(c.role.name) == nullptr) return no_role(c.role.name);
  draft.add(StreamKind::Role, c.role.name, RoleUpdated{c.role});
  return {};
}

Status decide_on(Draft& draft, const Command&, const DeleteRole& c) {
  if (draft.world.membership().role(c.name) == nullptr) return no_role(c.name);
  for (const auto& [name, group] : draft.world.membership().groups()) {
    if (std::find(group.roles.begin(), group.roles.end(), c.name) == group.roles.end()) continue;
    return fail(Errc::IllegalTransition,
                fmt::format("role '{}' is attached to group '{}'", c.name, name));
  }
  draft.add(StreamKind::Role, c.name, RoleDeleted{});
  return {};
}

// ---- groups ----

Status decide_on(Draft& draft, const Command&, const CreateGroup& c) {
  if (draft.world.membership().group(c.group.name) != nullptr) {
    return fail(Errc::NameTaken, fmt::format("group '{}' already exists", c.group.name));
  }
  if (auto status = check_roles(draft, c.group.roles); !status) return status;
  add_group(draft, c.group, c.project);
  return {};
}

Status decide_on(Draft& draft, const Command&, const UpdateGroup& c) {
  const Group* old = draft.world.membership().group(c.name);
  if (old == nullptr) return no_group(c.name);
  Group group = *old;
  group.display = c.display.value_or(group.display);
  group.roles = c.roles.value_or(group.roles);
  group.visibility = c.visibility.value_or(group.visibility);
  if (auto status = check_roles(draft, group.roles); !status) return status;
  draft.add(StreamKind::Group, c.name, GroupUpdated{std::move(group)});
  return {};
}

// Its project stays, with the history of its VMs; but none of them, or a new group of that name
// would find them.
Status decide_on(Draft& draft, const Command&, const DeleteGroup& c) {
  if (draft.world.membership().group(c.name) == nullptr) return no_group(c.name);
  for (const auto& [name, user] : draft.world.users()) {
    if (user.tenant != c.name) continue;
    return fail(Errc::IllegalTransition,
                fmt::format("group '{}' still has member '{}'", c.name, name));
  }
  if (const auto n = draft.world.usage(c.name).vms; n > 0) {
    return fail(Errc::IllegalTransition,
                fmt::format("group '{}' still has {} instances", c.name, n));
  }
  draft.add(StreamKind::Group, c.name, GroupDeleted{});
  return {};
}

Status decide_on(Draft& draft, const Command&, const AddGroupMember& c) {
  if (draft.world.membership().group(c.group) == nullptr) return no_group(c.group);
  const User* user = draft.world.user(c.user);
  if (user == nullptr) return no_user(c.user);
  if (!user->tenant.empty()) {
    return fail(Errc::IllegalTransition,
                fmt::format("user '{}' already belongs to group '{}'", c.user, user->tenant));
  }
  draft.add(StreamKind::Group, c.group, GroupMemberAdded{c.user});
  return {};
}

Status decide_on(Draft& draft, const Command&, const RemoveGroupMember& c) {
  if (draft.world.membership().group(c.group) == nullptr) return no_group(c.group);
  const User* user = draft.world.user(c.user);
  if (user == nullptr || user->tenant != c.group) {
    return fail(Errc::NotFound, fmt::format("user '{}' not in group '{}'", c.user, c.group));
  }
  draft.add(StreamKind::Group, c.group, GroupMemberRemoved{c.user});
  close_sessions(draft, c.user);
  return {};
}

// ---- users ----

Status decide_on(Draft& draft, const Command&, const UpdateUser& c) {
  const User* user = draft.world.user(c.user);
  if (user == nullptr) return no_user(c.user);
  draft.add(StreamKind::User, c.user,
            UserUpdated{c.nick.value_or(user->nick), c.mail.value_or(user->mail)});
  return {};
}

Status decide_on(Draft& draft, const Command&, const FoundPeople& c) {
  if (!draft.world.users().empty() || !draft.world.membership().groups().empty()) {
    return fail(Errc::IllegalTransition, "system already initialed");
  }
  if (draft.world.membership().role(c.role.name) == nullptr) {
    draft.add(StreamKind::Role, c.role.name, RoleCreated{c.role});
  }
  add_group(draft, c.group, c.project);
  draft.add(StreamKind::User, c.user.name, UserCreated{c.user});
  return {};
}

// ---- sessions ----

void close_sessions(Draft& draft, std::string_view user) {
  for (const auto& [id, login] : draft.world.membership().logins()) {
    if (login.user == user) draft.add(StreamKind::Session, id, SessionClosed{});
  }
}

Status decide_on(Draft& draft, const Command&, const OpenSession& c) {
  const Membership& members = draft.world.membership();
  const User* user = draft.world.user(c.login.user);
  if (user == nullptr || user->tenant != c.login.group || members.group(user->tenant) == nullptr) {
    return fail(Errc::IllegalTransition,
                fmt::format("user '{}' belongs to no group", c.login.user));
  }
  std::size_t closed = 0;
  for (const LoginId& id : c.ended) {
    if (members.login(id) == nullptr) continue;
    draft.add(StreamKind::Session, id, SessionClosed{});
    ++closed;
  }
  if (members.logins().size() - closed >= kMaxSessions) {
    return fail(Errc::RateLimited, "too many sessions are open");
  }
  draft.add(StreamKind::Session, c.login.id, SessionOpened{c.login});
  return {};
}

Status decide_on(Draft& draft, const Command& command, const RenewSession& c) {
  const Login* login = draft.world.membership().login(c.session);
  if (login == nullptr || !command.caller.owns(login->group)) {
    return fail(Errc::NotFound, fmt::format("invalid session '{}'", base::to_string(c.session)));
  }
  draft.add(StreamKind::Session, c.session, SessionRenewed{});
  return {};
}

Status decide_on(Draft& draft, const Command& command, const CloseSession& c) {
  const Login* login = draft.world.membership().login(c.session);
  if (login == nullptr || !command.caller.owns(login->group)) {
    return fail(Errc::NotFound, fmt::format("invalid session '{}'", base::to_string(c.session)));
  }
  draft.add(StreamKind::Session, c.session, SessionClosed{});
  return {};
}

// ---- notes: of the caller's own tenant, by the stream they are in ----

Status decide_on(Draft& draft, const Command& command, const AppendAudit& c) {
  draft.add(StreamKind::Audit, command.caller.tenant, AuditNoted{c.content, c.format});
  return {};
}

Status decide_on(Draft& draft, const Command& command, const HideAudit& c) {
  draft.add(StreamKind::Audit, command.caller.tenant, AuditHidden{c.entries});
  return {};
}

}  // namespace slipway::domain
