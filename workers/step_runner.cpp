#include "workers/step_runner.hpp"

#include <algorithm>
#include <utility>

namespace slipway::workers {

using domain::Outcome;
using domain::OutcomeKind;
using domain::Step;

namespace {

// Before a begin that was not granted is asked for again; a cancel is on its way, most likely.
constexpr base::Duration kRefusedPause = std::chrono::milliseconds(500);

}  // namespace

bool only_waits(std::string_view step) { return step.find(".await_") != std::string_view::npos; }

StepRunner::StepRunner(std::shared_ptr<const LeasedWork> work, base::Duration call_timeout,
                       base::Duration settle_time)
    : work_(std::move(work)),
      call_timeout_(call_timeout),
      settle_time_(settle_time),
      plan_(domain::plan_of(work_->order.command)),
      steps_(plan_.size()),
      cancel_(work_->order.cancel) {
  load_steps();
}

void StepRunner::load_steps() {
  const domain::WorkOrder& order = work_->order;
  for (std::size_t i = 0; i < plan_.size(); ++i) {
    const auto known = std::find_if(order.steps.begin(), order.steps.end(),
                                    [&](const auto& s) { return s.step == plan_[i].name; });
    Progress& step = steps_[i];
    if (known != order.steps.end()) {
      step.ref = known->backend_ref;
      step.call_deadline = known->call_deadline;
      step.state = known->state == domain::StepState::Done     ? State::Done
                   : known->state == domain::StepState::Undone ? State::Undone
                                                               : State::Unknown;
    }
    // Granted with this very lease: nobody can have called it yet.
    const bool ours =
        known == order.steps.end() || known->token == order.token || step.state == State::Undone;
    if (order.granted_step == plan_[i].name && ours && step.state != State::Done) {
      step.state = State::Granted;
    }
  }
}

Action StepRunner::next(base::Time now) {
  if (outcome_) return {.kind = Action::Kind::Finish};
  if (pending_ != Pending::Nothing) return {};
  if (hand_back_) {
    finish(OutcomeKind::HandedBack);
    return {.kind = Action::Kind::Finish};
  }
  if (pause_ > base::Duration::zero()) {
    pending_ = Pending::Time;
    return {.kind = Action::Kind::Wait, .wait = std::exchange(pause_, base::Duration::zero())};
  }
  return unwinding_ ? unwind(now) : forward(now);
}

Action StepRunner::forward(base::Time now) {
  while (at_ < plan_.size() && progress().state == State::Done && progress().to_delete.empty()) {
    ++at_;
  }
  if (at_ == plan_.size()) {
    finish(OutcomeKind::Succeeded);
    return {.kind = Action::Kind::Finish};
  }
  if (cancel_is_due()) {
    start_unwinding({.kind = OutcomeKind::Cancelled});
    return unwind(now);
  }
  Progress& step = progress();
  if (!step.to_delete.empty()) {
    deleting_ = true;
    return give(Action::Kind::Call, true, step.to_delete.back());
  }
  if (current().repeatable || step.state == State::Granted) {
    if (!current().repeatable) {
      step.state = State::Unknown;
      step.shown = false;
    }
    Action call = give(Action::Kind::Call, false, subject());
    call.granted = !current().repeatable;
    return call;
  }
  if (step.state == State::Unknown) return wait_for_effect(now);
  return give(Action::Kind::Begin, false, {});
}

// Not while what was done, or may have been, could not be undone: then its end is waited for.
bool StepRunner::cancel_is_due() const {
  if (!cancel_) return false;
  for (std::size_t i = 0; i <= at_; ++i) {
    const bool may_be_done = steps_[i].state == State::Done || steps_[i].state == State::Unknown;
    if (may_be_done && plan_[i].undo.empty() && !plan_[i].repeatable) return false;
    // A repeatable step leaves no record: an earlier lease may have done it.
    const bool maybe_earlier = work_->order.token > 1 && plan_[i].repeatable;
    if (maybe_earlier && plan_[i].undo.empty() && !only_waits(plan_[i].name)) return false;
  }
  return true;
}

Action StepRunner::unwind(base::Time now) {
  if (!find_undo()) {
    outcome_ = std::move(*unwinding_);
    // Begun, and known to have had no effect: nothing of it is unknown any more.
    for (std::size_t i = 0; i < plan_.size(); ++i) {
      const State state = steps_[i].state;
      if (plan_[i].repeatable || (state != State::Granted && state != State::None)) continue;
      outcome_->steps_not_begun.emplace_back(plan_[i].name);
    }
    return {.kind = Action::Kind::Finish};
  }
  Progress& step = progress();
  if (step.state == State::Unknown) return wait_for_effect(now);
  if (step.to_delete.empty()) step.to_delete.push_back(step.ref);
  if (!current().repeatable && !step.undo_granted) return give(Action::Kind::Begin, true, {});
  deleting_ = true;
  return give(Action::Kind::Call, true, step.to_delete.back());
}

// Moves to the last step that has something to undo.
bool StepRunner::find_undo() {
  for (std::size_t i = plan_.size(); i > 0; --i) {
    const State state = steps_[i - 1].state;
    if (plan_[i - 1].undo.empty()) continue;
    if (state != State::Done && state != State::Unknown) continue;
    at_ = i - 1;
    return true;
  }
  return false;
}

// A call whose answer is not known may show until its deadline and the settle time are over. The
// deadline is another machine's wall clock: it is never waited for longer than it can have been.
Action StepRunner::wait_for_effect(base::Time now) {
  Progress& step = progress();
  const base::Duration left = step.call_deadline + settle_time_ - now;
  if (!step.shown && left > base::Duration::zero()) {
    step.shown = true;
    pending_ = Pending::Time;
    return {.kind = Action::Kind::Wait,
            .step = current().name,
            .wait = std::min(left, call_timeout_ + settle_time_)};
  }
  return give(Action::Kind::Lookup, unwinding_.has_value(), {});
}

Action StepRunner::give(Action::Kind kind, bool undo, std::string ref) {
  asked_ = kind;
  pending_ = kind == Action::Kind::Begin ? Pending::Grant : Pending::Call;
  return {.kind = kind,
          .step = current().name,
          .operation = undo && kind == Action::Kind::Call ? current().undo : current().name,
          .undo = undo,
          .ref = std::move(ref)};
}

std::string StepRunner::subject() const {
  const domain::WorkOrder& order = work_->order;
  if (only_waits(current().name)) {
    for (std::size_t i = at_; i > 0; --i) {
      if (!steps_[i - 1].ref.empty()) return steps_[i - 1].ref;
    }
  }
  if (order.args.orphan) return order.args.orphan->ref;
  return order.command == domain::CommandKind::ImageDelete ? order.image_ref : order.vm_ref;
}

void StepRunner::grant(std::string_view step) {
  if (pending_ != Pending::Grant || step != current().name) return;
  pending_ = Pending::Nothing;
  if (unwinding_) {
    progress().undo_granted = true;
  } else {
    progress().state = State::Granted;
  }
}

void StepRunner::refuse() {
  if (pending_ != Pending::Grant) return;
  pending_ = Pending::Nothing;
  if (!cancel_) pause_ = kRefusedPause;
}

void StepRunner::cancel() {
  cancel_ = true;
  if (pending_ == Pending::Time && only_waits(current().name)) pending_ = Pending::Nothing;
}

void StepRunner::hand_back() {
  hand_back_ = true;
  if (pending_ == Pending::Time) pending_ = Pending::Nothing;
  if (pending_ != Pending::Grant) return;
  pending_ = Pending::Nothing;  // the grant may be on its way: say that it was not used
  if (!unwinding_) progress().state = State::Granted;
}

void StepRunner::not_called() {
  pending_ = Pending::Nothing;
  const bool deleting = std::exchange(deleting_, false);
  if (asked_ == Action::Kind::Call && !deleting && !current().repeatable) {
    progress().state = State::Granted;
  }
}

void StepRunner::begin_anew() {
  not_called();
  if (progress().state == State::Granted) progress().state = State::None;
}

void StepRunner::wait_over() {
  if (pending_ == Pending::Time) pending_ = Pending::Nothing;
}

void StepRunner::no_answer() {
  if (pending_ != Pending::Call) return;
  pending_ = Pending::Nothing;
  if (asked_ == Action::Kind::Call && only_waits(current().name)) return;  // ask again
  deleting_ = false;
  retry({.code = base::Errc::BackendUnavailable,
         .detail = "the backend did not answer in time",
         .retryable = true});
}

void StepRunner::answer(BackendAnswer&& answer) {
  if (pending_ != Pending::Call) return;
  pending_ = Pending::Nothing;
  const bool deleted = std::exchange(deleting_, false);
  switch (answer.kind) {
    case BackendAnswer::Kind::Done:
      if (asked_ == Action::Kind::Lookup) return on_found(std::move(answer.found));
      return deleted ? on_deleted() : on_done(std::move(answer));
    case BackendAnswer::Kind::Failed:
      if (deleted && answer.error.code == base::Errc::NotFound) return on_deleted();
      return on_failed(answer.error);
    case BackendAnswer::Kind::NotYet:
      pause_ = std::max(answer.ask_again_after, base::Duration(1000));
      return;
    case BackendAnswer::Kind::Progress:
      pending_ = Pending::Call;
      deleting_ = deleted;
      return;
  }
}

void StepRunner::on_done(BackendAnswer&& answer) {
  const bool settled = answer.settled;
  step_done(std::move(answer.ref), std::move(answer.result), false);
  if (settled && at_ + 1 < plan_.size() && only_waits(plan_[at_ + 1].name)) {
    steps_[at_ + 1].state = State::Done;
  }
}

// The oldest is the one; an earlier attempt that was thought dead made the others.
void StepRunner::on_found(std::vector<FoundResource>&& found) {
  Progress& step = progress();
  if (found.empty()) {
    if (unwinding_) return step_undone();
    step.state = State::None;
    return;
  }
  std::stable_sort(found.begin(), found.end(),
                   [](const auto& a, const auto& b) { return a.age > b.age; });
  if (unwinding_) {
    for (FoundResource& item : found) step.to_delete.push_back(std::move(item.ref));
    step.state = State::Done;
    return;
  }
  if (!current().undo.empty()) {
    for (std::size_t i = 1; i < found.size(); ++i) {
      step.to_delete.push_back(std::move(found[i].ref));
    }
  }
  step_done(std::move(found.front().ref), {}, true);
}

void StepRunner::on_deleted() {
  Progress& step = progress();
  step.to_delete.pop_back();
  if (unwinding_ && step.to_delete.empty()) step_undone();
}

void StepRunner::step_done(std::string ref, base::RawJson result, bool adopted) {
  Progress& step = progress();
  step.state = State::Done;
  step.ref = std::move(ref);
  if (!result.text.empty()) result_ = result;
  if (current().repeatable) return;
  done_.push_back({.step = std::string(current().name),
                   .backend_ref = step.ref,
                   .adopted = adopted,
                   .result = std::move(result)});
}

void StepRunner::step_undone() {
  progress().state = State::Undone;
  done_.push_back({.step = std::string(current().name), .undone = true});
}

void StepRunner::on_failed(const BackendError& error) {
  const bool lookup = asked_ == Action::Kind::Lookup;
  if (error.without_effect && !lookup && !unwinding_ && progress().state == State::Unknown) {
    progress().state = State::None;
  }
  // An undo, or a look-up, that cannot be done now is tried again until the task is dead: ending
  // well would leave something behind that nobody knows of.
  const bool must_not_end = lookup || unwinding_ || !progress().to_delete.empty();
  if (error.retryable || error.throttled || must_not_end) return retry(error);
  start_unwinding({.kind = OutcomeKind::Failed, .error = task_error(error)});
}

// The effect of a call that just failed for good is known to be over: no wait before its look-up.
void StepRunner::start_unwinding(Outcome final) {
  if (final.kind == OutcomeKind::Failed) progress().shown = true;
  unwinding_ = std::move(final);
}

void StepRunner::finish(OutcomeKind kind) {
  Outcome outcome{.kind = kind};
  if (kind == OutcomeKind::Succeeded) outcome.result = std::move(result_);
  for (std::size_t i = 0; i < plan_.size(); ++i) {
    if (steps_[i].state == State::Granted) outcome.steps_not_begun.emplace_back(plan_[i].name);
  }
  outcome_ = std::move(outcome);
}

void StepRunner::retry(const BackendError& error) {
  Outcome outcome{.kind = OutcomeKind::Retry,
                  .error = task_error(error),
                  .counted = !error.throttled,
                  .retry_after = error.retry_after};
  const bool begun = !unwinding_ && at_ < plan_.size() && !current().repeatable;
  if (begun && error.without_effect && asked_ == Action::Kind::Call) {
    outcome.steps_not_begun.emplace_back(current().name);
  }
  outcome_ = std::move(outcome);
}

void StepRunner::give_up(const BackendError& why) {
  retry(why);
  for (std::size_t i = 0; i < plan_.size(); ++i) {
    if (steps_[i].state == State::Granted) outcome_->steps_not_begun.emplace_back(plan_[i].name);
  }
}

domain::TaskError StepRunner::task_error(const BackendError& error) const {
  const domain::WorkOrder& order = work_->order;
  return {.code = std::string(base::errc_name(error.code)),
          .detail = error.detail,
          .backend = order.backend,
          .backend_request_id = error.backend_request_id,
          .step = at_ < plan_.size() ? std::string(current().name) : std::string(),
          .attempt = order.attempt,
          .retryable = error.retryable};
}

}  // namespace slipway::workers
