#include "app/cli/follow.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "app/cli/progress.hpp"

namespace slipway::app::cli {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr seconds kLongPoll{30};        // half of what the server allows by default
constexpr milliseconds kSweep{500};     // between looks at many tasks
constexpr milliseconds kAnswer{15000};  // for the answer beyond the wait

std::string task_path(const std::string& id) { return "/core/v1/tasks/" + path_part(id); }

struct Watched {
  std::string id;
  std::string etag;
  Json body;
  bool ended = false;
};

class Follower {
 public:
  Follower(Session& session, const std::vector<std::string>& ids,
           std::optional<base::Duration> limit)
      : session_(session), progress_(session.io, session.terminal) {
    if (limit) deadline_ = session.io.clock.steady() + *limit;
    for (const auto& id : ids) watched_.push_back({id, "", Json(), false});
  }

  Followed run() {
    Followed out;
    while (const auto left = unfinished()) {
      for (auto& task : watched_) {
        if (task.ended || out_of_time()) continue;
        // One alone can be waited for on the server; of many, each is looked at in turn.
        if (!look(task, left == 1, out)) return stop(out);
      }
      if (out_of_time()) return stop(out);
      if (left > 1 && unfinished() > 1 && !rest()) return stop(out);
    }
    return finish(out);
  }

 private:
  std::size_t unfinished() const {
    return static_cast<std::size_t>(std::count_if(watched_.begin(), watched_.end(),
                                                  [](const Watched& task) { return !task.ended; }));
  }

  bool out_of_time() const {
    return session_.io.interrupted || (deadline_ && session_.io.clock.steady() >= *deadline_);
  }

  bool keep_going() {
    progress_.tick();
    return !out_of_time();
  }

  // False: stop following.
  bool look(Watched& task, bool alone, Followed& out) {
    Call call{
        .path = task_path(task.id), .if_none_match = task.etag, .patient = true, .noun = "task"};
    call.timeout = kAnswer;
    call.keep_going = [this] { return keep_going(); };
    if (alone && !task.etag.empty()) {
      call.query.emplace_back("wait", fmt::format("{}s", kLongPoll.count()));
      call.timeout += kLongPoll;
    }
    const auto answer = session_.client.call(call);
    if (!answer) {
      if (answer.error().exit == Exit::StillRunning || out_of_time()) return false;
      session_.print(answer.error());
      out.exit = answer.error().exit;
      task.ended = true;  // it cannot be followed; the others can
      return true;
    }
    const auto etag = std::string(answer->http.header("etag"));
    const bool changed = answer->http.status != 304 && (etag.empty() || etag != task.etag);
    if (answer->http.status != 304) take(task, *answer, etag);
    // A server with too many waiters answers at once: then the pause is ours to make.
    return task.ended || (changed && !etag.empty()) || !alone || rest();
  }

  void take(Watched& task, const Answer& answer, const std::string& etag) {
    task.etag = etag;
    task.body = answer.body;
    task.ended = true_at(task.body, "terminal");
    progress_.show(task.body);
  }

  bool rest() {
    for (milliseconds slept{0}; slept < kSweep; slept += milliseconds(100)) {
      if (!keep_going()) return false;
      session_.io.sleep(milliseconds(100));
    }
    return keep_going();
  }

  Json bodies() const {
    auto out = Json::array();
    for (const auto& task : watched_)
      if (!task.body.is_null()) out.push_back(task.body);
    return out;
  }

  Followed stop(Followed& out) {
    session_.terminal.clear();
    std::string ids;
    for (const auto& task : watched_)
      if (!task.ended) ids += " " + task.id;
    session_.terminal.always(fmt::format(
        "{}; nothing was cancelled and the work goes on\n  follow again: slipway task wait{}",
        session_.io.interrupted ? "stopped following" : "time is up", ids));
    out.tasks = bodies();
    if (out.exit == Exit::Done) out.exit = Exit::StillRunning;
    return std::move(out);
  }

  Followed finish(Followed& out) {
    session_.terminal.clear();
    out.tasks = bodies();
    if (out.exit == Exit::Done) out.exit = exit_of_tasks(out.tasks);
    if (out.exit == Exit::TaskFailed || out.exit == Exit::BatchPartial) advise(out.tasks);
    return std::move(out);
  }

