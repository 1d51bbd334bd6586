#include "api/access_guard.hpp"

namespace slipway::api {
namespace {

using base::Errc;

base::Error forbidden(Right right) {
  return {Errc::Forbidden,
          right == Right::Administer ? "this needs the role admin" : "this needs the role operator",
          {}};
}

}  // namespace

AccessGuard::AccessGuard(const ApiServices& services, Authenticator& authenticator)
    : services_(services), authenticator_(authenticator) {
  open(Door::Core, {nullptr, &Client::kProblems});
}

void AccessGuard::open(Door door, DoorKeeper keeper) {
  doors_[static_cast<std::size_t>(door)] = std::move(keeper);
}

Router::Guard AccessGuard::guard() {
  return [this](Call call) { admit(std::move(call)); };
}

Router::HeadGuard AccessGuard::head_guard() {
  return [this](const Route& route, const Request& head, const Responder& reply) {
    const Right right = right_of(route.permission.value());
    const Door door = door_of(route.permission.value());
    if (right == Right::Public || door == Door::OwnKeeping) return true;
    const Client client{reply, errors_of(door)};
    const auto identity = by_head(door, head);
    if (!identity) {
      client.fail(identity.error());
    } else if (!(*identity)->may(right)) {
      client.fail(forbidden(right));
    } else {
      return true;
    }
    return false;
  };
}

base::Result<IdentityPtr> AccessGuard::by_head(Door door, const Request& head) const {
  if (door == Door::Core) return authenticator_.by_bearer(head);
  const DoorKeeper& keeper = doors_[static_cast<std::size_t>(door)];
  if (keeper.identify_head) return keeper.identify_head(head);
  return base::fail(Errc::Forbidden, "this door is closed");
}

const ErrorRenderer* AccessGuard::errors_of(Door door) const {
  const ErrorRenderer* errors = doors_[static_cast<std::size_t>(door)].errors;
  return errors == nullptr ? &Client::kProblems : errors;
}

void AccessGuard::admit(Call call) const {
  const int permission = call.route->permission.value();
  const Door door = door_of(permission);
  if (right_of(permission) == Right::Public || door == Door::OwnKeeping) {
    Router::run(std::move(call));
    return;
  }
  if (door == Door::Core) {
    auto identity = authenticator_.by_bearer(call.request);
    if (identity) return enter(std::move(call), std::move(*identity));
    Client{call.reply}.fail(identity.error());
    return;
  }
  const DoorKeeper& keeper = doors_[static_cast<std::size_t>(door)];
  if (!keeper.identify) {
    Client{call.reply}.fail(Errc::Forbidden, "this door is closed");
    return;
  }
  // Shared: the door keeper may go on on another thread, and std::function must be copyable.
  auto waiting = std::make_shared<Call>(std::move(call));
  keeper.identify(*waiting, [this, waiting](IdentityPtr identity) {
    enter(std::move(*waiting), std::move(identity));
  });
}

void AccessGuard::enter(Call call, IdentityPtr identity) const {
  const Right right = right_of(call.route->permission.value());
  const Client client{call.reply, errors_of(door_of(call.route->permission.value()))};
  if (!identity->may(right)) {
    client.fail(forbidden(right));
    return;
  }
  if (services_.options.read_only && right >= Right::Operate &&
      call.request.method() != Method::Get && call.request.method() != Method::Head) {
    client.fail(Errc::ReadOnly, "the server is read-only");
    return;
  }
  call.identity = std::move(identity);
  Router::run(std::move(call));
}

}  // namespace slipway::api
