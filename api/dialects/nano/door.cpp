#include "api/dialects/nano/door.hpp"

#include <algorithm>

#include "api/dialects/nano/sessions.hpp"
#include "api/dialects/nano/signature.hpp"

namespace slipway::api::nano {
namespace {

using base::Errc;
using base::fail;

tl::unexpected<base::Error> stranger() {
  return fail(Errc::Unauthenticated, "unauthenticated request");
}

base::Result<IdentityPtr> by_signature(const Context& context, const Request& request,
                                       SignedBody body) {
  const auto key =
      check_signature(context.options.core_keys, request, body, context.services.clock.now());
  if (!key) return fail(key.error());
  auto member = std::make_shared<Member>();
  member->tenant = (*key)->group;
  member->actor = (*key)->id;
  member->role = domain::Role::Admin;
  member->signed_for = true;
  return IdentityPtr(std::move(member));
}

base::Result<IdentityPtr> identify(const Context& context, const Request& request,
                                   SignedBody body) {
  const auto session = request.find_header("nano-session");
  const bool is_signed = request.find_header("nano-authorization").has_value();
  if (is_signed && request.listener() != kUserListener) {
    return by_signature(context, request, body);
  }
  if (session && request.listener() != kCoreListener) return by_session(context, *session);
  return stranger();
}

}  // namespace

base::Result<IdentityPtr> by_headers(const Context& context, const Request& request) {
  return identify(context, request, SignedBody::Whole);
}

std::vector<std::string> menus_of(const eventstore::Directory& people, std::string_view group) {
  std::vector<std::string> menus;
  const eventstore::GroupRow* row = people.group(group);
  if (row == nullptr) return menus;
  for (const std::string& name : row->group.roles) {
    const eventstore::RoleRow* role = people.role(name);
    if (role == nullptr) continue;
    for (const std::string& menu : role->role.menus) {
      if (std::find(menus.begin(), menus.end(), menu) == menus.end()) menus.push_back(menu);
    }
  }
  return menus;
}

// Who may do anything at all, and has the menu of people, administers them.
base::Result<IdentityPtr> by_session(const Context& context, std::string_view token) {
  const auto login = context.sessions.use(token);
  if (!login) return stranger();
  const auto people = context.services.people();
  const eventstore::UserRow* row = people->user(login->user);
  if (row == nullptr || row->user.tenant != login->group ||
      people->group(login->group) == nullptr) {
    return stranger();
  }
  auto member = std::make_shared<Member>();
  member->tenant = row->user.tenant;
  member->actor = row->user.name;
  member->role = row->user.role;
  member->menus = menus_of(*people, login->group);
  member->session = login->id;
  const bool has_people = std::find(member->menus.begin(), member->menus.end(),
                                    domain::kPeopleMenu) != member->menus.end();
  if (has_people && member->role == domain::Role::Operator) member->role = domain::Role::Admin;
  return IdentityPtr(std::move(member));
}

AccessGuard::DoorKeeper door(const Context& context) {
  AccessGuard::DoorKeeper keeper;
  keeper.errors = &kErrors;
  keeper.identify = [&context](const Call& call, const AccessGuard::Enter& enter) {
    auto identity = identify(context, call.request, SignedBody::Whole);
    if (!identity) return client_of(call).fail(identity.error());
    enter(std::move(*identity));
  };
  keeper.identify_head = [&context](const Request& head) {
    return identify(context, head, SignedBody::Stream);
  };
  return keeper;
}

}  // namespace slipway::api::nano
