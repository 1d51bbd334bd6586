#include "eventstore/sql/sources.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "eventstore/sql/functions.hpp"

namespace slipway::eventstore::sql {
namespace {

std::string constant(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    out += c;
    if (c == '\'') out += c;
  }
  return out + "'";
}

// Rows of constant text as a table; a row's first column is its name.
std::unique_ptr<Table> table_of(std::string name, const std::vector<std::string>& columns,
                                const std::vector<std::vector<std::string>>& rows) {
  std::string values;
  for (const auto& row : rows) {
    values += values.empty() ? "VALUES(" : ",(";
    for (std::size_t i = 0; i < row.size(); ++i) values += (i == 0 ? "" : ",") + constant(row[i]);
    values += ')';
  }
  auto table = std::make_unique<Table>();
  table->name = std::move(name);
  table->from = fmt::format("({}) AS c", values);
  table->where = "1";
  table->row = "1";
  for (std::size_t i = 0; i < columns.size(); ++i) {
    table->columns.push_back({columns[i], ColumnType::Text, fmt::format("c.column{}", i + 1)});
  }
  return table;
}

std::string_view type_name(ColumnType type) {
  return type == ColumnType::Text ? "text" : type == ColumnType::Integer ? "integer" : "real";
}
std::string_view type_name(Type type) {
  return type == Type::Text ? "text" : type == Type::Number ? "number" : "any";
}
std::string_view kind_name(FunctionKind kind) {
  return kind == FunctionKind::Scalar      ? "scalar"
         : kind == FunctionKind::Aggregate ? "aggregate"
                                           : "table";
}

std::unique_ptr<Table> tables_table() {
  std::vector<std::vector<std::string>> rows;
  for (const Table& t : catalog()) rows.push_back({t.name});
  return table_of("tables", {"name"}, rows);
}
std::unique_ptr<Table> columns_table(const Table& of) {
  std::vector<std::vector<std::string>> rows;
  for (const Column& c : of.columns) rows.push_back({c.name, std::string(type_name(c.type))});
  return table_of("columns", {"name", "type"}, rows);
}
std::unique_ptr<Table> functions_table() {
  std::vector<std::vector<std::string>> rows;
  for (const Function& f : functions()) {
    rows.push_back({std::string(f.name), std::string(kind_name(f.kind)),
                    std::string(type_name(f.result)), std::string(f.signature)});
  }
  return table_of("functions", {"name", "kind", "type", "signature"}, rows);
}

}  // namespace

std::string quoted(std::string_view name) {
  std::string out = "\"";
  for (const char c : name) {
    out += c;
    if (c == '"') out += c;
  }
  return out + "\"";
}

std::unique_ptr<Table> function_table(const FromItem& item, std::string& problem) {
  if (item.name == "columns") {
    const auto* name = item.argument ? std::get_if<std::string>(&*item.argument) : nullptr;
    const Table* of = name == nullptr ? nullptr : find_table(*name);
    if (of != nullptr) return columns_table(*of);
    problem = name == nullptr ? "columns() takes a table's name in quotes"
                              : fmt::format("there is no table '{}'", *name);
    return nullptr;
  }
  if (item.name != "tables" && item.name != "functions") {
    problem = fmt::format("there is no table function {}()", item.name);
    return nullptr;
  }
  if (item.argument) {
    problem = fmt::format("{}() takes nothing", item.name);
    return nullptr;
  }
  return item.name == "tables" ? tables_table() : functions_table();
}

std::vector<const Column*> Source::wanted() const {
  std::vector<const Column*> out;
  for (const Column& column : table->columns) {
    if (all_used || used.contains(&column)) out.push_back(&column);
  }
  if (out.empty()) out.push_back(&table->columns.front());
  return out;
}

bool Sources::add(const FromItem& item, SyntaxError& error) {
  Source source;
  source.alias = item.alias;
  source.place = item.place;
  if (by_alias(item.alias) != nullptr) {
    error = {item.place, fmt::format("the name '{}' stands for two tables", item.alias)};
    return false;
  }
  if (item.is_function) {
    std::string problem;
    auto made = function_table(item, problem);
    if (made == nullptr) {
      error = {item.place, std::move(problem)};
      return false;
    }
    source.table = made.get();
    made_.push_back(std::move(made));
  } else {
    source.table = find_table(item.name);
  }
  if (source.table == nullptr) {
    error = {item.place, fmt::format("there is no table '{}'", item.name)};
    return false;
  }
  all_.push_back(std::move(source));
  return true;
}

Sources::Found Sources::find(std::string_view table, std::string_view name, std::size_t begin,
                             std::size_t end) {
  Found found;
  bool table_known = false;
  for (std::size_t i = begin; i < end; ++i) {
    Source& source = all_[i];
    if (!table.empty() && source.alias != table) continue;
    table_known = true;
    const Column* column = source.table->find(name);
    if (column == nullptr) continue;
    if (found.column != nullptr) {
      if (merged_.contains(name)) {
        source.use(*column);
        continue;
      }
      return {nullptr, nullptr, false,
              fmt::format("'{}' is a column of '{}' and of '{}'", name, found.source->alias,
                          source.alias)};
    }
    found.source = &source;
    found.column = column;
  }
  if (found.column != nullptr) {
    found.source->use(*found.column);
    found.merged = table.empty() && merged_.contains(name);
    return found;
  }
  found.unknown = table.empty();
  found.problem =
      table_known || table.empty()
          ? fmt::format("there is no column '{}{}{}'", table, table.empty() ? "" : ".", name)
          : fmt::format("there is no table '{}' in this FROM", table);
  return found;
}

std::vector<std::string> Sources::common(std::size_t begin, std::size_t middle,
                                         std::size_t end) const {
  std::vector<std::string> out;
  for (std::size_t r = middle; r < end; ++r) {
    for (const Column& column : all_[r].table->columns) {
      for (std::size_t l = begin; l < middle; ++l) {
        if (all_[l].table->find(column.name) == nullptr) continue;
        if (std::find(out.begin(), out.end(), column.name) == out.end()) out.push_back(column.name);
      }
    }
  }
  return out;
}

bool Sources::merge(const std::string& name, std::size_t begin, std::size_t middle, std::size_t end,
                    std::string& problem) {
  const Found left = find({}, name, begin, middle);
  const Found right = find({}, name, middle, end);
  if (left.column == nullptr || right.column == nullptr) {
    problem = left.column == nullptr ? left.problem : right.problem;
    return false;
  }
  merged_.insert(name);
  ++merged_away_;
  return true;
}

Source* Sources::by_alias(std::string_view alias) {
  const auto it =
      std::find_if(all_.begin(), all_.end(), [&](const Source& s) { return s.alias == alias; });
  return it == all_.end() ? nullptr : &*it;
}

std::size_t Sources::columns() const {
  std::size_t count = 0;
  for (const Source& source : all_) count += source.table->columns.size();
  return count - merged_away_;
}

void Sources::use_all() {
  for (Source& source : all_) source.all_used = true;
}

}  // namespace slipway::eventstore::sql
