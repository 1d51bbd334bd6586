#pragma once
// Runs one compiled statement on a connection, within its budget.
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "eventstore/sql/compiler.hpp"
#include "eventstore/sql/connection.hpp"

namespace slipway::eventstore::sql {

enum class Outcome : std::uint8_t { Success, SyntaxError, MissingParameters, EvaluationError };
constexpr std::array<std::string_view, 4> enum_names(Outcome) {
  return {"success", "syntax_error", "missing_parameters", "evaluation_error"};
}

// Of one statement.
struct StatementResult {
  Outcome outcome = Outcome::Success;
  std::string message;  // why there is no success
  std::vector<std::string> columns;
  std::vector<std::vector<Value>> rows;
};

// An EvaluationError names the limit that was broken, or says what cannot be computed.
StatementResult evaluate(Connection& connection, const Compiled& compiled);

}  // namespace slipway::eventstore::sql
