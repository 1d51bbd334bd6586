#pragma once
// The functions of the SQL dialect. All but the aggregates are our own code, registered with SQLite
// under "f_<name>", so that no function of SQLite's is reached by a user's word. docs/SQL.md says
// what each does; functions() lists them to clients.
#include <span>
#include <string_view>

#include "eventstore/sql/value.hpp"

struct sqlite3;
struct sqlite3_context;
struct sqlite3_value;

namespace slipway::eventstore::sql {

class Budget;

enum class FunctionKind : std::uint8_t { Scalar, Aggregate, Table };

struct Function {
  using Code = void (*)(sqlite3_context*, int, sqlite3_value**);
  std::string_view name;
  std::string_view signature;  // "substr(text, from[, length])"
  int min_args = 0;
  int max_args = 0;  // -1: any number
  Type result = Type::Unknown;
  Code code = nullptr;  // scalars
  bool random = false;  // gives another value each time
  FunctionKind kind = FunctionKind::Scalar;
};
inline constexpr int kAnyNumber = -1;

// In order of name.
std::span<const Function> functions();
const Function* find_function(std::string_view name);

// All of them, what the compiler writes for operators (f_divide, f_like, ...) and what the
// catalog's SELECTs use (sw_uuid, sw_row, ...). `budget` outlives the connection. False if SQLite
// refuses.
bool register_functions(sqlite3* db, Budget& budget);

// ---- the parts: functions_numeric.cpp, functions_text.cpp, functions_match.cpp ----
std::span<const Function> numeric_functions();
std::span<const Function> text_functions();
// What operators become; their names are no words of the language.
std::span<const Function> arithmetic_operators();
std::span<const Function> matching_operators();

}  // namespace slipway::eventstore::sql
