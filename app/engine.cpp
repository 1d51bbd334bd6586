#include "app/engine.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "metrics/log.hpp"
#include "workers/backends/simulated/simulated_backend.hpp"

namespace slipway::app {
namespace {

namespace fs = std::filesystem;
using metrics::log_error;
using metrics::log_info;
using metrics::log_warn;

constexpr std::uint64_t kSnapshotEvents = 1'000'000;

// The log has failed: nothing may be answered any more. The next start recovers (guarantees 1.7).
[[noreturn]] void end_process(const base::Error& error) {
  log_error("the event log failed; the process ends", {{"error", error}});
  ::_exit(70);
}

eventstore::SequencerOptions sequencer_options(const Config& c) {
  eventstore::SequencerOptions o;
  o.policy.default_deadline = c.tasks.default_deadline;
  o.policy.max_attempts = static_cast<std::uint32_t>(c.tasks.max_attempts);
  o.policy.max_process_deaths = static_cast<std::uint32_t>(c.tasks.max_process_deaths);
  o.policy.backoff_base = c.tasks.backoff_base;
  o.policy.backoff_max = c.tasks.backoff_max;
  o.policy.lease_timeout = c.tasks.lease_timeout;
  o.policy.undo_grace = c.tasks.undo_grace;
  o.policy.lease_before_end = base::enum_from_name<domain::BeforeEndAction>(c.lease.before_end)
                                  .value_or(domain::BeforeEndAction::Email);
  o.policy.batch_items_max = static_cast<std::uint32_t>(c.tasks.max_batch_items);
  o.policy.tasks_in_flight_per_tenant = c.tasks.max_in_flight_per_tenant;
  o.policy.tasks_per_pool = c.tasks.max_per_pool;
  o.heartbeat_interval = c.worker.heartbeat_interval;
  o.progress_log_interval = c.tasks.progress_log_interval;
  o.batch_events_max = c.eventlog.batch_events;
  o.batch_bytes_max = c.eventlog.batch_bytes;
  o.queue_capacity = c.eventlog.queue_capacity;
  o.fence = c.tasks.fencing;
  return o;
}

eventstore::ProjectorOptions projector_options(const Config& c) {
  eventstore::ProjectorOptions o;
  o.directory = (fs::path(c.server.data_dir) / "read_models").string();
  o.ring_batches = c.projections.ring_batches;
  o.lot_events = c.projections.lot_events;
  o.catch_up_lot_events = c.projections.catch_up_lot_events;
  o.cache_bytes = c.projections.cache_bytes;
  o.max_hot_tasks = c.projections.max_hot_tasks;
  o.max_waiters = c.http.max_waiters;
  o.checkpoint_pages = static_cast<int>(c.projections.checkpoint_pages);
  return o;
}

base::Result<eventstore::SecretsStore> open_secrets(const Config& c) {
  fs::path key = c.secrets.master_key_file.path;
  if (key.empty()) key = fs::path(c.server.data_dir) / "master.key";
  return eventstore::SecretsStore::open(key);
}

}  // namespace

// Frames to workers go through the broker, which is made after the core.
class Engine::Effects final : public eventstore::EffectSink {
 public:
  explicit Effects(std::unique_ptr<workers::Broker>& broker) : broker_(broker) {}
  void post(std::vector<domain::WorkerEffect>&& effects) override {
    if (broker_ != nullptr) broker_->post(std::move(effects));
  }

