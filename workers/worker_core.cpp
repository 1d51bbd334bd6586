#include "workers/worker_core.hpp"

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

constexpr Duration kProgressAnyway = std::chrono::seconds(10);

SteadyTime from_us(std::int64_t us) { return SteadyTime(Duration(us)); }

}  // namespace

WorkerCore::WorkerCore(WorkerCoreOptions options, std::vector<Backend*> backends, Send send)
    : options_(std::move(options)), send_(std::move(send)), hello_pause_(options_.hello_interval) {
  for (Backend* backend : backends) {
    const auto limits = options_.limits.find(backend->name());
    Target& target = backends_[std::string(backend->name())];
    target.backend = backend;
    target.guard = BackendGuard(options_.guard);
    if (limits != options_.limits.end()) target.limiter = CallLimiter(limits->second);
  }
}

WorkerCore::~WorkerCore() = default;

void WorkerCore::begin_turn(base::Time now, SteadyTime steady) {
  now_ = now;
  steady_ = steady;
  for (auto& [name, target] : backends_) target.backend->on_timer(now_);
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
  give_turns();
  while (!dirty_.empty()) {
    Held* held = dirty_.back();
    dirty_.pop_back();
    held->dirty = false;
    flush(*held);
  }
  if (draining_ && held_.empty() && steady_ >= goodbye_at_) {
    send_(domain::WorkerGoodbye{.session = options_.session});
    finished_ = true;
  }
}

SteadyTime WorkerCore::next_timer() const {
  if (finished_) return kNever;
  SteadyTime next = std::min(std::min(scan_at_, drain_by_), welcomed_ ? beat_at_ : hello_at_);
  if (draining_ && held_.empty()) next = std::min(next, goodbye_at_);
  for (const auto& [name, target] : backends_) {
    const auto due = target.backend->next_timer();
    if (due) next = std::min(next, steady_ + std::max(*due - now_, Duration(0)));
    if (!target.waiting.empty()) next = std::min(next, target.token_at);
    if (target.answers || !target.crowd.empty()) {
      next = std::min(next, target.silent_at(options_.silence));
    }
  }
  return next;
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
  Target* target = known ? &backend->second : nullptr;
  const Duration call_timeout =
      std::min(known ? target->backend->call_timeout() : Duration{}, order.lease_timeout / 2);
  const Duration settle = known ? target->backend->settle_time() : Duration{};
  auto work = std::make_shared<LeasedWork>();
  work->order = std::move(order);
  work->secrets = std::move(secrets);

  auto held = std::make_unique<Held>(work, call_timeout, settle);
  held->task = work->order.task;
  held->token = work->order.token;
  held->target = target;
  held->margin = std::min(options_.margin, work->order.lease_timeout / 10);
  held->lease_timeout = work->order.lease_timeout;
  held->received = steady_;
  held->lease_end = asked + held->lease_timeout;
  held->granted_until = held->lease_end;  // the first step is granted for as long as the lease
  Held& h = *held;
  held_[h.task] = std::move(held);
  wake_at(h.next_timer());
  // Three heartbeats a lease, whatever the server says.
  beat_at_ = std::min(beat_at_, steady_ + std::min(heartbeat_interval_, h.lease_timeout / 3));

  if (!known) {
    h.runner.give_up({.detail = "this worker has no such backend", .retryable = true});
  } else if (draining_) {
    h.runner.hand_back();
  } else {
    ++target->held;
    h.counted = true;
    return admit(h);
  }
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
  const auto* sent = held->sent ? &std::get<WorkerReport>(*held->sent) : nullptr;
  const bool newest = sent != nullptr && sent->report_id == m.report_id;
  if (newest) {
    // The outcome may have come about since: then it is in the next report.
    const bool was_last = sent->outcome.has_value();
    held->sent.reset();
    held->resend_at = kNever;
    if (was_last) return forget(*held);
  }
  if (!m.granted_step.empty()) {
    held->granted_until = steady_ + held->call_timeout;
    held->runner.grant(m.granted_step);
  } else if (newest && !held->asked_step.empty()) {
    end_turn_of(*held);
    held->runner.refuse();
  }
  if (newest) held->asked_step.clear();
  advance(*held);
}

