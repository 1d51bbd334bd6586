#include "metrics/instruments.hpp"

#include "metrics/log.hpp"
#include "metrics/process_stats.hpp"

namespace slipway::metrics {
namespace {

constexpr std::array<std::string_view, 20> kVmStates{
    "QUEUED",       "LAUNCHING", "RUNNING",        "STOPPING", "STOPPED",
    "STARTING",     "REBOOTING", "HARD_REBOOTING", "PAUSING",  "PAUSED",
    "SUSPENDING",   "SUSPENDED", "RESUMING",       "RESIZING", "REBUILDING",
    "SNAPSHOTTING", "MIGRATING", "ERROR",          "DELETING", "DELETED"};

}  // namespace

// Nothing has been reloaded yet, so nothing has failed.
Instruments::Instruments() { config_last_reload_successful->set(1); }

void Instruments::add_backend(std::string_view backend) {
  for (const auto state : kVmStates) {
    if (state != "DELETED") vms.with(backend, state);
  }
  backend_up.with(backend);
  backend_circuit_open.with(backend);
  backend_throttled.with(backend);
  backend_calls_in_flight.with(backend);
  backend_calls_waiting.with(backend);
  vms_created.with(backend);
  vms_deleted.with(backend);
  vm_provision_duration.with(backend);
}

void Instruments::add_worker_pool(std::string_view worker_pool) {
  for (const auto state : {"ready", "scheduled", "leased"}) queue_tasks.with(worker_pool, state);
  for (const auto state : {"active", "draining"}) workers.with(worker_pool, state);
  task_queue_wait.with(worker_pool);
  queue_oldest_ready.with(worker_pool);
  task_leases.with(worker_pool);
  task_lease_expirations.with(worker_pool);
  task_stale_results.with(worker_pool);
  worker_slots.with(worker_pool);
  worker_slots_busy.with(worker_pool);
  workers_desired.with(worker_pool);
  worker_busy.with(worker_pool);
}

void Instruments::add_projection(std::string_view projection) {
  projection_seq.with(projection);
  projection_lag_events.with(projection);
  projection_last_event_timestamp.with(projection);
  projection_errors.with(projection);
}

ScrapeHook Instruments::watch_process() {
  return registry.before_scrape([this] {
    const auto stats = read_process_stats();
    process_resident_memory->set(static_cast<double>(stats.resident_bytes));
    process_open_fds->set(static_cast<double>(stats.open_fds));
    process_max_fds->set(static_cast<double>(stats.max_fds));
    process_start_time->set(stats.start);
    process_cpu->raise_to(stats.cpu);
    for (const auto level : kLogLevels) {
      log_messages.with(log_level_name(level)).raise_to(log_count(level));
    }
  });
}

}  // namespace slipway::metrics
