#pragma once
// What the handlers of the core API share, and the small things that each of them does.
#include <optional>

#include "api/authenticator.hpp"
#include "api/read_gate.hpp"
#include "api/submit.hpp"
#include "core/base/json_read.hpp"

namespace slipway::api {

struct CoreContext {
  const ApiServices& services;
  Authenticator& authenticator;
  Submitter& submitter;
  const TaskWatch& watch;
};

// A handler that may answer on another thread keeps its call in one of these.
using SharedCall = std::shared_ptr<Call>;
inline SharedCall share(Call call) { return std::make_shared<Call>(std::move(call)); }

// The body as JSON; nullopt if it is empty. Errors: MalformedJson, UnsupportedMediaType. The value
// lives until this thread parses the next.
base::Result<std::optional<base::JsonValue>> json_body(const ApiServices& services,
                                                       const Request& request);

// The id in a path; a malformed one is NotFound, as is one that nobody has.
base::Result<base::Uuid> path_id(const Call& call, std::string_view name, std::string_view what);

// If-None-Match names this version.
bool none_match_has(const Request& request, std::uint64_t version);
std::string etag(std::uint64_t version);

// ?wait= or Prefer: wait, cut to the configured maximum; `preferred` if it was the header.
struct Wait {
  base::Duration time{};
  bool preferred = false;
};
base::Result<Wait> read_wait(const Request& request, const ApiOptions& options);

// Runs `query` on the pool once the read models are new enough.
void query_when_current(const CoreContext& ctx, const SharedCall& call,
                        std::function<void(eventstore::Reader&)> query);

// The tables of each file of this folder.
RouteTable command_routes(CoreContext& ctx);
RouteTable vm_routes(CoreContext& ctx);
RouteTable task_routes(CoreContext& ctx);
RouteTable event_routes(CoreContext& ctx);
RouteTable catalog_routes(CoreContext& ctx);
RouteTable stats_routes(CoreContext& ctx);
RouteTable worker_routes(CoreContext& ctx);
RouteTable people_routes(CoreContext& ctx);
RouteTable admin_routes(CoreContext& ctx);

}  // namespace slipway::api
