// Questions about VMs and their snapshots. As in task_queries.cpp, the leading index is chosen
// here.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "eventstore/projections/query_connection.hpp"
#include "eventstore/projections/vm_store.hpp"

namespace slipway::eventstore {

using domain::VmState;

namespace {

// Up to so many tenants an admin's list is put together from each tenant's.
constexpr std::size_t kMaxMergedTenants = 100;

Sql conditions(const VmFilter& filter, const Sql& times) {
  Sql sql(" AND deleted_at IS NULL");
  if (filter.tenant) sql.add(" AND tenant=?", *filter.tenant);
  if (filter.name) sql.add(" AND name=?", *filter.name);
  if (filter.image) sql.add(" AND image=?", *filter.image);
  if (filter.flavor) sql.add(" AND flavor=?", *filter.flavor);
  if (filter.host) sql.add(" AND host=?", *filter.host);
  if (!filter.hosts.empty()) {
    std::string_view before = " AND host IN (?";
    for (const std::string& host : filter.hosts) sql.add(std::exchange(before, ",?"), host);
    sql.add(")");
  }
  if (filter.backend) sql.add(" AND backend=?", *filter.backend);
  if (filter.number) sql.add(" AND number=?", *filter.number);
  for (const auto& [key, value] : filter.labels) {
    sql.add(" AND EXISTS(SELECT 1 FROM vm_labels WHERE key=?", key)
        .add(" AND value=?", value)
        .add(" AND vm=vms.created_seq)");
  }
  return sql.add(times);
}

bool all_but_running(const std::vector<VmState>& states) {
  return !states.empty() && std::none_of(states.begin(), states.end(), [](VmState s) {
    return s == VmState::Running || s == VmState::Deleted;
  });
}

Sql select_by(std::string_view index, const Sql& rest) {
  return Sql(fmt::format("SELECT created_seq FROM vms {} WHERE 1", index)).add(rest);
}

Sql by_label(const domain::Labels& labels, const Sql& rest) {
  const auto& [key, value] = *labels.begin();
  return Sql("SELECT created_seq FROM vms WHERE created_seq IN (SELECT vm FROM vm_labels WHERE")
      .add(" key=?", key)
      .add(" AND value=?)", value)
      .add(rest);
}

}  // namespace

// The file keeps deleted VMs, so an admin's list must not walk through the table: it is merged from
// the tenants' lists, by the index of what lives.
struct VmCandidates {
  QueryConnection& impl;

  std::vector<std::string> tenants_with_vms() const {
    std::vector<std::string> out;
    Statement& select =
        impl.prepare(Sql("SELECT name FROM usage WHERE kind='project' AND vms>0 ORDER BY name"));
    while (select.step()) out.emplace_back(select.text(0));
    return out;
  }

  std::vector<Sql> all(const Scope& scope, const VmFilter& filter) const {
    Sql rest = conditions(filter, impl.time_range(filter.created_after, filter.created_before));
    const std::string states = and_in("state", filter.states);
    Sql scoped;
    if (!scope.everything()) scoped.add(" AND tenant=?", scope.name());
    scoped.add(rest);
    Sql with_states = Sql(states).add(scoped);
    if (!filter.labels.empty()) return {by_label(filter.labels, with_states)};
    if (filter.backend && (filter.numbered || filter.number)) {
      return {select_by("INDEXED BY vms_number", Sql(" AND number IS NOT NULL").add(with_states))};
    }
    if (filter.name) return {select_by("INDEXED BY vms_name", with_states)};
    if (filter.host && !filter.host->empty()) {
      return {select_by("INDEXED BY vms_host", Sql(" AND host<>''").add(with_states))};
    }
    if (all_but_running(filter.states)) return by_state(filter.states, scoped);
    if (!scope.everything() || filter.tenant) {
      return {select_by("INDEXED BY vms_tenant", with_states)};
    }
    return by_tenant(Sql(states).add(rest));
  }

  static std::vector<Sql> by_state(const std::vector<VmState>& states, const Sql& rest) {
    std::vector<Sql> out;
    for (const VmState state : states) {
      out.push_back(
          select_by("INDEXED BY vms_state",
                    Sql(" AND state<>2 AND state<>19").add(" AND state=?", state).add(rest)));
    }
    return out;
  }

