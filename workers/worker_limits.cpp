// The third part of WorkerCore: what keeps a worker from asking too much of a backend, and one
// backend from taking what the others need. Three things may hold a task back:
//
//   its turn    the backend's CallLimiter. The task waits here, its lease is extended as ever. A
//               step that must be begun waits before its begin, so that the call follows the grant
//               at once; the permit is its own until the call has ended.
//   the guard   circuit open, or too many repeats: sent back before it begins.
//   the share   with several backends, one that is not known to answer may hold share() of the
//               slots. It is not known at the start, and not any more once it has answered none of
//               its calls for `silence`. At the start what is over the share (the crowd) waits for
//               the first answer; with a silent one it is sent back, calls under way and all:
//               their effect is looked up later, as after a timeout.
#include <algorithm>
#include <utility>

#include "workers/held_lease.hpp"

namespace slipway::workers {

using base::Duration;
using Verdict = CallLimiter::Verdict;

namespace {

// So many of those sent back for silence come again in one pause of the guard, the last of them
// after this at most.
constexpr Duration kBackAfterMax = std::chrono::seconds(60);

std::string_view reason_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::Go:
      break;
    case Verdict::Calls:
      return "calls";
    case Verdict::Host:
      return "host";
    case Verdict::Rate:
      return "rate";
  }
  return "";
}

}  // namespace

// ---- turns ----

// False: the action is parked until give_turns() comes to it.
bool WorkerCore::gets_turn(Held& held, Action& action) {
  if (held.permit || only_waits(action.step)) return true;
  Target& target = *held.target;
  if (target.waiting.empty()) {
    held.permit = target.limiter.begin(held.work->order.spec.host, steady_) == Verdict::Go;
    if (held.permit) return true;
  }
  held.parked = held.queued = true;
  held.next = std::move(action);
  target.waiting.push_back(&held);
  return false;
}

// Once a turn, so that one that is answered inline does not call the next from within.
void WorkerCore::give_turns() {
  for (auto& [name, target] : backends_) {
    look_at_silence(target);
    while (give_next_turn(target)) {
    }
    for (Held* held : target.waiting) {
      if (std::exchange(held->seen_waiting, true)) continue;
      ++counters_.calls_waited;
      held_back(target, reason_of(target.limited_by));
    }
    tell_load(target);
  }
}

// In order, but past those that only wait for their host.
bool WorkerCore::give_next_turn(Target& target) {
  target.token_at = kNever;
  target.limited_by = Verdict::Host;
  for (Held* held : target.waiting) {
    const Verdict verdict = target.limiter.begin(held->work->order.spec.host, steady_);
    if (verdict == Verdict::Host) continue;
    if (verdict == Verdict::Go) {
      held->permit = true;
      held->queued = held->seen_waiting = false;
      std::erase(target.waiting, held);
      advance(*held);
      return true;
    }
    target.limited_by = verdict;
    if (verdict == Verdict::Rate) target.token_at = target.limiter.next_token(steady_);
    return false;
  }
  return false;
}

void WorkerCore::end_turn_of(Held& held) {
  if (std::exchange(held.queued, false)) std::erase(held.target->waiting, &held);
  if (std::exchange(held.permit, false)) held.target->limiter.end(held.work->order.spec.host);
}

// ---- what may begin ----

// An order that has come, or one of the crowd.
void WorkerCore::admit(Held& held) {
  Target& target = *held.target;
  leave_crowd(held);
  if (over_share(target)) {
    if (is_silent(target)) return put_off_for_silence(held);
    held.crowded = true;
    target.crowd.push_back(&held);
    return;
  }
  const bool open = target.guard.is_open();
  if (const auto wait = target.guard.admit(held.work->order.attempt > 1, steady_)) {
    return send_back(held, *wait, open ? "circuit" : "retries");
  }
  advance(held);
}

