// /compute_zone_status/, /compute_pool_status/, /compute_cell_status/: what there is and how much
// of it is taken.
//
// A caller without the role admin has only the own group's instances counted. Memory and disks are
// in MB, below /api/v1 in bytes. CPU is what instances were given, as no cloud of ours measures
// its use; nor does any measure speeds, which are 0.
#include <array>

#include "api/dialects/nano/infrastructure.hpp"
#include "api/dialects/nano/routes.hpp"

namespace slipway::api::nano {
namespace {

using domain::VmState;

// [stopped, running, lost, migrate]
using Instances = std::array<std::int64_t, 4>;

bool runs(VmState state) {
  switch (state) {
    case VmState::Running:
    case VmState::Stopping:
    case VmState::Rebooting:
    case VmState::HardRebooting:
    case VmState::Pausing:
    case VmState::Suspending:
    case VmState::Resizing:
    case VmState::Snapshotting:
      return true;
    default:
      return false;
  }
}

std::size_t place_of(VmState state, bool there) {
  if (!there) return 2;
  return state == VmState::Migrating ? 3 : runs(state) ? 1 : 0;
}

// Sums over cells.
struct Sum {
  std::array<std::int64_t, 2> cells{};  // [offline, online]
  Instances instances{};
  std::int64_t used_vcpus = 0, max_vcpus = 0;
  std::int64_t used_mb = 0, max_mb = 0;
  std::int64_t used_disk_gb = 0, max_disk_gb = 0;
};

void write_sum(base::JsonWriter& w, const Sum& sum, Base base) {
  constexpr std::int64_t kMb = 1024 * 1024;
  const std::int64_t unit = base == Base::V1 ? kMb : 1;
  w.key("instances").begin_array();
  for (const std::int64_t n : sum.instances) w.value(n);
  w.end_array();
  w.member("cpu_usage", static_cast<double>(sum.used_vcpus)).member("max_cpu", sum.max_vcpus);
  w.member("available_memory", (sum.max_mb - sum.used_mb) * unit);
  w.member("max_memory", sum.max_mb * unit);
  w.member("available_disk", (sum.max_disk_gb - sum.used_disk_gb) * 1024 * unit);
  w.member("max_disk", sum.max_disk_gb * 1024 * unit);
  for (const char* speed : {"read_speed", "write_speed", "receive_speed", "send_speed"}) {
    w.member(speed, 0);
  }
}

void write_cells(base::JsonWriter& w, const Sum& sum) {
  w.key("cells").begin_array().value(sum.cells[0]).value(sum.cells[1]).end_array();
}

// One moment of everything that is counted.
struct Zone {
  std::vector<eventstore::PoolRow> pools;
  std::vector<eventstore::HostRow> hosts;
  std::vector<eventstore::HostStateCount> vms;
  Liveness liveness;

