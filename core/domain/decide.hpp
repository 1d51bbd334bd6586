#pragma once
// The domain's decisions. Pure and total: no clock, randomness, disk or socket; the same world and
// command give the same events. Refusals are Errors; nothing has happened then.
#include <vector>

#include "core/domain/command.hpp"
#include "core/domain/work.hpp"
#include "core/domain/world.hpp"

namespace slipway::domain {

struct Policy {
  base::Duration default_deadline = std::chrono::hours(24);
  std::uint32_t max_attempts = 5;
  std::uint32_t max_process_deaths = 3;
  base::Duration backoff_base = std::chrono::milliseconds(500);
  base::Duration backoff_max = std::chrono::seconds(60);
  base::Duration lease_timeout = std::chrono::seconds(30);
  std::uint32_t batch_items_max = 1000;
  std::uint64_t tasks_in_flight_per_tenant = 1000000;
  std::uint64_t tasks_per_pool = 1000000;
  // What `default` means for the VMs of a lease that is about to end.
  BeforeEndAction lease_before_end = BeforeEndAction::Email;
  base::Duration undo_grace = std::chrono::seconds(60);  // how long a cancelled task may be undone
};

using Events = std::vector<Event>;

// A client's command.
base::Result<Events> decide(const World& world, const Policy& policy, const Command& command,
                            base::Time now);

// A worker's report on a task that it holds. LeaseLost if its token is not the present one, or its
// session not the one that was given the lease.
// `log_progress`: whether the progress in it is due for the log (see guarantees: heartbeats are
// not). `random` is for the jitter of a retry.
base::Result<Events> decide_report(const World& world, const Policy& policy,
                                   const WorkerReport& report, base::Time now, std::uint64_t random,
                                   bool log_progress);

// Whether the step that the report asks to begin stands begun in the log, under the report's token:
// only then may its call be made. `world` is as it is after decide_report's events.
bool is_begun(const World& world, const WorkerReport& report);

// Gives a READY task to a worker. The first step that needs its intent logged is begun in the same
// record: its call may be made as soon as the work order arrives.
Events decide_lease(const World& world, const Policy& policy, const Task& task,
                    const SessionId& session, const std::string& worker, base::Time now);

enum class LeaseEnd { Expired, ProcessDied };
// The worker was not heard of in time, or its process came back as a new one.
Events decide_lease_end(const World& world, const Policy& policy, const Task& task, LeaseEnd why,
                        base::Time now, std::uint64_t random);

// A timer of the world that fell due.
Events decide_timer(const World& world, const Policy& policy, const Timer& timer, base::Time now);

// Something of a lease that fell due; see lease_rules.hpp.
Events decide_lease_due(const World& world, const Policy& policy, const LeaseDue& due,
                        base::Time now);

// The hour's sample for the statistics.
Events decide_sample(const World& world, base::Time hour);

// What goes to the worker with the lease. `task` is as it is after decide_lease's events.
WorkOrder make_work_order(const World& world, const Policy& policy, const Task& task,
                          std::uint64_t epoch);
// Which VM it is, for InspectVm.
WorkOrder make_inspection_order(const Vm& vm);

// Exponential with full jitter: uniform in [0, min(max, base * 2^(attempt-1))].
// https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
base::Duration backoff(const Policy& policy, std::uint32_t attempt, std::uint64_t random);

}  // namespace slipway::domain
