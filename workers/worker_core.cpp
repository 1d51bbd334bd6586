#include "workers/worker_core.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "workers/step_runner.hpp"

namespace slipway::workers {

using base::Duration;
using base::SteadyTime;
using domain::HeldLease;
using domain::WorkerReport;

namespace {

constexpr SteadyTime kNever = SteadyTime::max();
// Timers of leases are looked through at most this often, all at once.
constexpr Duration kTimerGrain = std::chrono::milliseconds(2);
constexpr Duration kHelloPauseMax = std::chrono::seconds(2);
constexpr Duration kProgressAnyway = std::chrono::seconds(10);
constexpr std::size_t kEndedMax = 65536;

std::int64_t to_us(SteadyTime t) { return t.time_since_epoch().count(); }
SteadyTime from_us(std::int64_t us) { return SteadyTime(Duration(us)); }

}  // namespace

struct WorkerCore::Held {
  Held(std::shared_ptr<const LeasedWork> w, Duration timeout, Duration settle)
      : work(w), runner(std::move(w), timeout, settle), call_timeout(timeout) {}

  std::shared_ptr<const LeasedWork> work;
  StepRunner runner;
  Backend* backend = nullptr;
  domain::TaskId task;
  domain::FencingToken token = 0;
  Duration call_timeout;  // the backend's, or less where the lease is short
  Duration margin{};
  Duration lease_timeout{};
  SteadyTime received{};
  SteadyTime lease_end{};

  bool advancing = false;
  bool dirty = false;
  bool finished = false;   // its outcome is in a report
  bool no_room = false;    // too little of the lease is left for a call
  Action next;             // the call that waits for room
  std::uint64_t call = 0;  // under way; 0 for none
  SteadyTime call_end = kNever;
  SteadyTime wake_at = kNever;

  WorkerReport turn;                        // what this turn brought
  std::optional<domain::WorkerInput> sent;  // a WorkerReport not acknowledged yet
  std::string asked_step;                   // its begin
  SteadyTime resend_at = kNever;
  std::uint32_t percent = 0;
  SteadyTime progress_at{};

