#include "app/service.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <future>
#include <sstream>

#include "app/secret_file.hpp"
#include "core/domain/demo_catalog.hpp"
#include "eventstore/log_tools.hpp"
#include "metrics/log.hpp"

#ifndef SLIPWAY_VERSION
#define SLIPWAY_VERSION "0.0.0"
#endif

namespace slipway::app {
namespace {

using base::Errc;
using base::fail;
using metrics::log_info;
using metrics::log_warn;

constexpr std::string_view kMain = "main";
constexpr std::string_view kProjection = "read_models";

struct HostPort {
  std::string host;
  std::uint16_t port = 0;
};

base::Result<HostPort> parse_address(std::string_view text) {
  const auto colon = text.rfind(':');
  HostPort out;
  if (colon == std::string_view::npos) {
    return fail(Errc::InvalidArgument, fmt::format("'{}' is no HOST:PORT", text));
  }
  out.host = text.substr(0, colon);
  if (out.host.starts_with('[') && out.host.ends_with(']')) {
    out.host = out.host.substr(1, out.host.size() - 2);
  }
  const std::string_view port = text.substr(colon + 1);
  const auto [end, ec] = std::from_chars(port.data(), port.data() + port.size(), out.port);
  if (ec != std::errc() || end != port.data() + port.size()) {
    return fail(Errc::InvalidArgument, fmt::format("'{}' is no HOST:PORT", text));
  }
  return out;
}

api::Options edge_options(const HttpConfig& c) {
  api::Options o;
  o.io_threads = static_cast<unsigned>(c.io_threads);
  api::Limits& l = o.limits;
  l.request_line_bytes = c.max_request_line_bytes;
  l.header_bytes = c.max_header_bytes;
  l.headers = c.max_headers;
  l.body_bytes = c.max_body_bytes;
  l.header_time = c.header_timeout;
  l.body_time = c.body_timeout;
  l.body_bytes_per_second = c.body_bytes_per_second;
  l.idle_time = c.idle_timeout;
  l.stall_time = c.stall_timeout;
  l.connections = c.max_connections;
  l.connections_per_address = c.max_connections_per_address;
  return o;
}

base::Status write_key_file(const std::string& path, const std::string& text) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) return fail(Errc::Internal, fmt::format("{}: {}", path, std::strerror(errno)));
  const bool ok = ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
                  ::fsync(fd) == 0;
  ::close(fd);
  if (!ok) return fail(Errc::Internal, fmt::format("{}: {}", path, std::strerror(errno)));
  return {};
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
  if (auto status = write_key_file(path.string(), text); !status) return fail(status.error());
  return base::Key(base::sha256(text));
}

// "<id> <secret>" a line, and perhaps the group that it signs for.
base::Result<std::vector<api::nano::CoreKey>> core_keys(const SecretFile& file) {
  std::vector<api::nano::CoreKey> keys;
  if (file.empty()) return keys;
  const auto text = read_secret(file);
  if (!text) return fail(text.error());
  std::istringstream lines{std::string(text->reveal())};
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string id, secret, group = std::string(domain::kDemoProject);
    if (!(words >> id) || id.starts_with('#')) continue;
    if (!(words >> secret)) {
      return fail(Errc::InvalidArgument, "nano.core_keys_file: a line is no \"<id> <secret>\"");
    }
    words >> group;
    keys.push_back({id, base::Secret(std::move(secret)), group});
  }
  return keys;
}

// The answer of the one command that the server gives itself, at its first start.
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

base::Result<std::unique_ptr<Service>> Service::start(const Config& config) {
  auto service = std::unique_ptr<Service>(new Service(config));
  if (auto status = service->open(); !status) return fail(status.error());
  return service;
}

Service::Service(const Config& config) : config_(config) {}
Service::~Service() { drain(); }

base::Status Service::open() {
  instruments_.build_info.with(SLIPWAY_VERSION, "").set(1);
  instruments_.leader->set(1);
  instruments_.add_backend(config_.simulated.name);
  instruments_.add_worker_pool("default");
  instruments_.add_projection(kProjection);
  auto engine = Engine::open(config_, instruments_);
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
      api::QueryPool::Options{.threads = static_cast<unsigned>(config_.http.query_threads)});
  return listen();
}

