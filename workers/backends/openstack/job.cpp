#include "workers/backends/openstack/job.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/base/clock.hpp"
#include "core/base/crypto.hpp"

namespace slipway::workers::openstack {

using base::Errc;

namespace {

constexpr std::string_view kUnfinished = "the cloud is still at work on it";
// Clocks of ours and the cloud's differ by no more, one hopes; an action of the same kind just
// before the step may then be taken for its own.
constexpr base::Duration kClockSkew = std::chrono::seconds(5);

// A word of them.
bool is_one_of(std::string_view status, std::string_view words) {
  while (!words.empty()) {
    const std::size_t space = words.find(' ');
    if (words.substr(0, space) == status) return true;
    words.remove_prefix(space == std::string_view::npos ? words.size() : space + 1);
  }
  return false;
}

}  // namespace

BackendError unfinished() {
  return {.code = Errc::BackendUnavailable, .detail = std::string(kUnfinished), .retryable = true};
}

bool is_unfinished(const BackendError& error) { return error.detail == kUnfinished; }

std::string action_without_arguments(std::string_view name) {
  return fmt::format(R"({{"{}":null}})", name);
}

Async<Reply> Job::request(Service service, std::string method, std::string path, std::string body) {
  openstack::Call out{.service = service,
                      .method = std::move(method),
                      .path = std::move(path),
                      .body = std::move(body),
                      .deadline = deadline};
  return cloud.api.call(std::move(out));
}

Async<Outcome<Server>> Job::read(std::string id) {
  const Reply reply = co_await nova("GET", "/servers/" + id);
  Server server;
  if (reply.ok()) {
    server = parse_server(reply["server"]);
  } else if (reply.is(404)) {
    server.gone = true;
  } else {
    co_return tl::unexpected<BackendError>(*reply.error);
  }
  server.id = std::move(id);
  co_return server;
}

Async<Outcome<Server>> Job::subject() {
  const std::string& ref = call.ref.empty() ? order().vm_ref : call.ref;
  if (!ref.empty()) co_return co_await read(ref);
  const std::string key = vm_key();
  Server gone;
  gone.gone = true;
  if (key.empty()) co_return gone;
  const Reply ports = co_await request(Service::Network, "GET", "/v2.0/ports?name=" + encoded(key));
  if (!ports.ok()) co_return tl::unexpected<BackendError>(*ports.error);
  for (base::JsonArrayIterator it(ports["ports"]); it; ++it) {
    const std::string id(text_of(it.value(), "device_id"));
    if (!id.empty()) co_return co_await read(id);
  }
  co_return gone;
}

Async<Outcome<Server>> Job::rested_subject() {
  auto server = co_await subject();
  if (server && !server->gone && !server->at_rest()) server = co_await at_rest(server->id);
  co_return server;
}

Async<Outcome<Server>> Job::at_rest(std::string id, std::string_view leaves) {
  Poller::Watch watch(cloud.poller, id);
  std::string told;
  while (true) {
    std::optional<Server> seen = co_await watch.next(deadline);
    if (!seen) co_return tl::unexpected<BackendError>(unfinished());
    const bool left = leaves.empty() || !seen->is(leaves);
    if (seen->gone || (seen->at_rest() && left)) co_return std::move(*seen);
    if (progress && told != seen->task_state) {
      told = seen->task_state;
      progress(50, told);
    }
  }
}

Async<Outcome<Server>> Job::act(std::string id, std::string action, std::string_view wanted,
                                std::string_view leaves) {
  Reply reply;
  for (int attempt = 0; attempt < 2; ++attempt) {
    reply = co_await nova("POST", fmt::format("/servers/{}/action", id), action);
    if (!reply.is(409) || attempt == 1) break;
    const auto now = co_await read(id);
    if (!now || now->at_rest()) break;
    const auto rested = co_await at_rest(id);
    if (!rested) break;
  }
  base::wipe(action);
  if (!reply.ok()) co_return tl::unexpected<BackendError>(*reply.error);
  const auto after = co_await at_rest(id, leaves);
  if (!after) co_return tl::unexpected<BackendError>(after.error());
  if (after->gone) {
    co_return tl::unexpected<BackendError>(
        BackendError{.code = Errc::NotFound, .detail = "the server is gone"});
  }
  if (is_one_of(after->status, wanted)) co_return *after;
  BackendError error = co_await fault(*after);
  if (error.backend_request_id.empty()) error.backend_request_id = reply.request_id;
  co_return tl::unexpected<BackendError>(std::move(error));
}

Async<BackendError> Job::fault(Server server) {
  // Nova notes the state first, and what led to it a moment later.
  for (int look = 0; look < 3 && server.fault && server.fault->detail == kNoWords; ++look) {
    Pause pause{cloud.loop, std::chrono::seconds(1)};
    co_await pause;
    const auto again = co_await read(server.id);
    if (again && again->fault) server.fault = again->fault;
  }
  BackendError error{.code = Errc::BackendRefused,
                     .detail = fmt::format("the server is {} after it", server.status)};
  if (server.fault) error = *server.fault;
  const Reply actions =
      co_await nova("GET", fmt::format("/servers/{}/os-instance-actions", server.id));
  for (base::JsonArrayIterator it(actions["instanceActions"]); it; ++it) {
    error.backend_request_id = text_of(it.value(), "request_id");  // the newest comes first
    break;
  }
  co_return error;
}

Async<Outcome<bool>> Job::has_begun(std::string id, std::string_view action) {
  // A step of this lease has no record yet: it cannot have been begun before the call was made.
  base::Time since = base::SystemClock().now() - cloud.options.call_timeout;
  for (const domain::StepRecord& step : order().steps) {
    if (step.step == call.step) since = step.call_deadline - cloud.options.call_timeout;
  }
  const Reply actions = co_await nova("GET", fmt::format("/servers/{}/os-instance-actions", id));
  if (!actions.ok()) co_return tl::unexpected<BackendError>(*actions.error);
  for (base::JsonArrayIterator it(actions["instanceActions"]); it; ++it) {
    if (text_of(it.value(), "action") != action) continue;
    std::string start(text_of(it.value(), "start_time"));  // "2026-11-30T23:08:42.000000", UTC
    const auto at = base::parse_rfc3339(start + "Z");
    if (at && *at >= since - kClockSkew) co_return true;
  }
  co_return false;
}

}  // namespace slipway::workers::openstack
