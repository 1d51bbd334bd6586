#include "app/backends.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "app/backends_real.hpp"
#include "app/clouds.hpp"
#include "core/domain/cloud_face.hpp"
#include "workers/backends/simulated/simulated_backend.hpp"

namespace slipway::app {
namespace {

using base::Errc;
using base::fail;

bool is_served(const Config& config, const BackendTable& table) {
  const TextList& pools = config.worker.pools;
  return std::find(pools.begin(), pools.end(), table.worker_pool) != pools.end();
}

// ---- simulated ----

workers::simulated::Options simulated_options(const Config& config) {
  workers::simulated::Options o;
  const SimulatedConfig& c = config.simulated;
  o.create = {c.create_latency, c.latency_jitter};
  for (workers::simulated::Latency* l : {&o.change, &o.remove}) {
    *l = {c.operation_latency, c.latency_jitter};
  }
  o.migrate = {c.create_latency * 2, c.latency_jitter};
  o.image = o.migrate;
  o.failure_rate = c.failure_rate;
  o.capacity_vms = c.capacity_vms;
  o.quota_vms = c.quota_vms;
  o.forgetful = c.forgetful;
  o.call_timeout = config.backend.call_timeout;
  return o;
}

// What is there before anybody asks for it.
void add_first_vms(workers::simulated::Options& options, const domain::CloudFace& face) {
  for (const domain::FaceNode& node : face.first_nodes) {
    options.first_vms.push_back({domain::first_node_id(options.name, node.number),
                                 domain::first_node_spec(face, node, options.name)});
  }
}

OpenedBackend open_simulated(const SimulatedCloud& cloud, workers::simulated::Options options,
                             const base::Clock& clock) {
  options.name = cloud.name;
  const domain::CloudFace* face = domain::find_face(cloud.face);
  if (face == nullptr && !cloud.face.empty()) {
    return fail(Errc::InvalidArgument, fmt::format("there is no face \"{}\"", cloud.face));
  }
  if (face != nullptr) add_first_vms(options, *face);
  auto backend = workers::simulated::SimulatedBackend::open(cloud.file, std::move(options), clock);
  if (!backend) return fail(backend.error());
  return std::move(*backend);
}

// Its own latencies; the rest is as simulated.* has it.
OpenedBackend open_simulated(const Config& config, const BackendTable& table,
                             const std::string& data_dir, const base::Clock& clock) {
  Config own = config;
  own.simulated.create_latency = table.simulated.create_latency;
  own.simulated.operation_latency = table.simulated.operation_latency;
  own.simulated.failure_rate = table.simulated.failure_rate;
  auto options = simulated_options(own);
  if (table.call_timeout.count() != 0) options.call_timeout = table.call_timeout;
  const auto file = std::filesystem::path(data_dir) / fmt::format("simulated-{}.db", table.name);
  return open_simulated({table.name, table.simulated.face, file.string()}, std::move(options),
                        clock);
}

OpenedBackend open_table(const Config& config, const BackendTable& table,
                         const std::string& data_dir, const base::Clock& clock) {
  if (table.type == "simulated") return open_simulated(config, table, data_dir, clock);
  if (table.type == "openstack") return open_openstack(table);
  return open_libvirt(table);
}

auto named(std::string_view backend, const base::Error& error) {
  return fail(error.code, fmt::format("backend {}: {}", backend, error.message));
}

workers::CallLimits limits_of(const BackendTable& table) {
  return {.max_calls = static_cast<std::uint32_t>(table.max_calls),
          .max_calls_per_host = static_cast<std::uint32_t>(table.max_calls_per_host),
          .per_second = table.rate_per_second,
          .burst = static_cast<std::uint32_t>(table.rate_burst)};
}

}  // namespace

std::vector<domain::Backend> registered_backends(const Config& config) {
  std::vector<domain::Backend> all;
  const auto clouds = simulated_clouds(config, config.server.data_dir);
  for (std::size_t i = 1; i < clouds.size(); ++i) {
    all.push_back({.name = clouds[i].name,
                   .type = "simulated",
                   .places_hosts = false,
                   .face = clouds[i].face});
  }
  for (const BackendTable& table : config.backends) {
    all.push_back({.name = table.name,
                   .type = table.type,
                   .worker_pool = table.worker_pool,
                   // libvirt has no scheduler: the core chooses the cell.
                   .places_hosts = table.type == "libvirt",
                   .face = table.simulated.face,
                   .policy = base::enum_from_name<domain::ReconcilePolicy>(table.policy)
                                 .value_or(domain::ReconcilePolicy::Report),
                   .tenant = table.tenant});
  }
  return all;
}

std::vector<std::string> opened_backends(const Config& config) {
  std::vector<std::string> names;
  for (const auto& cloud : simulated_clouds(config, config.server.data_dir)) {
    names.push_back(cloud.name);
  }
  for (const BackendTable& table : config.backends) {
    if (is_served(config, table)) names.push_back(table.name);
  }
  return names;
}

void set_limits(const Config& config, workers::WorkerCoreOptions& worker) {
  for (const BackendTable& table : config.backends) {
    worker.limits[table.name] = limits_of(table);
  }
}

base::Result<std::vector<std::unique_ptr<workers::Backend>>> open_backends(
    const Config& config, const std::string& data_dir, const base::Clock& clock) {
  std::vector<std::unique_ptr<workers::Backend>> out;
  for (const SimulatedCloud& cloud : simulated_clouds(config, data_dir)) {
    auto backend = open_simulated(cloud, simulated_options(config), clock);
    if (!backend) return named(cloud.name, backend.error());
    out.push_back(std::move(*backend));
  }
  for (const BackendTable& table : config.backends) {
    if (!is_served(config, table)) continue;
    auto backend = open_table(config, table, data_dir, clock);
    if (!backend) return named(table.name, backend.error());
    out.push_back(std::move(*backend));
  }
  return out;
}

}  // namespace slipway::app
