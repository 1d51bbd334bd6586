#include "api/core_api/bulk.hpp"

#include <fmt/format.h>

#include "api/core_api/send_command.hpp"

namespace slipway::api {
namespace {

using base::Errc;
using base::fail;
using base::JsonValue;
using domain::CommandKind;
using domain::TaskState;

struct Bulk {
  CommandKind kind = CommandKind::BatchTaskCancel;
  eventstore::TaskFilter filter;
  std::optional<std::uint64_t> expected;
  bool dry_run = false;
};

// A name or a list of names.
template <base::NamedEnum E>
std::vector<E> names(FieldReader& f, std::string_view name) {
  std::vector<E> out;
  const auto value = f.member(name);
  if (!value) return out;
  const auto add = [&](const JsonValue& item) {
    const auto text = item.string();
    const auto found = text ? base::enum_from_name<E>(*text) : std::nullopt;
    if (found) {
      out.push_back(*found);
    } else {
      f.errors().add(f.pointer(name), "unknown-value", "not one of the known names");
    }
  };
  if (!value->is_array()) {
    add(*value);
    return out;
  }
  for (base::JsonArrayIterator it(*value); it; ++it) add(it.value());
  return out;
}

eventstore::TaskFilter read_filter(FieldReader& f) {
  eventstore::TaskFilter filter;
  filter.states = names<TaskState>(f, "state");
  filter.commands = names<CommandKind>(f, "command");
  filter.dialects = names<domain::Dialect>(f, "dialect");
  filter.resource = f.id("resource");
  if (const auto batch = f.id("batch")) filter.batch = domain::TaskId(*batch);
  filter.created_after = f.time("created_after");
  filter.created_before = f.time("created_before");
  filter.labels = f.labels("labels");
  f.finish();
  return filter;
}

// What the command can have an effect on, unless the filter says it itself.
std::vector<TaskState> default_states(CommandKind kind) {
  using enum TaskState;
  if (kind == CommandKind::BatchTaskCancel) return {Accepted, Blocked, Ready, Running, RetryWait};
  return {Failed, Cancelled, TimedOut, Dead};
}

base::Result<Bulk> parse_bulk(const ApiServices& services, const Request& request,
                              CommandKind kind) {
  const auto body = json_body(services, request);
  if (!body) return fail(body.error());
  FieldErrors errors;
  FieldReader f(*body, "", errors);
  Bulk bulk;
  bulk.kind = kind;
  const auto filter = f.member("filter");
  if (!filter) f.require("filter");
  bulk.expected = f.number("expected_total", 0, 1'000'000'000);
  bulk.dry_run = f.flag("dry_run");
  f.finish();
  FieldReader inner(filter, "/filter", errors);
  bulk.filter = read_filter(inner);
  if (!errors.empty()) return fail(errors.error());
  if (bulk.filter.states.empty()) bulk.filter.states = default_states(kind);
  return bulk;
}

base::Status check_expected(const Bulk& bulk, std::uint64_t total) {
  if (!bulk.expected) return {};
  const std::uint64_t difference =
      total > *bulk.expected ? total - *bulk.expected : *bulk.expected - total;
  if (difference * 10 <= *bulk.expected) return {};
  return fail(Errc::MatchChanged,
              fmt::format("the filter matches {} tasks, not about {}", total, *bulk.expected));
}

void show_match(const Client& client, const std::vector<domain::TaskId>& ids, std::uint64_t total) {
  base::JsonWriter w;
  w.begin_object().member("dry_run", true).member("total", total).key("tasks").begin_array();
  for (std::size_t i = 0; i < ids.size() && i < 50; ++i) w.value(ids[i]);
  client.send(Response(200, w.end_array().end_object().text()));
}

base::Result<domain::OpenBatch> open_batch(eventstore::Reader& reader,
                                           const eventstore::Scope& scope, CommandKind kind,
                                           const std::vector<domain::TaskId>& ids) {
  domain::OpenBatch batch;
  batch.kind = kind;
  batch.lenient = true;
  for (const domain::TaskId& id : ids) {
    if (kind == CommandKind::BatchTaskCancel) {
      domain::BatchItem& item = batch.items.emplace_back();
      item.task = domain::TaskId(new_id());
      item.body.emplace<domain::CancelTask>(domain::CancelTask{id});
      continue;
    }
    const auto row = reader.get_task(scope, id);
    if (!row) return fail(row.error());
    if (!row->value) continue;
    auto redrive = redrive_of(reader, scope, *row->value);
    if (!redrive) continue;
    domain::BatchItem& item = batch.items.emplace_back();
    item.task = domain::TaskId(new_id());
    item.body.emplace<domain::RedriveTask>(std::move(*redrive));
  }
  return batch;
}

}  // namespace

void cancel_or_retry_many(CoreContext& ctx, Call call, CommandKind kind) {
  const Client client{call.reply};
  auto bulk = parse_bulk(ctx.services, call.request, kind);
  if (!bulk) return client.fail(bulk.error());
  const SharedCall shared = share(std::move(call));
  query_when_current(ctx, shared, [&ctx, shared, client, bulk = *bulk](eventstore::Reader& reader) {
    // A command acts for one tenant: the caller's own.
    const auto scope = identity_of(*shared).own_scope();
    const auto page = reader.list_tasks(scope, bulk.filter, {.limit = 1, .count = true});
    if (!page) return client.fail(page.error());
    const std::uint64_t total = page->total.value_or(0);
    if (auto status = check_expected(bulk, total); !status) return client.fail(status.error());
    if (total > kMaxBatchItems && !bulk.dry_run) {
      return client.fail(
          Errc::UnprocessableArgument,
          fmt::format("the filter matches {} tasks; at most {} at once", total, kMaxBatchItems));
    }
    const auto ids = reader.task_ids(scope, bulk.filter, kMaxBatchItems);
    if (!ids) return client.fail(ids.error());
    if (bulk.dry_run) return show_match(client, ids->value, total);
    auto batch = open_batch(reader, scope, bulk.kind, ids->value);
    if (!batch) return client.fail(batch.error());
    if (batch->items.empty()) {
      return client.fail(Errc::UnprocessableArgument, "nothing matches the filter");
    }
    auto request = ctx.submitter.begin(*shared, domain::Dialect::Core);
    if (!request) return client.fail(request.error());
    request->command.body = std::move(*batch);
    ctx.submitter.submit(std::move(*request));
  });
}

}  // namespace slipway::api
