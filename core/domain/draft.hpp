#pragma once
// The events of one decision while they are being decided. `decide` sees the world as it was before
// the command; what the decision itself has already taken (addresses, room on hosts, quota, items
// of a batch that ended) is counted here, so that a batch of a thousand decides as a thousand
// would.
#include <deque>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/domain/command.hpp"
#include "core/domain/world.hpp"

namespace slipway::domain {

struct Policy;

struct Draft {
  Draft(const World& w, base::Time t) : world(w), now(t) {}

  const World& world;
  base::Time now;
  std::vector<Event> events;  // versions are given when they are folded

  std::map<NetworkId, std::size_t> addresses_taken;
  std::map<std::string, std::uint64_t> numbers_given;  // by cloud
  std::set<std::pair<NetworkId, std::uint32_t>> addresses_given;
  std::map<std::string, std::size_t> pool_addresses_taken;  // by address pool
  std::map<std::string, Usage> usage_added;                 // by project
  std::map<std::string, Usage> host_added;                  // by host
  std::set<VmId> vms_touched;                               // one command each
  std::set<ImageId> images_touched;
  std::set<std::string> flavors_defined;  // private ones
  std::set<TaskId> tasks_ended;
  std::set<TaskId> cancels_requested;
  struct Ended {
    std::uint32_t succeeded = 0;
    std::uint32_t cancelled = 0;
    std::uint32_t failed = 0;
  };
  std::map<TaskId, Ended> items_ended;  // by batch
  std::uint64_t tasks_added = 0;
  // Ended here, and those that waited for them not looked at yet.
  std::deque<std::pair<TaskId, TaskState>> ended_queue;
  std::set<TaskId> dependencies_met;
  bool releasing = false;

  void add(StreamKind kind, const base::Uuid& id, EventBody body) {
    events.push_back({StreamId(kind, id), 0, std::move(body)});
  }
  void add(StreamKind kind, std::string_view name, EventBody body) {
    events.push_back({StreamId(kind, name), 0, std::move(body)});
  }
};

// Ends a task: the terminal event, what it means for its VM and image, for its batch, and for the
// tasks that waited for it. In this one place, for every way in which a task can end.
struct Ending {
  TaskState state = TaskState::Succeeded;
  base::RawJson result;  // SUCCEEDED
  TaskError error;       // FAILED, TIMED_OUT, DEAD
  // As they are at the end: the last report's included, which the world has not folded yet.
  std::vector<StepRecord> steps;
  // Its worker says that nothing was done, or all of it undone.
  bool left_as_found = false;
};
void end_task(Draft& draft, const Task& task, Ending ending);

// Those that waited for the task: ready if it succeeded and was the last, else cancelled, and so
// on. A cascade that would be too long for one record is left off; `evolve` then sets a timer that
// is due at once for each of the rest.
void end_dependents(Draft& draft, const TaskId& task, TaskState state);

// Ends a task that nothing has been begun of; else asks for its undoing, which a worker carries
// out.
void request_cancel(Draft& draft, const Task& task, CancelReason reason, const Policy& policy);

// What acceptance, success and a bad end mean for the VM of a task (vm_rules.cpp). `redriven`: the
// task that this one repeats, or nil; it may start from the ERROR in which that one ended.
base::Status start_on_vm(Draft& draft, const Command& command, const ActOnVm& act,
                         const TaskId& task, const TaskId& redriven);
base::Status check_quota(const Draft& draft, const std::string& project, const Usage& more);
void settle_resources(Draft& draft, const Task& task, const Ending& ending);

}  // namespace slipway::domain
