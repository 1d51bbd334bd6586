// Questions about what a cloud has and about people: small tables of documents (catalog_table.hpp).
#include <fmt/format.h>

#include "eventstore/projections/catalog_select.hpp"

namespace slipway::eventstore {
namespace {

Usage usage(QueryConnection& q, std::string_view kind, std::string_view name,
            std::int64_t* tasks = nullptr) {
  Statement& s = q.prepare(Sql("SELECT vms, vcpus, memory_mb, disk_gb, tasks FROM usage WHERE")
                               .add(" kind=?", kind)
                               .add(" AND name=?", name));
  if (!s.step()) return {};
  if (tasks != nullptr) *tasks = s.integer(4);
  return {s.integer(0), s.integer(1), s.integer(2), s.integer(3)};
}

void complete(QueryConnection& q, HostRow& row) { row.used = usage(q, "host", row.host.name); }
void complete(QueryConnection& q, ProjectRow& row) {
  row.used = usage(q, "project", row.project.name, &row.tasks_in_flight);
}
template <class Row>
void complete(QueryConnection&, Row&) {}

// By key or by name; of several of that name the oldest.
template <class Row>
base::Result<Read<std::optional<Row>>> get(QueryConnection& q, std::string_view table,
                                           const Scope& scope, std::string_view key) {
  Read<std::optional<Row>> answer;
  auto status = q.ask([&](domain::Seq seq) {
    answer.seq = seq;
    Sql sql(fmt::format("SELECT doc FROM {} WHERE", table));
    sql.add(" (key=?", key).add(" OR name=?)", key).add(visible(scope));
    Statement& select = q.prepare(sql.add(" ORDER BY key<>?", key).add(", created_seq LIMIT 1"));
    if (!select.step()) return;
    read_doc(q, select.text(0), answer.value.emplace());
    complete(q, *answer.value);
  });
  if (!status) return base::fail(status.error());
  return answer;
}

template <class Row>
base::Result<Page<Row>> list(QueryConnection& q, std::string_view table, const Scope& scope,
                             const PageRequest& request) {
  Page<Row> page;
  auto status = q.ask([&](domain::Seq seq) {
    const Sql where = visible(scope);
    Sql sql(fmt::format("SELECT doc FROM {} WHERE 1", table));
    sql.add(where);
    if (request.after) {
      sql.add(request.ascending ? " AND created_seq>?" : " AND created_seq<?", *request.after);
    }
    sql.add(
        request.ascending ? " ORDER BY created_seq LIMIT ?" : " ORDER BY created_seq DESC LIMIT ?",
        request.limit + 1);
    Statement& select = q.prepare(sql);
    while (select.step()) read_doc(q, select.text(0), page.items.emplace_back());
    finish_page(page, request.limit, seq);
    for (Row& row : page.items) complete(q, row);
    if (request.count) {
      Sql count(fmt::format("SELECT count(*) FROM {} WHERE 1", table));
      set_total(page, q.number(count.add(where), 0));
    }
  });
  if (!status) return base::fail(status.error());
  return page;
}

}  // namespace

base::Result<Read<std::optional<ImageRow>>> Reader::get_image(const Scope& scope,
                                                              const domain::ImageId& id) {
  return get<ImageRow>(*impl_, "images", scope, base::to_string(id));
}
base::Result<Page<ImageRow>> Reader::list_images(const Scope& scope, const PageRequest& page) {
  return list<ImageRow>(*impl_, "images", scope, page);
}
base::Result<Read<std::optional<FlavorRow>>> Reader::get_flavor(const Scope& scope,
                                                                std::string_view id) {
  return get<FlavorRow>(*impl_, "flavors", scope, id);
}
base::Result<Page<FlavorRow>> Reader::list_flavors(const Scope& scope, const PageRequest& page) {
  return list<FlavorRow>(*impl_, "flavors", scope, page);
}
base::Result<Read<std::optional<NetworkRow>>> Reader::get_network(const Scope& scope,
                                                                  const domain::NetworkId& id) {
  return get<NetworkRow>(*impl_, "networks", scope, base::to_string(id));
}
base::Result<Page<NetworkRow>> Reader::list_networks(const Scope& scope, const PageRequest& page) {
  return list<NetworkRow>(*impl_, "networks", scope, page);
}
base::Result<Read<std::optional<HostRow>>> Reader::get_host(const Scope& scope,
                                                            std::string_view name) {
  return get<HostRow>(*impl_, "hosts", scope, name);
}
base::Result<Page<HostRow>> Reader::list_hosts(const Scope& scope, const PageRequest& page) {
  return list<HostRow>(*impl_, "hosts", scope, page);
}
base::Result<Read<std::optional<BackendRow>>> Reader::get_backend(const Scope& scope,
                                                                  std::string_view name) {
  return get<BackendRow>(*impl_, "backends", scope, name);
}
base::Result<Page<BackendRow>> Reader::list_backends(const Scope& scope, const PageRequest& page) {
  return list<BackendRow>(*impl_, "backends", scope, page);
}
base::Result<Read<std::optional<ProjectRow>>> Reader::get_project(const Scope& scope,
                                                                  std::string_view name) {
  return get<ProjectRow>(*impl_, "projects", scope, name);
}
base::Result<Page<ProjectRow>> Reader::list_projects(const Scope& scope, const PageRequest& page) {
  return list<ProjectRow>(*impl_, "projects", scope, page);
}
base::Result<Page<UserRow>> Reader::list_users(const Scope& scope, const PageRequest& page) {
  return list<UserRow>(*impl_, "users", scope, page);
}
base::Result<Page<TokenRow>> Reader::list_tokens(const Scope& scope, const PageRequest& page) {
  return list<TokenRow>(*impl_, "tokens", scope, page);
}

base::Result<Read<std::optional<LeaseRow>>> Reader::get_lease(const Scope& scope,
                                                              const domain::LeaseId& id) {
  return get<LeaseRow>(*impl_, "leases", scope, base::to_string(id));
}
base::Result<Page<LeaseRow>> Reader::list_leases(const Scope& scope, const PageRequest& page) {
  return list<LeaseRow>(*impl_, "leases", scope, page);
}
base::Result<Page<ReservationRow>> Reader::list_reservations(const Scope& scope,
                                                             const PageRequest& page) {
  return list<ReservationRow>(*impl_, "reservations", scope, page);
}
base::Result<Page<ReservableHostRow>> Reader::list_reservable_hosts(const Scope& scope,
                                                                    const PageRequest& page) {
  return list<ReservableHostRow>(*impl_, "reservable_hosts", scope, page);
}
base::Result<Page<HostPropertyRow>> Reader::list_host_properties(const Scope& scope,
                                                                 const PageRequest& page) {
  return list<HostPropertyRow>(*impl_, "host_properties", scope, page);
}
base::Result<Page<FloatingIpRow>> Reader::list_floating_ips(const Scope& scope,
                                                            const PageRequest& page) {
  return list<FloatingIpRow>(*impl_, "floating_ips", scope, page);
}

base::Result<Read<std::optional<AssignmentRow>>> Reader::get_assignment(const Scope& scope,
                                                                        const domain::VmId& vm) {
  return get<AssignmentRow>(*impl_, "assignments", scope, base::to_string(vm));
}
base::Result<Page<AssignmentRow>> Reader::list_assignments(const Scope& scope,
                                                           const PageRequest& page) {
  return list<AssignmentRow>(*impl_, "assignments", scope, page);
}

}  // namespace slipway::eventstore
