#include "api/dialects/reservation/dates.hpp"

#include <charconv>

namespace slipway::api::reservation {
namespace {

// Takes a number of at most `digits` digits, and the separator behind it.
std::optional<unsigned> take(std::string_view& text, std::size_t digits, char separator) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const auto used = static_cast<std::size_t>(end - text.data());
  if (error != std::errc() || used > digits) return std::nullopt;
  text.remove_prefix(used);
  if (separator == 0) return text.empty() ? std::optional(value) : std::nullopt;
  if (text.empty() || text.front() != separator) return std::nullopt;
  text.remove_prefix(1);
  return value;
}

}  // namespace

std::optional<base::Time> parse_minute(std::string_view text) {
  const auto year = take(text, 4, '-');
  const auto month = year ? take(text, 2, '-') : std::nullopt;
  const auto day = month ? take(text, 2, ' ') : std::nullopt;
  const auto hour = day ? take(text, 2, ':') : std::nullopt;
  const auto minutes = hour ? take(text, 2, 0) : std::nullopt;
  if (!minutes || *year < 1970 || *hour > 23 || *minutes > 59) return std::nullopt;
  const std::chrono::year_month_day days{std::chrono::year(static_cast<int>(*year)),
                                         std::chrono::month(*month), std::chrono::day(*day)};
  if (!days.ok()) return std::nullopt;
  return std::chrono::sys_days(days) + std::chrono::hours(*hour) + std::chrono::minutes(*minutes);
}

std::string date(base::Time t) { return base::rfc3339(t).substr(0, 26); }
std::string stamp(base::Time t) {
  std::string text = base::rfc3339(t).substr(0, 19);
  text[10] = ' ';
  return text;
}
std::string minute(base::Time t) { return stamp(t).substr(0, 16); }

}  // namespace slipway::api::reservation
