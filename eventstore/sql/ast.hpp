#pragma once
// A statement as it was written: names are not looked up yet (compiler.hpp does).
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "eventstore/moment.hpp"
#include "eventstore/sql/lexer.hpp"

namespace slipway::eventstore::sql {

enum class ExprKind : std::uint8_t {
  Literal,  // value
  Column,   // table (may be empty), name
  All,      // the * of count(*)
  Prefix,   // op, 1 argument: - ~ NOT
  Infix,    // op, 2 arguments; AND, OR any number
  Between,  // 3 arguments, negated
  In,       // 1 argument and the list, negated
  IsNull,   // 1 argument, negated
  Match,    // op LIKE or REGEXP, 2 arguments, negated
  Call,     // name, arguments, distinct
};

enum class Op : std::uint8_t {
  None,
  Or,
  Xor,
  And,
  Not,
  Equal,
  Unequal,
  Less,
  LessEqual,
  Greater,
  GreaterEqual,
  Like,
  Regexp,
  BitOr,
  BitAnd,
  BitXor,
  BitNot,
  ShiftLeft,
  ShiftRight,
  Add,
  Subtract,
  Multiply,
  Divide,
  Div,
  Mod,
  Minus,
};

struct Expr;
using ExprPtr = std::unique_ptr<Expr>;

struct Expr {
  ExprKind kind = ExprKind::Literal;
  Place place;
  std::string_view text;  // as written: the name of a column that has no other
  Op op = Op::None;
  bool negated = false;
  bool distinct = false;
  Value value;
  std::string table;
  std::string name;  // in small letters, as all names
  std::vector<ExprPtr> args;
};

enum class JoinKind : std::uint8_t { Inner, Cross, Left, Right };

struct FromList;

// One table, table function, or list in parentheses, and how it is joined to what stands before it.
struct FromItem {
  JoinKind join = JoinKind::Cross;
  bool natural = false;
  ExprPtr on;
  std::vector<std::string> using_columns;

  Place place;
  std::string name;   // empty: `nested`
  std::string alias;  // the name, unless another was given
  bool is_function = false;
  std::optional<Value> argument;
  std::unique_ptr<FromList> nested;
};
struct FromList {
  std::vector<FromItem> items;
};

struct SelectItem {
  ExprPtr expr;       // null: *
  std::string table;  // of t.*
  std::string alias;  // as it was written; empty: none
  Place place;
};

struct OrderItem {
  ExprPtr expr;
  bool descending = false;
};

struct Select {
  bool explain = false;
  bool distinct = false;
  std::optional<Moment> as_of;  // asks for a moment of the past
  std::vector<SelectItem> items;
  FromList from;  // empty: no FROM
  ExprPtr where;
  std::vector<ExprPtr> group_by;
  ExprPtr having;
  std::vector<OrderItem> order_by;
  std::optional<std::int64_t> limit;
  std::int64_t offset = 0;
};

}  // namespace slipway::eventstore::sql
