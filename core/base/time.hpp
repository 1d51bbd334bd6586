#pragma once
// Wall-clock time: UTC, microseconds. Steady time is for measuring only and is never stored.
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace slipway::base {

using Duration = std::chrono::microseconds;
using Time = std::chrono::sys_time<Duration>;
// Since an arbitrary start; comparable within one process only.
using SteadyTime = std::chrono::time_point<std::chrono::steady_clock, Duration>;

inline std::int64_t to_us(Time t) { return t.time_since_epoch().count(); }
inline Time from_us(std::int64_t us) { return Time(Duration(us)); }

// "2026-02-18T18:37:46.000123Z": always 27 bytes for the years 0 to 9999 (others are clamped).
inline constexpr std::size_t kRfc3339Size = 27;
void format_rfc3339(Time t, char* out27);
std::string rfc3339(Time t);
// RFC 3339 with any offset and zero to nine fraction digits; nullopt for anything else.
std::optional<Time> parse_rfc3339(std::string_view text);

// "1h30m", "30s", "250ms", "2d"; a bare number is seconds. nullopt if malformed or negative.
std::optional<Duration> parse_duration(std::string_view text);

// "Fri, 26 Feb 2021 17:36:57 GMT" (RFC 9110 section 5.6.7), for the Date header.
std::string http_date(Time t);

}  // namespace slipway::base
