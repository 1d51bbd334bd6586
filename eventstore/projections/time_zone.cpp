#include "eventstore/projections/time_zone.hpp"

#include <date/tz.h>

#include <charconv>

namespace slipway::eventstore {
namespace {

const date::time_zone* zone_of(const void* zone) {
  return static_cast<const date::time_zone*>(zone);
}

// "+02:00", "-0330", "+05"; nullopt if it is no offset.
std::optional<base::Duration> parse_offset(std::string_view text) {
  if (text.size() < 3 || (text[0] != '+' && text[0] != '-')) return std::nullopt;
  std::string digits;
  for (const char c : text.substr(1)) {
    if (c != ':') digits += c;
  }
  unsigned number = 0;
  const auto [end, ec] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (ec != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  if (digits.size() == 2) number *= 100;
  if ((digits.size() != 2 && digits.size() != 4) || number / 100 > 14 || number % 100 > 59) {
    return std::nullopt;
  }
  const auto offset = std::chrono::minutes(number / 100 * 60 + number % 100);
  return text[0] == '-' ? -offset : offset;
}

}  // namespace

std::optional<TimeZone> TimeZone::find(std::string_view name) {
  TimeZone zone;
  if (name.empty() || name == "UTC" || name == "Z") return zone;
  if (const auto offset = parse_offset(name)) {
    zone.offset_ = *offset;
    return zone;
  }
  // The library throws for a name that it does not know, and builds paths from names.
  if (name.size() > 64 || name.find("..") != std::string_view::npos || name.front() == '/') {
    return std::nullopt;
  }
  try {
    zone.zone_ = date::locate_zone(std::string(name));
  } catch (const std::exception&) {
    return std::nullopt;
  }
  return zone;
}

base::Time TimeZone::day_of(base::Time t) const {
  if (zone_ == nullptr) return std::chrono::floor<std::chrono::days>(t + offset_) - offset_;
  const date::time_zone* const zone = zone_of(zone_);
  const auto day = date::floor<date::days>(zone->to_local(t));
  return zone->to_sys(std::chrono::time_point_cast<base::Duration>(day), date::choose::earliest);
}

}  // namespace slipway::eventstore
