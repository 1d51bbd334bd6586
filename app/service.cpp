#include "app/service.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <future>

#include "app/backends.hpp"
#include "app/config_rules.hpp"
#include "app/listeners.hpp"
#include "app/secret_file.hpp"
#include "core/domain/demo_catalog.hpp"
#include "eventstore/durable_file.hpp"
#include "eventstore/log_tools.hpp"
#include "metrics/log.hpp"

namespace slipway::app {
namespace {

using base::Errc;
using base::fail;
using metrics::log_info;
using metrics::log_warn;

constexpr std::string_view kProjection = "read_models";
// Of an HTTP thread, which turns four times a second.
constexpr base::Duration kMaxSilence = std::chrono::seconds(30);

// One for the life of the process: whatever asks for the time may outlive the service.
const base::Clock& wall_clock() {
  static const base::SystemClock kClock;
  return kClock;
}

// Signs cursors and short tokens; lies beside the log so that both survive a restart.
base::Result<base::Key> signing_key(const std::string& data_dir) {
  const auto path = std::filesystem::path(data_dir) / "signing.key";
  if (auto bytes = read_secret({path.string()})) {
    return base::Key(base::sha256(bytes->reveal()));
  } else if (bytes.error().code != Errc::NotFound) {
    return fail(bytes.error());
  }
  const base::Key fresh = base::random_key();
  const std::string text = base::hex(fresh);
  if (auto status = eventstore::create_file_atomically(path, text, 0600); !status) {
    return fail(status.error());
  }
  return base::Key(base::sha256(text));
}

// The answer of a command that the server gives itself at its start.
class InitializeReply final : public eventstore::Reply {
 public:
  explicit InitializeReply(std::promise<base::Status> done) : done_(std::move(done)) {}
  eventstore::Answer render(const eventstore::Accepted&) override { return {}; }
  void send(eventstore::Answer&&, bool) override { done_.set_value({}); }
  void refuse(const base::Error& error) override { done_.set_value(fail(error)); }

