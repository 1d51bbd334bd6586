#pragma once
// The core API, put together: what lies below /core/v1 and at the root of the main listener.
//
//   CoreApi core(services);
//   VmFront vmfront(core.services(), core.authenticator(), core.submitter());
//   core.guard().open(Door::VmFront, vmfront.door());
//   auto router = std::make_shared<Router>(core.guard().guard(), core.guard().head_guard());
//   core.mount(*router);
//   router->mount("/api", vmfront.routes(), VmFront::mount_options());
//   router->mount("/d/vmfront", vmfront.routes(), VmFront::mount_options());
//
// The objects must outlive the router and the server; stop the server first, then the query pool,
// then the sequencer.
#include "api/access_guard.hpp"
#include "api/core_api/context.hpp"

namespace slipway::api {

class CoreApi {
 public:
  explicit CoreApi(ApiServices services);
  CoreApi(const CoreApi&) = delete;
  CoreApi& operator=(const CoreApi&) = delete;

  // Before the server starts. Where the main listener is for everybody, what watches and runs the
  // server (metrics, health, /core/v1/admin, audit) has a router and a listener of its own.
  enum class Part : std::uint8_t { All, Public, Admin };
  void mount(Router& router, Part part = Part::All);

  const ApiServices& services() const { return services_; }
  Authenticator& authenticator() { return authenticator_; }
  AccessGuard& guard() { return guard_; }
  Submitter& submitter() { return submitter_; }
  const TaskWatch& watch() const { return watch_; }

 private:
  RouteTable watch_routes();

  const ApiServices services_;
  Authenticator authenticator_;
  AccessGuard guard_;
  TaskWatch watch_;
  Submitter submitter_;
  CoreContext context_;
};

}  // namespace slipway::api