base::Status Service::initialize() {
  if (engine_->initialized()) return {};
  auto submission = std::make_unique<eventstore::Submission>();
  base::SystemIdSource ids;
  submission->command =
      domain::initialize_command(SLIPWAY_VERSION, config_.auth.demo, domain::TaskId(ids.next()));
  if (config_.auth.demo) {
    const base::Secret hash(base::hash_password(domain::kDemoPassword));
    submission->secrets.push_back(
        {std::string(domain::kDemoPasswordRef),
         engine_->secrets().seal(domain::kDemoPasswordRef, domain::kDemoProject, hash)});
  }
  std::promise<base::Status> done;
  auto answer = done.get_future();
  submission->reply = std::make_unique<InitializeReply>(std::move(done));
  if (!engine_->sequencer().submit(std::move(submission))) {
    return fail(Errc::QueueFull, "the sequencer takes no command at the start");
  }
  if (auto status = answer.get(); !status) return status;
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

api::ApiOptions Service::api_options() const {
  api::ApiOptions o;
  o.demo = config_.auth.demo;
  o.read_only = config_.server.read_only;
  o.version = SLIPWAY_VERSION;
  o.max_wait = config_.http.max_wait_seconds;
  o.credential_cache = config_.auth.cache;
  o.wrong_password_is_401 = config_.vmfront.wrong_identity_status == 401;
  o.slots_per_worker = static_cast<std::uint32_t>(config_.worker.slots);
  o.min_workers = static_cast<std::uint32_t>(config_.tasks.min_workers);
  o.max_workers = static_cast<std::uint32_t>(config_.tasks.max_workers);
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
      .ready = [this] { return ready(); },
      .metrics = [this] { return scrape(); },
      .rebuild_projections = [&e] { return e.projector().rebuild({}); },
      .backup = [this] { return start_backup(); },
  };
}

base::Result<std::unique_ptr<api::Nano>> Service::make_nano() {
  api::nano::Options options;
  options.session_timeout = config_.nano.session_timeout;
  options.strict_passwords = config_.nano.password_policy == "strict";
  auto keys = core_keys(config_.nano.core_keys_file);
  if (!keys) return fail(keys.error());
  options.core_keys = std::move(*keys);
  auto images =
      api::ImageFiles::open({.directory = std::filesystem::path(config_.server.data_dir) / "images",
                             .max_bytes = config_.http.max_upload_bytes});
  if (!images) return fail(images.error());
  images_ = std::move(*images);
  options.images = images_.get();
  return std::make_unique<api::Nano>(core_api_->services(), core_api_->authenticator(),
                                     core_api_->submitter(), core_api_->watch(),
                                     std::move(options));
}

base::Result<std::shared_ptr<api::Router>> Service::main_router() {
  auto services = api_services();
  auto key = signing_key(config_.server.data_dir);
  if (!key) return fail(key.error());
  services.options.signing_key = *key;
  core_api_ = std::make_unique<api::CoreApi>(std::move(services));
  vmfront_ = std::make_unique<api::VmFront>(core_api_->services(), core_api_->authenticator(),
                                            core_api_->submitter());
  auto nano = make_nano();
  if (!nano) return fail(nano.error());
  nano_ = std::move(*nano);
  core_api_->guard().open(api::Door::VmFront, vmfront_->door());
  core_api_->guard().open(api::Door::Nano, nano_->door());
  auto router =
      std::make_shared<api::Router>(core_api_->guard().guard(), core_api_->guard().head_guard());
  core_api_->mount(*router);
  router->mount("/api", vmfront_->routes(), api::VmFront::mount_options());
  router->mount("/d/vmfront", vmfront_->routes(), api::VmFront::mount_options());
  nano_->mount(*router, "/d/nano");
  return router;
}

base::Status Service::listen() {
  auto router = main_router();
  if (!router) return fail(router.error());
  auto server = api::Server::open(edge_options(config_.http), [this](const api::RequestRecord& r) {
    instruments_.http_requests.with(r.dialect, r.method, r.route, fmt::format_int(r.status).c_str())
        .add();
    instruments_.http_request_duration.with(r.dialect, r.route).observe(r.duration);
    if (!r.failure.empty()) {
      metrics::log_error("request failed", {{"request_id", r.request_id}, {"error", r.failure}});
    }
  });
  if (!server) return fail(server.error());
  server_ = std::move(*server);
  auto address = parse_address(config_.server.listen);
  if (!address) return fail(address.error());
  auto port = server_->listen({.name = std::string(kMain),
                               .host = address->host,
                               .port = address->port,
                               .handler = *router});
  if (!port) return fail(port.error());
  const bool v6 = address->host.find(':') != std::string::npos;
  address_ = v6 ? fmt::format("[{}]:{}", address->host, *port)
                : fmt::format("{}:{}", address->host, *port);
  const auto at_root = [](auto& dialect) {
    return [&dialect](api::Router& own) { dialect.mount(own, ""); };
  };
  static const NanoConfig kNano;
  for (const OwnListener& own : {OwnListener{api::nano::kUserListener, config_.nano.user_listen,
                                             kNano.user_listen, at_root(*nano_)},
                                 OwnListener{api::nano::kCoreListener, config_.nano.core_listen,
                                             kNano.core_listen, at_root(*nano_)}}) {
    if (auto status = listen(own); !status) return status;
  }
  server_->start();
  return {};
}

