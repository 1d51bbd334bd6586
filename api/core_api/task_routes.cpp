// /core/v1/tasks: one task (polled or waited for), lists, a batch's items, cancel and retry.
#include <fmt/format.h>

#include "api/core_api/bulk.hpp"
#include "api/core_api/list_query.hpp"
#include "api/core_api/send_command.hpp"
#include "api/task_body.hpp"

namespace slipway::api {
namespace {

using base::Errc;
using domain::CommandKind;
using eventstore::TaskRowPtr;

void answer_task(CoreContext& ctx, const Call& call, const domain::TaskId& id,
                 const TaskRowPtr& row, bool preferred, base::Duration waited) {
  const Client client{call.reply};
  if (row == nullptr) return client.fail(Errc::NotFound, "no task " + base::to_string(id));
  const bool unchanged = none_match_has(call.request, row->version);
  Response response(unchanged ? 304 : row->terminal() ? 200 : 202);
  response.add("ETag", etag(row->version)).add("Cache-Control", "no-cache");
  response.add("X-Task-Id", base::to_string(id));
  response.add("Slipway-Seq", fmt::to_string(std::max(row->seq, ctx.services.projected_seq())));
  if (preferred) {
    response.add("Preference-Applied", fmt::format("wait={}", waited.count() / 1'000'000));
  }
  if (row->terminal()) {
    ctx.submitter.times().observe(*row);
  } else {
    response.add("Location", "/core/v1/tasks/" + base::to_string(id));
    response.add("Retry-After", fmt::to_string(ctx.submitter.times().retry_after(row->command)));
  }
  if (!unchanged) response.body = task_body(*row, &ctx.services.progress);
  client.send(std::move(response));
}

void get_task(CoreContext& ctx, Call call) {
  const Client client{call.reply};
  const auto found = path_id(call, "id", "task");
  if (!found) return client.fail(found.error());
  QueryReader query(call.request);
  query.one("wait");
  if (query.one("as_of")) query.wrong("as_of", "not served yet: read the task's events instead");
  if (auto status = query.finish(); !status) return client.fail(status.error());
  const auto wait = read_wait(call.request, ctx.services.options);
  if (!wait) return client.fail(wait.error());
  std::uint64_t since = TaskWatch::kUntilTerminal;
  if (const auto text = call.request.find_header("if-none-match")) {
    const auto version = parse_if_match(*text);
    if (version && *version) since = **version;
  }
  const domain::TaskId id(*found);
  const auto scope = identity_of(call).scope();
  const bool gated = call.request.find_header("slipway-min-seq").has_value();
  const SharedCall shared = share(std::move(call));
  const auto go = [&ctx, shared, client, id, scope, since, wait = *wait] {
    ctx.watch.wait(client, scope, id, since, wait.time,
                   [&ctx, shared, id, wait](const TaskRowPtr& row) {
                     answer_task(ctx, *shared, id, row, wait.preferred, wait.time);
                   });
  };
  if (gated) {
    read_when_current(ctx.services, shared->request, client, go);
  } else {
    go();
  }
}

void list_tasks(CoreContext& ctx, Call call) {
  const SharedCall shared = share(std::move(call));
  query_when_current(ctx, shared, [&ctx, shared](eventstore::Reader& reader) {
    const Client client{shared->reply};
    const base::Key& key = ctx.services.options.signing_key;
    QueryReader query(shared->request);
    const ListQuery list = read_list_query(query, "tasks", key, true);
    const eventstore::TaskFilter filter = read_task_filter(query);
    if (auto status = query.finish(); !status) return client.fail(status.error());
    const auto page = reader.list_tasks(identity_of(*shared).scope(), filter, list.page);
    if (!page) return client.fail(page.error());
    client.send(list_response(shared->request, list, *page, key, [&](auto& w, const auto& row) {
      write_task(w, row, &ctx.services.progress);
    }));
  });
}

void list_items(CoreContext& ctx, Call call) {
  const auto id = path_id(call, "id", "task");
  if (!id) return Client{call.reply}.fail(id.error());
  const SharedCall shared = share(std::move(call));
  query_when_current(ctx, shared, [&ctx, shared, id = domain::TaskId(*id)](auto& reader) {
    const Client client{shared->reply};
    const base::Key& key = ctx.services.options.signing_key;
    QueryReader query(shared->request);
    ListQuery list = read_list_query(query, "items-" + base::to_string(id), key, false);
    if (auto status = query.finish(); !status) return client.fail(status.error());
    const auto scope = identity_of(*shared).scope();
    const auto batch = reader.get_task(scope, id);
    if (!batch) return client.fail(batch.error());
    if (!batch->value) return client.fail(Errc::NotFound, "no task " + base::to_string(id));
    const auto page = reader.batch_items(scope, id, list.page);
    if (!page) return client.fail(page.error());
    client.send(list_response(shared->request, list, *page, key, [&](auto& w, const auto& row) {
      write_task(w, row, &ctx.services.progress);
    }));
  });
}

void on_task(CoreContext& ctx, Call call, CommandKind kind) {
  const Client client{call.reply};
  const auto id = path_id(call, "id", "task");
  if (!id) return client.fail(id.error());
  const auto body = json_body(ctx.services, call.request);
  if (!body) return client.fail(body.error());
  auto parsed = parse_arguments(kind, *body, *id);
  if (!parsed) return client.fail(parsed.error());
  send_command(ctx, std::move(call), std::move(*parsed), true);
}

}  // namespace

RouteTable task_routes(CoreContext& ctx) {
  static constexpr Permission kView = allow(Right::View);
  static constexpr Permission kOperate = allow(Right::Operate);
  const auto one = [&ctx](CommandKind kind) {
    return [&ctx, kind](Call call) { on_task(ctx, std::move(call), kind); };
  };
  return {
      {Method::Get, "/tasks", kView, [&ctx](Call call) { list_tasks(ctx, std::move(call)); },
       nullptr},
      {Method::Get, "/tasks/{id}", kView, [&ctx](Call call) { get_task(ctx, std::move(call)); },
       nullptr},
      {Method::Get, "/tasks/{id}/items", kView,
       [&ctx](Call call) { list_items(ctx, std::move(call)); }, nullptr},
      {Method::Post, "/tasks/{id}/cancel", kOperate, one(CommandKind::TaskCancel), nullptr},
      {Method::Post, "/tasks/{id}/retry", kOperate, one(CommandKind::TaskRedrive), nullptr},
      {Method::Post, "/tasks/{id}/priority", kOperate, one(CommandKind::TaskSetPriority), nullptr},
      {Method::Post, "/tasks/cancel", kOperate,
       [&ctx](Call call) {
         cancel_or_retry_many(ctx, std::move(call), CommandKind::BatchTaskCancel);
       },
       nullptr},
      {Method::Post, "/tasks/retry", kOperate,
       [&ctx](Call call) {
         cancel_or_retry_many(ctx, std::move(call), CommandKind::BatchTaskRedrive);
       },
       nullptr},
  };
}

}  // namespace slipway::api
