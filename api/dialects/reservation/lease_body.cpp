#include "api/dialects/reservation/lease_body.hpp"

#include <fmt/format.h>

#include <charconv>

#include "api/dialects/reservation/dates.hpp"
#include "api/submit.hpp"
#include "core/domain/host_filter.hpp"

namespace slipway::api::reservation {
namespace {

using base::Errc;
using base::fail;
using base::JsonValue;
using base::Status;
using domain::BeforeEndAction;

constexpr std::size_t kMaxReservations = 32;
constexpr std::size_t kMaxName = 255;
constexpr std::size_t kMaxFilter = 4096;
constexpr std::string_view kHosts = "physical:host";

std::optional<JsonValue> present(JsonValue body, std::string_view name) {
  const auto value = body.find(name);
  return value && !value->is_null() ? value : std::nullopt;
}

base::Result<base::Time> parse_date(JsonValue value, base::Time now) {
  const auto text = value.string();
  if (text == "now") return base::Time(std::chrono::floor<std::chrono::minutes>(now));
  const auto time = text ? parse_minute(*text) : std::nullopt;
  if (time) return *time;
  return fail(Errc::InvalidArgument,
              fmt::format("{} is an invalid date. Required format: %Y-%m-%d %H:%M",
                          text ? std::string(*text) : value.minified()));
}

Status read_date(JsonValue body, std::string_view name, base::Time now,
                 std::optional<base::Time>& out) {
  const auto value = present(body, name);
  if (!value) return {};
  auto time = parse_date(*value, now);
  if (!time) return fail(time.error());
  out = *time;
  return {};
}

Status read_name(JsonValue value, std::string& out) {
  const auto text = value.string();
  if (!text || text->empty() || text->size() > kMaxName) return fail(malformed("name"));
  out.assign(*text);
  return {};
}

Status read_count(JsonValue value, std::string_view name, std::uint32_t& out) {
  const auto text = scalar_text(value).value_or("");
  const char* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, out);
  if (text.empty() || error != std::errc() || at != end) return fail(malformed(name));
  return {};
}

Status read_filter(JsonValue value, std::string_view name, std::string& out) {
  // As text; some write it as JSON.
  out = value.is_array() ? value.minified() : std::string(value.string().value_or("\x01"));
  if (out == "\x01" || out.size() > kMaxFilter) return fail(malformed(name));
  if (auto parsed = domain::HostFilter::parse(out); !parsed) return fail(parsed.error());
  return {};
}

Status read_before_end(JsonValue value, BeforeEndAction& out) {
  const std::string_view text = value.string().value_or("?");
  const auto action =
      text.empty() ? BeforeEndAction::Default : base::enum_from_name<BeforeEndAction>(text);
  if (!action) return fail(malformed("before_end"));
  out = *action;
  return {};
}

Status read_reservation(JsonValue json, domain::ReservationSpec& spec) {
  if (!json.is_object()) return fail(malformed("reservations"));
  spec.id = domain::ReservationId(new_id());
  const auto type = present(json, "resource_type");
  if (!type) return fail(missing("resource_type"));
  if (type->string() != kHosts) {
    return fail(Errc::InvalidArgument, fmt::format("The {} resource type is not supported",
                                                   type->string().value_or("given")));
  }
  for (const std::string_view name : {"min", "max"}) {
    const auto value = present(json, name);
    if (!value || value->string() == "") return fail(missing(name));
    if (auto status = read_count(*value, name, name == "min" ? spec.min : spec.max); !status) {
      return status;
    }
  }
  if (const auto value = present(json, "hypervisor_properties")) {
    auto status = read_filter(*value, "hypervisor_properties", spec.hypervisor_properties);
    if (!status) return status;
  }
  if (const auto value = present(json, "resource_properties")) {
    auto status = read_filter(*value, "resource_properties", spec.resource_properties);
    if (!status) return status;
  }
  if (const auto value = present(json, "before_end"))
    return read_before_end(*value, spec.before_end);
  return {};
}

Status read_change(JsonValue json, domain::ChangeReservation& change) {
  const auto id = json.is_object() ? present(json, "id") : std::nullopt;
  if (!id) return fail(missing("reservation ID"));
  const auto uuid = base::parse_uuid(id->string().value_or(""));
  if (!uuid) {
    return fail(Errc::InvalidArgument,
                "Please enter valid reservation IDs. Invalid reservation IDs are: " +
                    scalar_text(*id).value_or("not text"));
  }
  change.id = domain::ReservationId(*uuid);
  if (const auto type = present(json, "resource_type"); type && type->string() != kHosts) {
    return fail(Errc::IllegalTransition, "resource_type cannot be updated");
  }
  Status status;
  if (const auto value = present(json, "min")) {
    status = read_count(*value, "min", change.min.emplace());
  }
  if (const auto value = present(json, "max"); value && status) {
    status = read_count(*value, "max", change.max.emplace());
  }
  if (const auto value = present(json, "hypervisor_properties"); value && status) {
    status = read_filter(*value, "hypervisor_properties", change.hypervisor_properties.emplace());
  }
  if (const auto value = present(json, "resource_properties"); value && status) {
    status = read_filter(*value, "resource_properties", change.resource_properties.emplace());
  }
  if (const auto value = present(json, "before_end"); value && status) {
    status = read_before_end(*value, change.before_end.emplace());
  }
  return status;
}

template <class T, class Read>
Status read_list(JsonValue body, std::vector<T>& out, Read read) {
  const auto list = present(body, "reservations");
  if (!list) return {};
  if (!list->is_array() || list->size() > kMaxReservations) return fail(malformed("reservations"));
  for (base::JsonArrayIterator it(*list); it; ++it) {
    if (auto status = read(it.value(), out.emplace_back()); !status) return status;
  }
  return {};
}

}  // namespace

