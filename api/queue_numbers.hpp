#pragma once
// What GET /core/v1/queues and the metrics say of a worker pool: flat numbers for autoscalers.
#include <string>
#include <vector>

#include "api/services.hpp"

namespace slipway::api {

struct QueueNumbers {
  std::int64_t ready = 0;
  std::int64_t scheduled = 0;
  std::int64_t leased = 0;
  std::uint64_t slots = 0;  // of its workers that are not draining
  double oldest_ready_age_seconds = 0;
  // ceil((leased + max(ready, arrival rate x target wait)) / slots per worker), within min and max.
  std::uint64_t desired_workers = 0;
};

QueueNumbers queue_numbers(const ApiServices& services, const eventstore::LiveCounts& counts,
                           const std::vector<eventstore::WorkerStatus>& workers,
                           const std::string& pool);

// Those that ever had a task or have a worker now, in order of name.
std::vector<std::string> worker_pools(const eventstore::LiveCounts& counts,
                                      const std::vector<eventstore::WorkerStatus>& workers);

}  // namespace slipway::api
