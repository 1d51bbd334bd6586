#include <algorithm>

#include "eventstore/sequencer.hpp"

// Who works on what: the sequencer's dealings with workers.
namespace slipway::eventstore {
namespace {

using base::Errc;
using base::fail;

constexpr std::string_view kServer = "slipway";

std::string worker_actor(const std::string& worker) { return "worker/" + worker; }

}  // namespace

// ---- workers ----

void SequencerCore::take(domain::WorkerInput& input) {
  std::visit([this](auto& message) { take(message); }, input);
}

void SequencerCore::take(const domain::WorkerHello& hello) {
  if (drain_superseded(hello.session)) return;
  if (!is_read_only()) end_leases_of_dead(hello);
  WorkerSession& session = leases_.open_session(hello, steady_, now_);
  session.asked_at_us = std::max(session.asked_at_us, hello.asked_at_us);
  ++workers_version_;
  domain::Welcome welcome;
  welcome.session = hello.session;
  welcome.epoch = log_.head().epoch;
  welcome.heartbeat_interval = options_.heartbeat_interval;
  welcome.asked_at_us = hello.asked_at_us;
  welcome.lost = extend_held(session, hello.held);
  effect(hello.session, std::move(welcome));
}

// A worker of that name starts anew: the process that held these is gone. Also those that it held
// when an earlier server stopped: that one's sessions are not known here, but the log names them.
void SequencerCore::end_leases_of_dead(const domain::WorkerHello& hello) {
  for (const domain::SessionId& old : leases_.earlier_sessions(hello.worker, hello.session)) {
    const std::set<domain::TaskId> held = leases_.session(old)->held;
    leases_.supersede_session(old);
    for (const domain::TaskId& task : held) end_lease(task, domain::LeaseEnd::ProcessDied);
  }
  for (const domain::TaskId& id : leases_.unclaimed()) {
    const domain::Task* task = world_.task(id);
    if (task == nullptr || task->worker != hello.worker || task->session == hello.session) continue;
    end_lease(id, domain::LeaseEnd::ProcessDied);
  }
}

// An older process of a worker that has been replaced: it holds nothing any more.
bool SequencerCore::drain_superseded(const domain::SessionId& session) {
  if (!leases_.is_superseded(session)) return false;
  effect(session, domain::DrainWorker{"another process of this worker has taken its place"});
  return true;
}

std::vector<domain::HeldLease> SequencerCore::extend_held(
    WorkerSession& session, const std::vector<domain::HeldLease>& held) {
  std::vector<domain::HeldLease> lost;
  for (const domain::HeldLease& h : held) {
    TaskLease* lease = leases_.lease(h.task);
    const domain::Task* task = world_.task(h.task);
    if (lease == nullptr || lease->token != h.token || task == nullptr ||
        task->session != session.id) {
      lost.push_back(h);
      continue;
    }
    if (!session.held.contains(h.task)) leases_.reattach(*lease, session.id);
    leases_.extend(*lease, steady_ + options_.policy.lease_timeout);
    // Said when it was requested, but that frame may be lost, or the server have stopped then.
    if (task->cancel_requested()) effect(session.id, domain::CancelLease{h.task, h.token});
  }
  return lost;
}

void SequencerCore::take(const domain::WorkerHeartbeat& heartbeat) {
  if (drain_superseded(heartbeat.session)) return;
  domain::HeartbeatAck ack;
  ack.asked_at_us = heartbeat.asked_at_us;
  WorkerSession* session = leases_.session(heartbeat.session);
  if (session == nullptr) {
    ack.unknown_session = true;
  } else {
    session->last_seen = steady_;
    session->asked_at_us = std::max(session->asked_at_us, heartbeat.asked_at_us);
    if (heartbeat.draining && !session->draining) {
      session->draining = true;
      ++workers_version_;
    }
    ack.lost = extend_held(*session, heartbeat.held);
  }
  effect(heartbeat.session, std::move(ack));
}

void SequencerCore::take(const domain::WorkerGoodbye& goodbye) {
  WorkerSession* session = leases_.session(goodbye.session);
  if (session == nullptr || (is_read_only() && !session->held.empty())) return;
  const std::set<domain::TaskId> held = session->held;
  leases_.close_session(goodbye.session);
  ++workers_version_;
  for (const domain::TaskId& task : held) end_lease(task, domain::LeaseEnd::Expired);
}

void SequencerCore::take(DrainRequest& request) {
  bool found = false;
  for (const auto& [id, s] : leases_.sessions()) {
    if (s.worker != request.worker && base::to_string(id) != request.worker) continue;
    found = true;
    leases_.session(id)->draining = true;
    ++workers_version_;
    effect(id, domain::DrainWorker{"drain requested"});
  }
  if (request.done) request.done(found);
}

void SequencerCore::take(InspectRequest& request) {
  const domain::Vm* vm = world_.vm(request.vm);
  if (vm == nullptr) {
    return request.done(fail(Errc::NotFound, "no VM " + base::to_string(request.vm)));
  }
  const domain::Backend* backend = world_.backend(vm->spec.backend);
  const WorkerSession* session =
      backend == nullptr ? nullptr : leases_.any_of(backend->worker_pool, heard_since());
  if (session == nullptr) {
    return request.done(fail(Errc::BackendUnavailable, "no worker of its backend is connected"));
  }
  if (inspections_.is_full()) {
    return request.done(fail(Errc::QueueFull, "too many questions are under way"));
  }
  domain::InspectVm ask;
  ask.inspection = inspections_.add(session->id, steady_, std::move(request.done));
  ask.operation = std::move(request.operation);
  ask.order = domain::make_inspection_order(*vm);
  ask.order.installation = base::to_string(log_id_);
  effect(session->id, std::move(ask));
}

// Whoever was not heard of since is likely gone.
base::SteadyTime SequencerCore::heard_since() const {
  return steady_ - std::min(3 * options_.heartbeat_interval, options_.policy.lease_timeout);
}

void SequencerCore::take(domain::WorkerReport& report) {
  if (drain_superseded(report.session)) return;
  if (WorkerSession* session = leases_.session(report.session)) {
    session->last_seen = steady_;
    session->asked_at_us = std::max(session->asked_at_us, report.asked_at_us);
  }
  if (is_read_only()) return;  // not acknowledged: it comes again
  TaskLease* lease = leases_.lease(report.task);
  if (lease != nullptr && lease->token == report.token && lease->session == report.session &&
      report.report_id <= lease->last_report) {
    acknowledge(report, false);  // came twice
    return;
  }
  const domain::Task* task = world_.task(report.task);
  if (!options_.fence && task != nullptr) {
    report.token = task->token;
    report.session = task->session;
  }
  const bool log_progress = due_for_log(lease, report);
  auto events =
      domain::decide_report(world_, options_.policy, report, now_, next_random(), log_progress);
  if (!events) {
    if (observer_ != nullptr) observer_->on_stale_report();
    acknowledge(report, true);
    return;
  }
  if (lease != nullptr) {
    if (lease->session != report.session) leases_.reattach(*lease, report.session);
    lease->last_report = report.report_id;
    leases_.extend(*lease, steady_ + options_.policy.lease_timeout);
    note_progress(report, log_progress);
  }
  if (!events->empty()) commit(envelope_of(*task, worker_actor(task->worker)), std::move(*events));
  acknowledge(report, false);
}

void SequencerCore::acknowledge(const domain::WorkerReport& report, bool lost) {
  domain::ReportAck ack;
  ack.report_id = report.report_id;
  ack.task = report.task;
  ack.token = report.token;
  ack.lease_lost = lost;
  if (!lost && domain::is_begun(world_, report)) ack.granted_step = report.begin->step;
  effect(report.session, std::move(ack));
}

bool SequencerCore::due_for_log(TaskLease* lease, const domain::WorkerReport& report) const {
  return lease != nullptr && report.progress && !report.outcome &&
         report.progress->percent > lease->logged_percent &&
         steady_ - lease->progress_logged >= options_.progress_log_interval;
}

void SequencerCore::note_progress(const domain::WorkerReport& report, bool logged) {
  if (!report.progress || report.outcome) return;
  progress_.set(report.task, *report.progress);
  TaskLease* lease = leases_.lease(report.task);
  if (!logged || lease == nullptr) return;
  lease->logged_percent = report.progress->percent;
  lease->progress_logged = steady_;
}

// ---- leases ----

bool SequencerCore::dispatch() {
  const base::SteadyTime since =
      steady_ - std::min(3 * options_.heartbeat_interval, options_.policy.lease_timeout);
  for (const auto& [pool, queue] : world_.ready()) {
    while (!queue.empty()) {
      WorkerSession* session = leases_.roomiest(pool, since);
      if (session == nullptr) break;
      if (batch_is_full()) return true;
      lease_to(queue.begin()->task, *session);
    }
  }
  return false;
}

// `id` by value: the queue that it is read from forgets it here.
void SequencerCore::lease_to(domain::TaskId id, WorkerSession& session) {
  const domain::Task& task = *world_.task(id);
  auto events =
      domain::decide_lease(world_, options_.policy, task, session.id, session.worker, now_);
  commit(envelope_of(task, std::string(kServer)), std::move(events));
  leases_.grant(id, task.token, session.id, steady_ + options_.policy.lease_timeout);
  domain::WorkOrder order =
      domain::make_work_order(world_, options_.policy, task, log_.head().epoch);
  order.asked_at_us = session.asked_at_us;
  order.installation = base::to_string(log_id_);
  effect(session.id, std::move(order), task.tenant);
}

std::vector<WorkerStatus> SequencerCore::workers() const {
  std::vector<WorkerStatus> out;
  for (const auto& [id, s] : leases_.sessions()) {
    out.push_back({id, s.worker, s.pools, s.version, s.slots,
                   static_cast<std::uint32_t>(s.held.size()), s.draining, s.connected_at});
  }
  return out;
}

}  // namespace slipway::eventstore
