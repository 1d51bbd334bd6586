// The other half of WorkerCore: what becomes of a lease, its report, and all that time brings.
#include <algorithm>
#include <iterator>
#include <utility>

#include "workers/held_lease.hpp"

namespace slipway::workers {

using base::Duration;
using base::SteadyTime;
using domain::HeldLease;
using domain::WorkerReport;

namespace {

// Timers of leases are looked through at most this often, all at once.
constexpr Duration kTimerGrain = std::chrono::milliseconds(2);
constexpr Duration kHelloPauseMax = std::chrono::seconds(2);
constexpr std::size_t kEndedMax = 65536;
// A server that does not answer any more is not waited for when there is nothing to hand back.
constexpr Duration kGoodbyeUnheard = std::chrono::seconds(2);

std::int64_t to_us(SteadyTime t) { return t.time_since_epoch().count(); }
SteadyTime from_us(std::int64_t us) { return SteadyTime(Duration(us)); }

}  // namespace

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
    if (held->parked && !held->queued) waiting.push_back(held.get());
  }
  for (Held* held : waiting) advance(*held);
}

void WorkerCore::lose(Held& held) {
  ++counters_.leases_lost;
  forget(held);
}

void WorkerCore::forget(Held& held) {
  if (held.dirty) std::erase(dirty_, &held);
  end_call(held);
  leave_target(held);
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
    end_call(held);
    call_ended(held, "timeout", only_waits(held.operation), false);
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
  if (!hurry) {
    drained_at_ = steady_;
    goodbye_at_ = steady_ + std::min(options_.drain_timeout, kGoodbyeUnheard);
  }
  beat();
}

void WorkerCore::hand_back_all() {
  drain_by_ = kNever;
  std::vector<Held*> all;
  for (auto& [task, held] : held_) all.push_back(held.get());
  for (Held* held : all) {
    if (held->finished) continue;
    leave_crowd(*held);
    if (held->runner.can_leave_off() || held->parked) leave_off(*held);
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