 private:
  std::promise<base::Status> done_;
};

}  // namespace

base::Result<std::unique_ptr<Service>> Service::start(const Config& config,
                                                      const Engine::StillStarting& still_starting) {
  auto service = std::unique_ptr<Service>(new Service(config));
  if (auto status = service->open(still_starting); !status) return fail(status.error());
  return service;
}

Service::Service(const Config& config)
    : config_(config),
      max_lag_(config.ready.max_lag_seconds),
      health_(std::make_shared<metrics::Health>(wall_clock())) {}
Service::~Service() { drain(); }

base::Status Service::open(const Engine::StillStarting& still_starting) {
  instruments_.build_info.with(SLIPWAY_VERSION, "").set(1);
  instruments_.leader->set(1);
  instruments_.add_worker_pool("default");
  instruments_.add_projection(kProjection);
  auto engine = Engine::open(config_, instruments_, *health_, still_starting);
  if (!engine) return fail(engine.error());
  engine_ = std::move(*engine);

  commit_clock_ = std::make_unique<api::CommitClock>(engine_->log().head().next_seq - 1);
  engine_->add_listener(*commit_clock_);
  timings_ = std::make_unique<TaskTimings>(instruments_);
  engine_->projector().add_batch_listener(*timings_);
  feed_ = std::make_unique<api::EventFeed>(engine_->log(), engine_->clock());
  engine_->projector().add_batch_listener(*feed_);
  if (auto status = engine_->start(); !status) return status;
  feed_->start(engine_->projector().seq());
  if (auto status = initialize(); !status) return status;
  queries_ = std::make_unique<api::QueryPool>(
      engine_->read_models(),
      api::QueryPool::Options{
          .threads = static_cast<unsigned>(config_.http.query_threads),
          .hashes_at_once = static_cast<unsigned>(config_.auth.password_hashes_at_once)});
  if (auto status = listen(); !status) return status;
  instruments_.config_last_reload_success_timestamp->set(engine_->clock().now());
  return {};
}

// Nobody has configured an identity, and nobody from outside can come.
bool Service::demo(const Config& config) const {
  return config_.auth.demo && config.auth.admin_token_file.empty() &&
         is_loopback(split_address(config_.server.listen).host);
}

base::Status Service::initialize() {
  base::SystemIdSource ids;
  std::vector<eventstore::LogBatch::Put> secrets;
  bool news = !engine_->initialized();
  if (news && demo(config_)) {
    const base::Secret hash(base::hash_password(domain::kDemoPassword));
    secrets.push_back(
        {std::string(domain::kDemoPasswordRef),
         engine_->secrets().seal(domain::kDemoPasswordRef, domain::kDemoProject, hash)});
  }
  if (news) {
    auto first = domain::initialize_command(SLIPWAY_VERSION, demo(config_),
                                            domain::TaskId(ids.next()), config_.simulated.enabled);
    if (auto status = give(std::move(first), std::move(secrets)); !status) return status;
  }
  for (domain::Backend& backend : registered_backends(config_)) {
    if (engine_->knows(backend)) continue;
    auto command = domain::register_command(std::move(backend), domain::TaskId(ids.next()));
    if (auto status = give(std::move(command)); !status) return status;
    news = true;
  }
  if (!news) return {};
  // The first request may bring the demo user's name: let the read models know him before it comes.
  std::promise<void> folded;
  const auto deadline = engine_->clock().steady() + std::chrono::seconds(30);
  auto& waiters = engine_->projector().waiters();
  if (waiters.wait_for_seq(commit_clock_->seq(), deadline,
                           [&](const auto&) { folded.set_value(); }) != 0) {
    folded.get_future().wait();
  }
  return {};
}

base::Status Service::give(domain::Command command,
                           std::vector<eventstore::LogBatch::Put> secrets) {
  auto submission = std::make_unique<eventstore::Submission>();
  submission->command = std::move(command);
  submission->secrets = std::move(secrets);
  std::promise<base::Status> done;
  auto answer = done.get_future();
  submission->reply = std::make_unique<InitializeReply>(std::move(done));
  if (!engine_->sequencer().submit(std::move(submission))) {
    return fail(Errc::QueueFull, "the sequencer takes no command at the start");
  }
  return answer.get();
}

api::ApiOptions Service::api_options() const {
  api::ApiOptions o;
  o.version = SLIPWAY_VERSION;
  o.credential_cache = config_.auth.cache;
  o.login_delays = {.free_per_account = static_cast<unsigned>(config_.auth.failures_per_account),
                    .free_per_address = static_cast<unsigned>(config_.auth.failures_per_address),
                    .first = config_.auth.failure_delay_base,
                    .longest = config_.auth.failure_delay_max};
  o.json = {.depth = config_.http.json_depth,
            .keys_per_object = config_.http.json_keys_per_object,
            .elements_per_array = config_.http.json_elements_per_array,
            .string_bytes = config_.http.json_string_bytes};
  o.slots_per_worker = static_cast<std::uint32_t>(config_.worker.slots);
  return o;
}

api::ApiServices Service::api_services() {
  Engine& e = *engine_;
  return api::ApiServices{
      .options = api_options(),
      .clock = e.clock(),
      .submit = [&e](auto&& s) { return e.sequencer().submit(std::move(s)); },
      .seal = [&e](std::string_view ref, std::string_view tenant,
                   const base::Secret& value) { return e.secrets().seal(ref, tenant, value); },
      .open_secret = [&e](std::string_view ref,
                          std::string_view tenant) { return e.open_secret(ref, tenant); },
      .log = e.log(),
      .queries = *queries_,
      .hot_tasks = e.projector().hot_tasks(),
      .waiters = e.projector().waiters(),
      .progress = e.progress(),
      .feed = *feed_,
      .projected_seq = [&e] { return e.projector().seq(); },
      .committed_seq = [this] { return commit_clock_->seq(); },
      .people = [&e] { return e.projector().people(); },
      .counts = [&e] { return e.projector().live_counts(); },
      .workers = [&e] { return e.sequencer().workers(); },
      .drain_worker = [&e](eventstore::DrainRequest&& r) { e.sequencer().push(std::move(r)); },
      .inspect_vm = [&e](eventstore::InspectRequest&& r) { e.sequencer().push(std::move(r)); },
      .arrival_rate = [&e](std::string_view pool) { return e.arrival_rate(pool); },
      .health =
          [this] {
            const auto report = health_->live();
            return api::HealthAnswer{report.ok, report.json(false)};
          },
      .ready = [this] { return ready(); },
      .metrics = [this] { return scrape(); },
      .rebuild_projections = [&e] { return e.projector().rebuild({}); },
      .backup = [this] { return start_backup(); },
  };
}

std::shared_ptr<api::Router> Service::make_router(api::CoreApi::Part part) {
  auto router =
      std::make_shared<api::Router>(core_api_->guard().guard(), core_api_->guard().head_guard());
  core_api_->mount(*router, part);
  if (part == api::CoreApi::Part::Admin) return router;
  dialects_->mount(*router);
  return router;
}

base::Status Service::open_server() {
  api::Options options = edge_options(config_.http);
  std::vector<metrics::LoopBeat> beats;
  for (unsigned i = 0; i < options.io_threads; ++i) {
    beats.push_back(health_->watch_loop(fmt::format("http {}", i), kMaxSilence));
  }
  options.on_tick = [beats = std::move(beats), &clock = engine_->clock()](unsigned thread) {
    beats[thread].now(clock.steady());
  };
  auto server = api::Server::open(std::move(options), [this](const api::RequestRecord& r) {
    instruments_.http_requests.with(r.dialect, r.method, r.route, fmt::format_int(r.status).c_str())
        .add();
    instruments_.http_request_duration.with(r.dialect, r.route).observe(r.duration);
    if (!r.failure.empty()) {
      metrics::log_error("request failed", {{"request_id", r.request_id}, {"error", r.failure}});
    }
  });
  if (!server) return fail(server.error());
  server_ = std::move(*server);
  return {};
}

base::Status Service::listen() {
  using Part = api::CoreApi::Part;
  auto services = api_services();
  auto key = signing_key(config_.server.data_dir);
  if (!key) return fail(key.error());
  auto token = admin_token(config_);
  if (!token) return fail(token.error());
  services.options.signing_key = *key;
  core_api_ = std::make_unique<api::CoreApi>(std::move(services));
  core_api_->authenticator().set_admin_token(*token);
  auto dialects = Dialects::open(config_, *engine_, *core_api_);
  if (!dialects) return fail(dialects.error());
  dialects_ = std::move(*dialects);
  if (auto status = open_server(); !status) return status;
  apply_live(config_);
  const bool apart = !config_.admin.listen.empty();
  auto address = listen_on(*server_, config_.server.listen, "main",
                           make_router(apart ? Part::Public : Part::All));
  if (!address) return fail(address.error());
  address_ = *address;
  if (apart) {
    auto admin = listen_on(*server_, config_.admin.listen, "admin", make_router(Part::Admin));
    if (!admin) return fail(admin.error());
    admin_address_ = *admin;
    log_info("metrics, health and admin routes", {{"address", admin_address_}});
  }
  const auto new_router = [this] {
    return std::make_shared<api::Router>(core_api_->guard().guard(),
                                         core_api_->guard().head_guard());
  };
  if (auto status = dialects_->listen(*server_, new_router); !status) return status;
  server_->start();
  return {};
}

// Empty where none is configured.
base::Result<base::Secret> Service::admin_token(const Config& config) const {
  if (config.auth.admin_token_file.empty()) return base::Secret();
  return read_secret(config.auth.admin_token_file);
}

void Service::apply_live(const Config& c) {
  const api::ApiOptions& o = core_api_->services().options;
  o.demo.set(demo(c));
  o.read_only.set(c.server.read_only);
  o.max_wait.set(c.http.max_wait_seconds);
  o.min_seq_wait.set(c.http.min_seq_wait);
  o.wrong_password_is_401.set(c.vmfront.wrong_identity_status == 401);
  o.target_wait.set(c.tasks.target_wait);
  o.min_workers.set(static_cast<std::uint32_t>(c.tasks.min_workers));
  o.max_workers.set(static_cast<std::uint32_t>(c.tasks.max_workers));
  max_lag_.set(c.ready.max_lag_seconds);
  server_->set_limits(edge_limits(c.http));
  core_api_->guard().rates().set(
      {.per_second = {c.http.rate_per_token, c.http.rate_per_tenant, c.http.rate_per_address},
       .burst = c.http.rate_burst});
}

base::Status Service::reload(const Config& fresh) {
  const auto token = admin_token(fresh);
  if (!token) return fail(token.error());
  core_api_->authenticator().set_admin_token(*token);
  apply_live(fresh);
  engine_->reload(fresh);
  dialects_->reload(fresh);
  instruments_.config_last_reload_successful->set(1);
  instruments_.config_last_reload_success_timestamp->set(engine_->clock().now());
  return {};
}

void Service::note_bad_reload() { instruments_.config_last_reload_successful->set(0); }

std::vector<api::ReadyCheck> Service::ready() const {
  const Engine& e = *engine_;
  const auto behind = commit_clock_->seq() - std::min(commit_clock_->seq(), e.projected_seq());
  const bool writable = e.space() == eventstore::SpaceState::Normal;
  // A lag in events says little about time: one that does not shrink is seen by its age.
  const auto counts_age = behind == 0 ? base::Duration(0) : e.projection_age();
  const bool current = counts_age <= max_lag_.get();
  return {{"log", writable, writable ? "" : "the disk is nearly full"},
          {"projections", current, fmt::format("{} events behind", behind)},
          {"draining", !draining_.load(), draining_.load() ? "the server is stopping" : ""}};
}

base::Result<std::string> Service::start_backup() {
  if (backing_up_.exchange(true)) return fail(Errc::ResourceBusy, "a backup is under way");
  const std::string name = base::rfc3339(engine_->clock().now());
  const auto dir = std::filesystem::path(config_.server.data_dir) / "backups" / name;
  std::filesystem::create_directories(dir.parent_path());
  backup_ = std::jthread([this, dir](const std::stop_token& stop) {
    eventstore::VerifyOptions options;
    options.stop = stop;
    const auto info = eventstore::backup(engine_->log(), dir, options);
    if (info) {
      log_info("backup made", {{"directory", dir.string()}, {"next_seq", info->next_seq}});
    } else {
      log_warn("backup not made", {{"directory", dir.string()}, {"error", info.error()}});
    }
    backing_up_ = false;
  });
  return dir.string();
}

void Service::drain() {
  if (drained_ || engine_ == nullptr) return;
  drained_ = true;
  draining_ = true;
  if (dialects_ != nullptr) dialects_->close_streams();
  if (server_ != nullptr) {
    server_->drain(config_.server.drain_timeout);
    server_->stop();
  }
  if (backup_.joinable()) {
    backup_.request_stop();
    backup_.join();
  }
  if (queries_ != nullptr) queries_->stop();
  if (dialects_ != nullptr) dialects_->stop();
  engine_->projector().remove_batch_listener(*feed_);
  engine_->projector().remove_batch_listener(*timings_);
  feed_->stop();
  engine_->stop();
}

}  // namespace slipway::app
