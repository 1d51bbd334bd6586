// Numbers. Where mathematics has no answer (the root of -1, division by zero) it is NULL.
#include <algorithm>
#include <numbers>
#include <random>

#include "eventstore/sql/function_calls.hpp"
#include "eventstore/sql/functions.hpp"

namespace slipway::eventstore::sql {
namespace {

using Call = sqlite3_context*;
using Args = sqlite3_value**;

template <double (*F)(double)>
void real_function(Call call, int count, Args args) {
  if (any_null(count, args)) return give_null(call);
  give(call, F(real(args[0])));
}

double degrees(double x) { return x * 180 / std::numbers::pi; }
double radians(double x) { return x * std::numbers::pi / 180; }
double cot(double x) { return 1 / std::tan(x); }
// The library is a last digit off where the root is a whole number.
double cube_root(double x) {
  const double root = std::cbrt(x);
  const double near = std::round(root);
  return near * near * near == x ? near : root;
}

void f_abs(Call call, int, Args args) {
  if (is_null(args[0])) return give_null(call);
  if (is_integer(args[0]) && integer(args[0]) != std::numeric_limits<std::int64_t>::min()) {
    return give(call, std::abs(integer(args[0])));
  }
  give(call, std::abs(real(args[0])));
}

void f_sign(Call call, int, Args args) {
  if (is_null(args[0])) return give_null(call);
  const double x = real(args[0]);
  give(call, std::int64_t{x > 0} - std::int64_t{x < 0});
}

void give_whole_if_it_fits(Call call, double number) {
  const auto fits = whole(number);
  fits ? give(call, *fits) : give(call, number);
}
template <double (*F)(double)>
void whole_function(Call call, int, Args args) {
  if (is_null(args[0])) return give_null(call);
  if (is_integer(args[0])) return give(call, integer(args[0]));
  give_whole_if_it_fits(call, F(real(args[0])));
}

// round(x[, digits]), truncate(x, digits)
template <double (*F)(double)>
void digits_function(Call call, int count, Args args) {
  if (any_null(count, args)) return give_null(call);
  const std::int64_t digits = count > 1 ? std::clamp<std::int64_t>(integer(args[1]), -30, 30) : 0;
  if (is_integer(args[0]) && digits >= 0) return give(call, integer(args[0]));
  const double x = real(args[0]);
  const double scale = std::pow(10.0, static_cast<double>(std::abs(digits)));
  const double moved = F(digits >= 0 ? x * scale : x / scale);
  const double out = digits >= 0 ? moved / scale : moved * scale;
  // So large that there is nothing behind the point to take away.
  if (!std::isfinite(out)) return give(call, digits >= 0 ? x : 0.0);
  digits > 0 ? give(call, out) : give_whole_if_it_fits(call, out);
}

void f_log(Call call, int count, Args args) {
  if (any_null(count, args)) return give_null(call);
  const double x = real(args[count - 1]);
  if (count == 1) return give(call, std::log(x));
  give(call, std::log(x) / std::log(real(args[0])));
}

void f_power(Call call, int count, Args args) {
  if (any_null(count, args)) return give_null(call);
  give(call, std::pow(real(args[0]), real(args[1])));
}

void f_pi(Call call, int, Args) { give(call, std::numbers::pi); }
void f_e(Call call, int, Args) { give(call, std::numbers::e); }

void f_rand(Call call, int, Args) {
  thread_local std::mt19937_64 generator{std::random_device{}()};
  give(call, std::uniform_real_distribution<double>(0, 1)(generator));
}

// conv('ff', 16, 10): a whole number from one base to another, 2 to 36.
void f_conv(Call call, int count, Args args) {
  if (any_null(count, args)) return give_null(call);
  const std::int64_t from = integer(args[1]);
  const std::int64_t to = integer(args[2]);
  if (from < 2 || from > 36 || to < 2 || to > 36) return give_null(call);
  std::string_view digits = text(args[0]);
  const bool negative = digits.starts_with('-');
  if (negative) digits.remove_prefix(1);
  std::uint64_t number = 0;
  for (const char c : digits) {
    int digit = 99;
    if (c >= '0' && c <= '9') digit = c - '0';
    if (c >= 'a' && c <= 'z') digit = c - 'a' + 10;
    if (c >= 'A' && c <= 'Z') digit = c - 'A' + 10;
    if (digit >= from) break;  // what follows is no number any more
    if (__builtin_mul_overflow(number, static_cast<std::uint64_t>(from), &number) ||
        __builtin_add_overflow(number, static_cast<std::uint64_t>(digit), &number)) {
      return give_null(call);
    }
  }
  std::string out;
  do {
    out += "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"[number % static_cast<std::uint64_t>(to)];
    number /= static_cast<std::uint64_t>(to);
  } while (number != 0);
  if (negative && out != "0") out += '-';
  std::reverse(out.begin(), out.end());
  give(call, std::string_view(out));
}

// ---- operators ----

// a / b: never cut to a whole number.
void f_divide(Call call, int count, Args args) {
  if (any_null(count, args) || real(args[1]) == 0) return give_null(call);
  give(call, real(args[0]) / real(args[1]));
}

constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();

// a div b: towards zero.
void f_div(Call call, int count, Args args) {
  if (any_null(count, args) || real(args[1]) == 0) return give_null(call);
  if (is_integer(args[0]) && is_integer(args[1])) {
    const std::int64_t a = integer(args[0]);
    const std::int64_t b = integer(args[1]);
    return a == kLeast && b == -1 ? give_null(call) : give(call, a / b);
  }
  const auto out = whole(std::trunc(real(args[0]) / real(args[1])));
  out ? give(call, *out) : give_null(call);
}

// a mod b: has the sign of a.
void f_mod(Call call, int count, Args args) {
  if (any_null(count, args) || real(args[1]) == 0) return give_null(call);
  if (is_integer(args[0]) && is_integer(args[1])) {
    const std::int64_t b = integer(args[1]);
    return give(call, b == -1 ? std::int64_t{0} : integer(args[0]) % b);
  }
  give(call, std::fmod(real(args[0]), real(args[1])));
}

void f_bit_xor(Call call, int count, Args args) {
  if (any_null(count, args)) return give_null(call);
  give(call, integer(args[0]) ^ integer(args[1]));
}

}  // namespace

std::span<const Function> numeric_functions() {
  constexpr Type kNumber = Type::Number;
  static constexpr Function kAll[] = {
      {"abs", "abs(x)", 1, 1, kNumber, f_abs},
      {"acos", "acos(x)", 1, 1, kNumber, real_function<std::acos>},
      {"asin", "asin(x)", 1, 1, kNumber, real_function<std::asin>},
      {"atan", "atan(x)", 1, 1, kNumber, real_function<std::atan>},
      {"cbrt", "cbrt(x)", 1, 1, kNumber, real_function<cube_root>},
      {"ceil", "ceil(x)", 1, 1, kNumber, whole_function<std::ceil>},
      {"conv", "conv(digits, from_base, to_base)", 3, 3, Type::Text, f_conv},
      {"cos", "cos(x)", 1, 1, kNumber, real_function<std::cos>},
      {"cot", "cot(x)", 1, 1, kNumber, real_function<cot>},
      {"degrees", "degrees(radians)", 1, 1, kNumber, real_function<degrees>},
      {"e", "e()", 0, 0, kNumber, f_e},
      {"exp", "exp(x)", 1, 1, kNumber, real_function<std::exp>},
      {"floor", "floor(x)", 1, 1, kNumber, whole_function<std::floor>},
      {"ln", "ln(x)", 1, 1, kNumber, real_function<std::log>},
      {"log", "log([base, ]x)", 1, 2, kNumber, f_log},
      {"log10", "log10(x)", 1, 1, kNumber, real_function<std::log10>},
      {"mod", "mod(a, b)", 2, 2, kNumber, f_mod},
      {"pi", "pi()", 0, 0, kNumber, f_pi},
      {"power", "power(x, y)", 2, 2, kNumber, f_power},
      {"radians", "radians(degrees)", 1, 1, kNumber, real_function<radians>},
      {"rand", "rand()", 0, 0, kNumber, f_rand, true},
      {"round", "round(x[, digits])", 1, 2, kNumber, digits_function<std::round>},
      {"sign", "sign(x)", 1, 1, kNumber, f_sign},
      {"sin", "sin(x)", 1, 1, kNumber, real_function<std::sin>},
      {"sqrt", "sqrt(x)", 1, 1, kNumber, real_function<std::sqrt>},
      {"tan", "tan(x)", 1, 1, kNumber, real_function<std::tan>},
      {"truncate", "truncate(x, digits)", 2, 2, kNumber, digits_function<std::trunc>},
  };
  return kAll;
}

// functions_match.cpp has the others; registered together.
std::span<const Function> arithmetic_operators() {
  static constexpr Function kAll[] = {
      {"divide", "", 2, 2, Type::Number, f_divide},
      {"div", "", 2, 2, Type::Number, f_div},
      {"bit_xor", "", 2, 2, Type::Number, f_bit_xor},
  };
  return kAll;
}

}  // namespace slipway::eventstore::sql
