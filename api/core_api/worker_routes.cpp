// Queues and workers: numbers for autoscalers, who is connected, drain. They are the service's and
// not a tenant's, hence for admins.
#include <algorithm>

#include "api/core_api/context.hpp"
#include "api/queue_numbers.hpp"

namespace slipway::api {
namespace {

using base::Errc;
using base::JsonWriter;

void write_queue(JsonWriter& w, const CoreContext& ctx, const eventstore::LiveCounts& counts,
                 const std::vector<eventstore::WorkerStatus>& workers, const std::string& pool) {
  const QueueNumbers queue = queue_numbers(ctx.services, counts, workers, pool);
  w.begin_object().member("worker_pool", pool).member("ready", queue.ready);
  w.member("scheduled", queue.scheduled).member("leased", queue.leased);
  w.member("slots", queue.slots);
  w.member("oldest_ready_age_seconds", queue.oldest_ready_age_seconds);
  w.member("desired_workers", queue.desired_workers).end_object();
}

Response no_cache(const JsonWriter& w) {
  Response response(200, w.text());
  response.add("Cache-Control", "no-cache");
  return response;
}

void list_queues(CoreContext& ctx, const Call& call) {
  const auto counts = ctx.services.counts();
  const auto workers = ctx.services.workers();
  JsonWriter w;
  w.begin_object().key("items").begin_array();
  for (const std::string& pool : worker_pools(counts, workers)) {
    write_queue(w, ctx, counts, workers, pool);
  }
  w.end_array().key("next_cursor").null().end_object();
  call.reply.send(no_cache(w));
}

void get_queue(CoreContext& ctx, const Call& call) {
  const auto counts = ctx.services.counts();
  const auto workers = ctx.services.workers();
  const auto pools = worker_pools(counts, workers);
  const std::string pool(call.params["worker_pool"]);
  if (pool != "default" && std::find(pools.begin(), pools.end(), pool) == pools.end()) {
    return Client{call.reply}.fail(Errc::NotFound, "no worker pool of that name");
  }
  JsonWriter w;
  write_queue(w, ctx, counts, workers, pool);
  call.reply.send(no_cache(w));
}

void list_workers(CoreContext& ctx, const Call& call) {
  JsonWriter w;
  w.begin_object().key("items").begin_array();
  for (const eventstore::WorkerStatus& worker : ctx.services.workers()) {
    w.begin_object().member("id", worker.session).member("worker", worker.worker);
    w.key("pools").begin_array();
    for (const std::string& pool : worker.pools) w.value(pool);
    w.end_array().member("version", worker.version).member("slots", worker.slots);
    w.member("busy", worker.busy).member("draining", worker.draining);
    w.member("connected_at", worker.connected_at).end_object();
  }
  w.end_array().key("next_cursor").null().end_object();
  call.reply.send(no_cache(w));
}

void drain_worker(CoreContext& ctx, const Call& call) {
  const std::string worker(call.params["id"]);
  ctx.services.drain_worker({worker, [client = Client{call.reply}, worker](bool found) {
                               if (!found) {
                                 return client.fail(Errc::NotFound, "no such worker is connected");
                               }
                               JsonWriter w;
                               w.begin_object().member("worker", worker).member("draining", true);
                               client.send(Response(202, w.end_object().text()));
                             }});
}

}  // namespace

RouteTable worker_routes(CoreContext& ctx) {
  constexpr Permission kAdmin = allow(Right::Administer);
  return {
      {Method::Get, "/queues", kAdmin, [&ctx](const Call& call) { list_queues(ctx, call); },
       nullptr},
      {Method::Get, "/queues/{worker_pool}", kAdmin,
       [&ctx](const Call& call) { get_queue(ctx, call); }, nullptr},
      {Method::Get, "/workers", kAdmin, [&ctx](const Call& call) { list_workers(ctx, call); },
       nullptr},
      {Method::Post, "/workers/{id}/drain", kAdmin,
       [&ctx](const Call& call) { drain_worker(ctx, call); }, nullptr},
  };
}

}  // namespace slipway::api