base::Status Service::listen(const OwnListener& own) {
  const auto& wanted = config_.server.listeners;
  if (own.address.empty() || std::find(wanted.begin(), wanted.end(), own.name) == wanted.end()) {
    return {};
  }
  auto address = parse_address(own.address);
  if (!address) return fail(address.error());
  auto router =
      std::make_shared<api::Router>(core_api_->guard().guard(), core_api_->guard().head_guard());
  own.mount(*router);
  auto port = server_->listen({.name = std::string(own.name),
                               .host = address->host,
                               .port = address->port,
                               .handler = std::move(router)});
  if (port) {
    log_info("listening", {{"listener", own.name}, {"port", *port}});
    return {};
  }
  if (own.address != own.default_address) return fail(port.error());
  log_warn("a default port is taken; the dialect is served below its prefix alone",
           {{"listener", own.name}, {"error", port.error()}});
  return {};
}

std::vector<api::ReadyCheck> Service::ready() const {
  const Engine& e = *engine_;
  const auto behind = commit_clock_->seq() - std::min(commit_clock_->seq(), e.projected_seq());
  const bool writable = e.space() == eventstore::SpaceState::Normal;
  // A lag in events says little about time: one that does not shrink is seen by its age.
  const auto counts_age = behind == 0 ? base::Duration(0) : e.projection_age();
  const bool current = counts_age <= config_.ready.max_lag_seconds;
  return {{"log", writable, writable ? "" : "the disk is nearly full"},
          {"projections", current, fmt::format("{} events behind", behind)},
          {"draining", !draining_.load(), draining_.load() ? "the server is stopping" : ""}};
}

std::string Service::scrape() {
  metrics::Instruments& m = instruments_;
  const auto counts = engine_->projector().live_counts();
  show_counts(m, counts);
  show_workers(m, engine_->sequencer().workers());
  const auto head = commit_clock_->seq();
  m.eventlog_head_seq->set(static_cast<double>(head));
  m.projection_seq.with(kProjection).set(static_cast<double>(counts.seq));
  m.projection_lag_events.with(kProjection)
      .set(static_cast<double>(head - std::min(head, counts.seq)));
  m.projection_last_event_timestamp.with(kProjection).set(counts.last_event_time);
  m.projection_errors.with(kProjection).raise_to(engine_->projector().stats().errors);
  m.http_waiters->set(static_cast<double>(engine_->projector().waiters().size()));
  m.http_rejected.with("queue_full").raise_to(engine_->sequencer().rejected());
  m.backend_up.with(config_.simulated.name).set(1);
  m.draining->set(draining_.load() ? 1 : 0);
  const auto checks = ready();
  m.ready->set(std::all_of(checks.begin(), checks.end(), [](const auto& c) { return c.ok; }) ? 1
                                                                                             : 0);
  if (server_ != nullptr) show_edge(server_->counters());
  return m.registry.scrape();
}

void Service::show_edge(const api::EdgeCounters& counters) {
  for (std::size_t i = 0; i < api::kRefusals; ++i) {
    const auto reason = static_cast<api::Refusal>(i);
    instruments_.http_rejected.with(api::refusal_name(reason)).raise_to(counters.of(reason));
  }
  instruments_.http_requests_in_flight->set(static_cast<double>(counters.in_flight.load()));
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

std::string Service::address() const { return address_; }

void Service::drain() {
  if (drained_ || engine_ == nullptr) return;
  drained_ = true;
  draining_ = true;
  if (server_ != nullptr) {
    server_->drain(config_.server.drain_timeout);
    server_->stop();
  }
  if (backup_.joinable()) {
    backup_.request_stop();
    backup_.join();
  }
  if (queries_ != nullptr) queries_->stop();
  engine_->projector().remove_batch_listener(*feed_);
  engine_->projector().remove_batch_listener(*timings_);
  feed_->stop();
  engine_->stop();
}

}  // namespace slipway::app
