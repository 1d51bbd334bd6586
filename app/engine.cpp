#include "app/engine.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "app/backends.hpp"
#include "app/secret_file.hpp"
#include "metrics/log.hpp"

namespace slipway::app {
namespace {

namespace fs = std::filesystem;
using metrics::log_error;
using metrics::log_info;
using metrics::log_warn;

constexpr std::uint64_t kSnapshotEvents = 1'000'000;
// A loop that has not turned for so long is stuck: the longest that one turn may take, a sync of a
// sick disk among them.
constexpr base::Duration kMaxSilence = std::chrono::seconds(30);

// The log has failed: nothing may be answered any more. The next start recovers (guarantees 1.7).
[[noreturn]] void end_process(const base::Error& error) {
  log_error("the event log failed; the process ends", {{"error", error}});
  ::_exit(70);
}

domain::Policy policy(const Config& config) {
  const TasksConfig& c = config.tasks;
  domain::Policy p;
  p.default_deadline = c.default_deadline;
  p.max_attempts = static_cast<std::uint32_t>(c.max_attempts);
  p.max_process_deaths = static_cast<std::uint32_t>(c.max_process_deaths);
  p.backoff_base = c.backoff_base;
  p.backoff_max = c.backoff_max;
  p.lease_timeout = c.lease_timeout;
  p.undo_grace = c.undo_grace;
  p.batch_items_max = static_cast<std::uint32_t>(c.max_batch_items);
  p.tasks_in_flight_per_tenant = c.max_in_flight_per_tenant;
  p.tasks_per_pool = c.max_per_pool;
  p.lease_before_end = base::enum_from_name<domain::BeforeEndAction>(config.lease.before_end)
                           .value_or(domain::BeforeEndAction::Email);
  return p;
}

eventstore::SequencerOptions sequencer_options(const Config& c) {
  eventstore::SequencerOptions o;
  o.policy = policy(c);
  o.heartbeat_interval = c.worker.heartbeat_interval;
  o.progress_log_interval = c.tasks.progress_log_interval;
  o.batch_events_max = c.eventlog.batch_events;
  o.batch_bytes_max = c.eventlog.batch_bytes;
  o.queue_capacity = c.eventlog.queue_capacity;
  o.retention.answers = c.eventlog.idempotency_retention;
  o.retention.secrets = c.secrets.grace;
  o.fence = c.tasks.fencing;
  o.reconcile.interval = c.reconcile.interval;
  o.reconcile.orphan_age = c.reconcile.orphan_age;
  return o;
}

eventstore::ProjectorOptions projector_options(const Config& c, std::function<void()> on_turn) {
  eventstore::ProjectorOptions o;
  o.on_turn = std::move(on_turn);
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
  const SecretFile& named = c.secrets.master_key_file;
  if (named.empty()) {
    return eventstore::SecretsStore::open(fs::path(c.server.data_dir) / "master.key");
  }
  if (secret_path(named) == named.path) return eventstore::SecretsStore::open(named.path);
  // A credential: the service manager sees to who may read it, and it is never made here.
  const auto text = read_secret(named);
  if (!text) return base::fail(text.error());
  return eventstore::SecretsStore::from_keys(*text, named.path);
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
                                                   metrics::Instruments& instruments,
                                                   metrics::Health& health,
                                                   const StillStarting& still_starting) {
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
  auto recovered = eventstore::recover(
      **log, eventstore::SnapshotStore(dir / "snapshots"), [&](std::uint64_t events) {
        if (still_starting) still_starting(fmt::format("replayed {} events", events));
      });
  if (!recovered) return base::fail(recovered.error());
  // One for the life of the process: components keep references to it.
  static base::SystemClock clock;
  const auto beat = health.watch_loop("projector", kMaxSilence);
  auto on_turn = [beat, &c = clock] { beat.now(c.steady()); };
  auto projector =
      eventstore::Projector::open(projector_options(config, std::move(on_turn)), **log, clock);
  if (!projector) return base::fail(projector.error());
  return std::unique_ptr<Engine>(new Engine(config, instruments, health, clock, std::move(*log),
                                            std::move(*secrets), std::move(*projector),
                                            std::move(*recovered)));
}

Engine::Engine(const Config& config, metrics::Instruments& instruments, metrics::Health& health,
               base::SystemClock& clock, std::unique_ptr<eventstore::RocksLog> log,
               eventstore::SecretsStore secrets, std::unique_ptr<eventstore::Projector> projector,
               eventstore::Recovered recovered)
    : config_(config),
      health_(health),
      clock_(clock),
      log_(std::move(log)),
      secrets_(std::move(secrets)),
      snapshots_(fs::path(config.server.data_dir) / "snapshots"),
      space_(config.eventlog.reserve_bytes, [this] { return log_->free_bytes(); }),
      projector_(std::move(projector)),
      read_models_({.directory = (fs::path(config.server.data_dir) / "read_models").string(),
                    .query_timeout = config.projections.query_timeout,
                    .cache_bytes = config.projections.reader_cache_bytes}),
      sequencer_metrics_(instruments),
      backend_metrics_(instruments),
      arrivals_(clock),
      initialized_(recovered.world.initialized()),
      effects_(std::make_unique<Effects>(broker_)) {
  log_recovery(recovered);
  backends_ = recovered.world.backends();
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
  core_->add_listener(&arrivals_);
  for (const std::string& name : opened_backends(config)) backend_metrics_.add(name);
}

std::function<void()> Engine::beat(std::string name) {
  return [beat = health_.watch_loop(std::move(name), kMaxSilence), &clock = clock_] {
    beat.now(clock.steady());
  };
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
  if (auto status = start_broker(); !status) return status;
  sequencer_->set_on_turn(beat("sequencer"));
  sequencer_->start();
  for (std::uint64_t i = 0; i < config_.server.workers; ++i) {
    if (auto status = start_worker(i); !status) return status;
  }
  return {};
}

base::Status Engine::start_broker() {
  auto keys = read_curve_keys(config_.broker.secret_key_file);
  if (!keys) return base::fail(keys.error());
  workers::BrokerOptions options;
  options.listen = config_.broker.listen;
  options.keys = std::move(*keys);
  options.on_turn = beat("broker");
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
  return {};
}

base::Status Engine::start_worker(std::uint64_t number) {
  auto backends = open_backends(config_, config_.server.data_dir, clock_);
  if (!backends) return base::fail(backends.error());
  const std::string name = fmt::format("local-{}", number);
  workers::WorkerOptions options = worker_options(config_, name);
  options.on_turn = beat("worker " + name);
  backend_metrics_.watch(options.core);
  auto worker =
      workers::Worker::start(transport_, std::move(options), std::move(*backends), clock_);
  if (!worker) return base::fail(worker.error());
  workers_.push_back(std::move(*worker));
  return {};
}

void Engine::reload(const Config& fresh) { sequencer_->push(policy(fresh)); }

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
  o.core.guard.window = config.backend.breaker_window;
  o.core.guard.min_calls = static_cast<std::uint32_t>(config.backend.breaker_min_calls);
  o.core.guard.pause = config.backend.breaker_pause;
  o.core.guard.retry_share = static_cast<double>(config.backend.retry_budget_percent) / 100;
  o.core.silence = config.backend.silence;
  set_limits(config, o.core);
  o.core.guard.retries_always = static_cast<std::uint32_t>(config.backend.retries_always);
  return o;
}

base::Result<std::shared_ptr<const workers::CurveKeys>> read_curve_keys(const SecretFile& file) {
  if (file.empty()) return std::shared_ptr<const workers::CurveKeys>();
  const auto text = read_secret(file);
  if (!text) return base::fail(text.error());
  auto keys = workers::parse_key_file(text->reveal(), file.path);
  if (!keys) return base::fail(keys.error());
  return std::make_shared<const workers::CurveKeys>(std::move(*keys));
}

}  // namespace slipway::app
