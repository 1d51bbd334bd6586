#pragma once
// How the functions read their arguments and give their results.
#include <sqlite3.h>

#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "eventstore/sql/budget.hpp"

namespace slipway::eventstore::sql {

inline Budget& budget_of(sqlite3_context* call) {
  return *static_cast<Budget*>(sqlite3_user_data(call));
}

inline bool is_null(sqlite3_value* v) { return sqlite3_value_type(v) == SQLITE_NULL; }
inline bool is_integer(sqlite3_value* v) { return sqlite3_value_numeric_type(v) == SQLITE_INTEGER; }
// A string that begins with no number is 0, as everywhere in the language.
inline double real(sqlite3_value* v) { return sqlite3_value_double(v); }
inline std::int64_t integer(sqlite3_value* v) { return sqlite3_value_int64(v); }
// Valid until the next call on the same value.
inline std::string_view text(sqlite3_value* v) {
  const auto* data = reinterpret_cast<const char*>(sqlite3_value_text(v));
  if (data == nullptr) return {};
  return {data, static_cast<std::size_t>(sqlite3_value_bytes(v))};
}
inline bool any_null(int count, sqlite3_value** values) {
  for (int i = 0; i < count; ++i) {
    if (is_null(values[i])) return true;
  }
  return false;
}

inline void give_null(sqlite3_context* call) { sqlite3_result_null(call); }
inline void give(sqlite3_context* call, std::int64_t number) { sqlite3_result_int64(call, number); }
// What is no number, or has no end, is NULL.
inline void give(sqlite3_context* call, double number) {
  std::isfinite(number) ? sqlite3_result_double(call, number) : sqlite3_result_null(call);
}
inline void fail(sqlite3_context* call, const std::string& why) {
  sqlite3_result_error(call, why.data(), static_cast<int>(why.size()));
}
// Breaks off the statement: the budget knows why.
inline void fail_limit(sqlite3_context* call) { fail(call, budget_of(call).exceeded()); }
inline void give(sqlite3_context* call, std::string_view out) {
  if (!budget_of(call).check_value(out.size())) return fail_limit(call);
  sqlite3_result_text(call, out.empty() ? "" : out.data(), static_cast<int>(out.size()),
                      SQLITE_TRANSIENT);
}

// A number that a whole one is near enough to be.
inline std::optional<std::int64_t> whole(double number) {
  constexpr double kEdge = 9223372036854775808.0;
  if (!(number >= -kEdge && number < kEdge)) return std::nullopt;
  return static_cast<std::int64_t>(number);
}

}  // namespace slipway::eventstore::sql