  std::vector<Sql> by_tenant(const Sql& rest) const {
    const std::vector<std::string> names = tenants_with_vms();
    if (names.empty() || names.size() > kMaxMergedTenants) return {select_by("NOT INDEXED", rest)};
    std::vector<Sql> out;
    for (const std::string& name : names) {
      out.push_back(select_by("INDEXED BY vms_tenant", Sql().add(" AND tenant=?", name).add(rest)));
    }
    return out;
  }
};

namespace {

std::string vm_columns() {
  std::string out = "vms.";
  for (const char c : std::string_view(kVmColumns)) {
    out += c;
    if (c == ' ') out += "vms.";
  }
  return out;
}

}  // namespace

base::Result<Read<std::optional<VmRow>>> Reader::get_vm(const Scope& scope,
                                                        const domain::VmId& id) {
  Read<std::optional<VmRow>> answer;
  auto status = impl_->ask([&](domain::Seq seq) {
    answer.seq = seq;
    Sql sql(fmt::format("SELECT {} FROM vms WHERE id=", kVmColumns));
    sql.add("?", id);
    if (!scope.everything()) sql.add(" AND tenant=?", scope.name());
    Statement& select = impl_->prepare(sql);
    if (select.step() && !read_vm(select, impl_->parser, answer.value.emplace())) {
      impl_->db->set_error(11, "a VM's labels are damaged");
    }
  });
  if (!status) return base::fail(status.error());
  return answer;
}

base::Result<Page<VmRow>> Reader::list_vms(const Scope& scope, const VmFilter& filter,
                                           const PageRequest& request) {
  Page<VmRow> page;
  auto status = impl_->ask([&](domain::Seq seq) {
    const std::string columns = vm_columns();
    const PageQuery query{columns, "vms", VmCandidates{*impl_}.all(scope, filter), request};
    Statement& select = impl_->prepare(page_sql(query));
    while (select.step()) {
      if (!read_vm(select, impl_->parser, page.items.emplace_back())) {
        impl_->db->set_error(11, "a VM's labels are damaged");
      }
    }
    finish_page(page, request.limit, seq);
    if (request.count) set_total(page, impl_->number(count_sql(query), 0));
  });
  if (!status) return base::fail(status.error());
  return page;
}

base::Status Reader::scan_vms(const Scope& scope, const VmFilter& filter, ListScan& scan,
                              std::size_t limit, const std::function<void(const VmRow&)>& row) {
  return impl_->ask([&](domain::Seq seq) {
    if (scan.seq == 0) scan.seq = scan.newest = seq;
    const PageRequest request{.limit = limit, .after = scan.after, .ascending = true};
    const std::string columns = vm_columns();
    const PageQuery query{columns, "vms", VmCandidates{*impl_}.all(scope, filter), request};
    Statement& select = impl_->prepare(page_sql(query));
    VmRow vm;
    std::size_t rows = 0;
    scan.done = true;
    while (select.step()) {
      if (++rows > limit) {
        scan.done = false;
        break;
      }
      if (!read_vm(select, impl_->parser, vm)) {
        impl_->db->set_error(11, "a VM's labels are damaged");
        return;
      }
      if (vm.created_seq > scan.newest) break;
      scan.after = vm.created_seq;
      row(vm);
    }
  });
}

base::Result<Read<std::vector<SnapshotRow>>> Reader::snapshots(const Scope& scope,
                                                               const domain::VmId& vm) {
  Read<std::vector<SnapshotRow>> answer;
  auto status = impl_->ask([&](domain::Seq seq) {
    answer.seq = seq;
    Sql sql(
        "SELECT created_seq, name, description, parent, with_memory, created_at, current, running "
        "FROM snapshots WHERE");
    sql.add(" vm=?", vm);
    if (!scope.everything()) {
      sql.add(" AND EXISTS(SELECT 1 FROM vms WHERE id=snapshots.vm AND tenant=?)", scope.name());
    }
    Statement& s = impl_->prepare(sql.add(" ORDER BY created_seq"));
    while (s.step()) {
      SnapshotRow& row = answer.value.emplace_back();
      row.created_seq = s.as<domain::Seq>(0);
      row.vm = vm;
      row.snapshot = {std::string(s.text(1)), std::string(s.text(2)), std::string(s.text(3)),
                      s.integer(4) != 0,      s.integer(7) != 0,      s.time(5)};
      row.current = s.integer(6) != 0;
    }
  });
  if (!status) return base::fail(status.error());
  return answer;
}

}  // namespace slipway::eventstore
