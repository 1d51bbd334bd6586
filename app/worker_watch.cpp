#include "app/worker_watch.hpp"

#include "api/edge/router.hpp"
#include "app/listeners.hpp"

namespace slipway::app {
namespace {

using api::Method;
using api::Response;

constexpr base::Duration kMaxSilence = std::chrono::seconds(30);
constexpr api::ContentType kMetricsType = "text/plain; version=0.0.4; charset=utf-8";
constexpr api::Permission kAnybody = api::Permission(0);

void answer(const api::Call& call, const metrics::HealthReport& report) {
  Response response(report.ok ? 200 : 503, report.json(false));
  response.add("Cache-Control", "no-cache");
  if (!report.ok) response.add("Retry-After", "1");
  call.reply.send(std::move(response));
}

}  // namespace

WorkerWatch::WorkerWatch(const base::Clock& clock)
    : clock_(clock), health_(std::make_shared<metrics::Health>(clock)) {
  instruments_.build_info.with(SLIPWAY_VERSION, "").set(1);
  instruments_.config_last_reload_success_timestamp->set(clock.now());
  instruments_.registry.set_leading(false);  // what is the service's is shown by the server
}

WorkerWatch::~WorkerWatch() { stop(); }

void WorkerWatch::stop() {
  if (server_ != nullptr) server_->stop();
}

void WorkerWatch::watch(workers::WorkerOptions& options, const std::vector<std::string>& backends) {
  for (const std::string& backend : backends) backend_metrics_.add(backend);
  backend_metrics_.watch(options.core);
  options.on_turn = [beat = health_->watch_loop("worker", kMaxSilence), &clock = clock_] {
    beat.now(clock.steady());
  };
}

base::Status WorkerWatch::start(const Config& config, const workers::Worker& worker) {
  if (config.worker.metrics_listen.empty()) return {};
  health_->add_ready("server", [&worker] {
    return worker.welcomed()
               ? metrics::CheckResult{}
               : metrics::CheckResult{false, "no server has welcomed it, or it drains"};
  });
  auto router = std::make_shared<api::Router>(api::Router::open_to_all());
  router->mount("", {{Method::Get, "/healthz", kAnybody,
                      [this](const api::Call& call) { answer(call, health_->live()); }},
                     {Method::Get, "/readyz", kAnybody,
                      [this](const api::Call& call) { answer(call, health_->ready()); }},
                     {Method::Get, "/metrics", kAnybody, [this](const api::Call& call) {
                        call.reply.send(Response(200, scrape(), kMetricsType));
                      }}});
  api::Options options = edge_options(config.http);
  options.io_threads = 1;
  auto server = api::Server::open(std::move(options));
  if (!server) return base::fail(server.error());
  server_ = std::move(*server);
  auto address = listen_on(*server_, config.worker.metrics_listen, "metrics", std::move(router));
  if (!address) return base::fail(address.error());
  address_ = *address;
  server_->start();
  return {};
}

std::string WorkerWatch::scrape() {
  instruments_.ready->set(health_->ready().ok ? 1 : 0);
  return instruments_.registry.scrape();
}

}  // namespace slipway::app
