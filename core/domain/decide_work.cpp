#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "core/domain/decide.hpp"
#include "core/domain/draft.hpp"
#include "core/domain/plan.hpp"

// What workers report, what leases and timers bring: the second half of a task's life.
namespace slipway::domain {
namespace {

using base::Errc;
using base::fail;

TaskState state_for(CancelReason reason) {
  switch (reason) {
    case CancelReason::None:
    case CancelReason::Client:
    case CancelReason::Dependency:
      return TaskState::Cancelled;
    case CancelReason::Deadline:
      return TaskState::TimedOut;
    case CancelReason::AttemptsExhausted:
      return TaskState::Dead;
  }
  return TaskState::Cancelled;
}

TaskError error_of(Errc code, std::string detail, const Task& task) {
  TaskError e;
  e.code = base::errc_name(code);
  e.detail = std::move(detail);
  e.backend = task.backend;
  e.attempt = task.attempt;
  return e;
}

TaskError error_for(const Task& task, CancelReason reason) {
  return reason == CancelReason::Deadline
             ? error_of(Errc::DeadlineExceeded, "the deadline passed", task)
             : error_of(Errc::AttemptsExhausted, "the attempts are used up", task);
}

EventBody terminal_event(const Ending& ending) {
  switch (ending.state) {
    case TaskState::Succeeded:
      return TaskSucceeded{ending.result};
    case TaskState::Failed:
      return TaskFailed{ending.error};
    case TaskState::TimedOut:
      return TaskTimedOut{ending.error};
    case TaskState::Dead:
      return TaskDead{ending.error};
    default:
      return TaskCancelled{};
  }
}

TaskState batch_state(const Task& batch, const Draft::Ended& now) {
  const std::uint32_t succeeded = batch.batch->succeeded + now.succeeded;
  const std::uint32_t cancelled = batch.batch->cancelled + now.cancelled;
  const std::uint32_t failed = batch.batch->failed + now.failed;
  if (succeeded == batch.batch->total) return TaskState::Succeeded;
  if (cancelled == batch.batch->total) return TaskState::Cancelled;
  if (failed == batch.batch->total) return TaskState::Failed;
  return TaskState::Partial;
}

void end_item(Draft& draft, const Task& item, TaskState state) {
  const Task* batch = draft.world.task(item.parent);
  if (batch == nullptr || !batch->batch) return;
  Draft::Ended& ended = draft.items_ended[batch->id];
  if (state == TaskState::Succeeded) {
    ++ended.succeeded;
    draft.add(StreamKind::Batch, batch->id, BatchItemSucceeded{item.id, item.index});
  } else {
    ++(state == TaskState::Cancelled ? ended.cancelled : ended.failed);
    draft.add(StreamKind::Batch, batch->id, BatchItemFailed{item.id, item.index, state});
  }
  const std::uint32_t finished =
      batch->batch->finished() + ended.succeeded + ended.cancelled + ended.failed;
  if (finished == batch->batch->total) {
    const TaskState closed = batch_state(*batch, ended);
    draft.add(StreamKind::Batch, batch->id, BatchClosed{closed});
    draft.tasks_ended.insert(batch->id);
    end_dependents(draft, batch->id, closed);
  }
}

bool retries_are_left(const Task& task, const Policy& policy) {
  // While being undone it has as many attempts again, then it is left as it is.
  const std::uint32_t limit = task.cancel_requested() ? task.max_attempts * 2 : task.max_attempts;
  return task.attempt < limit && task.process_deaths < policy.max_process_deaths;
}

// The attempt is over without success: another one, or the end. `steps` are as they are after it.
void retry_or_end(Draft& draft, const Policy& policy, const Task& task, TaskRetryScheduled retry,
                  std::vector<StepRecord> steps) {
  TaskError& error = retry.error;
  const bool poison = retry.process_died && task.process_deaths + 1 >= policy.max_process_deaths;
  if (!poison && (!retry.counted || retries_are_left(task, policy))) {
    draft.add(StreamKind::Task, task.id, std::move(retry));
    return;
  }
  if (poison) {
    error = error_of(
        Errc::AttemptsExhausted,
        fmt::format("its worker died {} times in it: {}", policy.max_process_deaths, error.detail),
        task);
  } else if (!task.cancel_requested() && has_steps_to_undo(task.command, steps)) {
    draft.add(StreamKind::Task, task.id, std::move(retry));
    draft.add(StreamKind::Task, task.id,
              TaskCancelRequested{CancelReason::AttemptsExhausted, draft.now + policy.undo_grace});
    draft.add(StreamKind::Task, task.id, TaskReady{"undo", false, {}});
    return;
  }
  const TaskState state = task.cancel_requested() ? state_for(task.cancel_reason) : TaskState::Dead;
  end_task(draft, task, Ending{state, {}, std::move(error), std::move(steps)});
}

class ReportDecider {
 public:
  ReportDecider(const World& world, const Policy& policy, const Task& task, base::Time now,
                std::uint64_t random)
      : policy_(policy), task_(task), random_(random), draft_(world, now) {}

