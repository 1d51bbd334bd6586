#include "eventstore/sql/parser.hpp"

#include <fmt/format.h>

#include <charconv>

#include "eventstore/sql/token_stream.hpp"

namespace slipway::eventstore::sql {
namespace {

class StatementParser {
 public:
  explicit StatementParser(TokenStream& in) : in_(in) {}

  // [EXPLAIN] SELECT [DISTINCT] items [FROM list [AS OF moment]] [WHERE e] [GROUP BY e, ...]
  //   [HAVING e] [ORDER BY e [ASC|DESC], ...] [LIMIT ...]
  std::unique_ptr<Select> statement() {
    auto select = std::make_unique<Select>();
    select->explain = in_.take_word("explain");
    in_.expect_word("select");
    select->distinct = in_.take_word("distinct");
    do {
      select->items.push_back(item());
    } while (in_.take_symbol(","));
    if (in_.take_word("from")) {
      select->from = from_list();
      select->as_of = as_of();
    }
    if (in_.take_word("where")) select->where = parse_expression(in_);
    if (in_.take_word("group")) {
      in_.expect_word("by");
      do {
        select->group_by.push_back(parse_expression(in_));
      } while (in_.take_symbol(","));
    }
    if (in_.take_word("having")) select->having = parse_expression(in_);
    order_by(*select);
    limit(*select);
    if (!in_.at_end()) in_.fail_here("the end of the statement");
    return in_.failed() ? nullptr : std::move(select);
  }

 private:
  // * | t.* | e [[AS] alias]
  SelectItem item() {
    SelectItem item;
    item.place = in_.peek().place;
    if (in_.take_symbol("*")) return item;
    if (in_.at_name() && in_.is_symbol(".", 1) && in_.is_symbol("*", 2)) {
      item.table = in_.name("a table");
      in_.next();
      in_.next();
      return item;
    }
    item.expr = parse_expression(in_);
    const bool named = in_.take_word("as");
    if (named || in_.at_name()) {
      item.alias = std::string(in_.peek().text);
      in_.name("a name");
    }
    return item;
  }

  // ref {"," ref | [NATURAL] [INNER | CROSS | LEFT [OUTER] | RIGHT [OUTER]] JOIN ref [ON e |
  // USING]}
  FromList from_list() {
    FromList list;
    list.items.push_back(table_ref());
    while (!in_.failed()) {
      FromItem joined;
      if (in_.take_symbol(",")) {
        joined = table_ref();
      } else if (join_begins()) {
        joined = join();
      } else {
        break;
      }
      if (++joins_ > in_.limits().joins) {
        in_.fail_limit(
            fmt::format("a statement has more than {} joins (sql.max_joins)", in_.limits().joins));
      }
      list.items.push_back(std::move(joined));
    }
    return list;
  }

  bool join_begins() const {
    for (const std::string_view word : {"join", "natural", "inner", "cross", "left", "right"}) {
      if (in_.is_word(word)) return true;
    }
    return false;
  }

  FromItem join() {
    const bool natural = in_.take_word("natural");
    JoinKind kind = JoinKind::Inner;
    if (in_.take_word("left")) {
      kind = JoinKind::Left;
      in_.take_word("outer");
    } else if (in_.take_word("right")) {
      kind = JoinKind::Right;
      in_.take_word("outer");
    } else if (!natural && in_.take_word("cross")) {
      kind = JoinKind::Cross;
    } else {
      in_.take_word("inner");
    }
    in_.expect_word("join");
    FromItem ref = table_ref();
    ref.join = kind;
    ref.natural = natural;
    if (natural) return ref;
    if (in_.take_word("on")) {
      ref.on = parse_expression(in_);
    } else if (in_.take_word("using")) {
      in_.expect_symbol("(");
      do {
        ref.using_columns.push_back(in_.name("a column's name"));
      } while (in_.take_symbol(","));
      in_.expect_symbol(")");
    } else if (kind == JoinKind::Left || kind == JoinKind::Right) {
      in_.fail_here("ON or USING");
    }
    return ref;
  }

