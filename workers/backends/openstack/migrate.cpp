// Migrations, live and cold. Nova's own record of one (os-migrations) tells how it ended: after a
// live one that failed the server is ACTIVE where it was, as if nothing had been.
#include <fmt/format.h>

#include <utility>

#include <algorithm>
#include "workers/backends/openstack/operations.hpp"

namespace slipway::workers::openstack {

using base::Errc;

namespace {

constexpr std::uint32_t kColdTargetFrom = 56;  // microversion: a cold migration may name its target
constexpr base::Duration kProgressInterval = std::chrono::seconds(2);

struct Migration {
  std::string id;
  std::string status;
  std::string type;
  std::string source;
  std::string target;
  std::optional<base::Time> created;

  bool is_live() const { return type == "live-migration"; }
  bool has_failed() const {
    return status == "failed" || status == "error" || status == "cancelled" || status == "reverted";
  }
  bool is_over() const {
    return has_failed() || status == "completed" || status == "done" || status == "confirmed" ||
           status == "finished";
  }
};

Migration parse_migration(base::JsonValue json) {
  Migration out;
  out.id = std::to_string(number_of(json, "id"));
  out.status = text_of(json, "status");
  out.type = text_of(json, "migration_type");
  out.source = text_of(json, "source_compute");
  out.target = text_of(json, "dest_compute");
  std::string created(text_of(json, "created_at"));
  if (!created.ends_with('Z')) created += 'Z';
  out.created = base::parse_rfc3339(created);
  return out;
}

// The newest; empty id: there never was one.
Async<Outcome<Migration>> newest_migration(Job& job, std::string server) {
  const Reply reply = co_await job.nova("GET", "/os-migrations?instance_uuid=" + server);
  if (!reply.ok()) co_return tl::unexpected<BackendError>(*reply.error);
  Migration newest;
  for (base::JsonArrayIterator it(reply["migrations"]); it; ++it) {
    Migration migration = parse_migration(it.value());
    const bool later =
        !newest.created || (migration.created && *migration.created >= *newest.created);
    if (later) newest = std::move(migration);
  }
  co_return newest;
}

std::string migrate_body(const Job& job, const Server& server, bool live, const std::string& host) {
  base::JsonWriter w;
  w.begin_object().key(live ? "os-migrateLive" : "migrate");
  const bool named = !host.empty() && host != server.host;
  if (live) {
    w.begin_object().key("host");
    named ? w.value(host) : w.null();
    w.member("block_migration", "auto").end_object();
  } else if (named && job.cloud.api.compute_version() >= kColdTargetFrom) {
    w.begin_object().member("host", host).end_object();
  } else {
    w.null();
  }
  return w.end_object().text();
}

BackendError migration_failed(const Migration& migration) {
  return {.code = Errc::BackendRefused,
          .detail = fmt::format("the migration from {} to {} is {}", migration.source,
                                migration.target.empty() ? "another host" : migration.target,
                                migration.status)};
}

// Of a live migration under way; needs an administrator's rights, and is passed over without.
Async<void> tell_progress(Job& job, std::string server) {
  const Reply reply = co_await job.nova("GET", fmt::format("/servers/{}/migrations", server));
  for (base::JsonArrayIterator it(reply["migrations"]); it; ++it) {
    const base::JsonValue json = it.value();
    const std::uint64_t total =
        number_of(json, "memory_total_bytes") + number_of(json, "disk_total_bytes");
    const std::uint64_t done_bytes =
        number_of(json, "memory_processed_bytes") + number_of(json, "disk_processed_bytes");
    // Memory that changes is sent again: more than all of it may be processed before the end.
    const std::uint64_t percent =
        total == 0 ? 0 : std::min<std::uint64_t>(done_bytes * 100 / total, 99);
    if (job.progress) {
      job.progress(static_cast<std::uint32_t>(percent), std::string(text_of(json, "status")));
    }
  }
}

// Until no task is in hand, with progress on the way.
Async<Outcome<Server>> migrated(Job& job, std::string id) {
  Poller::Watch watch(job.cloud.poller, id);
  base::SteadyTime told{};
  while (true) {
    auto seen = co_await watch.next(job.deadline);
    if (!seen) co_return co_await job.at_rest(id);  // says that it is unfinished
    if (seen->gone || seen->at_rest()) co_return std::move(*seen);
    if (seen->task_state == "migrating" && steady_now() - told > kProgressInterval) {
      told = steady_now();
      co_await tell_progress(job, id);
    }
  }
}

}  // namespace

Async<BackendAnswer> migrate(Job& job) {
  auto server = co_await job.rested_subject();
  if (!server) co_return BackendAnswer::failed(server.error());
  if (server->gone) co_return refused(Errc::NotFound, "the server is not there");
  const std::string& host = job.order().args.host;
  if (!host.empty() && server->host_is_name && server->host == host) {
    BackendAnswer answer = done(*server);
    answer.settled = !server->is("VERIFY_RESIZE");
    co_return answer;
  }
  if (server->is("VERIFY_RESIZE")) {
    co_return refused(Errc::ResourceBusy, "a resize or a migration of it is not confirmed");
  }
  const bool live = job.order().args.live && (server->is("ACTIVE") || server->is("PAUSED"));
  const Reply reply = co_await job.nova("POST", fmt::format("/servers/{}/action", server->id),
                                        migrate_body(job, *server, live, host));
  if (!reply.ok()) co_return BackendAnswer::failed(*reply.error);
  co_return done(server->id);
}

Async<BackendAnswer> await_migrated(Job& job) {
  const std::string id = job.call.ref;
  if (id.empty()) co_return refused(Errc::NotFound, "it is not known which server");
  auto server = co_await migrated(job, id);
  if (!server && is_unfinished(server.error())) co_return not_yet();
  if (!server) co_return BackendAnswer::failed(server.error());
  if (server->gone) {
    co_return BackendAnswer::failed({.code = Errc::NotFound, .detail = "the server is gone"});
  }
  if (server->is("ERROR")) {
    BackendError error = co_await job.fault(*server);
    co_return BackendAnswer::failed(std::move(error));
  }
  if (server->is("VERIFY_RESIZE")) {  // a cold one: it has moved, and the old place goes now
    server = co_await job.act(id, action_without_arguments("confirmResize"), "ACTIVE SHUTOFF",
                              "VERIFY_RESIZE");
    if (!server) co_return BackendAnswer::failed(server.error());
    co_return done(*server);
  }
  const auto record = co_await newest_migration(job, id);
  if (!record) co_return BackendAnswer::failed(record.error());
  if (record->has_failed()) co_return BackendAnswer::failed(migration_failed(*record));
  if (!record->id.empty() && !record->is_over()) co_return not_yet();
  co_return done(*server);
}

namespace {

// Back to where it came from; of one that is over and done.
Async<BackendAnswer> migrate_back(Job& job, Server server, Migration record) {
  if (record.source.empty() || server.host == record.source) co_return done(server);
  const bool live = server.is("ACTIVE") || server.is("PAUSED");
  if (!live) {
    co_return BackendAnswer::failed(
        {.code = Errc::BackendRefused, .detail = "the migration is confirmed already"});
  }
  const Reply reply = co_await job.nova("POST", fmt::format("/servers/{}/action", server.id),
                                        migrate_body(job, server, true, record.source));
  if (!reply.ok()) co_return BackendAnswer::failed(*reply.error);
  const auto after = co_await job.at_rest(server.id);
  if (!after) co_return BackendAnswer::failed(after.error());
  if (after->host != record.source) {
    co_return BackendAnswer::failed(
        {.code = Errc::BackendRefused, .detail = "it could not be moved back to " + record.source});
  }
  co_return done(*after);
}

Async<Outcome<bool>> begun_by_this_step(Job& job, std::string server, Migration record) {
  const auto begun = co_await job.has_begun(
      server, record.is_live() ? std::string_view("live-migration") : "migrate");
  co_return begun;
}

}  // namespace

Async<BackendAnswer> abort_migration(Job& job) {
  const auto server = co_await job.subject();
  if (!server) co_return BackendAnswer::failed(server.error());
  if (server->gone) co_return done(job.call.ref);
  if (server->is("VERIFY_RESIZE")) {
    const auto after = co_await job.act(server->id, action_without_arguments("revertResize"),
                                        "ACTIVE SHUTOFF", "VERIFY_RESIZE");
    if (!after) co_return BackendAnswer::failed(after.error());
    co_return done(*after);
  }
  auto record = co_await newest_migration(job, server->id);
  if (!record) co_return BackendAnswer::failed(record.error());
  if (record->is_live() && !record->is_over()) {
    const Reply reply = co_await job.nova(
        "DELETE", fmt::format("/servers/{}/migrations/{}", server->id, record->id));
    // Too early or too late to be aborted (400, 404, 409): how it ended tells.
    if (!reply.ok() && reply.status != 400 && !reply.is(404) && !reply.is(409)) {
      co_return BackendAnswer::failed(*reply.error);
    }
  }
  const auto rested = co_await job.at_rest(server->id);
  if (!rested) co_return BackendAnswer::failed(rested.error());
  if (rested->gone) co_return done(job.call.ref);
  record = co_await newest_migration(job, server->id);
  if (!record) co_return BackendAnswer::failed(record.error());
  if (record->id.empty() || record->has_failed()) co_return done(*rested);
  const auto ours = co_await begun_by_this_step(job, server->id, *record);
  if (!ours) co_return BackendAnswer::failed(ours.error());
  if (!*ours) co_return done(*rested);
  co_return co_await migrate_back(job, *rested, *record);
}

// Begun, if it is there or on its way, and the cloud's record of it is not older than the step.
Async<BackendAnswer> find_migrated(Job& job) {
  const auto server = co_await job.subject();
  if (!server) co_return BackendAnswer::failed(server.error());
  BackendAnswer answer;
  if (server->gone) co_return answer;
  auto begun = co_await job.has_begun(server->id, "live-migration");
  if (begun && !*begun) begun = co_await job.has_begun(server->id, "migrate");
  if (!begun) co_return BackendAnswer::failed(begun.error());
  if (*begun) answer.found.push_back({server->id, {}});
  co_return answer;
}

}  // namespace slipway::workers::openstack
