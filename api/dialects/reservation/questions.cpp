#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "api/dialects/reservation/path_id.hpp"
#include "api/dialects/reservation/reservation.hpp"
#include "api/list_answer.hpp"
#include "api/read_gate.hpp"
#include "api/whole_list.hpp"

// What only asks: read on the query pool once the read models know what was acknowledged before.
namespace slipway::api {
namespace {

using base::Errc;
using base::JsonWriter;
using eventstore::Reader;
using eventstore::Scope;
using namespace reservation;  // NOLINT: the dialect's own

const ErrorRenderer kErrors = render_error;

base::Result<std::vector<eventstore::ReservableHostRow>> hosts(Reader& reader) {
  return all_rows<eventstore::ReservableHostRow>(
      [&](const auto& page) { return reader.list_reservable_hosts(Scope::admin(), page); });
}

base::Result<PrivateProperties> private_properties(Reader& reader) {
  const auto rows = all_rows<eventstore::HostPropertyRow>(
      [&](const auto& page) { return reader.list_host_properties(Scope::admin(), page); });
  if (!rows) return base::fail(rows.error());
  PrivateProperties out;
  for (const auto& row : *rows) {
    if (row.is_private) out.push_back(row.property);
  }
  return out;
}

// By number or by name; nullptr if there is none.
const domain::ReservableHost* find(const std::vector<eventstore::ReservableHostRow>& rows,
                                   std::string_view wanted) {
  for (const auto& row : rows) {
    if (std::to_string(row.host.facts.number) == wanted) return &row.host;
  }
  for (const auto& row : rows) {
    if (row.host.name == wanted) return &row.host;
  }
  return nullptr;
}

// Reservations that hold each host, by its name.
using Allocations = std::map<std::string, std::vector<eventstore::ReservationRow>>;
base::Result<Allocations> allocations(Reader& reader, const Scope& scope, const Request& request) {
  const auto rows = all_rows<eventstore::ReservationRow>(
      [&](const auto& page) { return reader.list_reservations(scope, page); });
  if (!rows) return base::fail(rows.error());
  const auto lease = request.query_value("lease_id");
  const auto reservation = request.query_value("reservation_id");
  Allocations out;
  for (const auto& row : *rows) {
    if (lease && *lease != base::to_string(row.lease)) continue;
    if (reservation && *reservation != base::to_string(row.reservation.spec.id)) continue;
    for (const std::string& host : row.reservation.hosts) out[host].push_back(row);
  }
  return out;
}

void write_allocation(JsonWriter& w, const domain::ReservableHost& host, const Allocations& all) {
  w.begin_object().member("resource_id", std::to_string(host.facts.number));
  w.key("reservations").begin_array();
  if (const auto it = all.find(host.name); it != all.end()) {
    for (const auto& row : it->second) write_booking(w, row);
  }
  w.end_array().end_object();
}

constexpr std::size_t kRowsAtOnce = 32;

// The rows of a list of the read models, page by page; `write` returns false for one to be left
// out.
template <class List, class Write>
NextRows pages(List list, Write write) {
  // Shared: a std::function may be copied, and there is one place in the list.
  struct State {
    eventstore::PageRequest page{.limit = kRowsAtOnce, .ascending = true};
    JsonWriter row;
  };
  return [list, write, state = std::make_shared<State>()](Reader& reader,
                                                          ListRows& rows) -> base::Result<bool> {
    const auto found = list(reader, state->page);
    if (!found) return base::fail(found.error());
    for (const auto& row : found->items) {
      if (write(state->row, row)) rows.add(state->row);
    }
    state->page.after = found->next;
    return found->next.has_value();
  };
}

ListForm form(std::string name) { return {std::move(name), dress(Response(200, "", kType))}; }

base::Result<eventstore::Page<eventstore::ReservableHostRow>> host_page(
    Reader& reader, const eventstore::PageRequest& page) {
  return reader.list_reservable_hosts(Scope::admin(), page);
}

void answer(const Client& client, JsonWriter& w) {
  client.send(dress(Response(200, w.text(), kType)));
}

// What `openstack hypervisor list` shows beside the names.
void write_hypervisor_detail(JsonWriter& w, const eventstore::HostRow& row) {
  w.member("hypervisor_type", domain::kHypervisorType);
  w.member("hypervisor_version", domain::kHypervisorVersion).member("host_ip", row.host.address);
  w.member("vcpus", row.host.vcpus).member("vcpus_used", row.used.vcpus);
  w.member("memory_mb", row.host.memory_mb).member("memory_mb_used", row.used.memory_mb);
  w.member("local_gb", row.host.disk_gb).member("local_gb_used", row.used.disk_gb);
  w.member("running_vms", row.used.vms);
}

void write_hypervisor(JsonWriter& w, const eventstore::HostRow& row, bool lost, bool detail) {
  w.begin_object().member("id", row.host.number);
  w.member("hypervisor_hostname", row.host.name).member("state", lost ? "down" : "up");
  w.member("status", row.host.enabled ? "enabled" : "disabled");
  if (detail) write_hypervisor_detail(w, row);
  w.end_object();
}

bool flag(const Request& request, std::string_view name) {
  const auto value = request.query_value(name);
  return value && (iequals(*value, "true") || *value == "1");
}

}  // namespace

void Reservation::query(Call call, Question run) const {
  // Shared: it goes on on another thread.
  const auto shared = std::make_shared<Call>(std::move(call));
  const Client client{shared->reply, &kErrors};
  read_when_current(services_, shared->request, client,
                    [&services = services_, shared, client, run = std::move(run)] {
                      services.queries.ask(client,
                                           [shared, run](Reader& reader) { run(*shared, reader); });
                    });
}

// ---- leases ----

void Reservation::list_leases(Call call) const {
  query(std::move(call), [this](const Call& asked, Reader& reader) {
    const auto list = [scope = identity_of(asked).own_scope()](Reader& r, const auto& page) {
      return r.list_leases(scope, page);
    };
    const auto write = [view = view_of(asked)](JsonWriter& w, const eventstore::LeaseRow& row) {
      write_lease(w, row.lease, view);
      return true;
    };
    answer_list(services_.queries, {asked.reply, &kErrors}, form("leases"), pages(list, write),
                reader);
  });
}

void Reservation::get_lease(Call call) const {
  query(std::move(call), [this](const Call& asked, Reader& reader) {
    const Client client{asked.reply, &kErrors};
    const auto id = lease_id(asked);
    if (!id) return client.fail(id.error());
    const auto row = reader.get_lease(identity_of(asked).own_scope(), *id);
    if (!row) return client.fail(row.error());
    if (!row->value) return client.fail(no_object("lease_id", path_part(asked)));
    JsonWriter w;
    w.begin_object().key("lease");
    write_lease(w, row->value->lease, view_of(asked));
    w.end_object();
    answer(client, w);
  });
}

// ---- hosts ----

void Reservation::list_hosts(Call call) const {
  query(std::move(call), [this](const Call& asked, Reader& reader) {
    const Client client{asked.reply, &kErrors};
    const auto hidden = private_properties(reader);
    if (!hidden) return client.fail(hidden.error());
    const auto write = [view = view_of(asked), hidden = *hidden](
                           JsonWriter& w, const eventstore::ReservableHostRow& row) {
      write_host(w, row.host, view, hidden);
      return true;
    };
    answer_list(services_.queries, client, form("hosts"), pages(host_page, write), reader);
  });
}

void Reservation::get_host(Call call) const {
  query(std::move(call), [this](const Call& asked, Reader& reader) {
    const Client client{asked.reply, &kErrors};
    const auto rows = hosts(reader);
    if (!rows) return client.fail(rows.error());
    const auto hidden = private_properties(reader);
    if (!hidden) return client.fail(hidden.error());
    const domain::ReservableHost* host = find(*rows, path_part(asked));
    if (host == nullptr) return client.fail(no_object("host_id", path_part(asked)));
    JsonWriter w;
    w.begin_object().key("host");
    write_host(w, *host, view_of(asked), *hidden);
    w.end_object();
    answer(client, w);
  });
}

void Reservation::list_allocations(Call call) const {
  query(std::move(call), [this](const Call& asked, Reader& reader) {
    const Client client{asked.reply, &kErrors};
    auto all = allocations(reader, identity_of(asked).scope(), asked.request);
    if (!all) return client.fail(all.error());
    const bool narrowed = asked.request.query_value("lease_id").has_value() ||
                          asked.request.query_value("reservation_id").has_value();
    const auto write = [narrowed, found = std::make_shared<const Allocations>(std::move(*all))](
                           JsonWriter& w, const eventstore::ReservableHostRow& row) {
      if (narrowed && !found->contains(row.host.name)) return false;
      write_allocation(w, row.host, *found);
      return true;
    };
    answer_list(services_.queries, client, form("allocations"), pages(host_page, write), reader);
  });
}

void Reservation::get_allocation(Call call) const {
  query(std::move(call), [](const Call& asked, Reader& reader) {
    const Client client{asked.reply, &kErrors};
    const auto rows = hosts(reader);
    if (!rows) return client.fail(rows.error());
    const domain::ReservableHost* host = find(*rows, path_part(asked));
    if (host == nullptr) return client.fail(no_object("host_id", path_part(asked)));
    const auto all = allocations(reader, identity_of(asked).scope(), asked.request);
    if (!all) return client.fail(all.error());
    JsonWriter w;
    w.begin_object().key("allocation");
    write_allocation(w, *host, *all);
    w.end_object();
    answer(client, w);
  });
}

void Reservation::list_properties(Call call) const {
  query(std::move(call), [](const Call& asked, Reader& reader) {
    const Client client{asked.reply, &kErrors};
    const auto rows = hosts(reader);
    if (!rows) return client.fail(rows.error());
    const auto hidden = private_properties(reader);
    if (!hidden) return client.fail(hidden.error());
    std::map<std::string, std::set<std::string>> values;
    for (const auto& row : *rows) {
      for (const auto& [key, value] : row.host.capabilities) values[key].insert(value);
    }
    const bool detail = flag(asked.request, "detail");
    const bool all = flag(asked.request, "all") && identity_of(asked).may(Right::Administer);
    JsonWriter w;
    w.begin_object().key("resource_properties").begin_array();
    for (const auto& [property, found] : values) {
      const bool is_private = std::find(hidden->begin(), hidden->end(), property) != hidden->end();
      if (is_private && !all) continue;
      w.begin_object().member("property", property);
      if (detail) {
        w.member("private", is_private).key("values").begin_array();
        for (const std::string& value : found) w.value(value);
        w.end_array();
      }
      w.end_object();
    }
    w.end_array().end_object();
    answer(client, w);
  });
}

// What the service could be given: every host of the cloud.
void Reservation::list_hypervisors(Call call) const {
  query(std::move(call), [this](const Call& asked, Reader& reader) {
    const Client client{asked.reply, &kErrors};
    const auto enrolled = hosts(reader);
    if (!enrolled) return client.fail(enrolled.error());
    std::set<std::string> lost;
    for (const auto& row : *enrolled) {
      if (!row.host.alive) lost.insert(row.host.name);
    }
    const auto list = [](Reader& r, const auto& page) {
      return r.list_hosts(Scope::admin(), page);
    };
    const auto write = [lost, detail = asked.request.path().ends_with("/detail")](
                           JsonWriter& w, const eventstore::HostRow& row) {
      write_hypervisor(w, row, lost.contains(row.host.name), detail);
      return true;
    };
    answer_list(services_.queries, client, form("hypervisors"), pages(list, write), reader);
  });
}

// ---- floating addresses ----

namespace {

base::Result<std::vector<eventstore::FloatingIpRow>> floating_ips(Reader& reader) {
  return all_rows<eventstore::FloatingIpRow>(
      [&](const auto& page) { return reader.list_floating_ips(Scope::admin(), page); });
}

}  // namespace

void Reservation::list_floating_ips(Call call) const {
  query(std::move(call), [this](const Call& asked, Reader& reader) {
    const auto list = [](Reader& r, const auto& page) {
      return r.list_floating_ips(Scope::admin(), page);
    };
    const auto write = [](JsonWriter& w, const eventstore::FloatingIpRow& row) {
      write_floating_ip(w, row.floating_ip, row.created_at);
      return true;
    };
    answer_list(services_.queries, {asked.reply, &kErrors}, form("floatingips"), pages(list, write),
                reader);
  });
}

void Reservation::get_floating_ip(Call call) const {
  query(std::move(call), [](const Call& asked, Reader& reader) {
    const Client client{asked.reply, &kErrors};
    const auto rows = floating_ips(reader);
    if (!rows) return client.fail(rows.error());
    const auto id = base::parse_uuid(path_part(asked));
    const auto it = std::find_if(rows->begin(), rows->end(), [&](const auto& row) {
      return id && static_cast<const base::Uuid&>(row.floating_ip.id) == *id;
    });
    if (it == rows->end()) return client.fail(no_object("floatingip_id", path_part(asked)));
    JsonWriter w;
    w.begin_object().key("floatingip");
    write_floating_ip(w, it->floating_ip, it->created_at);
    w.end_object();
    answer(client, w);
  });
}

}  // namespace slipway::api
