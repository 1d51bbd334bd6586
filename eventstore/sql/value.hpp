#pragma once
// A value of the SQL dialect: what a literal says, what a placeholder is given, what a row holds.
#include <cstdint>
#include <string>
#include <variant>

namespace slipway::eventstore::sql {

using Value = std::variant<std::monostate, std::int64_t, double, std::string>;  // monostate: NULL

// What is known of an expression before it is run.
enum class Type : std::uint8_t { Unknown, Text, Number };
inline Type type_of(const Value& value) {
  if (std::holds_alternative<std::string>(value)) return Type::Text;
  return std::holds_alternative<std::monostate>(value) ? Type::Unknown : Type::Number;
}

}  // namespace slipway::eventstore::sql
