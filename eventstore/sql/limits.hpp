#pragma once
// What a request in the SQL dialect may cost. Over a limit is a refusal that names it, never a slow
// path. The first five are looked at before anything runs (the request is refused as a whole), the
// others while it runs (the statement ends as an evaluation error).
#include <cstddef>
#include <cstdint>

#include "core/base/time.hpp"

namespace slipway::eventstore::sql {

struct Limits {
  std::size_t text_bytes = 16U << 10U;  // of one text
  std::size_t tokens = 2000;            // of one text
  std::size_t depth = 32;               // of parentheses, calls and signs inside each other
  std::size_t joins = 4;                // of one statement
  std::size_t statements = 10;          // of one request
  base::Duration time = std::chrono::seconds(2);  // of one request, as the next three
  std::uint64_t rows_scanned = 1'000'000;
  std::size_t rows = 10000;
  std::size_t memory_bytes = 64U << 20U;  // of SQLite's working memory, and of the answer
  std::size_t value_bytes = 64U << 10U;
};
// Of REGEXP: the pattern, and the program that RE2 makes of it. LIKE patterns share the first.
inline constexpr std::size_t kPatternBytes = 256;
inline constexpr std::int64_t kRegexProgramBytes = 1 << 20;

}  // namespace slipway::eventstore::sql