  Events run(const WorkerReport& report, bool log_progress) {
    for (const StepDone& done : report.steps_done) fold_step_done(done);
    if (report.begin) fold_begin(*report.begin);
    if (report.progress && log_progress && !report.outcome) {
      draft_.add(StreamKind::Task, task_.id,
                 TaskProgressed{report.progress->percent, report.progress->step,
                                report.progress->message});
    }
    if (report.outcome) fold_outcome(report, *report.outcome);
    return std::move(draft_.events);
  }

 private:
  // A message may come twice or late: what the log has already is not said again, and a step that
  // is done is not begun again.
  void fold_step_done(const StepDone& done) {
    const StepRecord* known = task_.find_step_record(done.step);
    const StepState wanted = done.undone ? StepState::Undone : StepState::Done;
    if (known != nullptr && (known->state == wanted || known->state == StepState::Undone)) return;
    if (done.undone) {
      draft_.add(StreamKind::Task, task_.id, TaskStepUndone{done.step});
    } else {
      draft_.add(StreamKind::Task, task_.id,
                 TaskStepDone{done.step, done.backend_ref, done.adopted, done.result});
    }
  }
  void fold_begin(const StepBegin& begin) {
    const StepRecord* known = task_.find_step_record(begin.step);
    if (!begin.undo && known != nullptr && known->state == StepState::Done) return;
    draft_.add(
        StreamKind::Task, task_.id,
        TaskStepStarted{begin.step, task_.token, draft_.now + begin.call_timeout, begin.undo});
  }

  std::vector<StepRecord> steps_after(const WorkerReport& report) const {
    std::vector<StepRecord> steps = task_.steps;
    for (const StepDone& done : report.steps_done) fold_step(steps, done);
    if (report.outcome) forget_steps(steps, report.outcome->steps_not_begun, task_.token);
    return steps;
  }

  void fold_outcome(const WorkerReport& report, const Outcome& outcome) {
    Ending ending{TaskState::Succeeded, outcome.result, outcome.error, steps_after(report)};
    ending.error.backend = task_.backend;
    ending.error.attempt = task_.attempt;
    switch (outcome.kind) {
      case OutcomeKind::Succeeded:
        break;
      case OutcomeKind::Failed:
        ending.state =
            task_.cancel_requested() ? state_for(task_.cancel_reason) : TaskState::Failed;
        break;
      case OutcomeKind::Cancelled:
        ending.state = state_for(task_.cancel_reason);
        if (task_.cancel_requested()) ending.error = error_for(task_, task_.cancel_reason);
        ending.left_as_found = true;
        break;
      case OutcomeKind::Retry:
        return fold_retry(outcome, std::move(ending));
      case OutcomeKind::HandedBack:
        draft_.add(StreamKind::Task, task_.id,
                   TaskReady{"handed-back", true, outcome.steps_not_begun});
        return;
    }
    end_task(draft_, task_, std::move(ending));
  }

  void fold_retry(const Outcome& outcome, Ending ending) {
    const base::Duration delay = std::max(backoff(policy_, task_.attempt, random_),
                                          outcome.retry_after.value_or(base::Duration(0)));
    retry_or_end(draft_, policy_, task_,
                 {std::move(ending.error), draft_.now + delay, outcome.counted, false,
                  outcome.steps_not_begun},
                 std::move(ending.steps));
  }

