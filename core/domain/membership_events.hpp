#pragma once
// Roles, groups, who belongs to them, who is logged in, and what they noted. See events.hpp.
#include "core/domain/event.hpp"
#include "core/domain/membership_specs.hpp"

namespace slipway::domain {

// ---- role-<name> ----

struct RoleCreated {
  MenuRole role;
  SLIPWAY_EVENT(RoleCreated, v("role", s.role);)
};
struct RoleUpdated {
  MenuRole role;
  SLIPWAY_EVENT(RoleUpdated, v("role", s.role);)
};
struct RoleDeleted {
  SLIPWAY_EVENT(RoleDeleted, )
};

// ---- group-<name> ----

struct GroupCreated {
  Group group;
  SLIPWAY_EVENT(GroupCreated, v("group", s.group);)
};
struct GroupUpdated {
  Group group;
  SLIPWAY_EVENT(GroupUpdated, v("group", s.group);)
};
struct GroupDeleted {
  SLIPWAY_EVENT(GroupDeleted, )
};
// From here on the user's tenant is the group.
struct GroupMemberAdded {
  std::string user;
  SLIPWAY_EVENT(GroupMemberAdded, v("user", s.user);)
};
// The user has no tenant any more, and no rights.
struct GroupMemberRemoved {
  std::string user;
  SLIPWAY_EVENT(GroupMemberRemoved, v("user", s.user);)
};

// ---- user-<name> ----

struct UserUpdated {
  std::string nick;
  std::string mail;
  SLIPWAY_EVENT(UserUpdated, v("nick", s.nick); v("mail", s.mail);)
};

// ---- session-<id> ----

struct SessionOpened {
  Login login;
  SLIPWAY_EVENT(SessionOpened, v("login", s.login);)
};
struct SessionRenewed {
  SLIPWAY_EVENT(SessionRenewed, )
};
struct SessionClosed {
  SLIPWAY_EVENT(SessionClosed, )
};

// ---- audit-<tenant> ----

struct AuditNoted {
  std::string content;
  std::string format;
  SLIPWAY_EVENT(AuditNoted, v("content", s.content); v("format", s.format);)
};
// No longer shown; the log keeps them. Named by the seq of their AuditNoted.
struct AuditHidden {
  std::vector<std::uint64_t> entries;
  SLIPWAY_EVENT(AuditHidden, v("entries", s.entries);)
};

}  // namespace slipway::domain