std::optional<std::string> scalar_text(JsonValue json) {
  if (const auto text = json.string()) return std::string(*text);
  if (json.is_object() || json.is_array() || json.is_null()) return std::nullopt;
  return json.minified();
}

base::Error missing(std::string_view parameter) {
  return {Errc::InvalidArgument, fmt::format("Missing parameter {}", parameter), {}};
}
base::Error malformed(std::string_view parameter) {
  return {Errc::InvalidArgument, fmt::format("Malformed parameter {}", parameter), {}};
}

base::Result<domain::CreateLease> parse_create(JsonValue body, const LeaseRules& rules) {
  domain::CreateLease lease;
  for (const std::string_view name : {"name", "start_date", "end_date"}) {
    if (!present(body, name)) return fail(missing(name));
  }
  if (auto status = read_name(*present(body, "name"), lease.name); !status) {
    return fail(status.error());
  }
  auto start = parse_date(*present(body, "start_date"), rules.now);
  if (!start) return fail(start.error());
  auto end = parse_date(*present(body, "end_date"), rules.now);
  if (!end) return fail(end.error());
  lease.start = *start;
  lease.end = *end;
  lease.default_lead = rules.before_end_lead;
  if (auto status = read_date(body, "before_end_date", rules.now, lease.before_end); !status) {
    return fail(status.error());
  }
  if (auto status = read_list(body, lease.reservations, read_reservation); !status) {
    return fail(status.error());
  }
  lease.lease = domain::LeaseId(new_id());
  for (auto& timer : lease.timers) timer = domain::LeaseTimerId(new_id());
  return lease;
}

base::Result<domain::UpdateLease> parse_update(JsonValue body, const domain::LeaseId& id,
                                               const LeaseRules& rules) {
  domain::UpdateLease lease;
  lease.lease = id;
  lease.default_lead = rules.before_end_lead;
  if (const auto name = present(body, "name")) {
    if (auto status = read_name(*name, lease.name.emplace()); !status) return fail(status.error());
  }
  struct Date {
    std::string_view name;
    std::optional<base::Time>& value;
  };
  for (const Date& date : {Date{"start_date", lease.start}, Date{"end_date", lease.end},
                           Date{"before_end_date", lease.before_end}}) {
    auto status = read_date(body, date.name, rules.now, date.value);
    if (!status) return fail(status.error());
  }
  if (auto status = read_list(body, lease.reservations, read_change); !status) {
    return fail(status.error());
  }
  return lease;
}

}  // namespace slipway::api::reservation
