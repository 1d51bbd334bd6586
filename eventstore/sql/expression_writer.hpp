#pragma once
// Writes one expression of a statement for SQLite. The first mistake is kept; after it what is
// written does not matter.
#include <span>

#include "eventstore/sql/compiler.hpp"
#include "eventstore/sql/sources.hpp"

namespace slipway::eventstore::sql {

// Where an expression stands: what its names may mean, and whether aggregates make sense.
enum class Clause : std::uint8_t { Items, On, Where, GroupBy, Having, OrderBy };

// Whether an aggregate function is called in it, also by way of an item's alias.
bool has_aggregate(const Expr& expr, std::span<const SelectItem> items);

class ExpressionWriter {
 public:
  ExpressionWriter(Compiled& out, Sources& sources, std::span<const SelectItem> items)
      : out_(out), sources_(sources), items_(items) {}

  std::string write(const Expr& expr, Clause clause);
  // Of an ON: sees the tables [begin, end) alone.
  std::string write_on(const Expr& expr, std::size_t begin, std::size_t end);
  std::string parameter(Value value);
  void fail(const Place& place, std::string cause);
  bool failed() const { return out_.error.has_value(); }
  const SelectItem* item_named(std::string_view alias) const;

 private:
  struct Written {
    std::string sql;
    Type type = Type::Unknown;
    bool column = false;
  };
  Written put(const Expr& expr);
  std::string sql_of(const Expr& expr) { return put(expr).sql; }
  // As one side of a comparison.
  std::string side(const Expr& expr);
  Written literal(const Expr& expr);
  Written column(const Expr& expr);
  Written prefix(const Expr& expr);
  Written infix(const Expr& expr);
  Written in_list(const Expr& expr);
  Written call(const Expr& expr);
  Written aggregate(const Expr& expr);
  std::string balanced(std::span<const ExprPtr> args, std::string_view word);
  std::string chain_part(const Expr& left, std::span<const Op> same_level);

  Compiled& out_;
  Sources& sources_;
  const std::span<const SelectItem> items_;
  Clause clause_ = Clause::Items;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  bool in_alias_ = false;
  bool in_aggregate_ = false;
};

}  // namespace slipway::eventstore::sql
