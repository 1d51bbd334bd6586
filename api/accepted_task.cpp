#include "api/accepted_task.hpp"

#include <variant>

namespace slipway::api {
namespace {

using domain::TaskState;
using eventstore::TaskRow;

// Folds what acceptance and cancellation can add to a task; workers' events never come here.
class Fold {
 public:
  Fold(TaskRow& row, base::Time now) : row_(row), now_(now) {}

  void operator()(const domain::CommandAccepted& e) {
    row_.command = e.command;
    row_.doc.resources = e.resources;
    if (!e.resources.empty()) row_.resource = e.resources.front().id;
  }
  void operator()(const domain::TaskQueued& e) {
    row_.command = e.command;
    row_.state = TaskState::Ready;
    row_.worker_pool = e.worker_pool;
    row_.backend = e.backend;
    row_.priority = e.priority;
    row_.max_attempts = e.max_attempts;
    row_.deadline = e.deadline;
    row_.parent = e.parent;
    row_.index = e.index;
  }
  void operator()(const domain::TaskBlocked& e) {
    row_.state = TaskState::Blocked;
    row_.doc.depends_on = e.depends_on;
    row_.doc.not_before = e.not_before;
  }
  void operator()(const domain::TaskRedriven& e) {
    row_.redriven = row_.parent == e.from;
    row_.doc.redrives = e.from;
    row_.doc.root = e.root;
  }
  void operator()(const domain::BatchOpened& e) {
    row_.state = TaskState::Running;
    row_.started_at = now_;
    row_.batch = eventstore::BatchCounts{e.total, 0, 0, 0};
  }
  void operator()(const domain::BatchItemSucceeded&) {
    if (row_.batch) ++row_.batch->succeeded;
  }
  void operator()(const domain::BatchItemFailed& e) {
    if (!row_.batch) return;
    ++(e.state == TaskState::Cancelled ? row_.batch->cancelled : row_.batch->failed);
  }
  void operator()(const domain::BatchClosed& e) { finish(e.state); }
  void operator()(const domain::TaskPriorityChanged& e) { row_.priority = e.priority; }
  void operator()(const domain::TaskCancelRequested&) { row_.doc.cancel_requested = true; }
  void operator()(const domain::TaskCancelled&) {
    domain::TaskError error;
    error.code = base::errc_name(base::Errc::Cancelled);
    error.attempt = row_.attempt;
    row_.doc.error = std::move(error);
    finish(TaskState::Cancelled);
  }
  template <class Other>
  void operator()(const Other&) {}

 private:
  void finish(TaskState state) {
    row_.state = state;
    row_.finished_at = now_;
    row_.next_attempt_at.reset();
    if (row_.batch) row_.doc.result.text = counts();
  }
  std::string counts() const {
    base::JsonWriter w;
    w.begin_object().member("total", row_.batch->total).member("succeeded", row_.batch->succeeded);
    w.member("failed", row_.batch->failed).member("cancelled", row_.batch->cancelled);
    return w.end_object().text();
  }

  TaskRow& row_;
  const base::Time now_;
};

}  // namespace

TaskRow accepted_task(const eventstore::Accepted& accepted, const domain::TaskId& id,
                      const TaskRow* known) {
  TaskRow row;
  if (known != nullptr) {
    row = *known;
  } else {
    const domain::Caller& caller = accepted.command.caller;
    row.id = id;
    row.tenant = caller.tenant;
    row.actor = caller.actor;
    row.dialect = caller.dialect;
    row.state = TaskState::Accepted;
    row.created_at = accepted.now;
    row.created_seq = accepted.first_seq;
    row.doc.request_id = caller.request_id;
    row.doc.trace = caller.trace;
  }
  Fold fold(row, accepted.now);
  domain::Seq seq = accepted.first_seq;
  for (const domain::Event& event : accepted.events) {
    const domain::Seq at = seq++;
    if (event.stream.id != id) continue;
    const bool own = event.stream.kind == domain::StreamKind::Task ||
                     event.stream.kind == domain::StreamKind::Batch;
    if (!own && event.stream.kind != domain::StreamKind::Command) continue;
    if (own) ++row.version;
    row.seq = at;
    std::visit(fold, event.body);
  }
  return row;
}

TaskRow live_task(const domain::Task& task) {
  TaskRow row;
  row.id = task.id;
  row.tenant = task.tenant;
  row.actor = task.actor;
  row.command = task.command;
  row.dialect = task.dialect;
  row.state = task.state;
  row.priority = task.priority;
  row.backend = task.backend;
  row.worker_pool = task.worker_pool;
  row.parent = task.parent;
  row.index = task.index;
  row.attempt = task.attempt;
  row.max_attempts = task.max_attempts;
  row.created_at = task.created_at;
  row.deadline = task.deadline;
  row.version = task.version;
  row.seq = task.last_seq;
  if (task.batch) {
    row.batch = eventstore::BatchCounts{task.batch->total, task.batch->succeeded,
                                        task.batch->failed, task.batch->cancelled};
    row.version += task.batch->version;
  }
  row.doc.resources = task.resources;
  row.doc.depends_on = task.depends_on;
  row.doc.request_id = task.request_id;
  row.doc.trace = task.trace;
  row.doc.cancel_requested = task.cancel_requested();
  return row;
}

}  // namespace slipway::api
