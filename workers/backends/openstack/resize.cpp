// Resizes. Nova moves the server to a place of the new size and keeps the old one (VERIFY_RESIZE)
// until it is told to confirm or revert. A cold migration ends in the same state.
#include <fmt/format.h>

#include <utility>

#include "workers/backends/openstack/operations.hpp"

namespace slipway::workers::openstack {

using base::Errc;

namespace {

bool has_size(const Server& server, const domain::Size& size) {
  return server.size.vcpus == size.vcpus && server.size.memory_mb == size.memory_mb &&
         server.size.disk_gb == size.disk_gb;
}

BackendAnswer unfinished_or(const BackendError& error) {
  if (is_unfinished(error)) return not_yet();
  return BackendAnswer::failed(error);
}

Async<Outcome<Server>> end_resize(Job& job, std::string id, std::string_view action) {
  co_return co_await job.act(std::move(id), action_without_arguments(action), "ACTIVE SHUTOFF",
                             "VERIFY_RESIZE");
}

}  // namespace

Async<BackendAnswer> resize(Job& job) {
  const auto& wanted = job.order().args.size;
  if (!wanted) co_return refused(Errc::InvalidArgument, "a resize without a size");
  const auto server = co_await job.rested_subject();
  if (!server) co_return BackendAnswer::failed(server.error());
  if (server->gone) co_return refused(Errc::NotFound, "the server is not there");
  if (has_size(*server, *wanted)) co_return done(*server);  // also when it awaits confirmation
  if (server->is("VERIFY_RESIZE")) {
    co_return refused(Errc::ResourceBusy, "another resize of it is not confirmed");
  }
  const auto flavor = co_await job.cloud.catalog.flavor(*wanted, job.deadline);
  if (!flavor) co_return BackendAnswer::failed(flavor.error());
  const std::string action = fmt::format(R"({{"resize":{{"flavorRef":"{}"}}}})", *flavor);
  const auto after = co_await job.act(server->id, action, "VERIFY_RESIZE ACTIVE SHUTOFF");
  if (!after) co_return unfinished_or(after.error());
  if (has_size(*after, *wanted)) co_return done(*after);
  BackendError error = co_await job.fault(*after);  // back where it was: no room, most likely
  error.detail = "the cloud did not resize it: " + error.detail;
  co_return BackendAnswer::failed(std::move(error));
}

Async<BackendAnswer> confirm_resize(Job& job) {
  const auto server = co_await job.rested_subject();
  if (!server) co_return unfinished_or(server.error());
  if (server->gone) co_return refused(Errc::NotFound, "the server is not there");
  if (server->is("VERIFY_RESIZE")) {
    const auto after = co_await end_resize(job, server->id, "confirmResize");
    if (!after) co_return unfinished_or(after.error());
    co_return done(*after);
  }
  const auto& wanted = job.order().args.size;
  if (wanted && has_size(*server, *wanted)) co_return done(*server);  // confirmed already
  BackendError error = co_await job.fault(*server);
  co_return BackendAnswer::failed(std::move(error));
}

Async<BackendAnswer> revert_resize(Job& job) {
  const auto server = co_await job.rested_subject();
  if (!server) co_return BackendAnswer::failed(server.error());
  if (server->gone) co_return done(job.call.ref);
  if (!server->is("VERIFY_RESIZE")) {
    if (has_size(*server, job.order().spec.size)) co_return done(*server);
    co_return refused(Errc::IllegalTransition, "the resize is confirmed already");
  }
  const auto after = co_await end_resize(job, server->id, "revertResize");
  if (!after) co_return BackendAnswer::failed(after.error());
  co_return done(*after);
}

// Begun, if it is of the new size or on its way there.
Async<BackendAnswer> find_resized(Job& job) {
  const auto server = co_await job.rested_subject();
  if (!server) co_return BackendAnswer::failed(server.error());
  BackendAnswer answer;
  const auto& wanted = job.order().args.size;
  const bool moved =
      wanted && has_size(*server, *wanted) && !has_size(*server, job.order().spec.size);
  if (!server->gone && (server->is("VERIFY_RESIZE") || moved)) {
    answer.found.push_back({server->id, {}});
  }
  co_return answer;
}

}  // namespace slipway::workers::openstack
