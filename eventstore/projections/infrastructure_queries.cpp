// Questions about what a data centre is divided into, and about notes.
#include "eventstore/projections/catalog_select.hpp"

namespace slipway::eventstore {

base::Result<Read<std::vector<PoolRow>>> Reader::pools() {
  return select_all<PoolRow>(*impl_, "pools", {});
}
base::Result<Read<std::vector<StoragePoolRow>>> Reader::storage_pools() {
  return select_all<StoragePoolRow>(*impl_, "storage_pools", {});
}
base::Result<Read<std::vector<AddressPoolRow>>> Reader::address_pools() {
  return select_all<AddressPoolRow>(*impl_, "address_pools", {});
}
base::Result<Read<std::vector<AddressRow>>> Reader::addresses(const Scope& scope,
                                                              std::string_view pool) {
  return select_all<AddressRow>(*impl_, "addresses",
                                Sql().add(" AND name=?", pool).add(visible(scope)));
}
base::Result<Read<std::vector<TemplateRow>>> Reader::templates() {
  return select_all<TemplateRow>(*impl_, "templates", {});
}
base::Result<Read<std::vector<SecurityGroupRow>>> Reader::security_groups(const Scope& scope) {
  return select_all<SecurityGroupRow>(*impl_, "security_groups", visible(scope));
}
base::Result<Read<domain::SecurityPolicy>> Reader::vm_security(const Scope& scope,
                                                               const domain::VmId& vm) {
  const auto rows = select_all<VmSecurityRow>(
      *impl_, "vm_security", Sql().add(" AND key=?", base::to_string(vm)).add(visible(scope)));
  if (!rows) return base::fail(rows.error());
  Read<domain::SecurityPolicy> answer;
  answer.seq = rows->seq;
  if (!rows->value.empty()) answer.value = rows->value.front().policy;
  return answer;
}

base::Result<Read<std::map<std::string, std::int64_t>>> Reader::allocated() {
  QueryConnection& q = *impl_;
  Read<std::map<std::string, std::int64_t>> answer;
  auto status = q.ask([&](domain::Seq seq) {
    answer.seq = seq;
    Statement& select = q.prepare(Sql("SELECT name, count(*) FROM addresses GROUP BY name"));
    while (select.step()) answer.value[std::string(select.text(0))] = select.integer(1);
  });
  if (!status) return base::fail(status.error());
  return answer;
}

base::Result<Read<std::vector<HostStateCount>>> Reader::vms_by_host(const Scope& scope) {
  QueryConnection& q = *impl_;
  Read<std::vector<HostStateCount>> answer;
  auto status = q.ask([&](domain::Seq seq) {
    answer.seq = seq;
    Sql sql("SELECT host, state, lost, count(*) FROM vms WHERE deleted_at IS NULL");
    if (!scope.everything()) sql.add(" AND tenant=?", scope.name());
    Statement& select = q.prepare(sql.add(" GROUP BY host, state, lost"));
    while (select.step()) {
      answer.value.push_back({std::string(select.text(0)), select.as<domain::VmState>(1),
                              select.integer(2) != 0, select.integer(3)});
    }
  });
  if (!status) return base::fail(status.error());
  return answer;
}

base::Result<Page<AuditRow>> Reader::audit(std::string_view tenant, const AuditFilter& filter) {
  QueryConnection& q = *impl_;
  Page<AuditRow> page;
  auto status = q.ask([&](domain::Seq seq) {
    page.seq = seq;
    Sql where(" FROM audit WHERE hidden=0");
    where.add(" AND tenant=?", tenant);
    if (filter.after) where.add(" AND time>=?", *filter.after);
    if (filter.before) where.add(" AND time<=?", *filter.before);
    Sql sql("SELECT seq, time, content");
    sql.add(where).add(" ORDER BY seq DESC LIMIT ?", filter.limit).add(" OFFSET ?", filter.start);
    Statement& select = q.prepare(sql);
    while (select.step()) {
      page.items.push_back(
          {select.as<domain::Seq>(0), select.time(1), std::string(select.text(2))});
    }
    set_total(page, q.number(Sql("SELECT count(*)").add(where), 0));
  });
  if (!status) return base::fail(status.error());
  return page;
}

}  // namespace slipway::eventstore
