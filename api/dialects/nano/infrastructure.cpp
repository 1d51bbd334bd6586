#include "api/dialects/nano/infrastructure.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "api/whole_list.hpp"

namespace slipway::api::nano {

using base::Errc;
using base::fail;

base::Result<std::vector<eventstore::HostRow>> all_hosts(eventstore::Reader& reader) {
  return all_rows<eventstore::HostRow>(
      [&](const auto& page) { return reader.list_hosts(eventstore::Scope::admin(), page); });
}

base::Result<domain::Pool> find_pool(eventstore::Reader& reader, std::string_view name) {
  const auto pools = reader.pools();
  if (!pools) return fail(pools.error());
  for (const eventstore::PoolRow& row : pools->value) {
    if (row.pool.name == name) return row.pool;
  }
  return fail(Errc::NotFound, fmt::format("invalid pool '{}'", name));
}

base::Result<eventstore::HostRow> find_cell(eventstore::Reader& reader, std::string_view pool,
                                            std::string_view name) {
  auto row = reader.get_host(eventstore::Scope::admin(), name);
  if (!row) return fail(row.error());
  if (row->value && row->value->host.name == name && row->value->host.pool == pool) {
    return std::move(*row->value);
  }
  return fail(Errc::NotFound, fmt::format("no cell '{}' in pool '{}'", name, pool));
}

base::Result<Liveness> Liveness::of(const ApiServices& services, eventstore::Reader& reader) {
  const auto backends =
      reader.list_backends(eventstore::Scope::admin(), {.limit = 500, .ascending = true});
  if (!backends) return fail(backends.error());
  std::vector<std::string> served;
  for (const eventstore::WorkerStatus& worker : services.workers()) {
    served.insert(served.end(), worker.pools.begin(), worker.pools.end());
  }
  Liveness out;
  for (const eventstore::BackendRow& row : backends->items) {
    const auto& pool = row.backend.worker_pool;
    if (std::find(served.begin(), served.end(), pool) != served.end()) {
      out.backends_.push_back(row.backend.name);
    }
  }
  const auto status = each_row(
      [&](const auto& page) {
        return reader.list_reservable_hosts(eventstore::Scope::admin(), page);
      },
      [&](const eventstore::ReservableHostRow& row) {
        if (!row.host.alive) out.lost_.push_back(row.host.name);
      });
  if (!status) return fail(status.error());
  return out;
}

bool Liveness::alive(const domain::Host& host) const {
  const auto has = [](const auto& names, const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  return host.alive && has(backends_, host.backend) && !has(lost_, host.name);
}

}  // namespace slipway::api::nano
