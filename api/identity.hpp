#pragma once
// Who asks and what they may do. Found out by the guard (access_guard.hpp) before a handler runs,
// never read from a body.
#include <memory>
#include <string>

#include "api/edge/router.hpp"
#include "core/domain/command.hpp"
#include "eventstore/read_models.hpp"

namespace slipway::api {

// What a route asks of its caller. Public: no identity; View: any; Operate: commands on things of
// the own tenant; Administer: people, quotas, workers, the server itself.
enum class Right : std::uint8_t { Public, View, Operate, Administer };

// By which form of identity a route is entered: each API family has its own.
enum class Door : std::uint8_t {
  Core,          // Authorization: Bearer
  VmFront,       // headers user, password, project_name, domain_id
  Perspective,   // none, or a bearer token
  Reservation,   // X-Auth-Token
  Nano,          // Nano-Session, or Nano-Authorization with a signature
  Orchestrator,  // none, X-Auth-Token, or a token in the body
  OwnKeeping,    // the dialect checks in its handlers (a dialect whose identity is in the body)
};
inline constexpr std::size_t kDoors = 7;

// The number that a Route carries: the guard takes it apart again.
constexpr Permission allow(Right right, Door door = Door::Core) {
  return Permission((static_cast<int>(door) << 8) | static_cast<int>(right));
}
constexpr Right right_of(int permission) { return static_cast<Right>(permission & 0xFF); }
constexpr Door door_of(int permission) { return static_cast<Door>(permission >> 8); }

struct Identity {
  std::string tenant;
  std::string actor;
  domain::Role role = domain::Role::None;

  bool may(Right right) const;
  // What it may see: an admin everything, anybody else the own tenant.
  eventstore::Scope scope() const {
    return role == domain::Role::Admin ? eventstore::Scope::admin()
                                       : eventstore::Scope::tenant(tenant);
  }
  eventstore::Scope own_scope() const { return eventstore::Scope::tenant(tenant); }
  bool sees(std::string_view tenant_of_object) const {
    return role == domain::Role::Admin || tenant == tenant_of_object;
  }
};
// Shared: the credential cache and the requests under way hold the same one.
using IdentityPtr = std::shared_ptr<const Identity>;

// Of a call that passed the guard; an identity without rights for a public route.
const Identity& identity_of(const Call& call);

}  // namespace slipway::api
