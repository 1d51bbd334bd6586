#include "eventstore/sql/lexer.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>

namespace slipway::eventstore::sql {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool begins_word(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool in_word(char c) { return begins_word(c) || is_digit(c); }

class Lexer {
 public:
  Lexer(std::string_view text, const Limits& limits) : text_(text), limits_(limits) {}

  base::Result<std::vector<StatementTokens>> run() {
    while (at_ < text_.size()) {
      if (const char c = text_[at_]; c == ';' || c == '\n') {
        end_statement();
        step_over_separator();
      } else if (c == ' ' || c == '\t' || c == '\r') {
        ++at_;
      } else {
        take_token();
        if (tokens_ > limits_.tokens) {
          return base::fail(
              base::Errc::InvalidArgument,
              fmt::format("the text has more than {} tokens (sql.max_tokens)", limits_.tokens));
        }
      }
    }
    end_statement();
    return std::move(done_);
  }

 private:
  Place here() const { return {line_, at_ - line_begin_ + 1, at_}; }

  void step_over_separator() {
    if (text_[at_++] == '\n') {
      ++line_;
      line_begin_ = at_;
    }
  }

  void end_statement() {
    if (!now_.tokens.empty() || now_.error) {
      Token end;
      end.place = here();
      now_.tokens.push_back(end);
      done_.push_back(std::move(now_));
    }
    now_ = {};
  }

  void add(TokenKind kind, std::size_t length, std::string_view text) {
    Token token;
    token.kind = kind;
    token.place = here();
    token.text = text;
    token.length = length;
    now_.tokens.push_back(token);
    at_ += length;
    ++tokens_;
  }

  // The rest of the statement is not looked at.
  void fail(std::string cause) {
    now_.error = SyntaxError{here(), std::move(cause)};
    while (at_ < text_.size() && text_[at_] != ';' && text_[at_] != '\n') ++at_;
  }

  std::size_t word_end(std::size_t from) const {
    while (from < text_.size() && in_word(text_[from])) ++from;
    return from;
  }

  void take_token() {
    const char c = text_[at_];
    if (begins_word(c)) {
      const std::size_t length = word_end(at_) - at_;
      add(TokenKind::Word, length, text_.substr(at_, length));
    } else if (is_digit(c) || (c == '.' && at_ + 1 < text_.size() && is_digit(text_[at_ + 1]))) {
      take_number();
    } else if (c == '\'') {
      take_string();
    } else if (c == ':') {
      take_placeholder();
    } else if (c == '?') {
      add(TokenKind::Placeholder, 1, {});
      now_.tokens.back().index = ++questions_;
    } else {
      take_symbol();
    }
  }

  void take_number() {
    const char* const begin = text_.data() + at_;
    const char* const end = text_.data() + text_.size();
    double real = 0;
    const auto as_real = std::from_chars(begin, end, real);
    if (as_real.ec != std::errc()) return fail("this number is out of range");
    const auto length = static_cast<std::size_t>(as_real.ptr - begin);
    if (at_ + length < text_.size() && in_word(text_[at_ + length])) {
      return fail("a number is followed by a letter");
    }
    std::int64_t whole = 0;
    const auto as_whole = std::from_chars(begin, as_real.ptr, whole);
    const bool is_whole = as_whole.ec == std::errc() && as_whole.ptr == as_real.ptr;
    add(TokenKind::Number, length, text_.substr(at_, length));
    now_.tokens.back().number = is_whole ? Value(whole) : Value(real);
  }

  void take_string() {
    const std::size_t end = text_.find_first_of("'\n", at_ + 1);
    if (end == std::string_view::npos || text_[end] != '\'') {
      return fail("this string has no closing quote on its line");
    }
    if (text_.substr(at_, end - at_).find('\0') != text_.npos) {
      return fail("a string cannot hold a NUL");  // nor can what SQLite is given
    }
    add(TokenKind::String, end + 1 - at_, text_.substr(at_ + 1, end - at_ - 1));
  }

  void take_placeholder() {
    const std::size_t end = word_end(at_ + 1);
    if (end == at_ + 1 || end >= text_.size() || text_[end] != ':') {
      return fail("a placeholder is written :name:");
    }
    add(TokenKind::Placeholder, end + 1 - at_, text_.substr(at_ + 1, end - at_ - 1));
  }

  void take_symbol() {
    static constexpr std::array<std::string_view, 8> kTwo = {
        "!=", "<>", "<=", ">=", "<<", ">>", "&&", "||"};
    const std::string_view two = text_.substr(at_, 2);
    for (const std::string_view symbol : kTwo) {
      if (two == symbol) return add(TokenKind::Symbol, 2, symbol);
    }
    static constexpr std::string_view kOne = "=<>!+-*/%&|^~(),.";
    const char c = text_[at_];
    if (kOne.find(c) == std::string_view::npos) {
      const bool printable = c > ' ' && c < 127;
      return fail(printable ? fmt::format("'{}' has no meaning here", c)
                            : std::string("this byte has no meaning outside of a string"));
    }
    add(TokenKind::Symbol, 1, text_.substr(at_, 1));
  }

  const std::string_view text_;
  const Limits& limits_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
  std::size_t line_begin_ = 0;
  std::size_t tokens_ = 0;
  std::size_t questions_ = 0;
  StatementTokens now_;
  std::vector<StatementTokens> done_;
};

}  // namespace

std::string to_string(const Place& place) {
  return fmt::format("line {}, column {}", place.line, place.column);
}

base::Result<std::vector<StatementTokens>> tokenize(std::string_view text, const Limits& limits) {
  if (text.size() > limits.text_bytes) {
    return base::fail(
        base::Errc::InvalidArgument,
        fmt::format("the text has more than {} bytes (sql.max_text_bytes)", limits.text_bytes));
  }
  return Lexer(text, limits).run();
}

}  // namespace slipway::eventstore::sql
