#pragma once
// The live state of groups: a part of the World. Who belongs to a group is said by the users
// themselves, whose tenant it is.
#include <map>
#include <string>
#include <vector>

#include "core/domain/membership_events.hpp"

namespace slipway::domain {

class Membership {
 public:
  const MenuRole* role(std::string_view name) const;
  const Group* group(std::string_view name) const;
  const Login* login(const LoginId& id) const;
  const std::map<std::string, Group, std::less<>>& groups() const { return groups_; }
  const std::map<LoginId, Login>& logins() const { return logins_; }

  // ---- events. `name` and `id` are those of the stream ----
  void fold(std::string_view name, const RoleCreated& e) { roles_[std::string(name)] = e.role; }
  void fold(std::string_view name, const RoleUpdated& e) { roles_[std::string(name)] = e.role; }
  void fold(std::string_view name, const RoleDeleted&) { roles_.erase(std::string(name)); }
  void fold(std::string_view name, const GroupCreated& e) { groups_[std::string(name)] = e.group; }
  void fold(std::string_view name, const GroupUpdated& e) { groups_[std::string(name)] = e.group; }
  void fold(std::string_view name, const GroupDeleted&) { groups_.erase(std::string(name)); }
  void fold(const base::Uuid& id, const SessionOpened& e) { logins_[LoginId(id)] = e.login; }
  void fold(const base::Uuid& id, const SessionClosed&) { logins_.erase(LoginId(id)); }

  // ---- snapshots ----
  struct Kept {
    std::vector<MenuRole> roles;
    std::vector<Group> groups;
    std::vector<Login> logins;
    template <class S, class V>
    static void fields(S& s, V& v) {
      v("roles", s.roles);
      v("groups", s.groups);
      v("logins", s.logins);
    }
  };
  Kept kept() const;
  void restore(Kept kept);

 private:
  std::map<std::string, MenuRole, std::less<>> roles_;
  std::map<std::string, Group, std::less<>> groups_;
  std::map<LoginId, Login> logins_;
};

}  // namespace slipway::domain
