#include "core/domain/membership.hpp"

#include "core/base/maps.hpp"

namespace slipway::domain {

using base::find_in;

const MenuRole* Membership::role(std::string_view name) const { return find_in(roles_, name); }
const Group* Membership::group(std::string_view name) const { return find_in(groups_, name); }
const Login* Membership::login(const LoginId& id) const { return find_in(logins_, id); }

Membership::Kept Membership::kept() const {
  Kept out;
  for (const auto& [name, role] : roles_) out.roles.push_back(role);
  for (const auto& [name, group] : groups_) out.groups.push_back(group);
  for (const auto& [id, login] : logins_) out.logins.push_back(login);
  return out;
}
void Membership::restore(Kept kept) {
  for (MenuRole& r : kept.roles) roles_[r.name] = r;
  for (Group& g : kept.groups) groups_[g.name] = g;
  for (Login& l : kept.logins) logins_[l.id] = l;
}

}  // namespace slipway::domain