// A call under way, if any, is given up: its effect is unknown.
void WorkerCore::send_back(Held& held, Duration wait, std::string_view reason) {
  ++counters_.put_off;
  held_back(*held.target, reason);
  end_call(held);
  end_turn_of(held);
  held.wake_at = kNever;
  if (std::exchange(held.parked, false)) held.runner.not_called();
  held.runner.give_up({.detail = "the backend is left alone for a while",
                       .retryable = true,
                       .throttled = true,
                       .retry_after = wait});
  advance(held);
}

void WorkerCore::leave_crowd(Held& held) {
  if (std::exchange(held.crowded, false)) std::erase(held.target->crowd, &held);
}

void WorkerCore::leave_target(Held& held) {
  if (held.target == nullptr) return;
  end_turn_of(held);
  leave_crowd(held);
  if (std::exchange(held.counted, false)) --held.target->held;
}

// ---- the share of one that does not answer ----

std::size_t WorkerCore::share() const {
  return backends_.size() > 1 ? options_.slots / 2 + 1 : options_.slots;
}

bool WorkerCore::is_silent(const Target& target) const {
  return steady_ >= target.silent_at(options_.silence);
}

bool WorkerCore::over_share(const Target& target) const {
  return !target.answers && target.held > share() && target.silent_since != kNever;
}

// Those sent back come again a share in each pause of the guard, however many they are: each time
// costs two records in the log.
void WorkerCore::put_off_for_silence(Held& held) {
  Target& target = *held.target;
  const Duration pause = options_.guard.pause;
  const Duration apart = pause / static_cast<std::int64_t>(share());
  target.back_at = std::max(target.back_at + apart, steady_ + pause);
  target.back_at = std::min(target.back_at, steady_ + kBackAfterMax);
  send_back(held, target.back_at - steady_, "silent");
}

// Any answer will do, an error too: what answers gives its slots back.
// `unanswered`: those it still owes one.
void WorkerCore::heard_of(Target& target, std::size_t unanswered) {
  target.answers = true;
  target.back_at = {};
  target.silent_since = unanswered > 0 ? steady_ : kNever;
}

void WorkerCore::look_at_silence(Target& target) {
  if (target.answers && is_silent(target)) {
    target.answers = false;
    leave_slots_to_others(target);
  }
  if (target.crowd.empty() || (!target.answers && !is_silent(target))) return;
  for (Held* held : std::exchange(target.crowd, {})) admit(*held);
}

// The newest go first: the older ones are nearer to their timeout, which tells more.
void WorkerCore::leave_slots_to_others(Target& target) {
  if (target.held <= share()) return;
  std::vector<Held*> all;
  for (auto& [task, held] : held_) {
    const bool may_go = !held->finished && !held->crowded && !held->runner.awaits_grant();
    if (held->target == &target && may_go) all.push_back(held.get());
  }
  const std::size_t too_many = std::min(target.held - share(), all.size());
  std::partial_sort(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(too_many), all.end(),
                    [](const Held* a, const Held* b) {
                      return std::pair(a->received, a->task) > std::pair(b->received, b->task);
                    });
  for (std::size_t i = 0; i < too_many; ++i) put_off_for_silence(*all[i]);
}

// ---- for the metrics ----

void WorkerCore::held_back(const Target& target, std::string_view reason) const {
  if (options_.on_held_back) options_.on_held_back({target.backend->name(), reason});
}

void WorkerCore::tell_load(Target& target) const {
  const int calls = static_cast<int>(target.calls);
  const int waiting = static_cast<int>(target.waiting.size() + target.crowd.size());
  const int more_calls = calls - std::exchange(target.calls_told, calls);
  const int more_waiting = waiting - std::exchange(target.waiting_told, waiting);
  if (!options_.on_load || (more_calls == 0 && more_waiting == 0)) return;
  options_.on_load({target.backend->name(), more_calls, more_waiting});
}

}  // namespace slipway::workers
