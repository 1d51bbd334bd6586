#include "app/cli/shape.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace slipway::app::cli {
namespace {

// The first of the pointers that leads to something other than null.
Json find(const Json& item, const std::string& pointers) {
  std::size_t at = 0;
  while (at <= pointers.size()) {
    const auto end = std::min(pointers.find('|', at), pointers.size());
    const Json::json_pointer pointer(pointers.substr(at, end - at));
    if (item.contains(pointer) && !item.at(pointer).is_null()) return item.at(pointer);
    at = end + 1;
  }
  return nullptr;
}

std::string plain(const Json& value) {
  if (value.is_null()) return "-";
  if (value.is_boolean()) return value.get<bool>() ? "yes" : "no";
  const auto text = value.is_string() ? value.get<std::string>()
                                      : value.dump(-1, ' ', false, Json::error_handler_t::replace);
  return text.empty() ? "-" : printable(text);
}

std::string binary_size(double value, int unit) {
  static constexpr const char* kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
  while (value >= 1024 && unit < 5) {
    value /= 1024;
    ++unit;
  }
  const bool whole = value == static_cast<double>(static_cast<long long>(value));
  return whole ? fmt::format("{:.0f} {}", value, kUnits[unit])
               : fmt::format("{:.1f} {}", value, kUnits[unit]);
}

std::string age(const Json& value, base::Time now) {
  const auto time =
      value.is_string() ? base::parse_rfc3339(value.get<std::string>()) : std::nullopt;
  return time ? short_duration(std::max(base::Duration(0), now - *time)) : plain(value);
}

std::string joined(const Json& list, const std::function<std::string(const Json&)>& one) {
  std::string out;
  for (const auto& element : list) {
    const auto text = printable(one(element));
    if (!text.empty()) out += (out.empty() ? "" : ",") + text;
  }
  return out.empty() ? "-" : out;
}

std::string labels(const Json& value) {
  std::string out;
  for (const auto& [key, member] : value.items())
    out += (out.empty() ? "" : ",") + printable(key) + "=" + plain(member);
  return out.empty() ? "-" : out;
}

}  // namespace

std::string short_duration(base::Duration time) {
  using namespace std::chrono;
  if (time < seconds(1)) return fmt::format("{}ms", duration_cast<milliseconds>(time).count());
  if (time < minutes(2)) return fmt::format("{}s", duration_cast<seconds>(time).count());
  if (time < hours(2)) return fmt::format("{}m", duration_cast<minutes>(time).count());
  if (time < hours(48)) return fmt::format("{}h", duration_cast<hours>(time).count());
  return fmt::format("{}d", duration_cast<hours>(time).count() / 24);
}

std::string cell_text(const Json& item, const Column& column, base::Time now) {
  const auto value = find(item, column.pointer);
  if (value.is_null()) return "-";
  switch (column.cell) {
    case Cell::Text:
    case Cell::State:
      return plain(value);
    case Cell::Age:
      return age(value, now);
    case Cell::Percent:
      return plain(value) + "%";
    case Cell::Seconds:
      return value.is_number() ? short_duration(base::Duration(
                                     static_cast<std::int64_t>(value.get<double>() * 1e6)))
                               : plain(value);
    case Cell::Mebibytes:
      return value.is_number() ? binary_size(value.get<double>(), 2) : plain(value);
    case Cell::Bytes:
      return value.is_number() ? binary_size(value.get<double>(), 0) : plain(value);
    case Cell::Labels:
      return value.is_object() ? labels(value) : plain(value);
    case Cell::Addresses:
      return joined(value, [](const Json& a) { return text_at(a, "address"); });
    case Cell::Resources:
      return joined(value,
                    [](const Json& r) { return text_at(r, "kind") + "/" + text_at(r, "id"); });
    case Cell::Count:
      return value.is_structured() ? std::to_string(value.size()) : plain(value);
  }
  return "-";
}

Colour state_colour(std::string_view state) {
  if (state == "SUCCEEDED" || state == "RUNNING" || state == "SAVED") return Colour::Green;
  if (state == "FAILED" || state == "DEAD" || state == "TIMED_OUT" || state == "ERROR")
    return Colour::Red;
  if (state == "RETRY_WAIT" || state == "PARTIAL" || state == "CANCELLED") return Colour::Yellow;
  if (state == "STOPPED" || state == "DELETED") return Colour::Grey;
  return Colour::None;
}

const Shape& task_shape() {
  static const Shape shape{"task",
                           "/id",
                           {{"ID", "/id"},
                            {"COMMAND", "/command"},
                            {"STATE", "/state", Cell::State},
                            {"PROGRESS", "/progress/percent", Cell::Percent},
                            {"RESOURCES", "/resources", Cell::Resources},
                            {"AGE", "/created_at", Cell::Age},
                            {"ERROR", "/error/code", Cell::Text},
                            {"ATTEMPT", "/attempt", Cell::Text, true},
                            {"STEP", "/progress/step", Cell::Text, true},
                            {"ACTOR", "/actor", Cell::Text, true},
                            {"DIALECT", "/dialect", Cell::Text, true},
                            {"PRIORITY", "/priority", Cell::Text, true},
                            {"PARENT", "/parent", Cell::Text, true}}};
  return shape;
}

