#pragma once
// The tables that the SQL dialect shows, and how each is read from the read models. Nothing is
// copied: a table is a SELECT that the compiler puts in place of its name, cut to what the asker
// may see. What no table here reads, the authorizer lets nobody read (connection.hpp).
//
// A new table is a new entry in one of the three lists (catalog_inventory.cpp: what a cloud has and
// its projects; catalog_work.cpp: VMs, tasks and events).
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/domain/states.hpp"
#include "eventstore/sql/value.hpp"

namespace slipway::eventstore::sql {

enum class ColumnType : std::uint8_t { Text, Integer, Real };

struct Column {
  std::string name;
  ColumnType type = ColumnType::Text;
  // SQL over the table's `from`; constant text, never a user's.
  std::string expression;
  // A stored 16-byte id with an index, behind a column that shows it as text: `id = '...'` is
  // looked up by it.
  std::string id_key{};
  // The expression is a stored column of just this type, so SQLite may use its indexes.
  bool stored = false;
};

struct Table {
  std::string name;
  std::string from;
  std::string where;  // "1" for all rows
  std::string
      tenant;       // a condition with {t} for the asker's name; left out for who sees everything
  std::string row;  // a column of `from`: reading one row counts once
  std::vector<Column> columns;
  const Column* find(std::string_view column) const;
};

// In order of name.
std::span<const Table> catalog();
const Table* find_table(std::string_view name);
// The SELECT behind a table: of the columns named, or of all when `columns` is empty. `tenant` is
// the parameter that holds the asker's name ("?3"), empty for everything; `more` is added to the
// condition.
std::string table_select(const Table& table, const std::vector<const Column*>& columns,
                         std::string_view tenant, std::string_view more);

// "Z[UTC]" would be shorter, but clients look for an offset.
inline constexpr std::string_view kTimeSuffix = "+00:00[UTC]";
// What an instance's or an image's state is called in this dialect: "launched", "saved".
std::string_view instance_state(domain::VmState state);
std::string_view image_state(domain::ImageState state);

// ---- for the lists ----
void add_inventory_tables(std::vector<Table>& tables);
void add_work_tables(std::vector<Table>& tables);
// CASE over an enumerator's number.
template <class E>
std::string case_of(std::string_view column, std::string_view (*name)(E)) {
  std::string out = "CASE " + std::string(column);
  for (std::size_t i = 0; i < enum_names(E{}).size(); ++i) {
    out += " WHEN " + std::to_string(i) + " THEN '" + std::string(name(static_cast<E>(i))) + "'";
  }
  return out + " END";
}
// Microseconds to this dialect's time; NULL stays NULL.
std::string time_of(std::string_view column);
// An RFC 3339 text to the same.
std::string time_of_text(std::string_view json);
std::string member(std::string_view doc, std::string_view path);  // json_extract

}  // namespace slipway::eventstore::sql
