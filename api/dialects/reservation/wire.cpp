#include "api/dialects/reservation/wire.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "api/dialects/reservation/dates.hpp"
#include "core/base/crypto.hpp"

namespace slipway::api::reservation {
namespace {

using base::Errc;
using base::JsonWriter;

std::string hex_id(const base::Uuid& id) { return base::hex(id.bytes); }
// Any stable 32 digits: there are no trusts here.
std::string trust_id(std::string_view of) { return base::hex(base::blake2b(of)).substr(0, 32); }

std::string project_id(const View& view, const std::string& tenant) {
  const eventstore::ProjectRow* row = view.people->project(tenant);
  return row == nullptr ? tenant : hex_id(row->project.id);
}
std::string user_id(const View& view, const std::string& name) {
  const eventstore::UserRow* row = view.people->user(name);
  return row == nullptr ? name : hex_id(row->user.id);
}

void member_stamp(JsonWriter& w, std::string_view name, const std::optional<base::Time>& t) {
  w.key(name);
  t ? w.value(stamp(*t)) : w.null();
}
void member_text(JsonWriter& w, std::string_view name, const std::string& text) {
  w.key(name);
  text.empty() ? w.null() : w.value(text);
}

int status_here(const ErrorInfo& info) {
  switch (info.error.code) {
    case Errc::UnprocessableArgument:
    case Errc::UnsupportedMediaType:
      return 400;
    case Errc::CapacityExhausted:  // the hosts are somebody else's for that time
      return 409;
    default:
      return info.status;
  }
}

void write_reservation(JsonWriter& w, const domain::Lease& lease, const domain::Reservation& r,
                       const View& view) {
  const domain::ReservationSpec& spec = r.spec;
  w.begin_object().member("status", base::enum_name(r.state)).member("lease_id", lease.id);
  w.member("min", spec.min).member("max", spec.max);
  w.member("resource_id", std::to_string(spec.number));
  w.member("created_at", stamp(lease.created_at));
  member_stamp(w, "updated_at", r.updated_at);
  w.member("hypervisor_properties", spec.hypervisor_properties);
  w.member("resource_properties", spec.resource_properties);
  w.member("id", spec.id).member("resource_type", "physical:host");
  w.member("before_end", base::enum_name(spec.before_end));
  if (view.modern) {
    w.member("missing_resources", r.holds_hosts() && lease.missing > 0);
    w.member("resources_changed", r.changed);
  }
  w.end_object();
}

void write_timer(JsonWriter& w, const domain::Lease& lease, const domain::LeaseTimer& timer) {
  w.begin_object().member("status", base::enum_name(timer.state)).member("lease_id", lease.id);
  w.member("event_type", base::enum_name(timer.kind)).member("created_at", stamp(lease.created_at));
  member_stamp(w, "updated_at", timer.updated_at);
  w.member("time", date(timer.due)).member("id", timer.id).end_object();
}

}  // namespace

// ---- errors ----

Response dress(Response response) {
  response.add("Vary", "OpenStack-API-Version");
  response.add("OpenStack-API-Version", "reservation 1.0");
  return response;
}

Response render_error(const ErrorInfo& info) {
  const int status = status_here(info);
  JsonWriter w;
  w.begin_object().member("error_code", status);
  w.member("error_message", status == 500 ? "internal error" : info.error.message);
  w.key("error_name");
  status == 500 ? w.value("INTERNAL_SERVER_ERROR") : w.value(status);
  Response response(status, w.end_object().text(), kType);
  if (info.retry_after) response.add("Retry-After", std::to_string(*info.retry_after));
  return dress(std::move(response));
}

Response wrong_verb(const Request&, std::string_view allow) {
  JsonWriter w;
  w.begin_object().member("error", 405);
  w.member("error_message", fmt::format("allowed here: {}", allow)).end_object();
  Response response(405, w.text(), kType);
  response.add("Allow", allow);
  return dress(std::move(response));
}

// ---- leases ----

void write_lease(JsonWriter& w, const domain::Lease& lease, const View& view) {
  w.begin_object().key("status");
  const bool unsaid = !view.modern && lease.state == domain::LeaseState::Pending;
  unsaid ? w.null() : w.value(base::enum_name(lease.state));
  w.member("user_id", user_id(view, lease.user)).member("name", lease.name);
  w.member("end_date", date(lease.end)).key("reservations").begin_array();
  for (const domain::Reservation& r : lease.reservations) write_reservation(w, lease, r, view);
  w.end_array().member("created_at", stamp(lease.created_at));
  member_stamp(w, "updated_at", lease.updated_at);
  w.key("events").begin_array();
  for (const domain::LeaseTimer& timer : lease.timers) write_timer(w, lease, timer);
  w.end_array().member("id", lease.id).key("action").null();
  w.member("project_id", project_id(view, lease.tenant));
  member_text(w, "status_reason", lease.reason);
  w.member("start_date", date(lease.start));
  w.member("trust_id", trust_id(base::to_string(lease.id)));
  if (view.modern) w.member("degraded", lease.missing > 0);
  w.end_object();
}

// ---- hosts ----

void write_host_members(JsonWriter& w, const domain::ReservableHost& host, const View& view,
                        const PrivateProperties& hidden) {
  w.key("status").null().member("hypervisor_type", domain::kHypervisorType);
  w.member("created_at", stamp(host.enrolled_at));
  member_stamp(w, "updated_at", host.updated_at);
  w.member("hypervisor_hostname", host.name).member("memory_mb", host.facts.memory_mb);
  w.member("cpu_info",
           fmt::format("{{'arch': 'x86_64', 'features': [], 'topology': {{'cores': {}, 'threads': "
                       "1, 'sockets': 1}}}}",
                       host.facts.vcpus));
  w.member("vcpus", host.facts.vcpus).member("service_name", host.name);
  w.member("hypervisor_version", domain::kHypervisorVersion);
  w.member("local_gb", host.facts.local_gb).member("id", std::to_string(host.facts.number));
  w.member("trust_id", trust_id(host.name));
  if (view.modern) w.member("reservable", host.alive);
  for (const auto& [key, value] : host.capabilities) {
    const bool is_private = std::find(hidden.begin(), hidden.end(), key) != hidden.end();
    if (view.administers || !is_private) w.member(key, value);
  }
}

void write_host(JsonWriter& w, const domain::ReservableHost& host, const View& view,
                const PrivateProperties& hidden) {
  w.begin_object();
  write_host_members(w, host, view, hidden);
  w.end_object();
}

void write_floating_ip(JsonWriter& w, const domain::FloatingIp& ip, base::Time created_at) {
  w.begin_object().member("id", ip.id).member("floating_network_id", ip.network);
  w.key("subnet_id").null().member("floating_ip_address", domain::ipv4_text(ip.ipv4));
  w.member("reservable", true).member("created_at", stamp(created_at));
  w.key("updated_at").null().end_object();
}

void write_booking(JsonWriter& w, const eventstore::ReservationRow& row) {
  w.begin_object().member("id", row.reservation.spec.id).member("lease_id", row.lease);
  w.member("start_date", date(row.start)).member("end_date", date(row.end)).end_object();
}

std::string versions_body(std::string_view host, std::string_view prefix) {
  JsonWriter w;
  w.begin_object().key("versions").begin_array().begin_object();
  w.member("id", "v1.0").member("status", "CURRENT").key("links").begin_array();
  w.begin_object().member("rel", "self");
  w.member("href", fmt::format("http://{}{}/v1", host, prefix)).end_object().end_array();
  w.member("min_version", "1.0").member("max_version", "1.0");
  return w.end_object().end_array().end_object().text();
}

}  // namespace slipway::api::reservation
