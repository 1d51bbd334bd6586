#include "api/queue_numbers.hpp"

#include <algorithm>
#include <cmath>

namespace slipway::api {
namespace {

double seconds(base::Duration time) { return std::chrono::duration<double>(time).count(); }

std::uint64_t desired(const ApiServices& services, const QueueNumbers& queue, double arrivals) {
  const ApiOptions& options = services.options;
  const double soon = arrivals * seconds(options.target_wait);
  const double slots =
      static_cast<double>(queue.leased) + std::max(static_cast<double>(queue.ready), soon);
  const double each = std::max(1U, options.slots_per_worker);
  const double wanted = std::ceil(std::max(0.0, slots) / each);
  const double least = options.min_workers.get();
  const double most = options.max_workers.get();
  return static_cast<std::uint64_t>(std::clamp(wanted, least, std::max(least, most)));
}

}  // namespace

QueueNumbers queue_numbers(const ApiServices& services, const eventstore::LiveCounts& counts,
                           const std::vector<eventstore::WorkerStatus>& workers,
                           const std::string& pool) {
  const auto queue = counts.queue(pool);
  QueueNumbers out;
  out.ready = queue.ready;
  out.scheduled = queue.scheduled;
  out.leased = queue.leased;
  for (const auto& worker : workers) {
    const bool serves =
        std::find(worker.pools.begin(), worker.pools.end(), pool) != worker.pools.end();
    if (serves && !worker.draining) out.slots += worker.slots;
  }
  if (queue.ready > 0) {
    out.oldest_ready_age_seconds =
        std::max(0.0, seconds(services.clock.now() - queue.oldest_ready));
  }
  out.desired_workers =
      desired(services, out, services.arrival_rate ? services.arrival_rate(pool) : 0);
  return out;
}

std::vector<std::string> worker_pools(const eventstore::LiveCounts& counts,
                                      const std::vector<eventstore::WorkerStatus>& workers) {
  std::vector<std::string> pools = counts.worker_pools();
  for (const auto& worker : workers) {
    pools.insert(pools.end(), worker.pools.begin(), worker.pools.end());
  }
  std::sort(pools.begin(), pools.end());
  pools.erase(std::unique(pools.begin(), pools.end()), pools.end());
  return pools;
}

}  // namespace slipway::api
