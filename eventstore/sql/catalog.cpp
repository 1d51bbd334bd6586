#include "eventstore/sql/catalog.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace slipway::eventstore::sql {

const Column* Table::find(std::string_view column) const {
  const auto it = std::find_if(columns.begin(), columns.end(),
                               [&](const Column& c) { return c.name == column; });
  return it == columns.end() ? nullptr : &*it;
}

std::span<const Table> catalog() {
  static const std::vector<Table> kTables = [] {
    std::vector<Table> tables;
    add_inventory_tables(tables);
    add_work_tables(tables);
    std::sort(tables.begin(), tables.end(),
              [](const Table& a, const Table& b) { return a.name < b.name; });
    return tables;
  }();
  return kTables;
}

const Table* find_table(std::string_view name) {
  const auto tables = catalog();
  const auto it =
      std::find_if(tables.begin(), tables.end(), [&](const Table& t) { return t.name == name; });
  return it == tables.end() ? nullptr : &*it;
}

namespace {

// The cast gives a column the affinity that comparisons go by.
std::string shown(const Column& column) {
  if (column.stored) return column.expression;
  const std::string_view type = column.type == ColumnType::Text      ? "TEXT"
                                : column.type == ColumnType::Integer ? "INTEGER"
                                                                     : "REAL";
  return fmt::format("CAST({} AS {})", column.expression, type);
}

}  // namespace

std::string table_select(const Table& table, const std::vector<const Column*>& columns,
                         std::string_view tenant, std::string_view more) {
  std::string out = "SELECT ";
  const auto add = [&](const Column& column) {
    if (out.back() != ' ') out += ',';
    out += fmt::format("{} AS \"{}\"", shown(column), column.name);
  };
  if (columns.empty()) {
    for (const Column& column : table.columns) add(column);
  } else {
    for (const Column* column : columns) add(*column);
  }
  out += fmt::format(" FROM {} WHERE {}", table.from, table.where);
  if (!tenant.empty() && !table.tenant.empty()) {
    std::string condition = table.tenant;
    for (std::size_t at = 0; (at = condition.find("{t}", at)) != std::string::npos;) {
      condition.replace(at, 3, tenant);
    }
    out += fmt::format(" AND ({})", condition);
  }
  out += more;
  return out + fmt::format(" AND sw_row({})", table.row);
}

std::string time_of(std::string_view column) {
  return fmt::format("strftime('%Y-%m-%dT%H:%M:%S',{}/1000000,'unixepoch')||'{}'", column,
                     kTimeSuffix);
}
std::string time_of_text(std::string_view json) {
  return fmt::format("substr({},1,19)||'{}'", json, kTimeSuffix);
}
std::string member(std::string_view doc, std::string_view path) {
  return fmt::format("json_extract({},'$.{}')", doc, path);
}

std::string_view instance_state(domain::VmState state) {
  using enum domain::VmState;
  switch (state) {
    case Queued:
      return "queued";
    case Launching:
      return "launching";
    case Running:
      return "launched";
    case Stopping:
      return "shutting_down";
    case Stopped:
      return "shutoff";
    case Starting:
      return "starting";
    case Rebooting:
      return "rebooting";
    case HardRebooting:
      return "hard_rebooting";
    case Pausing:
      return "pausing";
    case Paused:
      return "paused";
    case Suspending:
      return "suspending";
    case Suspended:
      return "suspended";
    case Resuming:
      return "resuming";
    case Resizing:
      return "resizing";
    case Rebuilding:
      return "rebuilding";
    case Snapshotting:
      return "snapshotting";
    case Migrating:
      return "migrating";
    case Error:
      return "error";
    case Deleting:
      return "deleting";
    case Deleted:
      return "deleted";
  }
  return "error";
}

std::string_view image_state(domain::ImageState state) {
  using enum domain::ImageState;
  switch (state) {
    case Queued:
      return "queued";
    case Saving:
      return "saving";
    case Saved:
      return "saved";
    case Error:
      return "error";
    case Deleting:
      return "deleting";
    case Deleted:
      return "deleted";
  }
  return "error";
}

}  // namespace slipway::eventstore::sql
