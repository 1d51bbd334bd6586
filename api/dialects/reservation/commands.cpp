#include <fmt/format.h>

#include "api/dialects/reservation/forms.hpp"
#include "api/dialects/reservation/lease_body.hpp"
#include "api/dialects/reservation/path_id.hpp"
#include "api/dialects/reservation/reservation.hpp"

// What changes something: parsed, handed over, and answered from what was decided.
namespace slipway::api {
namespace {

using base::Errc;
using base::fail;
using namespace reservation;  // NOLINT: the dialect's own

const ErrorRenderer kErrors = render_error;

constexpr std::size_t kMaxCapabilityValue = 1024;

bool takes_as_json(const Request& request) {
  std::string_view type = request.header("content-type");
  type = type.substr(0, type.find(';'));
  while (type.ends_with(' ')) type.remove_suffix(1);
  return type.empty() || iequals(type, "application/json") || request.path().ends_with(".json");
}

// The extra capabilities in a host's body: everything but what the service says of hosts itself.
base::Status read_capabilities(base::JsonValue body, domain::Labels& out) {
  for (base::JsonObjectIterator it(body); it; ++it) {
    const std::string_view key = it.key();
    if (key == "name" || key == "id" || key == "values") continue;
    const auto text = scalar_text(it.value());
    if (key.empty() || !text || text->size() > kMaxCapabilityValue) return fail(malformed(key));
    out[std::string(key)] = *text;
  }
  return {};
}

}  // namespace

std::optional<base::JsonValue> Reservation::body_of(const Call& call) const {
  const Client client{call.reply, &kErrors};
  thread_local base::JsonParser parser;
  if (!takes_as_json(call.request)) {
    client.fail(Errc::InvalidArgument, "the body must be application/json");
    return std::nullopt;
  }
  const auto json = parser.parse(call.request.body());
  if (!json || !json->is_object() || json->size() == 0) {
    client.fail(Errc::InvalidArgument, json ? "the body must be an object that is not empty"
                                            : "the body is not valid JSON");
    return std::nullopt;
  }
  return *json;
}

template <class MakeForm>
void Reservation::submit(const Call& call, domain::CommandBody body, MakeForm make_form) const {
  const Client client{call.reply, &kErrors};
  auto request = submitter_.begin(call, domain::Dialect::Reservation);
  if (!request) return client.fail(request.error());
  request->client = client;
  request->wait = base::Duration(0);
  request->command.body = std::move(body);
  request->form = make_form(request->command.task, view_of(call));
  submitter_.submit(std::move(*request));
}

// ---- leases ----

void Reservation::create_lease(Call call) const {
  const auto body = body_of(call);
  if (!body) return;
  auto lease = parse_create(*body, {services_.clock.now(), options_.before_end_lead});
  if (!lease) return Client{call.reply, &kErrors}.fail(lease.error());
  const domain::LeaseId id = lease->lease;
  submit(call, std::move(*lease), [&](const domain::TaskId& task, View view) {
    return std::make_unique<LeaseForm>(task, std::move(view), options_.modern ? 201 : 202, id);
  });
}

void Reservation::update_lease(Call call) const {
  const Client client{call.reply, &kErrors};
  const auto id = lease_id(call);
  if (!id) return client.fail(id.error());
  const auto body = body_of(call);
  if (!body) return;
  auto lease = parse_update(*body, *id, {services_.clock.now(), options_.before_end_lead});
  if (!lease) return client.fail(lease.error());
  submit(call, std::move(*lease), [&](const domain::TaskId& task, View view) {
    return std::make_unique<LeaseForm>(task, std::move(view), options_.modern ? 200 : 202, *id);
  });
}

void Reservation::delete_lease(Call call) const {
  const auto id = lease_id(call);
  if (!id) return Client{call.reply, &kErrors}.fail(id.error());
  submit(call, domain::DeleteLease{*id}, [](const domain::TaskId& task, View view) {
    return std::make_unique<EmptyForm>(task, std::move(view));
  });
}

// ---- hosts ----

void Reservation::enroll_host(Call call) const {
  const Client client{call.reply, &kErrors};
  const auto body = body_of(call);
  if (!body) return;
  const auto name = body->find("name");
  if (!name || name->string().value_or("").empty()) return client.fail(missing("name"));
  domain::EnrollHost host{std::string(*name->string()), {}};
  if (auto status = read_capabilities(*body, host.capabilities); !status) {
    return client.fail(status.error());
  }
  const std::string wanted = host.name;
  submit(call, std::move(host), [&](const domain::TaskId& task, View view) {
    return std::make_unique<HostForm>(task, std::move(view), options_.modern ? 201 : 202, wanted,
                                      false);
  });
}

void Reservation::update_host(Call call) const {
  const Client client{call.reply, &kErrors};
  const auto body = body_of(call);
  if (!body) return;
  domain::UpdateReservableHost host{std::string(path_part(call)), {}};
  const auto values = body->find("values");
  const bool wrapped = values && values->is_object();
  if (auto status = read_capabilities(wrapped ? *values : *body, host.capabilities); !status) {
    return client.fail(status.error());
  }
  const std::string wanted = host.host;
  submit(call, std::move(host), [&](const domain::TaskId& task, View view) {
    return std::make_unique<HostForm>(task, std::move(view), options_.modern ? 200 : 202, wanted,
                                      true);
  });
}

void Reservation::withdraw_host(Call call) const {
  submit(call, domain::WithdrawHost{std::string(path_part(call))},
         [](const domain::TaskId& task, View view) {
           return std::make_unique<EmptyForm>(task, std::move(view));
         });
}

void Reservation::set_property(Call call) const {
  const auto body = body_of(call);
  if (!body) return;
  const auto is_private = body->find("private");
  const auto flag = is_private ? is_private->boolean() : std::nullopt;
  if (!flag) return Client{call.reply, &kErrors}.fail(missing("private"));
  const std::string property(path_part(call));
  submit(call, domain::SetHostProperty{property, *flag},
         [&](const domain::TaskId& task, View view) {
           return std::make_unique<PropertyForm>(task, std::move(view), property, *flag);
         });
}

// ---- floating addresses ----

void Reservation::create_floating_ip(Call call) const {
  const Client client{call.reply, &kErrors};
  const auto body = body_of(call);
  if (!body) return;
  const auto text = [&](std::string_view name) {
    const auto value = body->find(name);
    return value ? value->string().value_or("") : std::string_view();
  };
  for (const std::string_view name : {"floating_network_id", "floating_ip_address"}) {
    if (text(name).empty()) return client.fail(missing(name));
  }
  const auto network = base::parse_uuid(text("floating_network_id"));
  const auto address = domain::parse_ipv4(text("floating_ip_address"));
  if (!network) return client.fail(malformed("floating_network_id"));
  if (!address || *address == 0) return client.fail(malformed("floating_ip_address"));
  const domain::FloatingIp ip{domain::FloatingIpId(new_id()), domain::NetworkId(*network),
                              *address};
  submit(call, domain::CreateFloatingIp{ip}, [&](const domain::TaskId& task, View view) {
    return std::make_unique<FloatingIpForm>(task, std::move(view), ip.id, services_.clock.now());
  });
}

void Reservation::delete_floating_ip(Call call) const {
  const auto id = base::parse_uuid(path_part(call));
  if (!id) return Client{call.reply, &kErrors}.fail(no_object("floatingip_id", path_part(call)));
  submit(call, domain::DeleteFloatingIp{domain::FloatingIpId(*id)},
         [](const domain::TaskId& task, View view) {
           return std::make_unique<EmptyForm>(task, std::move(view));
         });
}

}  // namespace slipway::api