  bool has_room(SteadyTime now) const { return lease_end - now >= call_timeout + margin; }
  // A report is kept for one lease timeout past the lease's end.
  SteadyTime end() const { return finished ? lease_end + lease_timeout : lease_end; }
  SteadyTime next_timer() const {
    return std::min(std::min(end(), call_end), std::min(wake_at, resend_at));
  }
};

WorkerCore::WorkerCore(WorkerCoreOptions options, std::vector<Backend*> backends, Send send)
    : options_(std::move(options)), send_(std::move(send)), hello_pause_(options_.hello_interval) {
  for (Backend* backend : backends) backends_.emplace(backend->name(), backend);
}

WorkerCore::~WorkerCore() = default;

void WorkerCore::begin_turn(base::Time now, SteadyTime steady) {
  now_ = now;
  steady_ = steady;
}

void WorkerCore::on_message(std::uint64_t epoch, domain::ServerMessage&& message,
                            Secrets&& secrets) {
  if (finished_) return;
  if (epoch < epoch_) {
    ++counters_.stale_messages;
    return;
  }
  epoch_ = epoch;
  if (auto* order = std::get_if<domain::WorkOrder>(&message)) {
    on_order(std::move(*order), std::move(secrets));
    return;
  }
  std::visit(
      [this]<class T>(T& m) {
        if constexpr (!std::is_same_v<T, domain::WorkOrder>) on(std::move(m));
      },
      message);
}

void WorkerCore::end_turn() {
  if (finished_) return;
  run_timers();
  while (!dirty_.empty()) {
    Held* held = dirty_.back();
    dirty_.pop_back();
    held->dirty = false;
    flush(*held);
  }
  if (draining_ && held_.empty()) {
    send_(domain::WorkerGoodbye{.session = options_.session});
    finished_ = true;
  }
}

SteadyTime WorkerCore::next_timer() const {
  if (finished_) return kNever;
  return std::min(std::min(scan_at_, drain_by_), welcomed_ ? beat_at_ : hello_at_);
}

// ---- messages ----

void WorkerCore::on(domain::Welcome&& m) {
  if (m.session != options_.session) return;
  welcomed_ = true;
  hello_pause_ = options_.hello_interval;
  heartbeat_interval_ = std::max(m.heartbeat_interval, Duration(std::chrono::milliseconds(10)));
  extend(m.lost, m.asked_at_us);
  beat_at_ = steady_ + heartbeat_interval_;
  // A server that did not know the session has seen none of this.
  for (auto& [task, held] : held_) {
    if (!held->sent) continue;
    held->resend_at = steady_;
    wake_at(steady_);
  }
}

bool WorkerCore::seen_before(const domain::WorkOrder& order) {
  if (const auto ended = ended_.find(order.task); ended != ended_.end()) {
    if (order.token <= ended->second) return true;
  }
  const auto found = held_.find(order.task);
  if (found == held_.end()) return false;
  if (order.token <= found->second->token) return true;
  lose(*found->second);  // the server has leased it anew, so the old lease is over
  return false;
}

void WorkerCore::on_order(domain::WorkOrder&& order, Secrets&& secrets) {
  if (seen_before(order)) {
    ++counters_.stale_messages;
    return;
  }
  // Zero: a server that does not echo; then the time of receipt has to do.
  const SteadyTime asked =
      order.asked_at_us == 0 ? steady_ : std::min(from_us(order.asked_at_us), steady_);
  if (asked + order.lease_timeout <= steady_) {
    ++counters_.leases_lost;
    return;
  }
  ++counters_.orders;
  const auto backend = backends_.find(order.backend);
  const bool known = backend != backends_.end() && domain::needs_worker(order.command);
  const Duration call_timeout =
      std::min(known ? backend->second->call_timeout() : Duration{}, order.lease_timeout / 2);
  const Duration settle = known ? backend->second->settle_time() : Duration{};
  auto work = std::make_shared<LeasedWork>();
  work->order = std::move(order);
  work->secrets = std::move(secrets);

  auto held = std::make_unique<Held>(work, call_timeout, settle);
  held->task = work->order.task;
  held->token = work->order.token;
  held->backend = known ? backend->second : nullptr;
  held->margin = std::min(options_.margin, work->order.lease_timeout / 10);
  held->lease_timeout = work->order.lease_timeout;
  held->received = steady_;
  held->lease_end = asked + held->lease_timeout;
  Held& h = *held;
  held_[h.task] = std::move(held);
  wake_at(h.next_timer());
  // Three heartbeats a lease, whatever the server says.
  beat_at_ = std::min(beat_at_, steady_ + std::min(heartbeat_interval_, h.lease_timeout / 3));

  if (!known) h.runner.give_up(base::Errc::BackendUnavailable, "this worker has no such backend");
  if (draining_) h.runner.hand_back();
  advance(h);
}

WorkerCore::Held* WorkerCore::find(const domain::TaskId& task, domain::FencingToken token) {
  const auto found = held_.find(task);
  if (found == held_.end() || found->second->token != token) return nullptr;
  return found->second.get();
}

void WorkerCore::on(domain::ReportAck&& m) {
  Held* held = find(m.task, m.token);
  if (held == nullptr) return;
  if (m.lease_lost) return lose(*held);
  const bool newest = held->sent && std::get<WorkerReport>(*held->sent).report_id == m.report_id;
  if (newest) {
    held->sent.reset();
    held->resend_at = kNever;
    if (held->finished) return forget(*held);
  }
  if (!m.granted_step.empty()) {
    held->runner.grant(m.granted_step);
  } else if (newest && !held->asked_step.empty()) {
    held->runner.refuse();
  }
  if (newest) held->asked_step.clear();
  advance(*held);
}

void WorkerCore::on(domain::HeartbeatAck&& m) {
  if (m.unknown_session) {
    welcomed_ = false;
    hello_at_ = steady_;
    return;
  }
  extend(m.lost, m.asked_at_us);
}

void WorkerCore::on(domain::CancelLease&& m) {
  Held* held = find(m.task, m.token);
  if (held == nullptr || held->finished) return;
  held->runner.cancel();
  if (held->no_room || held->runner.can_leave_off()) leave_off(*held);
  held->wake_at = std::min(held->wake_at, steady_);
  wake_at(steady_);
  advance(*held);
}

void WorkerCore::on(domain::DrainWorker&&) {
  if (!draining_) drain();
}

// ---- a task ----

void WorkerCore::advance(Held& held) {
  if (held.advancing || held.finished) return;
  held.advancing = true;
  while (take_step(held)) {
  }
  held.advancing = false;
}

// False when there is something to wait for.
bool WorkerCore::take_step(Held& held) {
  if (held.no_room) return call(held, std::exchange(held.next, {}));
  Action action = held.runner.next(now_);
  switch (action.kind) {
    case Action::Kind::None:
      return false;
    case Action::Kind::Wait:
      held.wake_at = steady_ + action.wait;
      wake_at(held.wake_at);
      return false;
    case Action::Kind::Begin:
      held.turn.begin = domain::StepBegin{
          .step = std::string(action.step), .call_timeout = held.call_timeout, .undo = action.undo};
      mark_dirty(held);
      return false;
    case Action::Kind::Call:
    case Action::Kind::Lookup:
      return call(held, std::move(action));
    case Action::Kind::Finish:
      held.turn.outcome = held.runner.take_outcome();
      held.finished = true;
      mark_dirty(held);
      return false;
  }
  return false;
}

bool WorkerCore::call(Held& held, Action action) {
  held.no_room = !held.has_room(steady_);
  if (held.no_room) {  // until a heartbeat is answered, or the lease ends
    held.next = std::move(action);
    return false;
  }
  ++counters_.backend_calls;
  const std::uint64_t number = next_call_++;
  held.call = number;
  held.call_end = steady_ + held.call_timeout;
  wake_at(held.call_end);
  calls_.emplace(number, &held);
  const BackendCall request{.work = held.work,
                            .step = action.step,
                            .operation = action.operation,
                            .undo = action.undo,
                            .ref = std::move(action.ref),
                            .deadline = held.call_end};
  Answer answer = [this, number](BackendAnswer&& a) { on_answer(number, std::move(a)); };
  if (action.kind == Action::Kind::Lookup) {
    held.backend->lookup(request, std::move(answer));
  } else {
    held.backend->perform(request, std::move(answer));
  }
  return held.call == 0;  // answered inline: go on
}

void WorkerCore::on_answer(std::uint64_t call, BackendAnswer&& answer) {
  const auto found = calls_.find(call);
  if (found == calls_.end()) return;  // given up meanwhile
  Held& held = *found->second;
  if (answer.kind == BackendAnswer::Kind::Progress) return on_progress(held, answer);
  calls_.erase(found);
  held.call = 0;
  held.call_end = kNever;
  held.runner.answer(std::move(answer));
  auto done = held.runner.take_done();
  if (!done.empty()) {
    auto& all = held.turn.steps_done;
    all.insert(all.end(), std::make_move_iterator(done.begin()),
               std::make_move_iterator(done.end()));
    mark_dirty(held);
  }
  advance(held);
}

void WorkerCore::on_progress(Held& held, const BackendAnswer& answer) {
  const Duration since = steady_ - held.progress_at;
  const bool further = answer.percent > held.percent && since >= options_.progress_interval;
  if (!further && since < kProgressAnyway) return;
  held.percent = answer.percent;
  held.progress_at = steady_;
  held.turn.progress = domain::Progress{.percent = answer.percent, .message = answer.message};
  mark_dirty(held);
}

void WorkerCore::leave_off(Held& held) {
  calls_.erase(held.call);
  held.call = 0;
  held.call_end = kNever;
  if (std::exchange(held.no_room, false)) {
    held.runner.not_called();
  } else {
    held.runner.leave_off();
  }
}

// ---- leases and reports ----

// What the message asked at `asked_at_us` named is extended from then, but for what is lost. A
// lease received later was not named in it.
void WorkerCore::extend(const std::vector<HeldLease>& lost, std::int64_t asked_at_us) {
  for (const HeldLease& lease : lost) {
    if (Held* held = find(lease.task, lease.token)) lose(*held);
  }
  const SteadyTime asked = std::min(from_us(asked_at_us), steady_);
  std::vector<Held*> waiting;
  for (auto& [task, held] : held_) {
    if (held->received > asked) continue;
    held->lease_end = std::max(held->lease_end, asked + held->lease_timeout);
    if (held->no_room) waiting.push_back(held.get());
  }
  for (Held* held : waiting) advance(*held);
}

void WorkerCore::lose(Held& held) {
  ++counters_.leases_lost;
  forget(held);
}

void WorkerCore::forget(Held& held) {
  if (held.dirty) std::erase(dirty_, &held);
  if (held.call != 0) calls_.erase(held.call);
  ended_[held.task] = held.token;
  ended_order_.emplace_back(steady_ + held.lease_timeout, held.task);
  while (ended_order_.front().first <= steady_ || ended_order_.size() > kEndedMax) {
    ended_.erase(ended_order_.front().second);
    ended_order_.pop_front();
    if (ended_order_.empty()) break;
  }
  held_.erase(domain::TaskId(held.task));
}

void WorkerCore::mark_dirty(Held& held) {
  if (std::exchange(held.dirty, true)) return;
  dirty_.push_back(&held);
}

// Progress alone is sent once; all else is kept until it is acknowledged.
void WorkerCore::flush(Held& held) {
  WorkerReport turn = std::exchange(held.turn, {});
  if (turn.begin) held.asked_step = turn.begin->step;
  if (turn.steps_done.empty() && !turn.begin && !turn.outcome) {
    turn.session = options_.session;
    turn.report_id = next_report_++;
    turn.epoch = epoch_;
    turn.task = held.task;
    turn.token = held.token;
    turn.asked_at_us = to_us(steady_);
    ++counters_.reports;
    send_(std::move(turn));
    return;
  }
  if (!held.sent) {
    held.sent = std::move(turn);
  } else {
    auto& all = std::get<WorkerReport>(*held.sent);
    all.steps_done.insert(all.steps_done.end(), std::make_move_iterator(turn.steps_done.begin()),
                          std::make_move_iterator(turn.steps_done.end()));
    if (turn.begin) all.begin = std::move(turn.begin);
    if (turn.outcome) all.outcome = std::move(turn.outcome);
  }
  auto& report = std::get<WorkerReport>(*held.sent);
  report.session = options_.session;
  report.report_id = next_report_++;
  report.task = held.task;
  report.token = held.token;
  send_report(held);
}

void WorkerCore::send_report(Held& held) {
  auto& report = std::get<WorkerReport>(*held.sent);
  report.epoch = epoch_;
  report.asked_at_us = to_us(steady_);
  held.resend_at = steady_ + std::min(options_.report_interval, held.lease_timeout / 4);
  wake_at(held.resend_at);
  ++counters_.reports;
  send_(*held.sent);
}

// ---- timers ----

void WorkerCore::wake_at(SteadyTime at) { scan_at_ = std::min(scan_at_, at); }

void WorkerCore::run_timers() {
  if (!welcomed_ && steady_ >= hello_at_) say_hello();
  if (welcomed_ && steady_ >= beat_at_) beat();
  if (steady_ >= drain_by_) hand_back_all();
  if (steady_ < scan_at_) return;

  std::vector<Held*> due;
  for (auto& [task, held] : held_) {
    if (held->next_timer() <= steady_) due.push_back(held.get());
  }
  for (Held* held : due) run_timers(*held);
  SteadyTime next = kNever;
  for (auto& [task, held] : held_) next = std::min(next, held->next_timer());
  scan_at_ = next == kNever ? kNever : std::max(next, steady_ + kTimerGrain);
}

void WorkerCore::run_timers(Held& held) {
  if (steady_ >= held.end()) return lose(held);
  if (steady_ >= held.call_end) {
    calls_.erase(held.call);
    held.call = 0;
    held.call_end = kNever;
    held.runner.no_answer();
    advance(held);
  }
  if (steady_ >= held.wake_at) {
    held.wake_at = kNever;
    held.runner.wait_over();
    advance(held);
  }
  if (steady_ >= held.resend_at && !held.dirty) {
    ++counters_.reports_repeated;
    send_report(held);
  }
}

void WorkerCore::drain() {
  const bool hurry = std::exchange(draining_, true);
  drain_by_ = hurry ? steady_ : steady_ + options_.drain_timeout;
  beat();
}

void WorkerCore::hand_back_all() {
  drain_by_ = kNever;
  std::vector<Held*> all;
  for (auto& [task, held] : held_) all.push_back(held.get());
  for (Held* held : all) {
    if (held->finished) continue;
    if (held->runner.can_leave_off() || held->no_room) leave_off(*held);
    held->wake_at = kNever;
    held->runner.hand_back();
    advance(*held);
  }
}

std::vector<HeldLease> WorkerCore::held_leases() const {
  std::vector<HeldLease> leases;
  leases.reserve(held_.size());
  for (const auto& [task, held] : held_) leases.push_back({task, held->token});
  return leases;
}

void WorkerCore::say_hello() {
  hello_at_ = steady_ + hello_pause_;
  hello_pause_ = std::min(hello_pause_ * 2, kHelloPauseMax);
  send_(domain::WorkerHello{.session = options_.session,
                            .worker = options_.name,
                            .pools = options_.pools,
                            .slots = draining_ ? 0 : options_.slots,
                            .held = held_leases(),
                            .version = options_.version,
                            .asked_at_us = to_us(steady_)});
}

void WorkerCore::beat() {
  Duration interval = heartbeat_interval_;
  for (const auto& [task, held] : held_) interval = std::min(interval, held->lease_timeout / 3);
  beat_at_ = steady_ + interval;
  send_(domain::WorkerHeartbeat{.session = options_.session,
                                .held = held_leases(),
                                .draining = draining_,
                                .asked_at_us = to_us(steady_)});
}

}  // namespace slipway::workers
