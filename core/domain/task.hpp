#pragma once
// One unfinished task, as the sequencer holds it in memory. Finished ones leave for the read
// models.
#include <optional>
#include <string>
#include <vector>

#include "core/domain/record.hpp"
#include "core/domain/work.hpp"

namespace slipway::domain {

// How far a batch is: its items, by how they ended.
struct BatchCounts {
  StreamVersion version = 0;  // of the stream batch-<id>
  std::uint32_t total = 0;
  std::uint32_t succeeded = 0;
  std::uint32_t cancelled = 0;
  std::uint32_t failed = 0;  // failed, timed out or dead
  std::uint32_t finished() const { return succeeded + cancelled + failed; }
  template <class S, class V>
  static void fields(S& s, V& v) {
    v("version", s.version);
    v("total", s.total);
    v("succeeded", s.succeeded);
    v("cancelled", s.cancelled);
    v("failed", s.failed);
  }
};

struct Task {
  TaskId id;
  StreamVersion version = 0;
  CommandKind command = CommandKind::VmCreate;
  TaskState state = TaskState::Accepted;
  Dialect dialect = Dialect::Core;
  std::uint32_t priority = 5;
  std::string tenant;
  std::string actor;
  std::string request_id;
  std::string trace;
  std::string worker_pool;
  std::string backend;
  base::RawJson args;
  std::vector<ResourceRef> resources;
  base::Time created_at{};
  base::Time deadline{};
  // BLOCKED: not_before; RETRY_WAIT: the next attempt.
  std::optional<base::Time> wake_at;
  std::vector<TaskId> depends_on;  // those that are not finished
  TaskId parent;                   // batch or re-driven task
  std::uint32_t index = 0;
  Seq ready_seq = 0;  // when it last became READY: its place in the queue
  Seq last_seq = 0;   // of its last event: the causation of the next

  std::uint32_t attempt = 0;  // counted attempts, the present one included
  std::uint32_t max_attempts = 5;
  FencingToken token = 0;  // of the last lease
  std::string worker;      // who holds it; empty unless RUNNING
  SessionId session;
  std::uint32_t process_deaths = 0;
  std::vector<StepRecord> steps;
  CancelReason cancel_reason = CancelReason::None;  // set: undo what is done, then end
  std::optional<base::Time> give_up_at;             // then it ends, undone or not
  TaskId root;  // a re-drive: the first task of the chain, whose correlation keys hold; else nil

  std::optional<BatchCounts> batch;

  template <class S, class V>
  static void fields(S& s, V& v) {
    v("id", s.id);
    v("version", s.version);
    v("command", s.command);
    v("state", s.state);
    v("dialect", s.dialect);
    v("priority", s.priority);
    v("tenant", s.tenant);
    v("actor", s.actor);
    v("request_id", s.request_id);
    v("trace", s.trace);
    v("worker_pool", s.worker_pool);
    v("backend", s.backend);
    v("args", s.args);
    v("resources", s.resources);
    v("created_at", s.created_at);
    v("deadline", s.deadline);
    v("wake_at", s.wake_at);
    v("depends_on", s.depends_on);
    v("parent", s.parent);
    v("index", s.index);
    v("ready_seq", s.ready_seq);
    v("last_seq", s.last_seq);
    v("attempt", s.attempt);
    v("max_attempts", s.max_attempts);
    v("token", s.token);
    v("worker", s.worker);
    v("session", s.session);
    v("process_deaths", s.process_deaths);
    v("steps", s.steps);
    v("cancel_reason", s.cancel_reason);
    v("give_up_at", s.give_up_at);
    v("root", s.root);
    v("batch", s.batch);
  }

  bool cancel_requested() const { return cancel_reason != CancelReason::None; }
  TaskId correlation_root() const { return root.is_nil() ? id : root; }
  const StepRecord* find_step_record(std::string_view step) const;
  // Steps begun and not undone: what a cancellation or a failure leaves behind.
  bool has_steps_to_undo() const;
  // The VM or image that it works on; nil if it has none of that kind.
  VmId vm() const;
  ImageId image() const;
};

// The parameters of a command on a VM that exists, as its acceptance resolved them.
ActionArgs action_args(const Task& task);

// The same of a list of steps that is not the task's own yet.
bool has_steps_to_undo(CommandKind command, const std::vector<StepRecord>& steps);
void fold_step(std::vector<StepRecord>& steps, const StepDone& done);
// Forgets those of `names` that were begun with this token and are not done.
void forget_steps(std::vector<StepRecord>& steps, const std::vector<std::string>& names,
                  FencingToken token);

// Folds one event of the task's own stream. The caller has checked `may_become`.
void evolve(Task& task, const CommandAccepted& e);
void evolve(Task& task, const TaskQueued& e);
void evolve(Task& task, const TaskBlocked& e);
void evolve(Task& task, const TaskReady& e);
void evolve(Task& task, const TaskLeased& e);
void evolve(Task& task, const TaskStepStarted& e);
void evolve(Task& task, const TaskStepDone& e);
void evolve(Task& task, const TaskStepUndone& e);
void evolve(Task& task, const TaskRetryScheduled& e);
void evolve(Task& task, const TaskCancelRequested& e);
void evolve(Task& task, const TaskRedriven& e);

// The state that an event puts its task in; nullopt for one that leaves it.
std::optional<TaskState> state_after(const EventBody& body);

}  // namespace slipway::domain
