#pragma once
// The server: the engine, the API over it, and the HTTP listeners. Members stand in the order of
// dependency.
#include <memory>
#include <string>

#include "api/commit_clock.hpp"
#include "api/core_api/core_api.hpp"
#include "api/edge/server.hpp"
#include "api/event_feed.hpp"
#include "api/query_pool.hpp"
#include "app/dialects.hpp"
#include "app/engine.hpp"
#include "core/base/live.hpp"
#include "metrics/health.hpp"

namespace slipway::app {

class Service {
 public:
  // Opens everything and starts it: when this returns the service answers. `still_starting` is told
  // now and then while a long log is replayed.
  static base::Result<std::unique_ptr<Service>> start(
      const Config& config, const Engine::StillStarting& still_starting = {});
  ~Service();

  // Takes over what may change while it runs (Reload::Live in app/config_table.cpp), all or
  // nothing: after an Error everything is as it was. One thread at a time.
  base::Status reload(const Config& fresh);
  // Outcome of a reload that did not come so far.
  void note_bad_reload();

  // "127.0.0.1:8081" of the main listener, with the port in numbers.
  std::string address() const { return address_; }
  // Of the listener for metrics, health and admin routes; empty where the main one has them.
  std::string admin_address() const { return admin_address_; }
  // Whether the loops turn. May be asked until the program ends.
  std::shared_ptr<const metrics::Health> health() const { return health_; }
  // Not ready any more, answers what is under way, hands back what workers hold, stops.
  void drain();

 private:
  explicit Service(const Config& config);
  base::Status open(const Engine::StillStarting& still_starting);
  base::Status initialize();
  // A command that the server gives itself; durable when this returns.
  base::Status give(domain::Command command, std::vector<eventstore::LogBatch::Put> secrets = {});
  base::Status listen();
  base::Status open_server();
  std::shared_ptr<api::Router> make_router(api::CoreApi::Part part);
  bool demo(const Config& config) const;
  base::Result<base::Secret> admin_token(const Config& config) const;
  void apply_live(const Config& config);
  api::ApiServices api_services();
  api::ApiOptions api_options() const;
  std::vector<api::ReadyCheck> ready() const;
  std::string scrape();
  base::Result<std::string> start_backup();
  void show_edge(const api::EdgeCounters& counters);
  void show_queues(const eventstore::LiveCounts& counts);

  const Config config_;  // as at the start
  base::Live<base::Duration> max_lag_;
  metrics::Instruments instruments_;
  const std::shared_ptr<metrics::Health> health_;  // shared: the watchdog asks until the end
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<TaskTimings> timings_;
  std::unique_ptr<api::CommitClock> commit_clock_;
  std::unique_ptr<api::QueryPool> queries_;
  std::unique_ptr<api::EventFeed> feed_;
  std::unique_ptr<api::CoreApi> core_api_;
  std::unique_ptr<Dialects> dialects_;
  std::unique_ptr<api::Server> server_;
  std::string address_;
  std::string admin_address_;
  std::jthread backup_;
  std::atomic<bool> backing_up_{false};
  std::atomic<bool> draining_{false};
  bool drained_ = false;
};

}  // namespace slipway::app
