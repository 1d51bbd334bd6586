#pragma once
// The server: the engine, the API over it, and the HTTP listeners. Members stand in the order of
// dependency.
#include <memory>
#include <string>

#include "api/commit_clock.hpp"
#include "api/core_api/core_api.hpp"
#include "api/dialects/nano/nano.hpp"
#include "api/dialects/vmfront/vmfront.hpp"
#include "api/edge/server.hpp"
#include "api/event_feed.hpp"
#include "api/images/image_files.hpp"
#include "api/query_pool.hpp"
#include "app/engine.hpp"

namespace slipway::app {

class Service {
 public:
  // Opens everything and starts it: when this returns the service answers.
  static base::Result<std::unique_ptr<Service>> start(const Config& config);
  ~Service();

  // "127.0.0.1:8081" of the main listener, with the port in numbers.
  std::string address() const;
  // Not ready any more, answers what is under way, hands back what workers hold, stops.
  void drain();

 private:
  explicit Service(const Config& config);
  base::Status open();
  base::Status initialize();
  base::Status listen();
  base::Result<std::shared_ptr<api::Router>> main_router();
  // A dialect's own listener. A default port that is taken is said and passed over.
  struct OwnListener {
    std::string_view name;  // in server.listeners
    const std::string& address;
    std::string_view default_address;
    std::function<void(api::Router&)> mount;
  };
  base::Status listen(const OwnListener& own);
  base::Result<std::unique_ptr<api::Nano>> make_nano();
  api::ApiServices api_services();
  api::ApiOptions api_options() const;
  std::vector<api::ReadyCheck> ready() const;
  std::string scrape();
  base::Result<std::string> start_backup();
  void show_edge(const api::EdgeCounters& counters);

  const Config& config_;
  metrics::Instruments instruments_;
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<TaskTimings> timings_;
  std::unique_ptr<api::CommitClock> commit_clock_;
  std::unique_ptr<api::QueryPool> queries_;
  std::unique_ptr<api::EventFeed> feed_;
  std::unique_ptr<api::CoreApi> core_api_;
  std::unique_ptr<api::VmFront> vmfront_;
  std::unique_ptr<api::Nano> nano_;
  std::unique_ptr<api::ImageFiles> images_;  // its thread answers for nano_, so it goes first
  std::unique_ptr<api::Server> server_;
  std::string address_;
  std::jthread backup_;
  std::atomic<bool> backing_up_{false};
  std::atomic<bool> draining_{false};
  bool drained_ = false;
};

}  // namespace slipway::app
