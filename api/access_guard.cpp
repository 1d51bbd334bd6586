#include "api/access_guard.hpp"

#include <fmt/format.h>

#include <algorithm>

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

Client AccessGuard::client_of(const Call& call) const {
  return {call.reply, errors_of(door_of(call.route->permission.value()))};
}

// False when it has answered with 429.
bool AccessGuard::within_rate(const Call& call, RateOf of, std::string_view who) {
  const auto refusal = rates_.take(of, who, services_.clock.steady());
  if (!refusal) return true;
  const auto wait = std::chrono::ceil<std::chrono::seconds>(refusal->wait).count();
  const base::Error error{
      Errc::RateLimited,
      fmt::format("more than {} requests a second of this {}", refusal->per_second, rate_name(of)),
      {}};
  const Client client = client_of(call);
  ErrorInfo info = error_info(error, call.reply.request_id(), call.reply.trace_id());
  info.retry_after = static_cast<int>(wait);
  Response response = (*client.errors)(info);
  // draft-ietf-httpapi-ratelimit-headers: so many requests (q) in a window of so many seconds (w).
  const std::uint64_t window = std::max<std::uint64_t>(1, refusal->burst / refusal->per_second);
  response.add("RateLimit-Policy",
               fmt::format("\"{}\";q={};w={}", rate_name(of), refusal->burst, window));
  response.add("RateLimit", fmt::format("\"{}\";r=0;t={}", rate_name(of), wait));
  if (!response.find("Retry-After")) response.add("Retry-After", std::to_string(wait));
  client.send(std::move(response));
  return false;
}

void AccessGuard::admit(Call call) {
  const int permission = call.route->permission.value();
  const Door door = door_of(permission);
  if (right_of(permission) == Right::Public) {
    Router::run(std::move(call));
    return;
  }
  if (!within_rate(call, RateOf::Address, call.request.peer().address)) return;
  if (door == Door::OwnKeeping) {
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

void AccessGuard::enter(Call call, IdentityPtr identity) {
  const Right right = right_of(call.route->permission.value());
  const Client client = client_of(call);
  // A user who brings a password has one bucket, whatever he says beside it.
  const auto token = call.request.find_header("authorization");
  if (!within_rate(call, RateOf::Token, token.value_or(identity->actor)) ||
      !within_rate(call, RateOf::Tenant, identity->tenant)) {
    return;
  }
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
