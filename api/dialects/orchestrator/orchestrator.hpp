#pragma once
// Dialect 001, "orchestrator": nodes, images and sizes of several named clouds; start and stop;
// whom a VM is given to. Mounted at /d/orchestrator/api/v1 of the main listener, and at /api/v1 of
// a listener of its own.
//
// The last part of a path names the cloud; without it, the configured one is meant. Requests bring
// no identity and act for one tenant of the configuration, unless a token stands in X-Auth-Token or
// in the body's `auth_token`; POST /auth gives one. Errors are an envelope with "status":"error".
//
// It is synchronous: start and stop are answered when their task has ended, or after
// http.max_wait_seconds, which never ends the task.
#include <functional>
#include <vector>

#include "api/access_guard.hpp"
#include "api/dialects/orchestrator/bodies.hpp"
#include "api/dialects/orchestrator/wire.hpp"
#include "api/submit.hpp"

namespace slipway::api {

class Orchestrator {
 public:
  struct Options {
    std::string tenant = "demo";  // for whom a request without a token acts
    std::string default_cloud = "fake_driver";
    bool require_token = false;
    bool release_destroys = false;
  };
  static constexpr std::string_view kListener = "orchestrator";
  static constexpr std::string_view kBase = "/api/v1";

  Orchestrator(const ApiServices& services, Authenticator& authenticator, Submitter& submitter,
               Options options);

  // Adds everything below `prefix`, which is empty for a listener of its own. This object must
  // outlive the router.
  void mount(Router& router, const std::string& prefix);
  // For AccessGuard::open(Door::Orchestrator, ...).
  AccessGuard::DoorKeeper door();

 private:
  using Handler = void (Orchestrator::*)(Call) const;
  using SharedCall = std::shared_ptr<Call>;
  // On the query pool, with the cloud that the path names.
  using OnCloud = std::function<void(const Call&, eventstore::Reader&, orchestrator::Cloud)>;
  struct Node {
    orchestrator::Cloud cloud;
    eventstore::VmRow vm;
    std::string id;
  };
  using OnNode = std::function<void(const Call&, eventstore::Reader&, const Node&)>;

  void identify(const Call& call, const AccessGuard::Enter& enter) const;
  RouteTable routes();
  void on_cloud(Call call, OnCloud run) const;
  // The same with a node of it, which the body names.
  void on_node(Call call, orchestrator::NodeName name, OnNode run) const;
  base::Result<eventstore::VmRow> find_node(eventstore::Reader& reader, const std::string& tenant,
                                            const orchestrator::Cloud& cloud,
                                            const orchestrator::NodeName& name) const;
  // Whose nodes of a cloud the caller sees: a cloud's own ones before his.
  std::vector<std::string> tenants(const Call& call, const orchestrator::Cloud& cloud) const;
  // nullopt: it was answered. The value lives until this thread parses the next.
  std::optional<base::JsonValue> body_of(const Call& call) const;

  // ---- questions ----
  void list_nodes(Call call) const;
  void list_images(Call call) const;
  void list_sizes(Call call) const;
  void list_tenants(Call call) const;
  void list_clouds(Call call) const;
  void list_assignments(Call call) const;
  void test_token(Call call) const;

  // ---- commands ----
  void start(Call call) const;
  void stop(Call call) const;
  void assign(Call call) const;
  void release(Call call) const;
  void log_in(const Call& call) const;
  template <class MakeForm>
  void submit(const Call& call, const std::string& tenant, domain::CommandBody body,
              MakeForm make_form) const;
  void destroy(const Call& call, const Node& node, std::string body) const;

  const ApiServices& services_;
  Authenticator& authenticator_;
  Submitter& submitter_;
  const Options options_;
  const IdentityPtr anybody_;
};

}  // namespace slipway::api
