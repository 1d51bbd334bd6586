// GET /core/v1/events and /core/v1/tasks/{id}/events: a stream, lines, or pages, as Accept says.
#include <fmt/format.h>

#include <charconv>

#include "api/core_api/context.hpp"
#include "api/core_api/list_query.hpp"
#include "api/event_feed.hpp"

namespace slipway::api {
namespace {

using base::Errc;
using eventstore::TaskRowPtr;

enum class Form { Stream, Lines, Page };

Form form_of(const Request& request) {
  const std::string_view accept = request.header("accept");
  if (accept.find("text/event-stream") != std::string_view::npos) return Form::Stream;
  if (accept.find("application/x-ndjson") != std::string_view::npos) return Form::Lines;
  return Form::Page;
}

// What was asked for, on its way through other threads.
struct Asked {
  Call call;
  EventFilter filter;
  domain::Seq from = 0;
  Form form = Form::Page;
  std::size_t limit = 500;
  bool task_has_ended = false;
  bool from_now = false;  // no start was named
  base::SteadyTime until{};
};
using SharedAsked = std::shared_ptr<Asked>;

// Last-Event-ID, else `from`; nullopt without either.
base::Result<std::optional<domain::Seq>> read_start(QueryReader& query, const Request& request) {
  const auto from = query.number("from", 0, ~0ULL >> 1U);
  const auto last = request.find_header("last-event-id");
  if (!last || last->empty()) return std::optional<domain::Seq>(from);
  domain::Seq seq = 0;
  const auto [end, error] = std::from_chars(last->data(), last->data() + last->size(), seq);
  if (error != std::errc() || end != last->data() + last->size()) {
    return base::fail(Errc::InvalidArgument, "Last-Event-ID is the seq of an event");
  }
  return std::optional<domain::Seq>(seq + 1);
}

void send_page(const Asked& asked, const std::string& items, domain::Seq next) {
  Response response;
  if (asked.form == Form::Lines) {
    response = Response(200, items, kNdjson);
  } else {
    response = Response(200, fmt::format(R"({{"items":[{}],"next_seq":{}}})", items, next));
  }
  response.add("Slipway-Next-Seq", fmt::to_string(next)).add("Cache-Control", "no-cache");
  asked.call.reply.send(std::move(response));
}

void read_page(CoreContext& ctx, const SharedAsked& asked);

// Nothing yet: again when something was committed, or when time is up.
void wait_for_more(CoreContext& ctx, const SharedAsked& asked) {
  const auto handle = ctx.services.waiters.wait_for_seq(
      asked->from, asked->until, [&ctx, asked](const eventstore::WaitResult& result) {
        if (result.kind != eventstore::WaitResult::Kind::Reached) {
          asked->until = base::SteadyTime{};
        }
        const Client client{asked->call.reply};
        ctx.services.queries.ask(client, [&ctx, asked](auto&) { read_page(ctx, asked); });
      });
  if (handle == 0) send_page(*asked, "", asked->from);
}

void read_page(CoreContext& ctx, const SharedAsked& asked) {
  EventReader reader(ctx.services.log, asked->filter, asked->from);
  std::string items;
  std::size_t bytes = 0;
  const std::string_view separator = asked->form == Form::Lines ? "\n" : ",";
  const auto more = reader.read({.events = asked->limit}, bytes,
                                [&](const auto& envelope, domain::Seq seq, const auto& e) {
                                  if (asked->form == Form::Page && !items.empty())
                                    items += separator;
                                  items += event_body(envelope, seq, e);
                                  if (asked->form == Form::Lines) items += separator;
                                  bytes = items.size();
                                });
  const Client client{asked->call.reply};
  if (!more) return client.fail(more.error());
  asked->from = std::max(asked->from, reader.next());
  const bool time_left = ctx.services.clock.steady() < asked->until;
  if (items.empty() && time_left && !*more && !asked->task_has_ended) {
    wait_for_more(ctx, asked);
  } else {
    send_page(*asked, items, asked->from);
  }
}

void begin_stream(CoreContext& ctx, const SharedAsked& asked) {
  Response head(200, "", kEventStream);
  head.add("Cache-Control", "no-cache").add("X-Accel-Buffering", "no");
  const Stream stream = asked->call.reply.start_stream(std::move(head));
  stream.write("retry: 250\n\n");
  if (!ctx.services.feed.subscribe(stream, asked->filter, asked->from)) stream.finish();
}

// Whether the one task's last event was seen already: then there is nothing to come.
bool all_seen(CoreContext& ctx, const Asked& asked) {
  EventReader reader(ctx.services.log, asked.filter, asked.from);
  std::size_t bytes = 0;
  bool any = false;
  const auto more = reader.read({.events = 1}, bytes, [&](auto&&...) { any = true; });
  return more && !any;
}

void answer(CoreContext& ctx, const SharedAsked& asked) {
  const Client client{asked->call.reply};
  const domain::Seq first = ctx.services.log.first_seq();
  if (first > 1 && asked->from < first) {
    client.fail(Errc::HistoryTruncated, fmt::format("the first event that is kept is {}", first));
  } else if (asked->form == Form::Stream && asked->task_has_ended && all_seen(ctx, *asked)) {
    client.send(Response(204));
  } else if (asked->form == Form::Stream && asked->call.request.method() != Method::Head) {
    begin_stream(ctx, asked);
  } else {
    read_page(ctx, asked);
  }
}

// The query is the same for both routes. Answers the call and returns null if it is wrong.
SharedAsked read_asked(CoreContext& ctx, Call call) {
  const Client client{call.reply};
  QueryReader query(call.request);
  const auto start = read_start(query, call.request);
  const std::size_t limit = query.number("limit", 1, 500).value_or(500);
  query.one("wait");
  const auto wait = read_wait(call.request, ctx.services.options);
  if (auto status = query.finish(); !status) {
    client.fail(status.error());
    return nullptr;
  }
  if (!start || !wait) {
    client.fail(!start ? start.error() : wait.error());
    return nullptr;
  }
  const Form form = form_of(call.request);
  const EventFilter filter(identity_of(call).scope());
  auto asked = std::make_shared<Asked>(Asked{std::move(call), filter});
  asked->from = start->value_or(0);
  asked->from_now = !start->has_value();
  asked->form = form;
  asked->limit = limit;
  asked->until = ctx.services.clock.steady() + wait->time;
  return asked;
}

void all_events(CoreContext& ctx, Call call) {
  const SharedAsked asked = read_asked(ctx, std::move(call));
  if (asked == nullptr) return;
  if (asked->from_now) asked->from = ctx.services.projected_seq() + 1;  // from now on
  const Client client{asked->call.reply};
  ctx.services.queries.ask(client, [&ctx, asked](auto&) { answer(ctx, asked); });
}

// Of one task all of them, from its beginning unless the request says otherwise.
void task_events(CoreContext& ctx, Call call) {
  const Client client{call.reply};
  const auto id = path_id(call, "id", "task");
  if (!id) return client.fail(id.error());
  const SharedAsked asked = read_asked(ctx, std::move(call));
  if (asked == nullptr) return;
  const auto scope = identity_of(asked->call).scope();
  ctx.watch.look(
      client, scope, domain::TaskId(*id),
      [&ctx, asked, client, scope, id = *id](const TaskRowPtr& row) {
        if (row == nullptr) {
          return client.fail(Errc::NotFound, "no task " + base::to_string(id));
        }
        auto one = std::make_shared<Asked>(Asked{std::move(asked->call), EventFilter(scope, *row)});
        one->from = asked->from;
        one->form = asked->form;
        one->limit = asked->limit;
        one->until = asked->until;
        one->task_has_ended = row->terminal();
        ctx.services.queries.ask(client, [&ctx, one](auto&) { answer(ctx, one); });
      });
}

}  // namespace

RouteTable event_routes(CoreContext& ctx) {
  static constexpr Permission kView = allow(Right::View);
  return {
      {Method::Get, "/events", kView, [&ctx](Call call) { all_events(ctx, std::move(call)); },
       nullptr},
      {Method::Get, "/tasks/{id}/events", kView,
       [&ctx](Call call) { task_events(ctx, std::move(call)); }, nullptr},
  };
}

}  // namespace slipway::api
