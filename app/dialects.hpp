#pragma once
// The dialects over the core API: what each needs beside it, where each is mounted, and the
// listener of its own that its old clients know. Members stand in the order of dependency.
#include <functional>
#include <memory>
#include <string>

#include "api/core_api/core_api.hpp"
#include "api/dialects/nano/nano.hpp"
#include "api/dialects/orchestrator/orchestrator.hpp"
#include "api/dialects/perspective/perspective.hpp"
#include "api/dialects/reservation/reservation.hpp"
#include "api/dialects/vmfront/vmfront.hpp"
#include "api/edge/server.hpp"
#include "api/images/image_files.hpp"
#include "app/config.hpp"
#include "app/engine.hpp"

namespace slipway::app {

class Dialects {
 public:
  // Opens the dialects' doors in the core API's guard. All three must outlive this object. Fails on
  // a file of keys that cannot be read, and on a directory of images that cannot be made.
  static base::Result<std::unique_ptr<Dialects>> open(const Config& config, Engine& engine,
                                                      api::CoreApi& core);

  // The keys of a reload that are the dialects'.
  void reload(const Config& fresh);

  // Below /d/<name>, and /api for the one that lives on the main listener.
  void mount(api::Router& router);
  // The dialects' own listeners, where the configuration wants them. A default address that is
  // taken is a warning: the prefix on the main listener serves.
  using NewRouter = std::function<std::shared_ptr<api::Router>()>;
  base::Status listen(api::Server& server, const NewRouter& new_router);
  // Before the edge drains: no stream holds it up.
  void close_streams() { mail_.stop(); }
  // After it, once: ends the statements under way.
  void stop();
  void show(metrics::Instruments& instruments) const;

 private:
  Dialects(const Config& config, Engine& engine, api::CoreApi& core,
           std::unique_ptr<api::ImageFiles> images, api::nano::Options nano);
  base::Status listen(api::Server& server, std::string_view name, const std::string& address,
                      const std::string& standard, std::shared_ptr<api::Router> router) const;

  const Config& config_;
  Engine& engine_;
  api::CoreApi& core_;
  api::VmFront vmfront_;
  api::SqlPool sql_;
  api::perspective::Mail mail_;
  api::Perspective perspective_;
  api::Reservation reservation_;
  api::Nano nano_;
  std::unique_ptr<api::ImageFiles> images_;  // its thread answers for nano_, so it goes first
  api::Orchestrator orchestrator_;
};

}  // namespace slipway::app
