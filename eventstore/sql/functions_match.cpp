// LIKE and REGEXP. Both take time in proportion to the text (LIKE: times the pattern), whatever the
// pattern: SQLite cannot be broken off inside of a function.
#include <fmt/format.h>
#include <re2/re2.h>

#include "eventstore/sql/function_calls.hpp"
#include "eventstore/sql/functions.hpp"

namespace slipway::eventstore::sql {
namespace {

using Call = sqlite3_context*;
using Args = sqlite3_value**;

bool pattern_fits(Call call, std::string_view what, std::string_view pattern) {
  if (pattern.size() <= kPatternBytes) return true;
  budget_of(call).note(fmt::format("a pattern of {} has more than {} bytes", what, kPatternBytes));
  fail_limit(call);
  return false;
}

char small(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
bool continues(char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; }

// % any text, _ one character; going back to the last % alone is enough.
bool like(std::string_view in, std::string_view pattern) {
  std::size_t at = 0;
  std::size_t p = 0;
  std::size_t star = pattern.npos;
  std::size_t star_at = 0;
  const auto skip = [&](std::size_t i) {
    ++i;
    while (i < in.size() && continues(in[i])) ++i;
    return i;
  };
  while (at < in.size()) {
    if (p < pattern.size() && pattern[p] == '%') {
      star = p++;
      star_at = at;
    } else if (p < pattern.size() && pattern[p] == '_') {
      at = skip(at);
      ++p;
    } else if (p < pattern.size() && small(pattern[p]) == small(in[at])) {
      ++at;
      ++p;
    } else if (star != pattern.npos) {
      p = star + 1;
      at = star_at = skip(star_at);
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '%') ++p;
  return p == pattern.size();
}

void f_like(Call call, int count, Args args) {
  if (any_null(count, args)) return give_null(call);
  const std::string_view pattern = text(args[1]);
  if (!pattern_fits(call, "LIKE", pattern)) return;
  give(call, std::int64_t{like(text(args[0]), pattern)});
}

std::unique_ptr<re2::RE2> compile(Call call, std::string_view pattern) {
  if (!pattern_fits(call, "REGEXP", pattern)) return nullptr;
  re2::RE2::Options options;
  options.set_max_mem(kRegexProgramBytes);
  options.set_log_errors(false);
  auto regex =
      std::make_unique<re2::RE2>(re2::StringPiece(pattern.data(), pattern.size()), options);
  if (regex->ok()) return regex;
  fail(call, fmt::format("REGEXP '{}': {}", pattern, regex->error()));
  return nullptr;
}

void forget(void* regex) { delete static_cast<re2::RE2*>(regex); }

// Somewhere in the text, unless ^ and $ say otherwise. A pattern that is the same for all rows is
// compiled once.
void f_regexp(Call call, int count, Args args) {
  if (any_null(count, args)) return give_null(call);
  auto* regex = static_cast<re2::RE2*>(sqlite3_get_auxdata(call, 1));
  std::unique_ptr<re2::RE2> fresh;
  if (regex == nullptr) {
    fresh = compile(call, text(args[1]));
    if (fresh == nullptr) return;
    regex = fresh.get();
  }
  const std::string_view in = text(args[0]);
  give(call, std::int64_t{re2::RE2::PartialMatch(re2::StringPiece(in.data(), in.size()), *regex)});
  // From here on it is SQLite's, which may delete it at once.
  if (fresh != nullptr) sqlite3_set_auxdata(call, 1, fresh.release(), forget);
}

}  // namespace

std::span<const Function> matching_operators() {
  static constexpr Function kAll[] = {
      {"like", "", 2, 2, Type::Number, f_like},
      {"regexp", "", 2, 2, Type::Number, f_regexp},
  };
  return kAll;
}

}  // namespace slipway::eventstore::sql