const Shape& vm_shape() {
  static const Shape shape{"vm",
                           "/id",
                           {{"ID", "/id"},
                            {"NAME", "/name"},
                            {"STATE", "/state", Cell::State},
                            {"FLAVOR", "/flavor"},
                            {"ADDRESSES", "/addresses", Cell::Addresses},
                            {"HOST", "/host"},
                            {"AGE", "/created_at", Cell::Age},
                            {"IMAGE", "/image", Cell::Text, true},
                            {"VCPUS", "/vcpus", Cell::Text, true},
                            {"MEMORY", "/memory_mb", Cell::Mebibytes, true},
                            {"DISK", "/disk_gb", Cell::Text, true},
                            {"NETWORK", "/network", Cell::Text, true},
                            {"BACKEND", "/backend", Cell::Text, true},
                            {"PROJECT", "/project", Cell::Text, true},
                            {"TASK", "/task", Cell::Text, true},
                            {"LABELS", "/labels", Cell::Labels, true}}};
  return shape;
}

const Shape& queue_shape() {
  static const Shape shape{"queue",
                           "/worker_pool",
                           {{"POOL", "/worker_pool|/pool|/name"},
                            {"READY", "/ready"},
                            {"SCHEDULED", "/scheduled"},
                            {"LEASED", "/leased"},
                            {"SLOTS", "/slots"},
                            {"OLDEST", "/oldest_ready_age_seconds", Cell::Seconds},
                            {"DESIRED", "/desired_workers"}}};
  return shape;
}

const Shape& worker_shape() {
  static const Shape shape{"worker",
                           "/id",
                           {{"ID", "/id"},
                            {"POOL", "/worker_pool|/pool|/pools"},
                            {"STATE", "/state", Cell::State},
                            {"SLOTS", "/slots"},
                            {"BUSY", "/busy|/slots_busy|/leased"},
                            {"SEEN", "/last_seen_at|/last_seen", Cell::Age},
                            {"VERSION", "/version", Cell::Text, true},
                            {"HOST", "/host|/address", Cell::Text, true},
                            {"BACKENDS", "/backends", Cell::Text, true}}};
  return shape;
}

const Shape& image_shape() {
  static const Shape shape{"image",
                           "/id",
                           {{"ID", "/id"},
                            {"NAME", "/name"},
                            {"STATE", "/state", Cell::State},
                            {"SIZE", "/size_bytes", Cell::Bytes},
                            {"FORMAT", "/disk_format"},
                            {"PUBLIC", "/is_public|/public"},
                            {"BACKEND", "/backend", Cell::Text, true},
                            {"CHECKSUM", "/checksum_md5|/checksum", Cell::Text, true}}};
  return shape;
}

const Shape& flavor_shape() {
  static const Shape shape{"flavor",
                           "/id",
                           {{"ID", "/id"},
                            {"NAME", "/name"},
                            {"VCPUS", "/vcpus"},
                            {"MEMORY", "/memory_mb", Cell::Mebibytes},
                            {"DISK GB", "/disk_gb"},
                            {"EPHEMERAL GB", "/ephemeral_gb", Cell::Text, true},
                            {"SWAP", "/swap_mb", Cell::Mebibytes, true},
                            {"PUBLIC", "/is_public|/public", Cell::Text, true}}};
  return shape;
}

const Shape& network_shape() {
  static const Shape shape{"network",
                           "/id",
                           {{"ID", "/id"},
                            {"NAME", "/name"},
                            {"SHARED", "/shared"},
                            {"EXTERNAL", "/external"},
                            {"MTU", "/mtu"},
                            {"SUBNETS", "/subnets", Cell::Count, true}}};
  return shape;
}

const Shape& host_shape() {
  static const Shape shape{"host",
                           "/name",
                           {{"NAME", "/name"},
                            {"BACKEND", "/backend"},
                            {"POOL", "/pool"},
                            {"ENABLED", "/enabled"},
                            {"VMS", "/vms|/used/vms"},
                            {"VCPUS", "/vcpus"},
                            {"MEMORY", "/memory_mb", Cell::Mebibytes},
                            {"DISK GB", "/disk_gb", Cell::Text, true},
                            {"ADDRESS", "/address", Cell::Text, true}}};
  return shape;
}

const Shape& event_shape() {
  static const Shape shape{"event",
                           "/seq",
                           {{"SEQ", "/seq"},
                            {"TIME", "/time"},
                            {"TYPE", "/type"},
                            {"STREAM", "/stream"},
                            {"ACTOR", "/actor"},
                            {"DATA", "/data|/payload", Cell::Text, true},
                            {"CAUSATION", "/causation", Cell::Text, true}}};
  return shape;
}

const Shape& token_shape() {
  static const Shape shape{"token",
                           "/id",
                           {{"ID", "/id"},
                            {"NAME", "/name"},
                            {"ROLE", "/role"},
                            {"TENANT", "/tenant"},
                            {"ACTOR", "/actor"},
                            {"EXPIRES", "/expires_at"}}};
  return shape;
}

}  // namespace slipway::app::cli
