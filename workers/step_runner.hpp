#pragma once
// One leased task, from its order to its outcome: which step comes next, and what an answer means.
// A pure state machine: no clock, no backend, no socket. WorkerCore asks next(), does it, and tells
// what came of it.
//
//   forward:  for each step of the plan
//               known done                -> pass over
//               repeatable                -> call
//               begun by an earlier try,
//               not known to be done      -> wait until it must show, look it up: adopt or begin
//               else                      -> begin (durable), then call
//   unwind:   on a cancel or a final failure: the same for the undo of each step, last one first;
//             what is not found is undone
//
// A cancel is honoured while all that was done can be undone; past that the task goes on to its
// end. A repeatable step leaves no record: the outcome tells.
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/domain/plan.hpp"
#include "core/domain/work.hpp"
#include "workers/backends/backend.hpp"

namespace slipway::workers {

// A step that only waits for what an earlier one set going ("vm.await_running"): it can be left
// off at any time.
bool only_waits(std::string_view step);

struct Action {
  enum class Kind : std::uint8_t {
    None,    // an answer, a grant or a time is awaited
    Begin,   // ask for `step` (of its undo) to be recorded, then grant()
    Call,    // perform, then answer()
    Lookup,  // look up, then answer()
    Wait,    // for `wait`, then wait_over()
    Finish,  // outcome() is there
  };
  Kind kind = Kind::None;
  std::string_view step;
  std::string_view operation;
  bool undo = false;
  bool granted = false;  // Call: its begin is durable, with a time by which the call is over
  std::string ref;
  base::Duration wait{};
};

class StepRunner {
 public:
  // `settle_time` and `call_timeout` are the backend's.
  StepRunner(std::shared_ptr<const LeasedWork> work, base::Duration call_timeout,
             base::Duration settle_time);

  // What to do now. An action that must be answered is given out once.
  Action next(base::Time now);

  void grant(std::string_view step);    // the begin is durable; another step's is passed over
  void refuse();                        // the begin was not granted: asked again after a while
  void answer(BackendAnswer&& answer);  // Done, Failed or NotYet, for the call or look-up given out
  void no_answer();                     // its time is up: whether it had effect is unknown
  void wait_over();

  void cancel();
  // Stop at the next point where no call is under way, without an attempt being counted.
  void hand_back();
  // Retry later: this worker cannot do it now. A call under way is one whose effect is unknown.
  void give_up(const BackendError& why);

  // Whether a call is under way that need not be waited for; then leave_off() forgets it.
  bool can_leave_off() const { return pending_ == Pending::Call && only_waits(current().name); }
  void leave_off() { pending_ = Pending::Nothing; }
  // The action given out was not done: no room in the lease, or it was not its turn.
  void not_called();
  // The same, and what was granted is too old: its begin is asked for again.
  void begin_anew();

  // The steps done and undone since the last call.
  std::vector<domain::StepDone> take_done() { return std::exchange(done_, {}); }
  const std::optional<domain::Outcome>& outcome() const { return outcome_; }
  std::optional<domain::Outcome> take_outcome() { return std::exchange(outcome_, std::nullopt); }
  bool awaits_grant() const { return pending_ == Pending::Grant; }

 private:
  enum class State : std::uint8_t {
    None,     // never begun, or surely without effect
    Unknown,  // begun, by an earlier attempt or just now, and no answer: may have had effect
    Granted,  // the begin is durable, the call not made
    Done,
    Undone,
  };
  enum class Pending : std::uint8_t { Nothing, Grant, Call, Time };
  struct Progress {
    State state = State::None;
    bool shown = false;  // an unknown one was waited for: what it made can be seen now
    bool undo_granted = false;
    base::Time call_deadline{};
    std::string ref;
    std::vector<std::string> to_delete;  // doubles, or what the undo must delete
  };

  void load_steps();
  const domain::Step& current() const { return plan_[at_]; }
  Progress& progress() { return steps_[at_]; }
  bool cancel_is_due() const;
  bool find_undo();
  Action forward(base::Time now);
  Action unwind(base::Time now);
  Action wait_for_effect(base::Time now);
  Action give(Action::Kind kind, bool undo, std::string ref);
  std::string subject() const;

  void on_done(BackendAnswer&& answer);
  void on_found(std::vector<FoundResource>&& found);
  void on_deleted();
  void on_failed(const BackendError& error);
  void step_done(std::string ref, base::RawJson result, bool adopted);
  void step_undone();
  void start_unwinding(domain::Outcome final);
  void finish(domain::OutcomeKind kind);
  void retry(const BackendError& error);
  domain::TaskError task_error(const BackendError& error) const;

  std::shared_ptr<const LeasedWork> work_;
  base::Duration call_timeout_;
  base::Duration settle_time_;
  std::span<const domain::Step> plan_;
  std::vector<Progress> steps_;
  std::size_t at_ = 0;
  Pending pending_ = Pending::Nothing;
  Action::Kind asked_ = Action::Kind::None;  // what the pending answer is to
  bool deleting_ = false;                    // the call under way deletes to_delete.back()
  bool cancel_ = false;
  bool hand_back_ = false;
  std::optional<domain::Outcome> unwinding_;  // set: undo, then end like this
  base::Duration pause_{};                    // before the next action
  base::RawJson result_;
  std::vector<domain::StepDone> done_;
  std::optional<domain::Outcome> outcome_;
};

}  // namespace slipway::workers
