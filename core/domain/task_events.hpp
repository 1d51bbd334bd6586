#pragma once
// The events of tasks and batches. See events.hpp.
#include "core/domain/event.hpp"

namespace slipway::domain {

// ---- command-<task> ----

// The first event of every task: what was asked, in canonical form, and what will be made.
struct CommandAccepted {
  CommandKind command = CommandKind::VmCreate;
  base::RawJson args;
  std::vector<ResourceRef> resources;
  SLIPWAY_EVENT(CommandAccepted, v("command", s.command); v("args", s.args);
                v("resources", s.resources);)
};

// ---- task-<id> ----

// The task exists. READY unless a TaskBlocked follows in the same record.
struct TaskQueued {
  CommandKind command = CommandKind::VmCreate;
  std::string worker_pool;  // empty: no worker carries this out (a batch)
  std::string backend;
  std::uint32_t priority = 5;
  std::uint32_t max_attempts = 5;
  base::Time deadline{};
  TaskId parent;            // nil unless an item of a batch, or a re-drive
  std::uint32_t index = 0;  // place in the batch
  SLIPWAY_EVENT(TaskQueued, v("command", s.command); v("worker_pool", s.worker_pool);
                v("backend", s.backend); v("priority", s.priority);
                v("max_attempts", s.max_attempts); v("deadline", s.deadline); v("parent", s.parent);
                v("index", s.index);)
};
struct TaskBlocked {
  std::vector<TaskId> depends_on;  // those not finished yet
  std::optional<base::Time> not_before;
  SLIPWAY_EVENT(TaskBlocked, v("depends_on", s.depends_on); v("not_before", s.not_before);)
};
struct TaskReady {
  std::string reason;                        // unblocked, retry, handed-back
  bool handed_back = false;                  // the lease is over and no attempt is counted
  std::vector<std::string> steps_not_begun;  // granted with the lease, but never called
  SLIPWAY_EVENT(TaskReady, v("reason", s.reason); v("handed_back", s.handed_back);
                v("steps_not_begun", s.steps_not_begun);)
};
struct TaskLeased {
  std::uint32_t attempt = 0;
  FencingToken token = 0;
  std::string worker;
  SessionId session;
  base::Duration lease_timeout{};
  SLIPWAY_EVENT(TaskLeased, v("attempt", s.attempt); v("token", s.token); v("worker", s.worker);
                v("session", s.session); v("lease_timeout_us", s.lease_timeout);)
};
struct TaskProgressed {
  std::uint32_t percent = 0;
  std::string step;
  std::string message;
  SLIPWAY_EVENT(TaskProgressed, v("percent", s.percent); v("step", s.step);
                v("message", s.message);)
};
// Durable before the backend call of that step is made.
struct TaskStepStarted {
  std::string step;
  FencingToken token = 0;
  base::Time call_deadline{};
  bool undo = false;
  SLIPWAY_EVENT(TaskStepStarted, v("step", s.step); v("token", s.token);
                v("call_deadline", s.call_deadline); v("undo", s.undo);)
};
struct TaskStepDone {
  std::string step;
  std::string backend_ref;
  bool adopted = false;  // found by its correlation key instead of made
  base::RawJson result;
  SLIPWAY_EVENT(TaskStepDone, v("step", s.step); v("backend_ref", s.backend_ref);
                v("adopted", s.adopted); v("result", s.result);)
};
struct TaskStepUndone {
  std::string step;
  SLIPWAY_EVENT(TaskStepUndone, v("step", s.step);)
};
struct TaskRetryScheduled {
  TaskError error;
  base::Time next_attempt_at{};
  bool counted = true;                       // false: throttled or breaker open
  bool process_died = false;                 // the worker process went away in it
  std::vector<std::string> steps_not_begun;  // surely without effect: no longer unknown
  SLIPWAY_EVENT(TaskRetryScheduled, v("error", s.error); v("next_attempt_at", s.next_attempt_at);
                v("counted", s.counted); v("process_died", s.process_died);
                v("steps_not_begun", s.steps_not_begun);)
};
struct TaskSucceeded {
  base::RawJson result;
  SLIPWAY_EVENT(TaskSucceeded, v("result", s.result);)
};
struct TaskFailed {
  TaskError error;
  SLIPWAY_EVENT(TaskFailed, v("error", s.error);)
};
// A worker is to undo what is done; if none has by `until`, the task ends as it is.
struct TaskCancelRequested {
  CancelReason reason = CancelReason::Client;
  std::optional<base::Time> until;
  SLIPWAY_EVENT(TaskCancelRequested, v("reason", s.reason); v("until", s.until);)
};
struct TaskCancelled {
  SLIPWAY_EVENT(TaskCancelled, )
};
struct TaskTimedOut {
  TaskError error;
  SLIPWAY_EVENT(TaskTimedOut, v("error", s.error);)
};
struct TaskDead {
  TaskError error;
  SLIPWAY_EVENT(TaskDead, v("error", s.error);)
};
struct TaskRedriven {
  TaskId from;
  // The first of the chain, whose correlation keys go on; nil if the new task begins from nothing.
  TaskId root;
  base::Time call_deadline{};  // by when every call of the old task is over
  SLIPWAY_EVENT(TaskRedriven, v("from", s.from); v("root", s.root);
                v("call_deadline", s.call_deadline);)
};
struct TaskPriorityChanged {
  std::uint32_t priority = 5;
  SLIPWAY_EVENT(TaskPriorityChanged, v("priority", s.priority);)
};

// ---- batch-<task> ----

struct BatchOpened {
  CommandKind kind = CommandKind::BatchCommands;
  std::uint32_t total = 0;
  SLIPWAY_EVENT(BatchOpened, v("kind", s.kind); v("total", s.total);)
};
struct BatchItemSucceeded {
  TaskId item;
  std::uint32_t index = 0;
  SLIPWAY_EVENT(BatchItemSucceeded, v("item", s.item); v("index", s.index);)
};
// Also for an item that was cancelled, timed out or is dead: `state` says which.
struct BatchItemFailed {
  TaskId item;
  std::uint32_t index = 0;
  TaskState state = TaskState::Failed;
  SLIPWAY_EVENT(BatchItemFailed, v("item", s.item); v("index", s.index); v("state", s.state);)
};
// Ends the batch's own task too.
struct BatchClosed {
  TaskState state = TaskState::Succeeded;
  SLIPWAY_EVENT(BatchClosed, v("state", s.state);)
};

}  // namespace slipway::domain
