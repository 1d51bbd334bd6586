#pragma once
// A small table whose rows are all kept in memory by the projector and stored as one JSON document
// each, with the columns by which readers find them: the catalog (images, flavors, hosts, ...) and
// the people.
#include <map>
#include <set>
#include <string>

#include <fmt/format.h>

#include "core/base/json_read.hpp"
#include "core/base/json_write.hpp"
#include "eventstore/projections/fold_context.hpp"
#include "eventstore/projections/sqlite.hpp"
#include "eventstore/rows.hpp"

namespace slipway::eventstore {

struct CatalogColumns {
  std::string_view name;
  std::string_view tenant;  // the owner; empty: nobody's
  bool shared = false;      // seen by every tenant
};
inline CatalogColumns columns_of(const ImageRow& r) {
  return {r.image.name, r.image.tenant, r.image.is_public};
}
inline CatalogColumns columns_of(const FlavorRow& r) {
  return {r.flavor.name, {}, r.flavor.is_public};
}
inline CatalogColumns columns_of(const NetworkRow& r) {
  return {r.network.name, r.network.tenant, r.network.shared || r.network.external};
}
inline CatalogColumns columns_of(const HostRow& r) { return {r.host.name, {}, true}; }
inline CatalogColumns columns_of(const BackendRow& r) { return {r.backend.name, {}, true}; }
inline CatalogColumns columns_of(const ProjectRow& r) {
  return {r.project.name, r.project.name, false};
}
inline CatalogColumns columns_of(const UserRow& r) { return {r.user.name, r.user.tenant, false}; }
inline CatalogColumns columns_of(const TokenRow& r) {
  return {r.token.name, r.token.tenant, false};
}

inline CatalogColumns columns_of(const LeaseRow& r) {
  return {r.lease.name, r.lease.tenant, false};
}
inline CatalogColumns columns_of(const ReservationRow& r) { return {{}, r.tenant, false}; }
inline CatalogColumns columns_of(const ReservableHostRow& r) { return {r.host.name, {}, true}; }
inline CatalogColumns columns_of(const HostPropertyRow& r) { return {r.property, {}, true}; }
inline CatalogColumns columns_of(const FloatingIpRow&) { return {{}, {}, true}; }
inline CatalogColumns columns_of(const PoolRow& r) { return {r.pool.name, {}, true}; }
inline CatalogColumns columns_of(const StoragePoolRow& r) { return {r.pool.name, {}, true}; }
inline CatalogColumns columns_of(const AddressPoolRow& r) { return {r.pool.name, {}, true}; }
inline CatalogColumns columns_of(const AddressRow& r) { return {r.pool, r.tenant, false}; }
inline CatalogColumns columns_of(const TemplateRow& r) { return {r.system.name, {}, true}; }
inline CatalogColumns columns_of(const SecurityGroupRow& r) {
  return {r.group.name, r.group.tenant, r.group.global};
}
inline CatalogColumns columns_of(const VmSecurityRow& r) { return {{}, r.tenant, false}; }
inline CatalogColumns columns_of(const RoleRow& r) { return {r.role.name, {}, true}; }
inline CatalogColumns columns_of(const GroupRow& r) { return {r.group.name, r.group.name, false}; }
inline CatalogColumns columns_of(const LoginRow& r) { return {r.login.user, r.login.group, false}; }

// What its stream is known by: the name that somebody chose, or the UUID as text.
std::string key_of(const FoldContext& ctx);

inline CatalogColumns columns_of(const AssignmentRow& r) {
  return {r.assignment.user, r.tenant, false};
}

template <class Row>
class CatalogTable {
 public:
  CatalogTable(Database& db, std::string_view table)
      : db_(db),
        table_(table),
        insert_(db, fmt::format("INSERT INTO {} VALUES(?,?,?,?,?,?)", table)),
        erase_(db, fmt::format("DELETE FROM {} WHERE key=?", table)) {}

  void load() {
    base::JsonParser parser;
    Statement select(db_, fmt::format("SELECT key, doc FROM {}", table_));
    while (select.step()) {
      const auto json = parser.parse_trusted(select.text(1));
      if (!json || !base::read_json(*json, rows_[std::string(select.text(0))])) {
        db_.set_error(11, "a document is damaged");
        return;
      }
    }
  }

  // The row of that key, to be changed; a new one has `created_seq` 0.
  Row& touch(const std::string& key) {
    changed_.insert(key);
    return rows_[key];
  }
  // nullptr: there is none.
  Row* find(const std::string& key) {
    const auto it = rows_.find(key);
    if (it == rows_.end()) return nullptr;
    changed_.insert(key);
    return &it->second;
  }
  void erase(const std::string& key) {
    rows_.erase(key);
    changed_.insert(key);
  }
  const std::map<std::string, Row>& rows() const { return rows_; }
  bool changed() const { return !changed_.empty(); }

  void flush() {
    for (const std::string& key : changed_) {
      erase_.run(key);
      const auto it = rows_.find(key);
      if (it == rows_.end()) continue;
      const CatalogColumns columns = columns_of(it->second);
      writer_.clear();
      base::write_json(writer_, it->second);
      insert_.run(it->second.created_seq, key, columns.name, columns.tenant, columns.shared,
                  writer_.view());
    }
    changed_.clear();
  }

 private:
  Database& db_;
  std::string table_;
  base::JsonWriter writer_;
  std::map<std::string, Row> rows_;
  std::set<std::string> changed_;
  Statement insert_;
  Statement erase_;
};

// A thing that is defined again keeps its place in lists.
template <class Row>
Row& define(CatalogTable<Row>& table, const FoldContext& ctx) {
  Row& row = table.touch(key_of(ctx));
  if (row.created_seq == 0) row.created_seq = ctx.seq;
  if constexpr (requires { row.created_at; }) {
    if (row.created_seq == ctx.seq) row.created_at = ctx.time();
  }
  if constexpr (requires { row.updated_at; }) row.updated_at = ctx.time();
  return row;
}

}  // namespace slipway::eventstore
