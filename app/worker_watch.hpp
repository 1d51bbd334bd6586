#pragma once
// What can be seen of a worker process from outside: /metrics, /healthz and /readyz on a listener
// of its own (worker.metrics_listen). No identity is asked for and nothing can be changed.
#include <memory>
#include <string>

#include "api/edge/server.hpp"
#include "app/config.hpp"
#include "app/instrumentation.hpp"
#include "metrics/health.hpp"
#include "workers/worker.hpp"

namespace slipway::app {

class WorkerWatch {
 public:
  explicit WorkerWatch(const base::Clock& clock);
  ~WorkerWatch();

  // Before the worker starts: it tells of its calls and its turns.
  void watch(workers::WorkerOptions& options, const std::vector<std::string>& backends);
  // After it has started. Opens the listener, where one is configured.
  base::Status start(const Config& config, const workers::Worker& worker);
  // Before the worker goes.
  void stop();
  // With the port in numbers; empty without a listener.
  const std::string& address() const { return address_; }
  std::shared_ptr<const metrics::Health> health() const { return health_; }

 private:
  std::string scrape();

  const base::Clock& clock_;
  metrics::Instruments instruments_;
  BackendMetrics backend_metrics_{instruments_};
  const std::shared_ptr<metrics::Health> health_;  // shared: the watchdog asks until the end
  std::unique_ptr<api::Server> server_;
  std::string address_;
};

}  // namespace slipway::app