  Sum sum_of(const domain::Host& host, const eventstore::Usage& used) const {
    Sum sum;
    const bool alive = liveness.alive(host);
    sum.cells[alive ? 1 : 0] = 1;
    for (const auto& c : vms) {
      if (c.host == host.name) sum.instances[place_of(c.state, alive && !c.lost)] += c.vms;
    }
    sum.used_vcpus = used.vcpus;
    sum.max_vcpus = static_cast<std::int64_t>(host.vcpus);
    sum.used_mb = used.memory_mb;
    sum.max_mb = static_cast<std::int64_t>(host.memory_mb);
    sum.used_disk_gb = used.disk_gb;
    sum.max_disk_gb = static_cast<std::int64_t>(host.disk_gb);
    return sum;
  }
  // Of all hosts that `wanted` takes.
  template <class F>
  Sum sum_over(F wanted) const {
    Sum all;
    for (const auto& row : hosts) {
      if (!wanted(row.host)) continue;
      const Sum one = sum_of(row.host, row.used);
      for (std::size_t i = 0; i < all.cells.size(); ++i) all.cells[i] += one.cells[i];
      for (std::size_t i = 0; i < all.instances.size(); ++i) all.instances[i] += one.instances[i];
      all.used_vcpus += one.used_vcpus;
      all.max_vcpus += one.max_vcpus;
      all.used_mb += one.used_mb;
      all.max_mb += one.max_mb;
      all.used_disk_gb += one.used_disk_gb;
      all.max_disk_gb += one.max_disk_gb;
    }
    return all;
  }
};

base::Result<Zone> read_zone(Context& context, const Call& call, eventstore::Reader& reader) {
  auto pools = reader.pools();
  if (!pools) return base::fail(pools.error());
  auto hosts = all_hosts(reader);
  if (!hosts) return base::fail(hosts.error());
  auto vms = reader.vms_by_host(identity_of(call).scope());
  if (!vms) return base::fail(vms.error());
  auto liveness = Liveness::of(context.services, reader);
  if (!liveness) return base::fail(liveness.error());
  return Zone{std::move(pools->value), std::move(*hosts), std::move(vms->value),
              std::move(*liveness)};
}

using Shown = std::function<void(const Call&, const Zone&, eventstore::Reader&, const Client&)>;
Handler about_zone(Shown show) {
  return [show = std::move(show)](Context& context, Call call) {
    ask(context, std::move(call),
        [&context, show](const Call& asked, eventstore::Reader& reader, const Client& client) {
          const auto zone = read_zone(context, asked, reader);
          if (!zone) return client.fail(zone.error());
          show(asked, *zone, reader, client);
        });
  };
}

void show_zone(const Zone& zone, base::Time started, const Client& client, Base base) {
  std::array<std::int64_t, 2> pools{};  // [disabled, enabled]
  for (const auto& row : zone.pools) ++pools[row.pool.enabled ? 1 : 0];
  const Sum sum = zone.sum_over([](const domain::Host& host) { return !host.pool.empty(); });
  base::JsonWriter w;
  w.begin_object().member("name", "default").key("pools").begin_array();
  w.value(pools[0]).value(pools[1]).end_array();
  write_cells(w, sum);
  write_sum(w, sum, base);
  w.member("start_time", local_time(started)).end_object();
  client.send(success(w.view()));
}

void write_pool(base::JsonWriter& w, const Zone& zone, const domain::Pool& pool, Base base) {
  const Sum sum = zone.sum_over([&](const domain::Host& host) { return host.pool == pool.name; });
  w.begin_object().member("name", pool.name).member("enabled", pool.enabled);
  write_cells(w, sum);
  write_sum(w, sum, base);
  w.end_object();
}

void write_cell(base::JsonWriter& w, const Zone& zone, const eventstore::HostRow& row, Base base) {
  w.begin_object().member("name", row.host.name).member("address", row.host.address);
  w.member("enabled", row.host.enabled).member("alive", zone.liveness.alive(row.host));
  write_sum(w, zone.sum_of(row.host, row.used), base);
  w.end_object();
}

void pool_status(Area& area) {
  const Base base = area.base();
  area.get("/compute_pool_status/",
           about_zone([base](const Call&, const Zone& zone, auto&, const Client& client) {
             base::JsonWriter w;
             w.begin_array();
             for (const auto& row : zone.pools) write_pool(w, zone, row.pool, base);
             client.send(success(w.end_array().view()));
           }));
  area.get("/compute_pool_status/{pool}",
           about_zone([base](const Call& asked, const Zone& zone, eventstore::Reader& reader,
                             const Client& client) {
             const auto pool = find_pool(reader, asked.params["pool"]);
             if (!pool) return client.fail(pool.error());
             base::JsonWriter w;
             write_pool(w, zone, *pool, base);
             client.send(success(w.view()));
           }));
}

void cell_status(Area& area) {
  const Base base = area.base();
  area.get("/compute_cell_status/{pool}/",
           about_zone([base](const Call& asked, const Zone& zone, eventstore::Reader& reader,
                             const Client& client) {
             const auto pool = find_pool(reader, asked.params["pool"]);
             if (!pool) return client.fail(pool.error());
             base::JsonWriter w;
             w.begin_array();
             for (const auto& row : zone.hosts) {
               if (row.host.pool == pool->name) write_cell(w, zone, row, base);
             }
             client.send(success(w.end_array().view()));
           }));
  area.get("/compute_cell_status/{pool}/{cell}",
           about_zone([base](const Call& asked, const Zone& zone, eventstore::Reader& reader,
                             const Client& client) {
             const auto cell = find_cell(reader, asked.params["pool"], asked.params["cell"]);
             if (!cell) return client.fail(cell.error());
             base::JsonWriter w;
             write_cell(w, zone, *cell, base);
             client.send(success(w.view()));
           }));
}

}  // namespace

void status_routes(Area& area) {
  area.get("/compute_zone_status/",
           about_zone([base = area.base(), started = area.context().started](
                          const Call&, const Zone& zone, auto&, const Client& client) {
             show_zone(zone, started, client, base);
           }));
  pool_status(area);
  cell_status(area);
}

}  // namespace slipway::api::nano
