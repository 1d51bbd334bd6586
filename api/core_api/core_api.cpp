#include "api/core_api/core_api.hpp"

#include <algorithm>

#include "api/core_api/document_pages.hpp"
#include "api/core_api/problem_pages.hpp"

namespace slipway::api {
namespace {

constexpr ContentType kMetricsType = "text/plain; version=0.0.4; charset=utf-8";

void health(const ApiServices& services, const Call& call) {
  HealthAnswer answer = services.health ? services.health() : HealthAnswer();
  Response response(answer.ok ? 200 : 503, std::move(answer.json));
  response.add("Cache-Control", "no-cache");
  if (!answer.ok) response.add("Retry-After", "1");
  call.reply.send(std::move(response));
}

void readiness(const ApiServices& services, const Call& call) {
  const auto checks = services.ready ? services.ready() : std::vector<ReadyCheck>();
  const bool ready =
      std::all_of(checks.begin(), checks.end(), [](const ReadyCheck& c) { return c.ok; });
  base::JsonWriter w;
  w.begin_object().member("status", ready ? "ready" : "not-ready").key("checks").begin_array();
  for (const ReadyCheck& check : checks) {
    w.begin_object().member("name", check.name).member("ok", check.ok);
    w.member("detail", check.detail).end_object();
  }
  Response response(ready ? 200 : 503, w.end_array().end_object().text());
  response.add("Cache-Control", "no-cache");
  if (!ready) response.add("Retry-After", "1");
  call.reply.send(std::move(response));
}

void add(RouteTable& all, RouteTable more) {
  all.insert(all.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

}  // namespace

CoreApi::CoreApi(ApiServices services)
    : services_(std::move(services)),
      authenticator_(services_),
      guard_(services_, authenticator_),
      watch_(services_),
      submitter_(services_, watch_),
      context_{services_, authenticator_, submitter_, watch_} {}

RouteTable CoreApi::watch_routes() {
  RouteTable table;
  const auto get = [&](std::string pattern, RouteHandler handler) {
    table.push_back(
        {Method::Get, std::move(pattern), allow(Right::Public), std::move(handler), nullptr});
  };
  get("/healthz", [this](const Call& call) { health(services_, call); });
  get("/readyz", [this](const Call& call) { readiness(services_, call); });
  get("/metrics", [this](const Call& call) {
    call.reply.send(
        Response(200, services_.metrics ? services_.metrics() : std::string(), kMetricsType));
  });
  return table;
}

void CoreApi::mount(Router& router, Part part) {
  RouteTable core;
  RouteTable root;
  if (part != Part::Admin) {
    core = command_routes(context_);
    add(core, vm_routes(context_));
    add(core, task_routes(context_));
    add(core, event_routes(context_));
    add(core, catalog_routes(context_));
    add(core, stats_routes(context_));
    add(core, worker_routes(context_));
    add(core, people_routes(context_));
    root = problem_routes();
    add(root, document_routes());
  }
  if (part != Part::Public) {
    add(core, admin_routes(context_));
    add(root, watch_routes());
  }
  router.mount("/core/v1", std::move(core));
  router.mount("", std::move(root));
}

}  // namespace slipway::api
