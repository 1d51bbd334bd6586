#pragma once
// What the two halves of the parser share: the tokens still to be read, and the first mistake.
// After a mistake everything reads as the end, so nobody has to check at each step.
#include <string>
#include <string_view>

#include "eventstore/sql/parser.hpp"

namespace slipway::eventstore::sql {

std::string lower(std::string_view text);  // ASCII
bool is_keyword(std::string_view word);    // one that is never a name; any case

class TokenStream {
 public:
  TokenStream(const StatementTokens& statement, std::string_view source,
              const Placeholders& placeholders, const Limits& limits)
      : tokens_(statement.tokens), source_(source), placeholders_(placeholders), limits_(limits) {}

  const Token& peek(std::size_t ahead = 0) const;
  const Token& next();
  bool at_end() const { return failed() || peek().kind == TokenKind::End; }
  bool is_word(std::string_view word, std::size_t ahead = 0) const;
  bool is_symbol(std::string_view symbol, std::size_t ahead = 0) const;
  bool take_word(std::string_view word);
  bool take_symbol(std::string_view symbol);
  void expect_word(std::string_view word);
  void expect_symbol(std::string_view symbol);
  // A word that is no keyword, in small letters.
  std::string name(std::string_view what);
  bool at_name(std::size_t ahead = 0) const;

  void fail(const Place& place, std::string cause);
  // "<what> is expected, not <token>" at the next token.
  void fail_here(std::string_view wanted);
  void fail_limit(std::string what);
  bool failed() const { return error_.has_value() || !over_limit_.empty(); }

  // As written, from a token's place to the last token read.
  std::string_view written_since(const Place& begin) const;

  const Placeholders& placeholders() const { return placeholders_; }
  const Limits& limits() const { return limits_; }
  std::optional<SyntaxError>& error() { return error_; }
  std::string& over_limit() { return over_limit_; }

  // One more level inside another, while it lives.
  class Level {
   public:
    explicit Level(TokenStream& stream);
    ~Level() { --stream_.depth_; }
    Level(const Level&) = delete;
    Level& operator=(const Level&) = delete;

   private:
    TokenStream& stream_;
  };

 private:
  const std::vector<Token>& tokens_;
  const std::string_view source_;
  const Placeholders& placeholders_;
  const Limits& limits_;
  std::size_t at_ = 0;
  std::size_t read_to_ = 0;  // offset after the last token read
  std::size_t depth_ = 0;
  std::optional<SyntaxError> error_;
  std::string over_limit_;
};

// parse_expression.cpp. Null only after a mistake.
ExprPtr parse_expression(TokenStream& in);

}  // namespace slipway::eventstore::sql