 private:
  std::unique_ptr<workers::Broker>& broker_;
};

base::Result<std::unique_ptr<Engine>> Engine::open(const Config& config,
                                                   metrics::Instruments& instruments) {
  base::crypto_init();
  std::error_code ec;
  fs::create_directories(config.server.data_dir, ec);
  if (ec) {
    return base::fail(base::Errc::Internal,
                      fmt::format("{}: {}", config.server.data_dir, ec.message()));
  }
  ::chmod(config.server.data_dir.c_str(), 0700);
  eventstore::RocksLogOptions options;
  options.block_cache_bytes = config.eventlog.block_cache_bytes;
  options.memtable_bytes = config.eventlog.memtable_bytes;
  options.max_wal_bytes = config.eventlog.max_wal_bytes;
  options.sync = config.eventlog.sync == "always";
  const fs::path dir(config.server.data_dir);
  auto log = eventstore::RocksLog::open(dir / "log", options);
  if (!log) return base::fail(log.error());
  auto secrets = open_secrets(config);
  if (!secrets) return base::fail(secrets.error());
  auto recovered = eventstore::recover(**log, eventstore::SnapshotStore(dir / "snapshots"));
  if (!recovered) return base::fail(recovered.error());
  // One for the life of the process: components keep references to it.
  static base::SystemClock clock;
  auto projector = eventstore::Projector::open(projector_options(config), **log, clock);
  if (!projector) return base::fail(projector.error());
  return std::unique_ptr<Engine>(new Engine(config, instruments, clock, std::move(*log),
                                            std::move(*secrets), std::move(*projector),
                                            std::move(*recovered)));
}

Engine::Engine(const Config& config, metrics::Instruments& instruments, base::SystemClock& clock,
               std::unique_ptr<eventstore::RocksLog> log, eventstore::SecretsStore secrets,
               std::unique_ptr<eventstore::Projector> projector, eventstore::Recovered recovered)
    : config_(config),
      clock_(clock),
      log_(std::move(log)),
      secrets_(std::move(secrets)),
      snapshots_(fs::path(config.server.data_dir) / "snapshots"),
      space_(config.eventlog.reserve_bytes, [this] { return log_->free_bytes(); }),
      projector_(std::move(projector)),
      read_models_({.directory = (fs::path(config.server.data_dir) / "read_models").string()}),
      sequencer_metrics_(instruments),
      initialized_(recovered.world.initialized()),
      effects_(std::make_unique<Effects>(broker_)) {
  log_recovery(recovered);
  const auto options = sequencer_options(config);
  core_ = std::make_unique<eventstore::SequencerCore>(*log_, std::move(recovered.world), clock_,
                                                      options, base::SystemIdSource().random64());
  core_->set_effects(effects_.get());
  core_->set_observer(&sequencer_metrics_);
  core_->set_space([this] { return space_.state(); });
  core_->add_listener(projector_.get());
  sequencer_ =
      std::make_unique<eventstore::Sequencer>(*core_, clock_, options.queue_capacity, &end_process);
  snapshotter_ = std::make_unique<eventstore::Snapshotter>(
      *log_, snapshots_, kSnapshotEvents, recovered.snapshot_seq,
      [](const base::Status& status, eventstore::Seq seq) {
        if (status) {
          log_info("snapshot made", {{"seq", seq}});
        } else {
          log_warn("snapshot not made", {{"seq", seq}, {"error", status.error()}});
        }
      });
  core_->add_listener(snapshotter_.get());
}

void Engine::log_recovery(const eventstore::Recovered& recovered) const {
  for (const auto& cut : log_->recovery().cuts) {
    log_warn("a torn tail was cut off the log",
             {{"file", cut.file}, {"offset", cut.offset}, {"bytes", cut.bytes}});
  }
  for (const auto& warning : log_->recovery().warnings) log_warn("log", {{"detail", warning}});
  for (const auto& warning : recovered.warnings) {
    log_warn("a snapshot was passed over", {{"detail", warning}});
  }
  log_info("recovered", {{"head_seq", log_->head().next_seq - 1},
                         {"snapshot_seq", recovered.snapshot_seq},
                         {"replayed_events", recovered.replayed_events},
                         {"took", recovered.seconds}});
}

Engine::~Engine() { stop(); }

base::Status Engine::start() {
  space_.poll();
  space_watch_ = std::jthread([this](const std::stop_token& stop) {
    base::Mutex mu;
    std::condition_variable_any wake;
    base::Lock lock(mu);
    while (!stop.stop_requested()) {
      space_.poll();
      wake.wait_for(lock.native(), stop, std::chrono::seconds(1), [] { return false; });
    }
  });
  projector_->start();
  workers::BrokerOptions options;
  options.listen = config_.broker.listen;
  options.secret_key_file = config_.broker.secret_key_file.path;
  options.workers_file = config_.broker.workers_file;
  options.handshake_timeout = config_.broker.handshake_timeout;
  options.heartbeat_interval = config_.broker.heartbeat_interval;
  options.heartbeat_timeout = config_.broker.heartbeat_timeout;
  options.max_queued_effects = config_.broker.max_queued_effects;
  options.send_high_water_mark = static_cast<int>(config_.broker.send_high_water_mark);
  auto broker = workers::Broker::start(
      transport_, options,
      [this](domain::WorkerInput&& input) { sequencer_->push(std::move(input)); },
      [this](const domain::SecretRef& ref, const std::string& tenant) {
        return open_secret(ref, tenant);
      });
  if (!broker) return base::fail(broker.error());
  broker_ = std::move(*broker);
  sequencer_->start();
  for (std::uint64_t i = 0; i < config_.server.workers; ++i) {
    if (auto status = start_worker(i); !status) return status;
  }
  return {};
}

base::Status Engine::start_worker(std::uint64_t number) {
  auto backends = open_backends(config_, config_.server.data_dir, clock_);
  if (!backends) return base::fail(backends.error());
  auto worker =
      workers::Worker::start(transport_, worker_options(config_, fmt::format("local-{}", number)),
                             std::move(*backends), clock_);
  if (!worker) return base::fail(worker.error());
  workers_.push_back(std::move(*worker));
  return {};
}

void Engine::stop() {
  if (stopped_) return;
  stopped_ = true;
  for (auto& worker : workers_) worker->drain();
  // They hand back what is left when the time is up, and that must still be heard.
  const auto patience = config_.server.drain_timeout + std::chrono::seconds(2);
  for (auto& worker : workers_) worker->wait_finished(patience);
  workers_.clear();
  sequencer_->stop();
  if (broker_ != nullptr) broker_->stop();
  snapshotter_->stop();
  projector_->stop();
  space_watch_.request_stop();
  if (space_watch_.joinable()) space_watch_.join();
  const auto status = eventstore::write_snapshot(core_->world(), *log_, snapshots_);
  if (!status) log_warn("snapshot not made", {{"error", status.error()}});
}

base::Result<base::Secret> Engine::open_secret(std::string_view ref,
                                               std::string_view tenant) const {
  auto sealed = log_->secret(ref);
  if (!sealed) return base::fail(sealed.error());
  if (!*sealed) return base::fail(base::Errc::NotFound, "no such secret");
  return secrets_.open_sealed(**sealed, ref, tenant);
}

workers::WorkerOptions worker_options(const Config& config, std::string name) {
  workers::WorkerOptions o;
  o.heartbeat_interval = config.broker.heartbeat_interval;
  o.heartbeat_timeout = config.broker.heartbeat_timeout;
  o.core.name = std::move(name);
  o.core.pools = config.worker.pools;
  o.core.slots = static_cast<std::uint32_t>(config.worker.slots);
  o.core.margin = config.worker.margin;
  o.core.report_interval = config.worker.report_interval;
  o.core.drain_timeout = config.server.drain_timeout;
  return o;
}

base::Result<std::vector<std::unique_ptr<workers::Backend>>> open_backends(
    const Config& config, const std::string& data_dir, const base::Clock& clock) {
  std::vector<std::unique_ptr<workers::Backend>> out;
  if (!config.simulated.enabled) return out;
  workers::simulated::Options o;
  const SimulatedConfig& c = config.simulated;
  o.name = c.name;
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
  const std::string path =
      c.state_file.empty() ? (fs::path(data_dir) / "simulated.db").string() : c.state_file;
  auto backend = workers::simulated::SimulatedBackend::open(path, o, clock);
  if (!backend) return base::fail(backend.error());
  out.push_back(std::move(*backend));
  return out;
}

}  // namespace slipway::app
