#pragma once
// The Router's guard: finds out who asks, by the door of the route, then whether he may. Deny by
// default: a door that nobody opened lets nobody in.
//
//   AccessGuard guard(services, authenticator);
//   guard.open(Door::VmFront, vmfront.door());
//   auto router = std::make_shared<Router>(guard.guard());
#include <array>
#include <functional>

#include "api/authenticator.hpp"
#include "api/rate_limiter.hpp"

namespace slipway::api {

class AccessGuard {
 public:
  AccessGuard(const ApiServices& services, Authenticator& authenticator);

  // Finds out who asks and calls `enter` (from any thread), or answers the call itself.
  using Enter = std::function<void(IdentityPtr)>;
  struct DoorKeeper {
    std::function<void(const Call& call, Enter enter)> identify;
    const ErrorRenderer* errors = nullptr;
    // For routes that take a body piece by piece: who asks, by the head alone and at once. A door
    // without it lets no such body in.
    std::function<base::Result<IdentityPtr>(const Request& head)> identify_head = nullptr;
  };
  // Before the server starts.
  void open(Door door, DoorKeeper keeper);

  RateLimiter& rates() { return rates_; }

  // Refers to this object, which must outlive the router.
  Router::Guard guard();
  // For routes that take a body piece by piece.
  Router::HeadGuard head_guard();

 private:
  void admit(Call call);
  void enter(Call call, IdentityPtr identity);
  const ErrorRenderer* errors_of(Door door) const;
  Client client_of(const Call& call) const;
  bool within_rate(const Call& call, RateOf of, std::string_view who);
  base::Result<IdentityPtr> by_head(Door door, const Request& head) const;

  const ApiServices& services_;
  Authenticator& authenticator_;
  std::array<DoorKeeper, kDoors> doors_;
  RateLimiter rates_;
};

}  // namespace slipway::api
