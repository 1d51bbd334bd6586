// Strings: UTF-8, counted in characters; large and small letters are those of ASCII.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

#include "eventstore/sql/function_calls.hpp"
#include "eventstore/sql/functions.hpp"

namespace slipway::eventstore::sql {
namespace {

using Call = sqlite3_context*;
using Args = sqlite3_value**;

bool begins_character(char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }

std::int64_t characters(std::string_view s) {
  return std::count_if(s.begin(), s.end(), begins_character);
}
// The byte at which character number `n` (from 0) begins; the size past the end.
std::size_t byte_of(std::string_view s, std::int64_t n) {
  std::size_t at = 0;
  for (; at < s.size(); ++at) {
    if (begins_character(s[at]) && n-- == 0) break;
  }
  return at;
}

template <char kFrom, char kTo, char kFirst>
void change_case(Call call, int, Args args) {
  if (is_null(args[0])) return give_null(call);
  std::string out(text(args[0]));
  for (char& c : out) {
    if (c >= kFrom && c <= kTo) c = static_cast<char>(c - kFrom + kFirst);
  }
  give(call, std::string_view(out));
}

void f_base64(Call call, int, Args args) {
  if (is_null(args[0])) return give_null(call);
  static constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const std::string_view in = text(args[0]);
  std::string out;
  out.reserve((in.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < in.size(); i += 3) {
    std::uint32_t bits = 0;
    const std::size_t n = std::min<std::size_t>(3, in.size() - i);
    for (std::size_t j = 0; j < 3; ++j) {
      bits = (bits << 8U) | (j < n ? static_cast<unsigned char>(in[i + j]) : 0U);
    }
    for (std::size_t j = 0; j < 4; ++j) {
      out += j <= n ? kAlphabet[(bits >> (18 - 6 * j)) & 63U] : '=';
    }
  }
  give(call, std::string_view(out));
}

void f_bit_length(Call call, int, Args args) {
  if (is_null(args[0])) return give_null(call);
  give(call, static_cast<std::int64_t>(text(args[0]).size()) * 8);
}
void f_char_length(Call call, int, Args args) {
  if (is_null(args[0])) return give_null(call);
  give(call, characters(text(args[0])));
}

void append_character(std::string& out, std::int64_t code) {
  const bool known = code > 0 && code <= 0x10FFFF && !(code >= 0xD800 && code <= 0xDFFF);
  const auto c = static_cast<std::uint32_t>(known ? code : 0xFFFD);
  if (c < 0x80) {
    out += static_cast<char>(c);
    return;
  }
  const int more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
  static constexpr std::array<std::uint32_t, 4> kLead = {0, 0xC0, 0xE0, 0xF0};
  out += static_cast<char>(kLead[static_cast<std::size_t>(more)] | (c >> (6 * more)));
  for (int i = more - 1; i >= 0; --i) out += static_cast<char>(0x80U | ((c >> (6 * i)) & 0x3FU));
}

void f_char(Call call, int count, Args args) {
  std::string out;
  for (int i = 0; i < count; ++i) {
    if (!is_null(args[i])) append_character(out, integer(args[i]));
  }
  give(call, std::string_view(out));
}

void f_concat(Call call, int count, Args args) {
  if (any_null(count, args)) return give_null(call);
  std::string out;
  for (int i = 0; i < count; ++i) {
    out += text(args[i]);
    if (!budget_of(call).check_value(out.size())) return fail_limit(call);
  }
  give(call, std::string_view(out));
}

// join(separator, a, b, ...): what is NULL is left out.
void f_join(Call call, int count, Args args) {
  if (is_null(args[0])) return give_null(call);
  const std::string separator(text(args[0]));
  std::string out;
  bool first = true;
  for (int i = 1; i < count; ++i) {
    if (is_null(args[i])) continue;
    if (!first) out += separator;
    first = false;
    out += text(args[i]);
    if (!budget_of(call).check_value(out.size())) return fail_limit(call);
  }
  give(call, std::string_view(out));
}

void f_crc32(Call call, int, Args args) {
  if (is_null(args[0])) return give_null(call);
  static const std::array<std::uint32_t, 256> kTable = [] {
    std::array<std::uint32_t, 256> table{};
    for (std::uint32_t n = 0; n < 256; ++n) {
      std::uint32_t c = n;
      for (int k = 0; k < 8; ++k) c = (c & 1U) != 0 ? 0xEDB88320U ^ (c >> 1U) : c >> 1U;
      table[n] = c;
    }
    return table;
  }();
  std::uint32_t crc = 0xFFFFFFFFU;
  for (const char c : text(args[0])) {
    crc = kTable[(crc ^ static_cast<unsigned char>(c)) & 0xFFU] ^ (crc >> 8U);
  }
  give(call, static_cast<std::int64_t>(crc ^ 0xFFFFFFFFU));
}

// format(12332.1, 2) is '12,332.10'.
void f_format(Call call, int count, Args args) {
  if (any_null(count, args)) return give_null(call);
  const auto digits = static_cast<int>(std::clamp<std::int64_t>(integer(args[1]), 0, 30));
  const double x = real(args[0]);
  if (!std::isfinite(x)) return give_null(call);
  const bool exact = is_integer(args[0]);
  std::string out = exact ? fmt::format("{}", integer(args[0])) : fmt::format("{:.{}f}", x, digits);
  if (exact && digits > 0) out += "." + std::string(static_cast<std::size_t>(digits), '0');
  const std::size_t begin = out.starts_with('-') ? 1 : 0;
  std::size_t at = std::min(out.find('.'), out.size());
  while (at > begin + 3) out.insert(at -= 3, 1, ',');
  give(call, std::string_view(out));
}

void f_replace(Call call, int count, Args args) {
  if (any_null(count, args)) return give_null(call);
  const std::string_view in = text(args[0]);
  const std::string_view from = text(args[1]);
  const std::string_view to = text(args[2]);
  if (from.empty()) return give(call, in);
  std::string out;
  std::size_t at = 0;
  for (std::size_t found = 0; (found = in.find(from, at)) != in.npos; at = found + from.size()) {
    out.append(in.substr(at, found - at)).append(to);
    if (!budget_of(call).check_value(out.size())) return fail_limit(call);
  }
  out += in.substr(at);
  give(call, std::string_view(out));
}

void f_reverse(Call call, int, Args args) {
  if (is_null(args[0])) return give_null(call);
  const std::string_view in = text(args[0]);
  std::string out;
  out.reserve(in.size());
  std::size_t end = in.size();
  for (std::size_t at = in.size(); at-- > 0;) {
    if (!begins_character(in[at])) continue;
    out.append(in.substr(at, end - at));
    end = at;
  }
  give(call, std::string_view(out));
}

// substr(s, from[, length]): from 1 on; below 0 from the end.
void f_substr(Call call, int count, Args args) {
  if (any_null(count, args)) return give_null(call);
  const std::string_view in = text(args[0]);
  const std::int64_t size = characters(in);
  std::int64_t from = std::clamp(integer(args[1]), -size - 1, size + 1);
  const std::int64_t length =
      count > 2 ? std::clamp<std::int64_t>(integer(args[2]), 0, size) : size;
  if (from == 0 || from < -size) return give(call, std::string_view());
  from = from > 0 ? from - 1 : size + from;
  const std::size_t begin = byte_of(in, from);
  const std::string_view rest = in.substr(begin);
  give(call, rest.substr(0, byte_of(rest, length)));
}

void f_trim(Call call, int, Args args) {
  if (is_null(args[0])) return give_null(call);
  std::string_view in = text(args[0]);
  const std::size_t begin = std::min(in.find_first_not_of(' '), in.size());
  in.remove_prefix(begin);
  give(call, in.substr(0, in.find_last_not_of(' ') + 1));
}

void f_typeof(Call call, int, Args args) {
  switch (sqlite3_value_type(args[0])) {
    case SQLITE_NULL:
      return give(call, std::string_view("null"));
    case SQLITE_INTEGER:
      return give(call, std::string_view("integer"));
    case SQLITE_FLOAT:
      return give(call, std::string_view("real"));
    default:
      return give(call, std::string_view("text"));
  }
}

#ifndef SLIPWAY_VERSION
#define SLIPWAY_VERSION "0.0.0"
#endif
void f_version(Call call, int, Args) { give(call, std::string_view(SLIPWAY_VERSION)); }

}  // namespace

std::span<const Function> text_functions() {
  constexpr Type kText = Type::Text;
  constexpr Type kNumber = Type::Number;
  static constexpr Function kAll[] = {
      {"base64", "base64(text)", 1, 1, kText, f_base64},
      {"bit_length", "bit_length(text)", 1, 1, kNumber, f_bit_length},
      {"char", "char(code, ...)", 1, kAnyNumber, kText, f_char},
      {"char_length", "char_length(text)", 1, 1, kNumber, f_char_length},
      {"concat", "concat(value, ...)", 1, kAnyNumber, kText, f_concat},
      {"crc32", "crc32(text)", 1, 1, kNumber, f_crc32},
      {"format", "format(number, digits)", 2, 2, kText, f_format},
      {"join", "join(separator, value, ...)", 2, kAnyNumber, kText, f_join},
      {"lower", "lower(text)", 1, 1, kText, change_case<'A', 'Z', 'a'>},
      {"replace", "replace(text, from, to)", 3, 3, kText, f_replace},
      {"reverse", "reverse(text)", 1, 1, kText, f_reverse},
      {"substr", "substr(text, from[, length])", 2, 3, kText, f_substr},
      {"trim", "trim(text)", 1, 1, kText, f_trim},
      {"typeof", "typeof(value)", 1, 1, kText, f_typeof},
      {"upper", "upper(text)", 1, 1, kText, change_case<'a', 'z', 'A'>},
      {"version", "version()", 0, 0, kText, f_version},
  };
  return kAll;
}

}  // namespace slipway::eventstore::sql
