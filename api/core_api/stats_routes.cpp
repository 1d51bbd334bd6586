// GET /core/v1/stats/{series}: exact numbers by hour or day.
#include "api/core_api/context.hpp"
#include "api/core_api/list_query.hpp"

namespace slipway::api {
namespace {

using base::Errc;
using eventstore::SeriesGroup;
using eventstore::SeriesStep;

SeriesStep read_step(QueryReader& query) {
  const auto step = query.one("step");
  if (!step || *step == "1h") return SeriesStep::Hour;
  if (*step != "1d") query.wrong("step", "must be 1h or 1d");
  return SeriesStep::Day;
}

SeriesGroup read_group(QueryReader& query) {
  const auto group = query.one("group_by");
  if (!group) return SeriesGroup::None;
  if (*group == "tenant") return SeriesGroup::Tenant;
  if (*group == "command") return SeriesGroup::Command;
  if (*group == "outcome") return SeriesGroup::Outcome;
  query.wrong("group_by", "must be tenant, command or outcome");
  return SeriesGroup::None;
}

base::Result<eventstore::SeriesQuery> read_series_query(const Call& call, base::Time now) {
  const std::string_view name = call.params["series"];
  const auto series = base::enum_from_name<eventstore::Series>(name);
  if (!series) {
    return base::fail(Errc::NotFound, "no series '" + std::string(name.substr(0, 64)) + "'");
  }
  QueryReader query(call.request);
  eventstore::SeriesQuery out;
  out.series = *series;
  out.now = now;
  out.step = read_step(query);
  out.group_by = read_group(query);
  const bool by_hour = out.step == SeriesStep::Hour;
  const base::Duration span = by_hour ? std::chrono::hours(24) : std::chrono::hours(24 * 30);
  out.to = query.time("to").value_or(now);
  out.from = query.time("from").value_or(out.to - span);
  out.zone = std::string(query.one("tz").value_or(""));
  if (auto status = query.finish(); !status) return base::fail(status.error());
  return out;
}

void get_series(CoreContext& ctx, Call call) {
  const SharedCall shared = share(std::move(call));
  query_when_current(ctx, shared, [&ctx, shared](eventstore::Reader& reader) {
    const Client client{shared->reply};
    const auto query = read_series_query(*shared, ctx.services.clock.now());
    if (!query) return client.fail(query.error());
    const auto points = reader.series(identity_of(*shared).scope(), *query);
    if (!points) return client.fail(points.error());
    base::JsonWriter w;
    w.begin_object().member("series", base::enum_name(query->series));
    w.member("step", query->step == SeriesStep::Hour ? "1h" : "1d");
    w.member("tz", query->zone.empty() ? "UTC" : query->zone);
    w.member("from", query->from).member("to", query->to).key("items").begin_array();
    for (const eventstore::SeriesPoint& point : points->value) {
      w.begin_object().member("start", point.start);
      if (query->group_by != SeriesGroup::None) w.member("group", point.group);
      w.member("value", point.value).end_object();
    }
    Response response(200, w.end_array().end_object().text());
    response.add("Slipway-Seq", std::to_string(points->seq)).add("Cache-Control", "no-cache");
    client.send(std::move(response));
  });
}

}  // namespace

RouteTable stats_routes(CoreContext& ctx) {
  return {{Method::Get, "/stats/{series}", allow(Right::View),
           [&ctx](Call call) { get_series(ctx, std::move(call)); }, nullptr}};
}

}  // namespace slipway::api
