#include "core/domain/task.hpp"

#include <algorithm>

#include "core/domain/command.hpp"
#include "core/domain/plan.hpp"

namespace slipway::domain {
namespace {

StepRecord& step_record(std::vector<StepRecord>& steps, const std::string& step) {
  const auto it =
      std::find_if(steps.begin(), steps.end(), [&](const StepRecord& r) { return r.step == step; });
  if (it != steps.end()) return *it;
  steps.emplace_back().step = step;
  return steps.back();
}

void end_lease(Task& task) {
  task.worker.clear();
  task.session = SessionId();
}

struct StateAfter {
  using R = std::optional<TaskState>;
  R operator()(const TaskQueued&) const { return TaskState::Ready; }
  R operator()(const TaskBlocked&) const { return TaskState::Blocked; }
  R operator()(const TaskReady&) const { return TaskState::Ready; }
  R operator()(const TaskLeased&) const { return TaskState::Running; }
  R operator()(const TaskRetryScheduled&) const { return TaskState::RetryWait; }
  R operator()(const TaskSucceeded&) const { return TaskState::Succeeded; }
  R operator()(const TaskFailed&) const { return TaskState::Failed; }
  R operator()(const TaskCancelled&) const { return TaskState::Cancelled; }
  R operator()(const TaskTimedOut&) const { return TaskState::TimedOut; }
  R operator()(const TaskDead&) const { return TaskState::Dead; }
  R operator()(const BatchOpened&) const { return TaskState::Running; }
  R operator()(const BatchClosed& e) const { return e.state; }
  template <class E>
  R operator()(const E&) const {
    return std::nullopt;
  }
};

}  // namespace

const StepRecord* Task::find_step_record(std::string_view step) const {
  for (const StepRecord& r : steps) {
    if (r.step == step) return &r;
  }
  return nullptr;
}

bool has_steps_to_undo(CommandKind command, const std::vector<StepRecord>& steps) {
  return std::any_of(steps.begin(), steps.end(), [&](const StepRecord& r) {
    const Step* step = find_step(command, r.step);
    return r.state != StepState::Undone && step != nullptr && !step->undo.empty();
  });
}

void fold_step(std::vector<StepRecord>& steps, const StepDone& done) {
  StepRecord& r = step_record(steps, done.step);
  if (r.state == StepState::Undone) return;
  r.state = done.undone ? StepState::Undone : StepState::Done;
  if (!done.undone) r.backend_ref = done.backend_ref;
}

void forget_steps(std::vector<StepRecord>& steps, const std::vector<std::string>& names,
                  FencingToken token) {
  std::erase_if(steps, [&](const StepRecord& r) {
    return r.state == StepState::Started && r.token == token &&
           std::find(names.begin(), names.end(), r.step) != names.end();
  });
}

ActionArgs action_args(const Task& task) {
  thread_local base::JsonParser parser({.depth = 64});
  ActOnVm act;
  if (const auto json = parser.parse_trusted(task.args.text)) base::read_json(*json, act);
  return act.args;
}

bool Task::has_steps_to_undo() const { return domain::has_steps_to_undo(command, steps); }

VmId Task::vm() const {
  for (const ResourceRef& r : resources) {
    if (r.kind == StreamKind::Vm) return VmId(r.id);
  }
  return VmId();
}

ImageId Task::image() const {
  for (const ResourceRef& r : resources) {
    if (r.kind == StreamKind::Image) return ImageId(r.id);
  }
  return ImageId();
}

void evolve(Task& task, const CommandAccepted& e) {
  task.command = e.command;
  task.args = e.args;
  task.resources = e.resources;
}

void evolve(Task& task, const TaskQueued& e) {
  task.worker_pool = e.worker_pool;
  task.backend = e.backend;
  task.priority = e.priority;
  task.max_attempts = e.max_attempts;
  task.deadline = e.deadline;
  task.parent = e.parent;
  task.index = e.index;
}

void evolve(Task& task, const TaskBlocked& e) {
  task.depends_on = e.depends_on;
  task.wake_at = e.not_before;
}

void evolve(Task& task, const TaskReady& e) {
  task.wake_at.reset();
  end_lease(task);
  if (e.handed_back && task.attempt > 0) --task.attempt;
  forget_steps(task.steps, e.steps_not_begun, task.token);
}

void evolve(Task& task, const TaskLeased& e) {
  task.attempt = e.attempt;
  task.token = e.token;
  task.worker = e.worker;
  task.session = e.session;
}

void evolve(Task& task, const TaskStepStarted& e) {
  // Of an undo too: until it is done, whether the step's effect is still there is unknown.
  StepRecord& r = step_record(task.steps, e.step);
  r.state = StepState::Started;
  r.token = e.token;
  r.call_deadline = e.call_deadline;
}

void evolve(Task& task, const TaskStepDone& e) {
  StepRecord& r = step_record(task.steps, e.step);
  r.state = StepState::Done;
  r.backend_ref = e.backend_ref;
}

void evolve(Task& task, const TaskStepUndone& e) {
  step_record(task.steps, e.step).state = StepState::Undone;
}

void evolve(Task& task, const TaskRetryScheduled& e) {
  end_lease(task);
  task.wake_at = e.next_attempt_at;
  if (!e.counted && task.attempt > 0) --task.attempt;
  if (e.process_died) ++task.process_deaths;
  forget_steps(task.steps, e.steps_not_begun, task.token);
}

void evolve(Task& task, const TaskCancelRequested& e) {
  task.cancel_reason = e.reason;
  task.give_up_at = e.until;
}

void evolve(Task& task, const TaskRedriven& e) {
  if (e.root.is_nil()) return;
  task.root = e.root;
  // What the old task made, if anything, is unknown: each step is looked up before it is called.
  for (const Step& step : plan_of(task.command)) {
    if (!step.repeatable)
      step_record(task.steps, std::string(step.name)).call_deadline = e.call_deadline;
  }
}

std::optional<TaskState> state_after(const EventBody& body) {
  return std::visit(StateAfter{}, body);
}

}  // namespace slipway::domain