  void advise(const Json& tasks) {
    for (const auto& task : tasks) {
      const auto state = text_at(task, "state");
      if (state == "SUCCEEDED" || state == "CANCELLED") continue;
      const auto id = printable(text_at(task, "id"));
      session_.terminal.note(fmt::format("  why: slipway task {} {}",
                                         state == "PARTIAL" ? "list --batch" : "events", id));
      session_.terminal.note("  again: slipway task retry " + id);
    }
  }

  Session& session_;
  Progress progress_;
  std::optional<base::SteadyTime> deadline_;
  std::vector<Watched> watched_;
};

void set_headers(Session& session, Call& call, std::size_t index, std::size_t count) {
  auto key = session.values.get("--idempotency-key");
  if (!key.empty() && count > 1) key += fmt::format("-{}", index + 1);
  call.idempotency_key = key;
  if (session.values.has("--if-version"))
    call.if_match = "\"" + session.values.get("--if-version") + "\"";
}

std::string task_id_of(const Answer& answer) {
  const auto header = answer.http.header("x-task-id");
  return header.empty() ? text_at(answer.body, "id") : std::string(header);
}

}  // namespace

std::optional<std::optional<base::Duration>> wait_limit(const std::string& text) {
  if (text.empty() || text == "forever") return std::optional<base::Duration>();
  const auto limit = base::parse_duration(text);
  if (!limit) return std::nullopt;
  return std::optional<base::Duration>(limit);
}

Exit exit_of_tasks(const Json& tasks) {
  bool failed = false, partial = false, cancelled = false;
  for (const auto& task : tasks) {
    const auto state = text_at(task, "state");
    failed |= state == "FAILED" || state == "DEAD" || state == "TIMED_OUT";
    partial |= state == "PARTIAL";
    cancelled |= state == "CANCELLED";
  }
  if (failed) return Exit::TaskFailed;
  if (partial) return Exit::BatchPartial;
  return cancelled ? Exit::TaskCancelled : Exit::Done;
}

Followed follow(Session& session, const std::vector<std::string>& ids,
                std::optional<base::Duration> limit) {
  const InterruptScope scope(session.io);
  return Follower(session, ids, limit).run();
}

Exit submit(Session& session, const std::vector<Submission>& submissions, const std::string& noun) {
  const auto limit = wait_limit(session.values.get("--wait"));
  if (!limit) return session.wrong("--wait takes a time such as 30s or 10m");
  const bool dry = session.values.has("--dry-run");
  const bool wait = session.values.has("--wait") && !dry;
  const bool ids_only = !session.printer.chosen() && !session.values.has("--query") && !dry;
  auto exit = Exit::Done;
  auto bodies = Json::array();
  std::vector<std::string> ids;
  for (std::size_t i = 0; i < submissions.size(); ++i) {
    const auto& [method, path, body, query] = submissions[i];
    Call call{.method = method, .path = path, .query = query, .body = body, .noun = noun};
    set_headers(session, call, i, submissions.size());
    const auto answer = session.client.call(call);
    if (!answer) {
      session.print(answer.error());
      if (exit == Exit::Done) exit = answer.error().exit;
      continue;
    }
    ids.push_back(task_id_of(*answer));
    bodies.push_back(answer->body);
    // At once, not at the end: who is interrupted while following has it.
    if (ids_only) session.io.out << printable(ids.back()) << '\n' << std::flush;
  }
  if (wait && !ids.empty()) {
    auto followed = follow(session, ids, *limit);
    bodies = std::move(followed.tasks);
    if (exit == Exit::Done) exit = followed.exit;
  } else if (ids_only && session.io.out_tty && !ids.empty()) {
    session.terminal.note("  follow: slipway task wait " + join(ids, " "));
  }
  if (ids_only || bodies.empty()) return exit;
  if (submissions.size() == 1) {
    session.printer.one(bodies.front(), task_shape());
  } else {
    session.printer.list(bodies, task_shape());
  }
  return exit;
}

}  // namespace slipway::app::cli
