#pragma once
// Where the components' numbers become metrics. The components know nothing of Prometheus; these
// small classes stand between.
#include <map>
#include <string>
#include <unordered_map>

#include "core/base/mutex.hpp"
#include "eventstore/live_counts.hpp"
#include "eventstore/rocks_log.hpp"
#include "eventstore/sequencer.hpp"
#include "metrics/instruments.hpp"
#include "workers/broker_core.hpp"
#include "workers/worker_core.hpp"

namespace slipway::app {

// On the sequencer's thread.
class SequencerMetrics final : public eventstore::SequencerObserver {
 public:
  explicit SequencerMetrics(metrics::Instruments& m) : m_(m) {}
  void on_append(std::size_t events, std::size_t bytes, base::Duration took) override;
  void on_idempotency(std::string_view result) override;
  void on_stale_report() override;
  void on_lease_expired() override;
  void on_timer_late(base::Duration late) override;
  void on_reconciled(std::string_view backend, std::string_view result,
                     base::Duration took) override;
  void on_finding(std::string_view backend, std::string_view kind) override;

 private:
  metrics::Instruments& m_;
};

// How long tasks wait and take, from the times in their events. One entry an unfinished task that
// began in this process. On the projector's thread.
class TaskTimings final : public eventstore::CommitListener {
 public:
  explicit TaskTimings(metrics::Instruments& m) : m_(m) {}
  void on_committed(const eventstore::CommittedBatchPtr& batch) override;

 private:
  struct Times {
    domain::CommandKind command{};
    std::string backend;
    std::string pool;
    base::Time accepted{};
    base::Time ready{};
    base::Time leased{};
  };
  void on_event(const domain::Envelope& envelope, const domain::Event& event);
  void end_attempt(const Times& times, base::Time now);

  metrics::Instruments& m_;
  std::unordered_map<domain::TaskId, Times> tasks_;
};

// The calls that workers of this process make to backends. Called on their threads.
class BackendMetrics {
 public:
  explicit BackendMetrics(metrics::Instruments& m) : m_(m) {}
  // Shows the backend, and takes it for well until a call says otherwise.
  void add(std::string_view backend);
  // This object must outlive the workers.
  void watch(workers::WorkerCoreOptions& worker);

 private:
  void on_call(const workers::BackendCallSeen& call);
  void on_circuit(std::string_view backend, bool open);
  void on_load(const workers::BackendLoadSeen& seen);

  metrics::Instruments& m_;
  base::Mutex mu_;
  std::map<std::string, int, std::less<>> open_ GUARDED_BY(mu_);  // circuits, one a worker
};

// Before each scrape: gauges and restart-proof counters from what the projector has counted.
void show_counts(metrics::Instruments& m, const eventstore::LiveCounts& counts);
void show_workers(metrics::Instruments& m, const std::vector<eventstore::WorkerStatus>& workers);
void show_broker(metrics::Instruments& m, const workers::BrokerCounters& counters);
void show_store(metrics::Instruments& m, const eventstore::StoreStats& stats);

}  // namespace slipway::app