void WorkerCore::on(domain::HeartbeatAck&& m) {
  // The server has heard of the drain: what it had sent before has come, and no order follows.
  if (draining_ && from_us(m.asked_at_us) >= drained_at_) goodbye_at_ = steady_;
  if (m.unknown_session) {
    goodbye_at_ = steady_;
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
  leave_crowd(*held);
  if (held->parked || held->runner.can_leave_off()) leave_off(*held);
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
  if (held.queued || held.crowded) return false;
  Action action =
      std::exchange(held.parked, false) ? std::exchange(held.next, {}) : held.runner.next(now_);
  switch (action.kind) {
    case Action::Kind::None:
      return false;
    case Action::Kind::Wait:
      held.wake_at = steady_ + action.wait;
      wake_at(held.wake_at);
      return false;
    case Action::Kind::Begin:
      if (!gets_turn(held, action)) return false;
      held.turn.begin = domain::StepBegin{
          .step = std::string(action.step), .call_timeout = held.call_timeout, .undo = action.undo};
      mark_dirty(held);
      return false;
    case Action::Kind::Call:
    case Action::Kind::Lookup:
      return call(held, std::move(action));
    case Action::Kind::Finish:
      end_turn_of(held);
      held.turn.outcome = held.runner.take_outcome();
      held.finished = true;
      mark_dirty(held);
      return false;
  }
  return false;
}

bool WorkerCore::call(Held& held, Action action) {
  if (!gets_turn(held, action)) return false;
  if (!held.has_room(steady_)) {  // until a heartbeat is answered, or the lease ends
    held.parked = true;
    held.next = std::move(action);
    return false;
  }
  // Whoever looks for the call's effect later goes by what the log says of its end.
  if (action.granted && steady_ + held.call_timeout > held.granted_until) {
    held.runner.begin_anew();
    return true;
  }
  ++counters_.backend_calls;
  Target& target = *held.target;
  ++target.calls;
  held.call_waits = only_waits(action.step);
  if (!held.call_waits) {
    ++target.asked;
    target.silent_since = std::min(target.silent_since, steady_);
  }
  const std::uint64_t number = next_call_++;
  held.call = number;
  held.operation = action.operation;
  held.call_start = steady_;
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
    target.backend->lookup(request, std::move(answer));
  } else {
    target.backend->perform(request, std::move(answer));
  }
  return held.call == 0;  // answered inline: go on
}

void WorkerCore::on_answer(std::uint64_t call, BackendAnswer&& answer) {
  const auto found = calls_.find(call);
  if (found == calls_.end()) return;  // given up meanwhile
  Held& held = *found->second;
  if (answer.kind == BackendAnswer::Kind::Progress) {
    heard_of(*held.target, held.target->asked);
    return on_progress(held, answer);
  }
  end_call(held);
  heard_of(*held.target, held.target->asked);
  const bool ok = answer.kind != BackendAnswer::Kind::Failed;
  const BackendError& error = answer.error;
  call_ended(held, ok ? "ok" : base::errc_name(error.code),
             ok || error.code != base::Errc::BackendUnavailable || error.one_host, error.throttled);
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

// Answered, given up or forgotten: it is not under way any more.
void WorkerCore::end_call(Held& held) {
  if (held.call == 0) return;
  calls_.erase(held.call);
  held.call = 0;
  held.call_end = kNever;
  --held.target->calls;
  if (!held.call_waits) --held.target->asked;
  end_turn_of(held);
}

void WorkerCore::call_ended(Held& held, std::string_view code, bool available, bool throttled) {
  BackendGuard& guard = held.target->guard;
  const bool was_open = guard.is_open();
  guard.on_answer(available || throttled, steady_);
  if (options_.on_circuit && guard.is_open() != was_open) {
    options_.on_circuit(held.target->backend->name(), guard.is_open());
  }
  if (!options_.on_backend_call) return;
  options_.on_backend_call({.backend = held.target->backend->name(),
                            .operation = held.operation,
                            .code = code,
                            .throttled = throttled,
                            .took = steady_ - held.call_start});
}

void WorkerCore::on_progress(Held& held, const BackendAnswer& answer) {
  const Duration since = steady_ - held.progress_at;
  const bool further = answer.percent > held.percent && since >= options_.progress_interval;
  if (!further && since < kProgressAnyway) return;
  held.percent = answer.percent;
  held.progress_at = steady_;
  held.turn.progress = domain::Progress{
      .percent = answer.percent, .step = std::string(held.operation), .message = answer.message};
  mark_dirty(held);
}

void WorkerCore::leave_off(Held& held) {
  end_call(held);
  end_turn_of(held);
  if (std::exchange(held.parked, false)) {
    held.runner.not_called();
  } else {
    held.runner.leave_off();
  }
}

}  // namespace slipway::workers
