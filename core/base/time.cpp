#include "core/base/time.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

namespace slipway::base {
namespace {

using std::chrono::day;
using std::chrono::floor;
using std::chrono::month;
using std::chrono::sys_days;
using std::chrono::year;
using std::chrono::year_month_day;

void put(char*& p, unsigned value, unsigned width) {
  for (unsigned i = width; i > 0; --i) {
    p[i - 1] = static_cast<char>('0' + value % 10);
    value /= 10;
  }
  p += width;
}

// Reads exactly `width` digits; false if there are not as many.
bool take(std::string_view& text, std::size_t width, unsigned& out) {
  if (text.size() < width) return false;
  out = 0;
  for (std::size_t i = 0; i < width; ++i) {
    if (text[i] < '0' || text[i] > '9') return false;
    out = out * 10 + static_cast<unsigned>(text[i] - '0');
  }
  text.remove_prefix(width);
  return true;
}

bool take(std::string_view& text, char c) {
  if (text.empty() || text.front() != c) return false;
  text.remove_prefix(1);
  return true;
}

bool take_fraction(std::string_view& text, std::int64_t& us) {
  us = 0;
  if (!take(text, '.')) return true;
  std::int64_t scale = 100000;
  std::size_t digits = 0;
  while (!text.empty() && text.front() >= '0' && text.front() <= '9') {
    us += (text.front() - '0') * scale;
    scale /= 10;
    text.remove_prefix(1);
    if (++digits > 9) return false;
  }
  return digits > 0;
}

bool take_offset(std::string_view& text, std::int64_t& seconds) {
  seconds = 0;
  if (take(text, 'Z') || take(text, 'z')) return true;
  if (text.empty() || (text.front() != '+' && text.front() != '-')) return false;
  const int sign = text.front() == '-' ? -1 : 1;
  text.remove_prefix(1);
  unsigned hours = 0, minutes = 0;
  if (!take(text, 2, hours) || !take(text, ':') || !take(text, 2, minutes)) return false;
  if (hours > 23 || minutes > 59) return false;
  seconds = sign * static_cast<std::int64_t>(hours * 3600 + minutes * 60);
  return true;
}

}  // namespace

void format_rfc3339(Time t, char* out27) {
  constexpr std::int64_t kMin = -62167219200LL * 1000000;      // 0000-01-01
  constexpr std::int64_t kMax = 253402300800LL * 1000000 - 1;  // end of 9999
  t = from_us(std::clamp(to_us(t), kMin, kMax));
  const auto days = floor<std::chrono::days>(t);
  const year_month_day ymd(days);
  const auto us = static_cast<std::uint64_t>((t - days).count());
  const auto seconds = static_cast<unsigned>(us / 1000000);
  char* p = out27;
  put(p, static_cast<unsigned>(static_cast<int>(ymd.year())), 4);
  *p++ = '-';
  put(p, static_cast<unsigned>(ymd.month()), 2);
  *p++ = '-';
  put(p, static_cast<unsigned>(ymd.day()), 2);
  *p++ = 'T';
  put(p, seconds / 3600, 2);
  *p++ = ':';
  put(p, seconds / 60 % 60, 2);
  *p++ = ':';
  put(p, seconds % 60, 2);
  *p++ = '.';
  put(p, static_cast<unsigned>(us % 1000000), 6);
  *p = 'Z';
}

std::string rfc3339(Time t) {
  std::string text(kRfc3339Size, '\0');
  format_rfc3339(t, text.data());
  return text;
}

std::optional<Time> parse_rfc3339(std::string_view text) {
  unsigned y = 0, mo = 0, d = 0, h = 0, mi = 0, s = 0;
  if (!take(text, 4, y) || !take(text, '-') || !take(text, 2, mo) || !take(text, '-') ||
      !take(text, 2, d)) {
    return std::nullopt;
  }
  if (!take(text, 'T') && !take(text, 't') && !take(text, ' ')) return std::nullopt;
  if (!take(text, 2, h) || !take(text, ':') || !take(text, 2, mi) || !take(text, ':') ||
      !take(text, 2, s)) {
    return std::nullopt;
  }
  std::int64_t us = 0, offset = 0;
  if (!take_fraction(text, us) || !take_offset(text, offset) || !text.empty()) return std::nullopt;
  const year_month_day ymd(year(static_cast<int>(y)), month(mo), day(d));
  if (!ymd.ok() || h > 23 || mi > 59 || s > 59) return std::nullopt;
  const std::int64_t total = static_cast<std::int64_t>(h * 3600 + mi * 60 + s) - offset;
  return Time(sys_days(ymd)) + std::chrono::seconds(total) + Duration(us);
}

std::optional<Duration> parse_duration(std::string_view text) {
  struct Unit {
    std::string_view name;
    std::int64_t us;
  };
  // "ms" and "us" before "m" and "s": the longest name wins.
  static constexpr std::array<Unit, 6> kUnits{{{"ms", 1000},
                                               {"us", 1},
                                               {"s", 1000000},
                                               {"m", 60000000},
                                               {"h", 3600000000},
                                               {"d", 86400000000}}};
  if (text.empty()) return std::nullopt;
  double total = 0;
  while (!text.empty()) {
    double number = 0;
    const auto [end, ec] =
        std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
    if (ec != std::errc() || !(number >= 0)) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    const auto unit = std::find_if(kUnits.begin(), kUnits.end(),
                                   [&](const Unit& u) { return text.starts_with(u.name); });
    if (unit == kUnits.end() && !text.empty()) return std::nullopt;
    total += number * static_cast<double>(unit == kUnits.end() ? 1000000 : unit->us);
    if (unit != kUnits.end()) text.remove_prefix(unit->name.size());
  }
  if (total > 9e18) return std::nullopt;
  return Duration(static_cast<std::int64_t>(total));
}

std::string http_date(Time t) {
  static constexpr std::array<std::string_view, 7> kDays{"Sun", "Mon", "Tue", "Wed",
                                                         "Thu", "Fri", "Sat"};
  static constexpr std::array<std::string_view, 12> kMonths{
      "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto days = floor<std::chrono::days>(t);
  const year_month_day ymd(days);
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(t - days).count();
  return fmt::format(
      "{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT", kDays[std::chrono::weekday(days).c_encoding()],
      static_cast<unsigned>(ymd.day()), kMonths[static_cast<unsigned>(ymd.month()) - 1],
      static_cast<int>(ymd.year()), seconds / 3600, seconds / 60 % 60, seconds % 60);
}

}  // namespace slipway::base
