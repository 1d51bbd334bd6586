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

void SequencerMetrics::on_reconciled(std::string_view backend, std::string_view result,
                                     base::Duration) {
  m_.reconcile_runs.with(backend, result).add();
}
void SequencerMetrics::on_finding(std::string_view backend, std::string_view kind) {
  m_.reconcile_findings.with(backend, kind).add();
}

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
  t.leased = {};
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
  if (!t.pool.empty()) m_.worker_busy.with(t.pool).add(now - t.leased);
}

void BackendMetrics::add(std::string_view backend) {
  m_.add_backend(backend);
  m_.backend_up.with(backend).set(1);
}

void BackendMetrics::watch(workers::WorkerCoreOptions& worker) {
  worker.on_backend_call = [this](const workers::BackendCallSeen& call) { on_call(call); };
  worker.on_circuit = [this](std::string_view backend, bool open) { on_circuit(backend, open); };
  worker.on_load = [this](const workers::BackendLoadSeen& seen) { on_load(seen); };
  worker.on_held_back = [this](const workers::HeldBackSeen& seen) {
    m_.backend_held_back.with(seen.backend, seen.reason).add();
  };
}

void BackendMetrics::on_call(const workers::BackendCallSeen& call) {
  m_.backend_requests.with(call.backend, call.operation, call.code).add();
  m_.backend_request_duration.with(call.backend, call.operation).observe(call.took);
  if (call.throttled) m_.backend_throttled.with(call.backend).add();
  const bool answered =
      call.code != "timeout" && call.code != base::errc_name(base::Errc::BackendUnavailable);
  m_.backend_up.with(call.backend).set(answered || call.throttled ? 1 : 0);
}

void BackendMetrics::on_circuit(std::string_view backend, bool open) {
  base::Lock lock(mu_);
  int& circuits = open_.try_emplace(std::string(backend)).first->second;
  circuits += open ? 1 : -1;
  m_.backend_circuit_open.with(backend).set(circuits > 0 ? 1 : 0);
}

// Of all workers of the process together.
void BackendMetrics::on_load(const workers::BackendLoadSeen& seen) {
  m_.backend_calls_in_flight.with(seen.backend).add(seen.calls);
  m_.backend_calls_waiting.with(seen.backend).add(seen.waiting);
}

namespace {

// What has come back to 0 has no tally any more, but its series must say so: all states are set.
template <class E, class Set>
void for_each_state(const Set& set) {
  for (const std::string_view state : enum_names(E{})) set(std::string(state));
}

}  // namespace

void show_counts(metrics::Instruments& m, const eventstore::LiveCounts& counts) {
  for_each_state<domain::TaskState>([&](const std::string& state) {
    m.tasks.with(state).set(static_cast<double>(counts.get({Tally::TasksByState, state, {}, {}})));
  });
  for_each_state<domain::ReservationState>([&](const std::string& state) {
    m.reservations.with(state).set(
        static_cast<double>(counts.get({Tally::ReservationsByState, state, {}, {}})));
  });
  for (const auto& [key, value] : counts.tallies) {
    const auto count = static_cast<std::uint64_t>(std::max<std::int64_t>(value, 0));
    switch (key.tally) {
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
        for_each_state<domain::VmState>([&, &backend = key.a](const std::string& state) {
          m.vms.with(backend, state)
              .set(static_cast<double>(counts.get({Tally::VmsByState, backend, state, {}})));
        });
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
      case Tally::TasksByState:
      case Tally::VmsByState:
      case Tally::Queue:
      case Tally::ReadySince:
      case Tally::ImagesByState:
      case Tally::ReservationsByState:
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

void show_broker(metrics::Instruments& m, const workers::BrokerCounters& counters) {
  using workers::BrokerCounters;
  const auto now = [](const std::atomic<std::uint64_t>& counter) {
    return counter.load(std::memory_order_relaxed);
  };
  for (std::size_t i = 0; i < BrokerCounters::kInputs.size(); ++i) {
    m.broker_messages.with("received", BrokerCounters::kInputs[i])
        .raise_to(now(counters.received[i]));
  }
  for (std::size_t i = 0; i < BrokerCounters::kOutputs.size(); ++i) {
    m.broker_messages.with("sent", BrokerCounters::kOutputs[i]).raise_to(now(counters.sent[i]));
  }
  m.broker_dropped.with("malformed").raise_to(now(counters.malformed));
  m.broker_dropped.with("from_dropped_peer").raise_to(now(counters.from_dropped_peer));
  m.broker_dropped.with("foreign_session").raise_to(now(counters.foreign_session));
  m.broker_dropped.with("unknown_session").raise_to(now(counters.unknown_session));
  m.broker_dropped.with("unreachable").raise_to(now(counters.unreachable));
  m.broker_dropped.with("queue_full").raise_to(now(counters.queue_full));
  m.broker_dropped.with("secret_unavailable").raise_to(now(counters.secret_unavailable));
}

void show_store(metrics::Instruments& m, const eventstore::StoreStats& stats) {
  m.rocksdb_size.with("tables").set(static_cast<double>(stats.tables_bytes));
  m.rocksdb_size.with("memtables").set(static_cast<double>(stats.memtables_bytes));
  m.rocksdb_size.with("table_readers").set(static_cast<double>(stats.table_readers_bytes));
  m.rocksdb_size.with("block_cache").set(static_cast<double>(stats.block_cache_bytes));
  m.rocksdb_pending_compaction->set(static_cast<double>(stats.pending_compaction_bytes));
  m.rocksdb_block_cache_lookups.with("hit").raise_to(stats.cache_hits);
  m.rocksdb_block_cache_lookups.with("miss").raise_to(stats.cache_misses);
  m.rocksdb_background_errors->raise_to(stats.background_errors);
  m.rocksdb_stall->raise_to(stats.stalled);
}

}  // namespace slipway::app
