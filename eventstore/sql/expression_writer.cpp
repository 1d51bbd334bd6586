#include "eventstore/sql/expression_writer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "eventstore/sql/functions.hpp"
#include "eventstore/sql/token_stream.hpp"

namespace slipway::eventstore::sql {
namespace {

std::string_view symbol_of(Op op) {
  switch (op) {
    case Op::Equal:
      return "=";
    case Op::Unequal:
      return "<>";
    case Op::Less:
      return "<";
    case Op::LessEqual:
      return "<=";
    case Op::Greater:
      return ">";
    case Op::GreaterEqual:
      return ">=";
    case Op::BitOr:
      return "|";
    case Op::BitAnd:
      return "&";
    case Op::ShiftLeft:
      return "<<";
    case Op::ShiftRight:
      return ">>";
    case Op::Add:
      return "+";
    case Op::Subtract:
      return "-";
    case Op::Multiply:
      return "*";
    default:
      return {};
  }
}

bool is_comparison(Op op) { return op >= Op::Equal && op <= Op::GreaterEqual; }

// Operators of one level that SQLite reads from left to right as we do: a chain of them needs no
// parentheses, of which SQLite's parser takes only so many.
std::span<const Op> level_of(Op op) {
  static constexpr Op kSum[] = {Op::Add, Op::Subtract};
  static constexpr Op kProduct[] = {Op::Multiply};
  static constexpr Op kOr[] = {Op::BitOr};
  static constexpr Op kAnd[] = {Op::BitAnd};
  static constexpr Op kShift[] = {Op::ShiftLeft, Op::ShiftRight};
  static constexpr std::array<std::span<const Op>, 5> kLevels = {kSum, kProduct, kOr, kAnd, kShift};
  for (const auto level : kLevels) {
    if (std::find(level.begin(), level.end(), op) != level.end()) return level;
  }
  return {};
}

std::string_view function_of(Op op) {
  switch (op) {
    case Op::Divide:
      return "f_divide";
    case Op::Div:
      return "f_div";
    case Op::Mod:
      return "f_mod";
    case Op::BitXor:
      return "f_bit_xor";
    default:
      return {};
  }
}

std::string_view clause_name(Clause clause) {
  switch (clause) {
    case Clause::On:
      return "ON";
    case Clause::Where:
      return "WHERE";
    case Clause::GroupBy:
      return "GROUP BY";
    default:
      return {};
  }
}

}  // namespace

bool has_aggregate(const Expr& expr, std::span<const SelectItem> items) {
  if (expr.kind == ExprKind::Call) {
    const Function* function = find_function(expr.name);
    if (function != nullptr && function->kind == FunctionKind::Aggregate) return true;
  }
  if (expr.kind == ExprKind::Column && expr.table.empty()) {
    for (const SelectItem& item : items) {
      if (item.expr != nullptr && lower(item.alias) == expr.name) {
        return has_aggregate(*item.expr, {});
      }
    }
  }
  return std::any_of(expr.args.begin(), expr.args.end(),
                     [&](const ExprPtr& arg) { return has_aggregate(*arg, items); });
}

std::string ExpressionWriter::write(const Expr& expr, Clause clause) {
  clause_ = clause;
  begin_ = 0;
  end_ = sources_.size();
  return sql_of(expr);
}

std::string ExpressionWriter::write_on(const Expr& expr, std::size_t begin, std::size_t end) {
  clause_ = Clause::On;
  begin_ = begin;
  end_ = end;
  return sql_of(expr);
}

std::string ExpressionWriter::parameter(Value value) {
  out_.values.push_back(std::move(value));
  return fmt::format("?{}", out_.values.size());
}

void ExpressionWriter::fail(const Place& place, std::string cause) {
  if (!out_.error) out_.error = SyntaxError{place, std::move(cause)};
}

const SelectItem* ExpressionWriter::item_named(std::string_view alias) const {
  for (const SelectItem& item : items_) {
    if (item.expr != nullptr && !item.alias.empty() && lower(item.alias) == alias) return &item;
  }
  return nullptr;
}

ExpressionWriter::Written ExpressionWriter::put(const Expr& expr) {
  if (failed()) return {"NULL"};
  const auto negated = [&](std::string sql) {
    return Written{expr.negated ? fmt::format("(NOT {})", sql) : std::move(sql), Type::Number};
  };
  switch (expr.kind) {
    case ExprKind::Literal:
      return literal(expr);
    case ExprKind::Column:
      return column(expr);
    case ExprKind::All:
      fail(expr.place, "* stands alone or in count(*)");
      return {"NULL"};
    case ExprKind::Prefix:
      return prefix(expr);
    case ExprKind::Infix:
      return infix(expr);
    case ExprKind::Between:
      return negated(fmt::format("({} BETWEEN {} AND {})", side(*expr.args[0]), side(*expr.args[1]),
                                 side(*expr.args[2])));
    case ExprKind::In:
      return in_list(expr);
    case ExprKind::IsNull:
      return {fmt::format("({} IS {}NULL)", sql_of(*expr.args[0]), expr.negated ? "NOT " : ""),
              Type::Number};
    case ExprKind::Match:
      return negated(fmt::format("{}({},{})", expr.op == Op::Like ? "f_like" : "f_regexp",
                                 sql_of(*expr.args[0]), sql_of(*expr.args[1])));
    case ExprKind::Call:
      return call(expr);
  }
  return {"NULL"};
}

ExpressionWriter::Written ExpressionWriter::literal(const Expr& expr) {
  if (std::holds_alternative<std::monostate>(expr.value)) return {"NULL"};
  return {parameter(expr.value), type_of(expr.value)};
}

ExpressionWriter::Written ExpressionWriter::column(const Expr& expr) {
  const bool may_be_alias =
      expr.table.empty() && !in_alias_ &&
      (clause_ == Clause::OrderBy || clause_ == Clause::Having || clause_ == Clause::GroupBy);
  const SelectItem* item = may_be_alias ? item_named(expr.name) : nullptr;
  Sources::Found found;
  if (item == nullptr || clause_ != Clause::OrderBy) {
    found = sources_.find(expr.table, expr.name, begin_, end_);
  }
  if (found.column != nullptr) {
    const Type type = found.column->type == ColumnType::Text ? Type::Text : Type::Number;
    const std::string name = quoted(expr.name);
    if (found.merged) return {name, type, true};
    return {fmt::format("{}.{}", quoted(found.source->alias), name), type, true};
  }
  if (item != nullptr && (clause_ == Clause::OrderBy || found.unknown)) {
    in_alias_ = true;
    Written written = put(*item->expr);
    in_alias_ = false;
    return written;
  }
  fail(expr.place, found.problem);
  return {"NULL"};
}

ExpressionWriter::Written ExpressionWriter::prefix(const Expr& expr) {
  const std::string_view sign = expr.op == Op::Minus ? "-" : expr.op == Op::BitNot ? "~" : "NOT ";
  return {fmt::format("({}{})", sign, sql_of(*expr.args[0])), Type::Number};
}

// A number that is no column: made to compare as a number, also with a string that is one.
std::string ExpressionWriter::side(const Expr& expr) {
  Written written = put(expr);
  if (written.type != Type::Number || written.column) return written.sql;
  return fmt::format("CAST({} AS NUMERIC)", written.sql);
}

// SQLite's own trees may be a thousand levels deep, its parser takes far fewer parentheses.
std::string ExpressionWriter::balanced(std::span<const ExprPtr> args, std::string_view word) {
  constexpr std::size_t kFlat = 50;
  std::string out = "(";
  if (args.size() <= kFlat) {
    for (const ExprPtr& arg : args) {
      if (out.size() > 1) fmt::format_to(std::back_inserter(out), " {} ", word);
      out += sql_of(*arg);
    }
  } else {
    const std::size_t half = args.size() / 2;
    fmt::format_to(std::back_inserter(out), "{} {} ", balanced(args.first(half), word), word);
    out += balanced(args.subspan(half), word);
  }
  return out + ")";
}

std::string ExpressionWriter::chain_part(const Expr& left, std::span<const Op> same_level) {
  std::string sql = sql_of(left);
  const bool goes_on = left.kind == ExprKind::Infix &&
                       std::find(same_level.begin(), same_level.end(), left.op) != same_level.end();
  return goes_on && sql.size() > 2 && sql.front() == '(' ? sql.substr(1, sql.size() - 2) : sql;
}

ExpressionWriter::Written ExpressionWriter::infix(const Expr& expr) {
  const Expr& left = *expr.args[0];
  const Expr& right = *expr.args[1];
  if (expr.op == Op::Or || expr.op == Op::And) {
    return {balanced(expr.args, expr.op == Op::Or ? "OR" : "AND"), Type::Number};
  }
  if (expr.op == Op::Xor) {
    return {fmt::format("((NOT {}) <> (NOT {}))", sql_of(left), sql_of(right)), Type::Number};
  }
  if (is_comparison(expr.op)) {
    const std::string a = side(left);
    return {fmt::format("({} {} {})", a, symbol_of(expr.op), side(right)), Type::Number};
  }
  if (const std::string_view function = function_of(expr.op); !function.empty()) {
    const std::string a = sql_of(left);
    return {fmt::format("{}({},{})", function, a, sql_of(right)), Type::Number};
  }
  const std::string a = chain_part(left, level_of(expr.op));
  return {fmt::format("({} {} {})", a, symbol_of(expr.op), sql_of(right)), Type::Number};
}

// The elements are read as the left side's type, by its affinity.
ExpressionWriter::Written ExpressionWriter::in_list(const Expr& expr) {
  Written left = put(*expr.args[0]);
  if (!left.column && left.type != Type::Unknown) {
    left.sql =
        fmt::format("CAST({} AS {})", left.sql, left.type == Type::Text ? "TEXT" : "NUMERIC");
  }
  std::string out = fmt::format("({} {}IN (", left.sql, expr.negated ? "NOT " : "");
  for (std::size_t i = 1; i < expr.args.size(); ++i) {
    if (i > 1) out += ',';
    // Not a bare name: the element has no affinity of its own.
    const Written element = put(*expr.args[i]);
    out += element.column ? "+" + element.sql : element.sql;
  }
  return {out + "))", Type::Number};
}

ExpressionWriter::Written ExpressionWriter::call(const Expr& expr) {
  const Function* function = find_function(expr.name);
  if (function == nullptr) {
    fail(expr.place, fmt::format("there is no function {}(); see functions()", expr.name));
    return {"NULL"};
  }
  const auto count = static_cast<int>(expr.args.size());
  if (count < function->min_args ||
      (function->max_args != kAnyNumber && count > function->max_args)) {
    fail(expr.place, fmt::format("{} takes {}", function->signature,
                                 function->min_args == 0 ? "nothing" : "other arguments"));
    return {"NULL"};
  }
  if (function->kind == FunctionKind::Aggregate) return aggregate(expr);
  if (function->kind == FunctionKind::Table) {
    fail(expr.place, fmt::format("{}() stands after FROM", expr.name));
    return {"NULL"};
  }
  if (expr.distinct) fail(expr.place, "DISTINCT is for count, sum, min, max and avg");
  constexpr int kMostArguments = 100;  // SQLite's own limit
  if (count > kMostArguments) {
    fail(expr.place, fmt::format("a function takes at most {} arguments", kMostArguments));
  }
  std::string out = fmt::format("f_{}(", function->name);
  for (std::size_t i = 0; i < expr.args.size(); ++i) {
    if (i > 0) out += ',';
    out += sql_of(*expr.args[i]);
  }
  return {out + ")", function->result};
}

ExpressionWriter::Written ExpressionWriter::aggregate(const Expr& expr) {
  const std::string_view clause = clause_name(clause_);
  if (!clause.empty()) {
    fail(expr.place, fmt::format("{}() has no meaning in {}", expr.name, clause));
  }
  if (in_aggregate_) fail(expr.place, fmt::format("{}() inside of an aggregate", expr.name));
  if (failed()) return {"NULL"};
  if (expr.args[0]->kind == ExprKind::All) {
    if (expr.name != "count") fail(expr.args[0]->place, "only count() takes *");
    return {"count(*)", Type::Number};
  }
  in_aggregate_ = true;
  Written argument = put(*expr.args[0]);
  in_aggregate_ = false;
  const bool same_type = expr.name == "min" || expr.name == "max";
  return {fmt::format("{}({}{})", expr.name, expr.distinct ? "DISTINCT " : "", argument.sql),
          same_type ? argument.type : Type::Number};
}

}  // namespace slipway::eventstore::sql
