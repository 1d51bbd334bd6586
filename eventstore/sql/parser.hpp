#pragma once
// One statement's tokens to its tree. Recursive descent; the grammar stands beside each function of
// parser.cpp and is told to users in docs/SQL.md.
#include <map>

#include "eventstore/sql/ast.hpp"

namespace slipway::eventstore::sql {

// Values for placeholders: `:name:` and `?`, the latter counted from 1.
struct Placeholders {
  std::map<std::string, Value, std::less<>> named;
  std::map<std::size_t, Value> numbered;
  const Value* find(const Token& token) const;
};
// "a value of digits is put in as a number": 42 of "42"; anything else stays a string. Digits that
// fit no 64-bit number stay a string too.
Value placeholder_value(std::string_view text);

struct ParseOutcome {
  std::unique_ptr<Select> select;  // null: `error`, or over a limit
  std::optional<SyntaxError> error;
  std::string over_limit;  // a limit of the request is broken: what, and the setting's name
};

// `source` is the text that the tokens point into. Every placeholder must have its value.
ParseOutcome parse(const StatementTokens& statement, std::string_view source,
                   const Placeholders& placeholders, const Limits& limits);

}  // namespace slipway::eventstore::sql
