#pragma once
// Commands on roles, groups, sessions and notes. Carried out by the server itself: no task.
#include <optional>

#include "core/domain/membership_specs.hpp"

namespace slipway::domain {

struct CreateRole {
  MenuRole role;
};
struct UpdateRole {
  MenuRole role;
};
struct DeleteRole {
  std::string name;
};

struct CreateGroup {
  Group group;
  ProjectId project;  // for a project of that name, if there is none
};
struct UpdateGroup {
  std::string name;
  std::optional<std::string> display;
  std::optional<std::vector<std::string>> roles;
  std::optional<Visibility> visibility;
};
struct DeleteGroup {
  std::string name;
};
struct AddGroupMember {
  std::string group;
  std::string user;
};
struct RemoveGroupMember {
  std::string group;
  std::string user;
};
struct UpdateUser {
  std::string user;
  std::optional<std::string> nick;
  std::optional<std::string> mail;
};

// The first user of a log that has none: with a role, a group and, in it, himself.
struct FoundPeople {
  User user;
  MenuRole role;
  Group group;
  ProjectId project;
};

struct OpenSession {
  Login login;
  std::vector<LoginId> ended;  // that nobody has used for too long: closed on the way
};
struct RenewSession {
  LoginId session;
};
struct CloseSession {
  LoginId session;
};

struct AppendAudit {
  std::string content;
  std::string format;
};
struct HideAudit {
  std::vector<std::uint64_t> entries;
};

}  // namespace slipway::domain
