#include "eventstore/sql/token_stream.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace slipway::eventstore::sql {
namespace {

constexpr std::array<std::string_view, 35> kKeywords = {
    "and",     "as",    "asc",    "between", "by",     "cross", "desc",   "distinct", "div",
    "explain", "from",  "group",  "having",  "in",     "inner", "is",     "join",     "left",
    "like",    "limit", "mod",    "natural", "not",    "null",  "offset", "on",       "or",
    "order",   "outer", "regexp", "right",   "select", "using", "where",  "xor"};

bool same(std::string_view a, std::string_view small) {
  return a.size() == small.size() && lower(a) == small;
}

std::string shown(const Token& token) {
  switch (token.kind) {
    case TokenKind::End:
      return "the end of the statement";
    case TokenKind::String:
      return "a string";
    case TokenKind::Placeholder:
      return "a placeholder";
    default:
      return fmt::format("'{}'", token.text.substr(0, 40));
  }
}

}  // namespace

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

bool is_keyword(std::string_view word) {
  return std::find(kKeywords.begin(), kKeywords.end(), lower(word)) != kKeywords.end();
}

const Token& TokenStream::peek(std::size_t ahead) const {
  if (failed()) return tokens_.back();
  return tokens_[std::min(at_ + ahead, tokens_.size() - 1)];
}

const Token& TokenStream::next() {
  const Token& token = peek();
  if (!failed() && at_ + 1 < tokens_.size()) {
    read_to_ = token.place.offset + token.length;
    ++at_;
  }
  return token;
}

bool TokenStream::is_word(std::string_view word, std::size_t ahead) const {
  const Token& token = peek(ahead);
  return token.kind == TokenKind::Word && same(token.text, word);
}
bool TokenStream::is_symbol(std::string_view symbol, std::size_t ahead) const {
  const Token& token = peek(ahead);
  return token.kind == TokenKind::Symbol && token.text == symbol;
}
bool TokenStream::take_word(std::string_view word) {
  if (!is_word(word)) return false;
  next();
  return true;
}
bool TokenStream::take_symbol(std::string_view symbol) {
  if (!is_symbol(symbol)) return false;
  next();
  return true;
}
void TokenStream::expect_word(std::string_view word) {
  if (take_word(word)) return;
  std::string upper(word);
  for (char& c : upper) c = static_cast<char>(c - 'a' + 'A');
  fail_here(upper);
}
void TokenStream::expect_symbol(std::string_view symbol) {
  if (!take_symbol(symbol)) fail_here(fmt::format("'{}'", symbol));
}

bool TokenStream::at_name(std::size_t ahead) const {
  const Token& token = peek(ahead);
  return token.kind == TokenKind::Word && !is_keyword(token.text);
}
std::string TokenStream::name(std::string_view what) {
  if (!at_name()) {
    fail_here(what);
    return {};
  }
  return lower(next().text);
}

void TokenStream::fail(const Place& place, std::string cause) {
  if (!failed()) error_ = SyntaxError{place, std::move(cause)};
}
void TokenStream::fail_here(std::string_view wanted) {
  fail(peek().place, fmt::format("{} is expected here, not {}", wanted, shown(peek())));
}
void TokenStream::fail_limit(std::string what) {
  if (!failed()) over_limit_ = std::move(what);
}

std::string_view TokenStream::written_since(const Place& begin) const {
  return read_to_ <= begin.offset ? std::string_view()
                                  : source_.substr(begin.offset, read_to_ - begin.offset);
}

TokenStream::Level::Level(TokenStream& stream) : stream_(stream) {
  if (++stream.depth_ > stream.limits_.depth) {
    stream.fail_limit(
        fmt::format("the text nests deeper than {} levels (sql.max_depth)", stream.limits_.depth));
  }
}

}  // namespace slipway::eventstore::sql
