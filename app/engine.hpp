#pragma once
// Everything below HTTP, put together: log, live state, sequencer, read models, broker, workers in
// the process. Members stand in the order of dependency, so destruction is shutdown; stop() does it
// in good order first.
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "app/config.hpp"
#include "app/instrumentation.hpp"
#include "core/base/clock.hpp"
#include "eventstore/arrival_rates.hpp"
#include "eventstore/projector.hpp"
#include "eventstore/read_models.hpp"
#include "eventstore/recovery.hpp"
#include "eventstore/rocks_log.hpp"
#include "eventstore/secrets_store.hpp"
#include "eventstore/sequencer.hpp"
#include "metrics/health.hpp"
#include "workers/broker.hpp"
#include "workers/worker.hpp"

namespace slipway::app {

class Engine {
 public:
  // Told of now and then while a long log is replayed.
  using StillStarting = std::function<void(std::string_view what)>;
  // Opens and recovers; nothing runs yet. Errors name the file or address. Loops are watched in
  // `health`; all four must outlive the engine.
  static base::Result<std::unique_ptr<Engine>> open(const Config& config,
                                                    metrics::Instruments& instruments,
                                                    metrics::Health& health,
                                                    const StillStarting& still_starting = {});
  ~Engine();

  // Starts the threads; the in-process workers last.
  base::Status start();
  // The keys of a reload that are the engine's: how tasks are tried.
  void reload(const Config& fresh);
  // Drains the in-process workers, stops the broker, the sequencer and the projector, and writes a
  // snapshot. Idempotent.
  void stop();

  // Told of each committed batch, on the sequencer's thread. Before start().
  void add_listener(eventstore::CommitListener& listener) { core_->add_listener(&listener); }

  eventstore::RocksLog& log() { return *log_; }
  eventstore::SecretsStore& secrets() { return secrets_; }
  eventstore::Sequencer& sequencer() { return *sequencer_; }
  eventstore::LiveProgress& progress() { return core_->progress(); }
  eventstore::Projector& projector() { return *projector_; }
  const eventstore::ReadModels& read_models() const { return read_models_; }
  const base::Clock& clock() const { return clock_; }
  const workers::Broker& broker() const { return *broker_; }
  double arrival_rate(std::string_view worker_pool) const {
    return arrivals_.per_second(worker_pool);
  }
  eventstore::SpaceState space() const { return space_.state(); }
  domain::Seq projected_seq() const { return projector_->seq(); }
  // How old the last event is that the read models have.
  base::Duration projection_age() const {
    return clock_.now() - projector_->live_counts().last_event_time;
  }
  // False before the first start of a fresh log: it wants InitializeSystem.
  bool initialized() const { return initialized_; }
  // Whether the log knew the backend, with these settings, when it was opened.
  bool knows(const domain::Backend& backend) const {
    const auto it = backends_.find(backend.name);
    return it != backends_.end() && it->second == backend;
  }

  // The value of a secret that an event names.
  base::Result<base::Secret> open_secret(std::string_view ref, std::string_view tenant) const;

 private:
  Engine(const Config& config, metrics::Instruments& instruments, metrics::Health& health,
         base::SystemClock& clock, std::unique_ptr<eventstore::RocksLog> log,
         eventstore::SecretsStore secrets, std::unique_ptr<eventstore::Projector> projector,
         eventstore::Recovered recovered);
  base::Status start_broker();
  base::Status start_worker(std::uint64_t number);
  // Watches a loop: what it has to call at each turn.
  std::function<void()> beat(std::string name);
  void log_recovery(const eventstore::Recovered& recovered) const;

  const Config& config_;
  metrics::Health& health_;
  base::SystemClock& clock_;
  std::unique_ptr<eventstore::RocksLog> log_;
  eventstore::SecretsStore secrets_;
  eventstore::SnapshotStore snapshots_;
  eventstore::SpaceGuard space_;
  std::unique_ptr<eventstore::Projector> projector_;
  eventstore::ReadModels read_models_;
  SequencerMetrics sequencer_metrics_;
  BackendMetrics backend_metrics_;
  eventstore::ArrivalRates arrivals_;
  bool initialized_ = false;
  std::map<std::string, domain::Backend> backends_;  // that the log knew at its opening
  std::unique_ptr<eventstore::SequencerCore> core_;
  std::unique_ptr<eventstore::Snapshotter> snapshotter_;
  class Effects;
  std::unique_ptr<Effects> effects_;
  workers::Transport transport_;
  std::unique_ptr<eventstore::Sequencer> sequencer_;
  std::unique_ptr<workers::Broker> broker_;
  std::vector<std::unique_ptr<workers::Worker>> workers_;
  std::jthread space_watch_;
  bool stopped_ = false;
};

// What a worker is made of, in the server's process or alone.
workers::WorkerOptions worker_options(const Config& config, std::string name);
// The CURVE keys that a key file or credential holds; null if none is named.
base::Result<std::shared_ptr<const workers::CurveKeys>> read_curve_keys(const SecretFile& file);

}  // namespace slipway::app
