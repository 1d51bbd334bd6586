// What runs the server itself: rebuild, backup, the log's hash chain.
#include <algorithm>

#include "api/core_api/context.hpp"
#include "api/core_api/list_query.hpp"

namespace slipway::api {
namespace {

using base::Errc;
using base::JsonWriter;

// One file holds them all, so whichever is named, all are built anew.
constexpr std::array<std::string_view, 7> kProjections = {
    "all", "vms", "tasks", "catalog", "people", "stats_hourly", "stats_live"};

void rebuild(CoreContext& ctx, const Call& call) {
  const Client client{call.reply};
  const std::string_view name = call.params["name"];
  if (std::find(kProjections.begin(), kProjections.end(), name) == kProjections.end()) {
    return client.fail(Errc::NotFound, "no projection of that name; try 'all'");
  }
  if (!ctx.services.rebuild_projections || !ctx.services.rebuild_projections()) {
    return client.fail(Errc::ResourceBusy, "a rebuild is under way");
  }
  JsonWriter w;
  w.begin_object().member("projection", name).member("state", "rebuilding");
  client.send(Response(202, w.end_object().text()));
}

void backup(CoreContext& ctx, const Call& call) {
  const Client client{call.reply};
  if (!ctx.services.backup) {
    return client.fail(Errc::UnprocessableArgument, "backups are not configured");
  }
  ctx.services.queries.ask(client, [&ctx, client](auto&) {
    const auto where = ctx.services.backup();
    if (!where) return client.fail(where.error());
    JsonWriter w;
    w.begin_object().member("backup", *where).member("state", "started");
    client.send(Response(202, w.end_object().text()));
  });
}

// The records of a range of seq, each with the hash that chains it to all before it: whoever keeps
// one of them can tell later whether history was changed.
void proof(CoreContext& ctx, Call call) {
  const SharedCall shared = share(std::move(call));
  const Client client{shared->reply};
  ctx.services.queries.ask(client, [&ctx, shared, client](auto&) {
    constexpr std::size_t kMaxRecords = 1000;
    QueryReader query(shared->request);
    const domain::Seq from = query.number("from", 1, ~0ULL >> 1U).value_or(1);
    const domain::Seq to = query.number("to", 1, ~0ULL >> 1U).value_or(~0ULL >> 1U);
    if (auto status = query.finish(); !status) return client.fail(status.error());
    auto cursor = ctx.services.log.read(from);
    if (!cursor) return client.fail(cursor.error());
    JsonWriter w;
    w.begin_object().member("algorithm", "blake2b-256").key("items").begin_array();
    domain::Seq next = from;
    for (std::size_t n = 0; n < kMaxRecords; ++n) {
      eventstore::Record record;
      const auto more = (*cursor)->next(record);
      if (!more) return client.fail(more.error());
      if (!*more || record.seq > to) break;
      w.begin_object().member("seq", record.seq).member("events", record.event_count);
      w.member("hash", base::hex(record.hash)).end_object();
      next = record.next_seq();
    }
    client.send(Response(200, w.end_array().member("next_seq", next).end_object().text()));
  });
}

}  // namespace

RouteTable admin_routes(CoreContext& ctx) {
  constexpr Permission kAdmin = allow(Right::Administer);
  return {
      {Method::Post, "/admin/projections/{name}/rebuild", kAdmin,
       [&ctx](const Call& call) { rebuild(ctx, call); }, nullptr},
      {Method::Post, "/admin/backup", kAdmin, [&ctx](const Call& call) { backup(ctx, call); },
       nullptr},
      {Method::Get, "/audit/proof", kAdmin, [&ctx](Call call) { proof(ctx, std::move(call)); },
       nullptr},
  };
}

}  // namespace slipway::api