  const Policy& policy_;
  const Task& task_;
  std::uint64_t random_;
  Draft draft_;
};

}  // namespace

base::Duration backoff(const Policy& policy, std::uint32_t attempt, std::uint64_t random) {
  const std::uint32_t doublings = std::min(attempt > 0 ? attempt - 1 : 0, 20U);
  const auto ceiling =
      std::min(policy.backoff_max.count(), policy.backoff_base.count() << doublings);
  return base::Duration(static_cast<std::int64_t>(
      random % (static_cast<std::uint64_t>(std::max<std::int64_t>(ceiling, 0)) + 1)));
}

void end_task(Draft& draft, const Task& task, Ending ending) {
  if (!draft.tasks_ended.insert(task.id).second) return;
  draft.add(StreamKind::Task, task.id, terminal_event(ending));
  settle_resources(draft, task, ending);
  if (!task.parent.is_nil()) end_item(draft, task, ending.state);
  end_dependents(draft, task.id, ending.state);
}

namespace {

// One record holds no longer cascade than this; see end_dependents.
constexpr std::size_t kCascadeEventsMax = 4000;

void release(Draft& draft, const Task& dependent, TaskState state) {
  if (dependent.state != TaskState::Blocked || draft.tasks_ended.contains(dependent.id)) return;
  if (state != TaskState::Succeeded) {
    end_task(draft, dependent, Ending{TaskState::Cancelled, {}, {}, dependent.steps});
    return;
  }
  const bool met =
      std::all_of(dependent.depends_on.begin(), dependent.depends_on.end(),
                  [&](const TaskId& other) { return draft.dependencies_met.contains(other); });
  if (met && !dependent.wake_at) {
    draft.add(StreamKind::Task, dependent.id, TaskReady{"unblocked", false, {}});
  }
}

}  // namespace

// A queue, not recursion: a chain of tasks may be as long as there are tasks.
void end_dependents(Draft& draft, const TaskId& task, TaskState state) {
  draft.ended_queue.emplace_back(task, state);
  if (draft.releasing) return;
  draft.releasing = true;
  while (!draft.ended_queue.empty()) {
    const std::pair<TaskId, TaskState> next = draft.ended_queue.front();
    draft.ended_queue.pop_front();
    if (next.second == TaskState::Succeeded) draft.dependencies_met.insert(next.first);
    for (const TaskId& id : draft.world.dependents(next.first)) {
      if (draft.events.size() >= kCascadeEventsMax) break;
      if (const Task* dependent = draft.world.task(id)) release(draft, *dependent, next.second);
    }
  }
  draft.releasing = false;
}

void request_cancel(Draft& draft, const Task& task, CancelReason reason, const Policy& policy) {
  if (task.cancel_requested() || draft.tasks_ended.contains(task.id)) return;
  if (task.state != TaskState::Running && !task.has_steps_to_undo()) {
    end_task(draft, task, Ending{state_for(reason), {}, error_for(task, reason), task.steps});
    return;
  }
  if (!draft.cancels_requested.insert(task.id).second) return;
  draft.add(StreamKind::Task, task.id, TaskCancelRequested{reason, draft.now + policy.undo_grace});
  if (task.state == TaskState::RetryWait || task.state == TaskState::Blocked) {
    draft.add(StreamKind::Task, task.id, TaskReady{"undo", false, {}});
  }
}

base::Result<Events> decide_report(const World& world, const Policy& policy,
                                   const WorkerReport& report, base::Time now, std::uint64_t random,
                                   bool log_progress) {
  const Task* task = world.task(report.task);
  if (task == nullptr || task->state != TaskState::Running || task->token != report.token ||
      task->session != report.session) {
    return fail(Errc::LeaseLost, "the token is not the task's present one");
  }
  return ReportDecider(world, policy, *task, now, random).run(report, log_progress);
}

bool is_begun(const World& world, const WorkerReport& report) {
  const Task* task = world.task(report.task);
  if (task == nullptr || !report.begin || task->state != TaskState::Running ||
      task->token != report.token) {
    return false;
  }
  if (report.begin->undo) return true;
  const StepRecord* step = task->find_step_record(report.begin->step);
  return step != nullptr && step->state == StepState::Started && step->token == report.token;
}

Events decide_lease(const World& world, const Policy& policy, const Task& task,
                    const SessionId& session, const std::string& worker, base::Time now) {
  Draft draft(world, now);
  const FencingToken token = task.token + 1;
  draft.add(StreamKind::Task, task.id,
            TaskLeased{task.attempt + 1, token, worker, session, policy.lease_timeout});
  const auto plan = plan_of(task.command);
  if (task.steps.empty() && !task.cancel_requested() && !plan.empty() && !plan[0].repeatable) {
    draft.add(StreamKind::Task, task.id,
              TaskStepStarted{std::string(plan[0].name), token, now + policy.lease_timeout, false});
  }
  if (task.command == CommandKind::VmCreate) {
    const Vm* vm = world.vm(task.vm());
    if (vm != nullptr && vm->state == VmState::Queued) {
      draft.add(StreamKind::Vm, vm->id, VmLaunching{});
    }
  }
  return std::move(draft.events);
}

Events decide_lease_end(const World& world, const Policy& policy, const Task& task, LeaseEnd why,
                        base::Time now, std::uint64_t random) {
  Draft draft(world, now);
  const bool died = why == LeaseEnd::ProcessDied;
  TaskError error = error_of(Errc::LeaseLost,
                             died ? fmt::format("worker {} died", task.worker)
                                  : fmt::format("worker {} was not heard of in time", task.worker),
                             task);
  error.retryable = true;
  const base::Duration delay = backoff(policy, task.attempt, random);
  retry_or_end(draft, policy, task, {std::move(error), now + delay, true, died, {}}, task.steps);
  return std::move(draft.events);
}

Events decide_timer(const World& world, const Policy& policy, const Timer& timer, base::Time now) {
  Draft draft(world, now);
  const Task* task = world.task(timer.task);
  if (task == nullptr) return {};
  const auto give_up = [&](CancelReason reason) {
    end_task(draft, *task, Ending{state_for(reason), {}, error_for(*task, reason), task->steps});
  };
  if (timer.kind == TimerKind::Deadline) {
    request_cancel(draft, *task, CancelReason::Deadline, policy);
  } else if (timer.kind == TimerKind::GiveUp) {
    give_up(task->cancel_reason);
  } else if (task->state == TaskState::RetryWait ||
             (task->state == TaskState::Blocked && task->depends_on.empty())) {
    const bool retry = task->state == TaskState::RetryWait;
    draft.add(StreamKind::Task, task->id, TaskReady{retry ? "retry" : "unblocked", false, {}});
  } else if (task->state == TaskState::Blocked) {
    draft.add(StreamKind::Task, task->id, TaskBlocked{task->depends_on, std::nullopt});
  }
  return std::move(draft.events);
}

Events decide_sample(const World& world, base::Time hour) {
  Draft draft(world, hour);
  StatSampled sample;
  sample.hour = hour;
  for (const auto& [project, usage] : world.usage()) sample.vms_existing[project] = usage.vms;
  draft.add(StreamKind::System, "main", std::move(sample));
  return std::move(draft.events);
}

namespace {

// The cloud's own words for what spec and args name by ours.
void name_parts(const World& world, WorkOrder& order) {
  const auto ref_of = [&](const Image& image) {
    return image.backend == order.backend ? image.backend_ref : std::string();
  };
  const ImageId& wanted = order.args.image.is_nil() ? order.spec.image : order.args.image;
  if (const LiveImage* image = world.image(wanted)) {
    if (order.image_ref.empty()) order.image_ref = ref_of(image->image);
    order.image_name = image->image.name;
  }
  const GuestSpec* guest = order.spec.guest ? &*order.spec.guest : nullptr;
  ImageId media = guest == nullptr ? ImageId() : guest->media;
  if (order.args.guest && !order.args.guest->media.is_nil()) media = order.args.guest->media;
  if (const LiveImage* image = world.image(media)) {
    order.media_ref = ref_of(image->image);
    order.media_name = image->image.name;
  }
  const Network* network = world.network(order.spec.network);
  if (network != nullptr && network->backend == order.backend) {
    order.network_ref = network->backend_ref;
  }
  if (network != nullptr) order.network_name = network->name;
}

}  // namespace

namespace {

void name_vm(WorkOrder& order, const Vm& vm) {
  order.vm = vm.id;
  order.vm_ref = vm.backend_ref;
  if (!vm.foreign) order.vm_key = correlation_key(vm.creator, "vm.create");
  order.spec = vm.spec;
}

}  // namespace

WorkOrder make_inspection_order(const Vm& vm) {
  WorkOrder order;
  order.backend = vm.spec.backend;
  name_vm(order, vm);
  return order;
}

WorkOrder make_work_order(const World& world, const Policy& policy, const Task& task,
                          std::uint64_t epoch) {
  WorkOrder order;
  order.task = task.id;
  order.token = task.token;
  order.fence = task.last_seq;
  order.epoch = epoch;
  order.attempt = task.attempt;
  order.command = task.command;
  order.backend = task.backend;
  order.root = task.correlation_root();
  order.steps = task.steps;
  order.cancel = task.cancel_requested();
  order.lease_timeout = policy.lease_timeout;
  order.deadline = task.deadline;
  order.trace = task.trace;
  if (const Vm* vm = world.vm(task.vm())) name_vm(order, *vm);
  if (const LiveImage* image = world.image(task.image())) {
    order.image_ref = image->image.backend_ref;
    if (!image->creator.is_nil()) order.image_key = correlation_key(image->creator, "image.create");
  }
  if (task.command != CommandKind::VmCreate && task.command != CommandKind::ImageDelete) {
    order.args = action_args(task);
  }
  if (task.command == CommandKind::ImageDelete || task.command == CommandKind::ImageCapture) {
    order.args.image = task.image();
  }
  if (order.args.orphan) {
    order.vm_ref = order.args.orphan->ref;
    order.vm_key = order.args.orphan->key;
  }
  name_parts(world, order);
  if (task.steps.size() == 1 && task.steps[0].state == StepState::Started &&
      task.steps[0].token == task.token) {
    order.granted_step = task.steps[0].step;
  }
  return order;
}

}  // namespace slipway::domain
