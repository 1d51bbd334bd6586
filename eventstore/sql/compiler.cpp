#include "eventstore/sql/compiler.hpp"

#include <fmt/format.h>

#include "eventstore/sql/expression_writer.hpp"
#include "eventstore/sql/functions.hpp"

namespace slipway::eventstore::sql {
namespace {

class StatementCompiler {
 public:
  StatementCompiler(const Select& select, const Scope& scope)
      : select_(select), scope_(scope), writer_(out_, sources_, select.items) {}

  Compiled run() {
    // First all tables, then all expressions, which say which columns the tables must show.
    add_sources(select_.from);
    if (failed()) return std::move(out_);
    if (!scope_.everything()) tenant_ = writer_.parameter(scope_.name());
    const std::size_t from_end = bind_joins(select_.from, 0);
    (void)from_end;
    const std::string items = item_list();
    std::string where =
        select_.where == nullptr ? "" : writer_.write(*select_.where, Clause::Where);
    const std::string group = group_by();
    std::string having = having_into(where);
    const std::string order = order_by();
    if (select_.where != nullptr) find_lookups(*select_.where);
    if (failed()) return std::move(out_);

    std::string& sql = out_.sql;
    sql = fmt::format("SELECT {}{}", select_.distinct ? "DISTINCT " : "", items);
    if (!select_.from.items.empty()) {
      std::size_t at = 0;
      std::size_t join = 0;
      sql += " FROM " + from(select_.from, at, join);
    }
    if (!where.empty()) sql += " WHERE " + where;
    if (!group.empty()) sql += " GROUP BY " + group;
    if (!having.empty()) sql += " HAVING " + having;
    if (!order.empty()) sql += " ORDER BY " + order;
    if (select_.limit) {
      sql += " LIMIT " + writer_.parameter(*select_.limit);
      sql += " OFFSET " + writer_.parameter(select_.offset);
    }
    describe();
    return std::move(out_);
  }

 private:
  bool failed() const { return out_.error.has_value(); }

  void add_sources(const FromList& list) {
    for (const FromItem& item : list.items) {
      if (item.nested != nullptr) {
        add_sources(*item.nested);
      } else if (SyntaxError error; !failed() && !sources_.add(item, error)) {
        out_.error = std::move(error);
      }
    }
  }

  // Writes each ON, and merges what NATURAL and USING say. `begin`: the first source of the list;
  // the end is given back.
  std::size_t bind_joins(const FromList& list, std::size_t begin) {
    std::size_t end = begin;
    for (const FromItem& item : list.items) {
      const std::size_t middle = end;
      end = item.nested != nullptr ? bind_joins(*item.nested, middle) : middle + 1;
      if (middle == begin) continue;
      std::vector<std::string> merged = item.using_columns;
      if (item.natural) {
        merged = sources_.common(begin, middle, end);
        sources_.use_all();
      }
      for (const std::string& name : merged) {
        std::string problem;
        if (!sources_.merge(name, begin, middle, end, problem)) writer_.fail(item.place, problem);
      }
      std::string condition;
      if (item.on != nullptr) condition = " ON " + writer_.write_on(*item.on, begin, end);
      for (const std::string& name : item.using_columns) {
        condition += (condition.empty() ? " USING(" : ",") + quoted(name);
      }
      if (!item.using_columns.empty()) condition += ')';
      conditions_.push_back(std::move(condition));
    }
    return end;
  }

  // As bind_joins() goes over them: `at` counts sources, `join` conditions.
  std::string from(const FromList& list, std::size_t& at, std::size_t& join) {
    std::string out;
    bool first = true;
    for (const FromItem& item : list.items) {
      std::string table;
      if (item.nested != nullptr) {
        // SQLite hides the alias of a table that stands in parentheses alone.
        table = from(*item.nested, at, join);
        if (item.nested->items.size() > 1) table = "(" + table + ")";
      } else {
        Source& source = sources_.at(at++);
        table = fmt::format("({}) AS {}",
                            table_select(*source.table, source.wanted(), tenant_, source.lookup),
                            quoted(source.alias));
      }
      if (first) {
        out = std::move(table);
        first = false;
        continue;
      }
      const std::string_view kind = item.join == JoinKind::Left    ? "LEFT JOIN"
                                    : item.join == JoinKind::Right ? "RIGHT JOIN"
                                                                   : "JOIN";
      out += fmt::format(" {}{} {}{}", item.natural ? "NATURAL " : "", kind, table,
                         conditions_[join++]);
    }
    return out;
  }

  std::string item_list() {
    std::string out;
    for (const SelectItem& item : select_.items) {
      if (!out.empty()) out += ',';
      if (item.expr != nullptr) {
        const std::string sql = writer_.write(*item.expr, Clause::Items);
        out += fmt::format("{} AS {}", sql, quoted(name_of(item)));
        ++columns_;
      } else {
        out += all_columns(item);
      }
    }
    return out;
  }

  std::string all_columns(const SelectItem& item) {
    if (item.table.empty()) {
      if (sources_.size() == 0) writer_.fail(item.place, "* needs a FROM");
      sources_.use_all();
      columns_ += sources_.columns();
      return "*";
    }
    Source* source = sources_.by_alias(item.table);
    if (source == nullptr) {
      writer_.fail(item.place, fmt::format("there is no table '{}' in this FROM", item.table));
      return {};
    }
    source->all_used = true;
    columns_ += source->table->columns.size();
    return quoted(item.table) + ".*";
  }

  static std::string name_of(const SelectItem& item) {
    if (!item.alias.empty()) return item.alias;
    if (item.expr->kind == ExprKind::Column) return item.expr->name;
    return std::string(item.expr->text);
  }

