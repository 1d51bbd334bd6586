#include "api/dialects/reservation/reservation.hpp"

#include <fmt/format.h>

#include "api/read_gate.hpp"

// Who asks, and the table of paths. Commands are in commands.cpp, questions in questions.cpp.
namespace slipway::api {
namespace {

using base::Errc;

const ErrorRenderer kErrors = reservation::render_error;
// What clients send where a header is wanted and there is no authentication.
constexpr std::string_view kNoToken = "notused";

// True unless the client asks for a version of this service that there is not.
bool serves_version(const Request& request) {
  for (std::string_view header : request.header_values("openstack-api-version")) {
    while (!header.empty()) {
      std::string_view one = header.substr(0, header.find(','));
      header.remove_prefix(std::min(header.size(), one.size() + 1));
      while (one.starts_with(' ')) one.remove_prefix(1);
      constexpr std::string_view kService = "reservation ";
      if (!one.starts_with(kService)) continue;
      one.remove_prefix(kService.size());
      while (one.ends_with(' ')) one.remove_suffix(1);
      if (one != "1.0" && one != "1" && one != "latest") return false;
    }
  }
  return true;
}

}  // namespace

AccessGuard::DoorKeeper Reservation::door() {
  return {[this](const Call& call, const AccessGuard::Enter& enter) { identify(call, enter); },
          &kErrors};
}

void Reservation::identify(const Call& call, const AccessGuard::Enter& enter) const {
  const Client client{call.reply, &kErrors};
  if (!serves_version(call.request)) {
    const base::Error error{Errc::InvalidArgument, "only version reservation 1.0 is served", {}};
    call.reply.send(reservation::render_error(
        {error, 406, call.reply.request_id(), call.reply.trace_id(), std::nullopt}));
    return;
  }
  static const auto kDemo =
      std::make_shared<const Identity>(Identity{"demo", "demo", domain::Role::Admin});
  const std::string_view token = call.request.header("x-auth-token");
  const bool none = token.empty() || token == kNoToken;
  if (options_.accept_any_token && !token.empty()) return enter(kDemo);
  // Without a token as everywhere: a bearer's, or the demo user in demo mode.
  auto identity = none ? authenticator_.by_bearer(call.request) : authenticator_.by_token(token);
  if (!identity) return client.fail(identity.error());
  enter(std::move(*identity));
}

reservation::View Reservation::view_of(const Call& call) const {
  return {options_.modern, identity_of(call).may(Right::Administer), services_.people()};
}

RouteTable Reservation::routes() {
  static constexpr Permission kView = allow(Right::View, Door::Reservation);
  static constexpr Permission kOperate = allow(Right::Operate, Door::Reservation);
  static constexpr Permission kAdmin = allow(Right::Administer, Door::Reservation);
  RouteTable table;
  const auto add = [&](Method method, std::string_view path, Permission permission,
                       Handler handler) {
    const auto run = [this, handler](Call call) { (this->*handler)(std::move(call)); };
    for (const std::string_view base : {"/v1", "/reservation/v1"}) {
      const std::string pattern = std::string(base) + std::string(path);
      table.push_back({method, pattern, permission, run, nullptr});
      // An id takes ".json" along, which is cut off where the id is read.
      if (!path.ends_with('}'))
        table.push_back({method, pattern + ".json", permission, run, nullptr});
    }
  };
  add(Method::Get, "/leases", kView, &Reservation::list_leases);
  add(Method::Post, "/leases", kOperate, &Reservation::create_lease);
  add(Method::Get, "/leases/{id}", kView, &Reservation::get_lease);
  add(Method::Put, "/leases/{id}", kOperate, &Reservation::update_lease);
  add(Method::Delete, "/leases/{id}", kOperate, &Reservation::delete_lease);
  add(Method::Get, "/os-hosts", kView, &Reservation::list_hosts);
  add(Method::Post, "/os-hosts", kAdmin, &Reservation::enroll_host);
  add(Method::Get, "/os-hosts/allocations", kView, &Reservation::list_allocations);
  add(Method::Get, "/os-hosts/properties", kView, &Reservation::list_properties);
  add(Method::Patch, "/os-hosts/properties/{id}", kAdmin, &Reservation::set_property);
  add(Method::Get, "/os-hosts/{id}", kView, &Reservation::get_host);
  add(Method::Put, "/os-hosts/{id}", kAdmin, &Reservation::update_host);
  add(Method::Delete, "/os-hosts/{id}", kAdmin, &Reservation::withdraw_host);
  add(Method::Get, "/os-hosts/{id}/allocation", kView, &Reservation::get_allocation);
  add(Method::Get, "/floatingips", kView, &Reservation::list_floating_ips);
  add(Method::Post, "/floatingips", kAdmin, &Reservation::create_floating_ip);
  add(Method::Get, "/floatingips/{id}", kView, &Reservation::get_floating_ip);
  add(Method::Delete, "/floatingips/{id}", kAdmin, &Reservation::delete_floating_ip);
  for (const std::string_view path :
       {"/compute/v2.1/os-hypervisors", "/compute/v2.1/os-hypervisors/detail"}) {
    table.push_back({Method::Get, std::string(path), kView,
                     [this](Call call) { list_hypervisors(std::move(call)); }, nullptr});
  }
  return table;
}

void Reservation::mount(Router& router, const std::string& prefix) {
  MountOptions options;
  options.dialect = "reservation";
  options.render_error = reservation::render_error;
  options.wrong_verb = reservation::wrong_verb;
  RouteTable versions;
  for (const std::string_view path : {"", "/", "/versions", "/v1", "/reservation/v1"}) {
    if (path.empty() && prefix.empty()) continue;
    versions.push_back({Method::Get, std::string(path), allow(Right::Public),
                        [prefix](const Call& call) {
                          Response response(300,
                                            reservation::versions_body(call.request.host(), prefix),
                                            reservation::kType);
                          call.reply.send(reservation::dress(std::move(response)));
                        },
                        nullptr});
  }
  router.mount(prefix, std::move(versions), options);
  options.any_last_slash = true;
  router.mount(prefix, routes(), std::move(options));
}

}  // namespace slipway::api
