#pragma once
// From text to statements of tokens. Statements end at `;` and at line breaks; a string never goes
// over the end of its line, so a mistake in one statement leaves the others readable.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"
#include "eventstore/sql/limits.hpp"
#include "eventstore/sql/value.hpp"

namespace slipway::eventstore::sql {

struct Place {
  std::size_t line = 1;
  std::size_t column = 1;  // in bytes
  std::size_t offset = 0;  // in the text
};
std::string to_string(const Place& place);  // "line 1, column 8"

// What is wrong with a statement and where; shown to the client.
struct SyntaxError {
  Place place;
  std::string cause;
  std::string text() const { return to_string(place) + ": " + cause; }
};

enum class TokenKind : std::uint8_t { Word, Number, String, Placeholder, Symbol, End };

struct Token {
  TokenKind kind = TokenKind::End;
  Place place;
  // A word as written; a string without its quotes; a placeholder's name, empty for `?`.
  std::string_view text;
  std::size_t length = 0;  // in the source
  Value number;            // of a Number
  std::size_t index = 0;   // of a `?`, counted from 1 over the whole text
};

struct StatementTokens {
  std::vector<Token> tokens;  // the last one is End
  std::optional<SyntaxError> error;
};

// Views into `text`. InvalidArgument: over a limit of `limits` (bytes, tokens).
base::Result<std::vector<StatementTokens>> tokenize(std::string_view text, const Limits& limits);

}  // namespace slipway::eventstore::sql
