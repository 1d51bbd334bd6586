#include "app/instrumentation.hpp"

#include <map>

namespace slipway::app {
namespace {

using eventstore::Tally;

// The pool that leases and stale reports are counted under: sessions serve several.
constexpr std::string_view kPool = "default";

}  // namespace

void SequencerMetrics::on_append(std::size_t events, std::size_t bytes, base::Duration took) {
  m_.eventlog_append_duration->observe(took);
  m_.eventlog_sync_duration->observe(took);
  m_.eventlog_group_commit_events->observe(static_cast<double>(events));
  m_.eventlog_bytes->add(bytes);
}
void SequencerMetrics::on_idempotency(std::string_view result) {
  m_.idempotency_requests.with(result).add();
}
void SequencerMetrics::on_stale_report() { m_.task_stale_results.with(kPool).add(); }
void SequencerMetrics::on_lease_expired() { m_.task_lease_expirations.with(kPool).add(); }
void SequencerMetrics::on_timer_late(base::Duration late) { m_.timers_late->observe(late); }

void TaskTimings::on_committed(const eventstore::CommittedBatchPtr& batch) {
  for (const domain::RecordBody& record : batch->records) {
    for (const domain::Event& event : record.events) {
      if (event.stream.kind == domain::StreamKind::Task ||
          event.stream.kind == domain::StreamKind::Batch) {
        on_event(record.envelope, event);
      }
    }
  }
}

void TaskTimings::on_event(const domain::Envelope& envelope, const domain::Event& event) {
  const domain::TaskId id(event.stream.id);
  if (const auto* queued = std::get_if<domain::TaskQueued>(&event.body)) {
    tasks_[id] = {queued->command, queued->backend, queued->worker_pool,
                  envelope.time,   envelope.time,   {}};
    return;
  }
  const auto state = domain::state_after(event.body);
  const auto it = tasks_.find(id);
  if (!state || it == tasks_.end()) return;
  Times& t = it->second;
  if (*state == domain::TaskState::Running) {
    if (!t.pool.empty()) m_.task_queue_wait.with(t.pool).observe(envelope.time - t.ready);
    t.leased = envelope.time;
    return;
  }
  end_attempt(t, envelope.time);
  if (*state == domain::TaskState::Ready) t.ready = envelope.time;
  if (!domain::is_terminal(*state)) return;
  m_.task_end_to_end_duration.with(base::enum_name(t.command), base::enum_name(*state))
      .observe(envelope.time - t.accepted);
  if (t.command == domain::CommandKind::VmCreate && *state == domain::TaskState::Succeeded) {
    m_.vm_provision_duration.with(t.backend).observe(envelope.time - t.accepted);
  }
  tasks_.erase(it);
}

void TaskTimings::end_attempt(const Times& t, base::Time now) {
  if (t.leased == base::Time{} || t.backend.empty()) return;
  m_.task_attempt_duration.with(base::enum_name(t.command), t.backend).observe(now - t.leased);
}

void show_counts(metrics::Instruments& m, const eventstore::LiveCounts& counts) {
  for (const auto& [key, value] : counts.tallies) {
    const auto count = static_cast<std::uint64_t>(std::max<std::int64_t>(value, 0));
    const auto gauge = static_cast<double>(value);
    switch (key.tally) {
      case Tally::TasksByState:
        m.tasks.with(key.a).set(gauge);
        break;
      case Tally::VmsByState:
        m.vms.with(key.a, key.b).set(gauge);
        break;
      case Tally::TasksSubmitted:
        m.tasks_submitted.with(key.a, key.b).raise_to(count);
        break;
      case Tally::TasksFinished:
        m.tasks_finished.with(key.a, key.b, key.c).raise_to(count);
        break;
      case Tally::TaskAttempts:
        m.task_attempts.with(key.a, key.b, key.c).raise_to(count);
        break;
      case Tally::TaskRetries:
        m.task_retries.with(key.a, key.b).raise_to(count);
        break;
      case Tally::DeadLetters:
        m.tasks_dead_lettered.with(key.a, key.b).raise_to(count);
        break;
      case Tally::UndoSteps:
        m.task_undo_steps.with(key.a, key.b).raise_to(count);
        break;
      case Tally::VmsCreated:
        m.vms_created.with(key.a).raise_to(count);
        break;
      case Tally::VmsDeleted:
        m.vms_deleted.with(key.a).raise_to(count);
        break;
      case Tally::VmFailures:
        m.vm_failures.with(key.a, key.b).raise_to(count);
        break;
      case Tally::Events:
        m.eventlog_events.with(key.a).raise_to(count);
        break;
      case Tally::Queue:
      case Tally::ReadySince:
      case Tally::ImagesByState:
        break;
    }
  }
  for (const std::string& pool : counts.worker_pools()) {
    const auto queue = counts.queue(pool);
    m.queue_tasks.with(pool, "ready").set(static_cast<double>(queue.ready));
    m.queue_tasks.with(pool, "scheduled").set(static_cast<double>(queue.scheduled));
    m.queue_tasks.with(pool, "leased").set(static_cast<double>(queue.leased));
    m.task_leases.with(pool).set(static_cast<double>(queue.leased));
    m.queue_oldest_ready.with(pool).set(queue.oldest_ready);
  }
}

void show_workers(metrics::Instruments& m, const std::vector<eventstore::WorkerStatus>& workers) {
  struct Pool {
    double active = 0, draining = 0, slots = 0, busy = 0;
  };
  std::map<std::string, Pool> pools{{std::string(kPool), {}}};
  for (const auto& worker : workers) {
    for (const std::string& name : worker.pools) {
      Pool& pool = pools[name];
      ++(worker.draining ? pool.draining : pool.active);
      pool.slots += worker.slots;
      pool.busy += worker.busy;
    }
  }
  for (const auto& [name, pool] : pools) {
    m.workers.with(name, "active").set(pool.active);
    m.workers.with(name, "draining").set(pool.draining);
    m.worker_slots.with(name).set(pool.slots);
    m.worker_slots_busy.with(name).set(pool.busy);
  }
}

}  // namespace slipway::app