  // t [[AS] alias] | f(['t']) [[AS] alias] | "(" list ")"
  FromItem table_ref() {
    FromItem ref;
    ref.place = in_.peek().place;
    if (in_.take_symbol("(")) {
      const TokenStream::Level level(in_);
      if (in_.is_word("select")) in_.fail(ref.place, "there are no subqueries in this language");
      ref.nested = std::make_unique<FromList>(in_.failed() ? FromList() : from_list());
      in_.expect_symbol(")");
      return ref;
    }
    ref.name = in_.name("a table");
    if (in_.take_symbol("(")) {
      ref.is_function = true;
      if (!in_.is_symbol(")")) ref.argument = argument();
      in_.expect_symbol(")");
    }
    ref.alias = ref.name;
    const bool named = in_.is_word("as") && !as_of_begins() && in_.take_word("as");
    if (named || in_.at_name()) ref.alias = in_.name("a name");
    return ref;
  }

  Value argument() {
    const Token& token = in_.next();
    if (token.kind == TokenKind::String) return std::string(token.text);
    if (token.kind == TokenKind::Placeholder) return *in_.placeholders().find(token);
    in_.fail(token.place, "a table's name in quotes is expected here");
    return {};
  }

  bool as_of_begins() const {
    return in_.is_word("as") && in_.is_word("of", 1) &&
           (in_.is_word("system", 2) || in_.is_word("seq", 2));
  }
  // AS OF SYSTEM TIME '<time>' | AS OF SEQ <n>
  std::optional<Moment> as_of() {
    if (!as_of_begins()) return std::nullopt;
    in_.next();
    in_.next();
    if (!in_.take_word("system")) {
      in_.next();
      return static_cast<domain::Seq>(whole_number("a seq"));
    }
    in_.expect_word("time");
    const std::optional<base::Time> time = moment_of(in_.peek());
    if (!time) in_.fail_here("a time in quotes, as '2026-01-31T12:00:00Z',");
    in_.next();
    return time.value_or(base::Time{});
  }
  // RFC 3339, or as the tables show times.
  std::optional<base::Time> moment_of(const Token& token) {
    Value value;
    if (token.kind == TokenKind::String) value = std::string(token.text);
    if (token.kind == TokenKind::Placeholder) value = *in_.placeholders().find(token);
    const auto* text = std::get_if<std::string>(&value);
    if (text == nullptr) return std::nullopt;
    return base::parse_rfc3339(std::string_view(*text).substr(0, text->find('[')));
  }

  void order_by(Select& select) {
    if (!in_.take_word("order")) return;
    in_.expect_word("by");
    do {
      OrderItem item;
      item.expr = parse_expression(in_);
      if (in_.take_word("desc")) {
        item.descending = true;
      } else {
        in_.take_word("asc");
      }
      select.order_by.push_back(std::move(item));
    } while (in_.take_symbol(","));
  }

  // LIMIT n | LIMIT offset, n | LIMIT n OFFSET offset
  void limit(Select& select) {
    if (!in_.take_word("limit")) return;
    select.limit = whole_number("a number of rows");
    if (in_.take_symbol(",")) {
      select.offset = *select.limit;
      select.limit = whole_number("a number of rows");
    } else if (in_.take_word("offset")) {
      select.offset = whole_number("a number of rows");
    }
  }

  std::int64_t whole_number(std::string_view what) {
    const Token& token = in_.peek();
    Value value;
    if (token.kind == TokenKind::Number) value = token.number;
    if (token.kind == TokenKind::Placeholder) value = *in_.placeholders().find(token);
    const auto* number = std::get_if<std::int64_t>(&value);
    if (number == nullptr || *number < 0) {
      in_.fail_here(what);
      return 0;
    }
    in_.next();
    return *number;
  }

  TokenStream& in_;
  std::size_t joins_ = 0;
};

}  // namespace

const Value* Placeholders::find(const Token& token) const {
  if (token.text.empty()) {
    const auto it = numbered.find(token.index);
    return it == numbered.end() ? nullptr : &it->second;
  }
  const auto it = named.find(token.text);
  return it == named.end() ? nullptr : &it->second;
}

Value placeholder_value(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool digits = !text.empty() && text.find_first_not_of("0123456789") == text.npos;
  if (digits && error == std::errc() && end == text.data() + text.size()) return number;
  return std::string(text);
}

ParseOutcome parse(const StatementTokens& statement, std::string_view source,
                   const Placeholders& placeholders, const Limits& limits) {
  ParseOutcome out;
  if (statement.error) {
    out.error = statement.error;
    return out;
  }
  TokenStream in(statement, source, placeholders, limits);
  out.select = StatementParser(in).statement();
  out.error = std::move(in.error());
  out.over_limit = std::move(in.over_limit());
  return out;
}

}  // namespace slipway::eventstore::sql
