#include "api/task_body.hpp"

#include "api/edge/problem.hpp"

namespace slipway::api {
namespace {

using base::JsonWriter;
using eventstore::TaskRow;

constexpr std::string_view kTasks = "/core/v1/tasks/";

// A path on the stack: rendering a task allocates nothing but its body.
class Path {
 public:
  Path(std::string_view before, const base::Uuid& id, std::string_view after = {}) {
    add(before);
    base::format_uuid(id, text_ + size_);
    size_ += base::kUuidTextSize;
    add(after);
  }
  std::string_view view() const { return {text_, size_}; }

 private:
  void add(std::string_view part) {
    part.copy(text_ + size_, part.size());
    size_ += part.size();
  }
  char text_[96];
  std::size_t size_ = 0;
};

std::string_view page_of(domain::StreamKind kind) {
  switch (kind) {
    case domain::StreamKind::Vm:
      return "/core/v1/vms/";
    case domain::StreamKind::Image:
      return "/core/v1/images/";
    case domain::StreamKind::Network:
      return "/core/v1/networks/";
    case domain::StreamKind::Task:
      return kTasks;
    default:
      return {};
  }
}

void write_progress(JsonWriter& w, const TaskRow& task, const eventstore::LiveProgress* live) {
  std::optional<std::uint32_t> percent = task.doc.percent;
  std::string_view step = task.doc.step;
  std::string_view message = task.doc.message;
  std::optional<domain::Progress> newer;
  if (live != nullptr && task.state == domain::TaskState::Running) newer = live->get(task.id);
  if (newer && newer->percent >= percent.value_or(0)) {
    percent = newer->percent;
    step = newer->step;
    message = newer->message;
  }
  w.key("progress").begin_object().member("percent", percent);
  w.member("step", step).member("message", message).end_object();
}

void write_resources(JsonWriter& w, const TaskRow& task) {
  w.key("resources").begin_array();
  for (const domain::ResourceRef& r : task.doc.resources) {
    w.begin_object().member("kind", base::enum_name(r.kind));
    w.member("id", r.id).member("name", r.name).key("href");
    const std::string_view page = page_of(r.kind);
    if (page.empty()) {
      w.null();
    } else {
      w.value(Path(page, r.id).view());
    }
    w.end_object();
  }
  w.end_array();
}

// The problem object of RFC 9457 without `instance`, and where it happened.
void write_error(JsonWriter& w, const TaskRow& task, const domain::TaskError& error) {
  const base::Errc code = base::errc_from_name(error.code);
  const std::string_view trace = task.doc.trace;
  w.begin_object();
  w.member("type", "/problems/" + error.code).member("title", title_of(code));
  w.member("status", status_of(code)).member("code", error.code).member("detail", error.detail);
  w.member("request_id", task.doc.request_id);
  w.member("trace_id", trace.size() >= 35 ? trace.substr(3, 32) : std::string_view());
  w.member("retryable", error.retryable).key("retry_after_seconds").null();
  w.key("errors").begin_array().end_array();
  w.member("attempt", error.attempt).member("backend", error.backend);
  w.member("backend_request_id", error.backend_request_id).member("step", error.step);
  w.end_object();
}

void write_outcome(JsonWriter& w, const TaskRow& task) {
  w.key("result");
  if (task.terminal() && !task.doc.error && !task.doc.result.text.empty()) {
    w.value(task.doc.result);
  } else if (task.state == domain::TaskState::Succeeded) {
    w.begin_object().end_object();
  } else {
    w.null();
  }
  w.key("error");
  if (task.doc.error) {
    write_error(w, task, *task.doc.error);
  } else {
    w.null();
  }
}

void write_family(JsonWriter& w, const TaskRow& task) {
  w.key("parent");
  if (task.parent.is_nil()) {
    w.null();
  } else {
    w.value(task.parent);
  }
  w.key("depends_on").begin_array();
  for (const domain::TaskId& id : task.doc.depends_on) w.value(id);
  w.end_array();
  w.key("items");
  if (!task.batch) {
    w.null();
    return;
  }
  w.begin_object().member("total", task.batch->total).member("succeeded", task.batch->succeeded);
  w.member("failed", task.batch->failed).member("cancelled", task.batch->cancelled);
  w.member("running", task.batch->running()).end_object();
}

void write_links(JsonWriter& w, const TaskRow& task) {
  w.key("links").begin_object();
  w.member("self", Path(kTasks, task.id).view());
  w.member("events", Path(kTasks, task.id, "/events").view());
  w.key("items");
  if (task.batch) {
    w.value(Path(kTasks, task.id, "/items").view());
  } else {
    w.null();
  }
  w.key("cancel");
  if (task.terminal()) {
    w.null();
  } else {
    w.value(Path(kTasks, task.id, "/cancel").view());
  }
  w.member("console", Path("/console/tasks/", task.id).view()).end_object();
}

}  // namespace

std::string href_of(domain::StreamKind kind, const base::Uuid& id) {
  const std::string_view page = page_of(kind);
  return page.empty() ? std::string() : std::string(Path(page, id).view());
}

void write_task(JsonWriter& w, const TaskRow& task, const eventstore::LiveProgress* live) {
  w.begin_object().member("id", task.id).member("command", base::enum_name(task.command));
  w.member("dialect", base::enum_name(task.dialect)).member("tenant", task.tenant);
  w.member("actor", task.actor).member("priority", task.priority);
  w.member("state", base::enum_name(task.state)).member("terminal", task.terminal());
  w.member("cancel_requested", task.doc.cancel_requested);
  write_progress(w, task, live);
  write_resources(w, task);
  w.member("attempt", task.attempt).member("max_attempts", task.max_attempts);
  w.member("next_attempt_at", task.next_attempt_at);
  write_outcome(w, task);
  write_family(w, task);
  w.member("backend", task.backend).member("created_at", task.created_at);
  w.member("not_before", task.doc.not_before);
  w.member("started_at", task.started_at).member("finished_at", task.finished_at);
  w.member("deadline", task.deadline);
  w.member("version", task.version).member("seq", task.seq);
  write_links(w, task);
  w.end_object();
}

std::string task_body(const TaskRow& task, const eventstore::LiveProgress* live) {
  thread_local JsonWriter w;
  w.clear();
  write_task(w, task, live);
  return w.text();
}

}  // namespace slipway::api
