// Power states. "Already so" is success, whether we see it first or Nova refuses because of it.
#include <fmt/format.h>

#include <utility>

#include "workers/backends/openstack/operations.hpp"

namespace slipway::workers::openstack {

using base::Errc;

namespace {

struct PowerChange {
  std::string_view operation;
  std::string_view action;
  std::string_view to;
};
constexpr PowerChange kPowerChanges[] = {
    {"vm.start", "os-start", "ACTIVE"},     {"vm.stop", "os-stop", "SHUTOFF"},
    {"vm.pause", "pause", "PAUSED"},        {"vm.unpause", "unpause", "ACTIVE"},
    {"vm.suspend", "suspend", "SUSPENDED"}, {"vm.resume", "resume", "ACTIVE"},
};

const PowerChange& change_of(std::string_view operation) {
  for (const PowerChange& change : kPowerChanges) {
    if (change.operation == operation) return change;
  }
  return kPowerChanges[0];
}

// What Nova wants first, or instead: a paused server is neither stopped nor resumed.
bool must_unpause(const PowerChange& change, const Server& server) {
  return server.is("PAUSED") && (change.action == "os-stop" || change.action == "resume");
}

bool boots_from_elsewhere(const Job& job) {
  const auto& guest = job.order().args.guest;
  return job.call.operation == "vm.start" && guest && !guest->boot.empty();
}

}  // namespace

Async<BackendAnswer> change_power(Job& job) {
  const PowerChange& change = change_of(job.call.operation);
  if (boots_from_elsewhere(job)) {
    co_return refused(Errc::BackendRefused, "this cloud boots a server from its own disk only");
  }
  auto server = co_await job.rested_subject();
  if (!server) co_return BackendAnswer::failed(server.error());
  if (server->gone) co_return refused(Errc::NotFound, "the server is not there");
  if (must_unpause(change, *server)) {
    server = co_await job.act(server->id, action_without_arguments("unpause"), "ACTIVE");
    if (!server) co_return BackendAnswer::failed(server.error());
  }
  if (server->is(change.to)) co_return done(*server);
  const std::string id = server->id;
  server = co_await job.act(id, action_without_arguments(change.action), change.to);
  if (server) co_return done(*server);
  const BackendError error = server.error();
  if (error.code == Errc::IllegalTransition) {  // somebody else was quicker
    server = co_await job.read(id);
    if (server && server->at_rest() && server->is(change.to)) co_return done(*server);
  }
  co_return BackendAnswer::failed(error);
}

Async<BackendAnswer> reboot(Job& job) {
  const auto server = co_await job.subject();
  if (!server) co_return BackendAnswer::failed(server.error());
  if (server->gone) co_return refused(Errc::NotFound, "the server is not there");
  const auto after = co_await job.act(
      server->id,
      fmt::format(R"({{"reboot":{{"type":"{}"}}}})", job.order().args.hard ? "HARD" : "SOFT"),
      "ACTIVE");
  if (!after) co_return BackendAnswer::failed(after.error());
  co_return done(*after);
}

}  // namespace slipway::workers::openstack