  // A whole number in ORDER BY and GROUP BY is the place of a column.
  std::string place_or_expression(const Expr& expr, Clause clause) {
    if (expr.kind != ExprKind::Literal) return writer_.write(expr, clause);
    const auto* place = std::get_if<std::int64_t>(&expr.value);
    if (place == nullptr) return writer_.write(expr, clause);
    if (*place < 1 || static_cast<std::size_t>(*place) > columns_) {
      writer_.fail(expr.place, fmt::format("there is no column number {}", *place));
    }
    return std::to_string(*place);
  }

  std::string group_by() {
    std::string out;
    for (const ExprPtr& expr : select_.group_by) {
      if (!out.empty()) out += ',';
      out += place_or_expression(*expr, Clause::GroupBy);
    }
    return out;
  }

  bool aggregates() const {
    for (const SelectItem& item : select_.items) {
      if (item.expr != nullptr && has_aggregate(*item.expr, {})) return true;
    }
    return select_.having != nullptr && has_aggregate(*select_.having, select_.items);
  }

  // Without groups HAVING is one more condition on the rows.
  std::string having_into(std::string& where) {
    if (select_.having == nullptr) return {};
    std::string having = writer_.write(*select_.having, Clause::Having);
    if (!select_.group_by.empty() || aggregates()) return having;
    where = where.empty() ? having : fmt::format("({} AND {})", where, having);
    return {};
  }

  std::string order_by() {
    std::string out;
    for (const OrderItem& item : select_.order_by) {
      if (!out.empty()) out += ',';
      out += place_or_expression(*item.expr, Clause::OrderBy);
      if (item.descending) out += " DESC";
    }
    return out;
  }

  // ---- ids that are looked up ----

  // A condition that every row of the answer must meet may be looked at in the table already; WHERE
  // keeps it, so also on the empty side of an outer join nothing changes.
  void find_lookups(const Expr& where) {
    if (where.kind == ExprKind::Infix && where.op == Op::And) {
      for (const ExprPtr& arg : where.args) find_lookups(*arg);
      return;
    }
    const bool in = where.kind == ExprKind::In && !where.negated;
    if (!in && !(where.kind == ExprKind::Infix && where.op == Op::Equal)) return;
    const bool turned = !in && where.args[0]->kind == ExprKind::Literal;
    const Expr& column = *where.args[turned ? 1 : 0];
    if (column.kind != ExprKind::Column) return;
    const auto found = sources_.find(column.table, column.name, 0, sources_.size());
    if (found.column == nullptr || found.column->id_key.empty() || found.merged) return;
    if (!found.source->lookup.empty()) return;
    std::string ids;
    for (std::size_t i = 0; i < where.args.size(); ++i) {
      if (i == (turned ? 1U : 0U)) continue;
      const Expr& value = *where.args[i];
      if (value.kind != ExprKind::Literal || type_of(value.value) != Type::Text) return;
      ids += fmt::format("{}sw_id({})", ids.empty() ? "" : ",", writer_.parameter(value.value));
    }
    found.source->lookup = fmt::format(" AND {} IN ({})", found.column->id_key, ids);
    found.source->lookup_column = found.column->name;
  }

  // ---- EXPLAIN ----

  void step(std::string operation, std::string detail) {
    out_.plan.push_back({std::move(operation), std::move(detail)});
  }
  void describe_source(const Source& source, std::string_view operation) {
    std::string detail = source.table->name;
    if (source.alias != source.table->name) detail += " as " + source.alias;
    std::string names;
    for (const Column* column : source.wanted())
      names += (names.empty() ? "" : ", ") + column->name;
    detail += fmt::format(" ({})", names);
    if (!source.lookup_column.empty()) {
      detail += fmt::format(", looked up by {}", source.lookup_column);
    }
    if (!scope_.everything() && !source.table->tenant.empty()) detail += ", own rows";
    step(std::string(operation), std::move(detail));
  }
  void describe_list(const FromList& list, std::size_t& at) {
    bool first = true;
    for (const FromItem& item : list.items) {
      std::string operation = "read";
      if (!first) {
        operation = item.join == JoinKind::Left    ? "left join"
                    : item.join == JoinKind::Right ? "right join"
                    : item.join == JoinKind::Cross ? "cross join"
                                                   : "join";
        if (item.natural) operation = "natural " + operation;
      }
      first = false;
      if (item.nested != nullptr) {
        step(operation, "what stands in parentheses:");
        describe_list(*item.nested, at);
      } else {
        describe_source(sources_.at(at++), operation);
      }
      if (item.on != nullptr) out_.plan.back().detail += fmt::format(" on {}", item.on->text);
    }
  }
  void describe() {
    std::size_t at = 0;
    describe_list(select_.from, at);
    if (select_.where != nullptr) step("filter", std::string(select_.where->text));
    if (!select_.group_by.empty()) {
      step("group", fmt::format("by {} expressions", select_.group_by.size()));
    } else if (aggregates()) {
      step("aggregate", "all rows");
    }
    if (select_.having != nullptr) step("filter", std::string(select_.having->text));
    if (select_.distinct) step("distinct", "");
    if (!select_.order_by.empty()) {
      step("sort", fmt::format("by {} expressions", select_.order_by.size()));
    }
    if (select_.limit) {
      step("limit", fmt::format("{} rows after {}", *select_.limit, select_.offset));
    }
    step("answer", fmt::format("{} columns", columns_));
  }

  const Select& select_;
  const Scope& scope_;
  Compiled out_;
  Sources sources_;
  ExpressionWriter writer_;
  std::string tenant_;
  std::vector<std::string> conditions_;  // of the joins, in order
  std::size_t columns_ = 0;
};

}  // namespace

Compiled compile(const Select& select, const Scope& scope) {
  return StatementCompiler(select, scope).run();
}

}  // namespace slipway::eventstore::sql
