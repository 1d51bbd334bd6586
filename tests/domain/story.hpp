#pragma once
// given / when / then for the domain. A Story owns a world with a small catalogue, folds what is
// decided, and names things by small numbers: task(1), vm(1).
//
//   Story s;
//   s.given(create(1));
//   s.when(cancel(1)).then({"task-1 TaskCancelled", "vm-1 VmDeleted"});
//   s.when(cancel(1)).refused(Errc::IllegalTransition);
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

#include "core/domain/decide.hpp"

namespace slipway::domain::testing {

using namespace std::chrono_literals;  // NOLINT: tests
using base::Errc;

// 2026-01-01T00:00:00Z
inline const base::Time kStart{std::chrono::seconds(1767225600)};

template <class Id>
Id id(std::uint64_t n) {
  Id out;
  out.bytes[6] = 0x70;
  for (int i = 0; i < 8; ++i) {
    out.bytes[static_cast<std::size_t>(15 - i)] = static_cast<std::uint8_t>(n >> (8 * i));
  }
  return out;
}
inline TaskId task(std::uint64_t n) { return id<TaskId>(n); }
inline VmId vm(std::uint64_t n) { return id<VmId>(n); }
inline ImageId image(std::uint64_t n) { return id<ImageId>(n); }
inline NetworkId network(std::uint64_t n) { return id<NetworkId>(n); }
inline SessionId session(std::uint64_t n) { return id<SessionId>(n); }

// Two hosts of 8 vCPUs, ten addresses, flavors small (1) and large (4), image debian, project demo.
InitializeSystem small_cloud();

Caller caller(const std::string& tenant = "demo");
CreateVm create_body(std::uint64_t vm_number);
// Task n creates VM n, unless said otherwise.
Command create(std::uint64_t n);
Command act(std::uint64_t task_number, CommandKind kind, std::uint64_t vm_number);
Command act(std::uint64_t task_number, ActOnVm body);
Command cancel(std::uint64_t n);
Command batch(std::uint64_t n, std::vector<BatchItem> items, bool lenient = false);
// Of a create that ended so.
Command redrive(std::uint64_t task_number, std::uint64_t from, TaskState state,
                std::uint64_t vm_number = 0);

WorkerReport report(std::uint64_t n, FencingToken token);
WorkerReport step_done(std::uint64_t n, FencingToken token, const std::string& step,
                       const std::string& ref = "ref");
WorkerReport step_undone(std::uint64_t n, FencingToken token, const std::string& step);
WorkerReport begins(std::uint64_t n, FencingToken token, const std::string& step);
WorkerReport ends(std::uint64_t n, FencingToken token, OutcomeKind kind);

class Story {
 public:
  Story();
  explicit Story(const InitializeSystem& cloud);

  // What must be accepted.
  Story& given(const Command& command);
  Story& given(Events events);

  Story& when(const Command& command);
  Story& when(const WorkerReport& report, bool log_progress = false);
  Story& when_leased(std::uint64_t n);
  Story& when_lease_ends(std::uint64_t n, LeaseEnd why = LeaseEnd::Expired);
  // Time passes, and all timers that fall due on the way are decided, each at its time.
  Story& when_passes(base::Duration d);

  // "task-1 TaskReady": what the last `when` decided, in order.
  Story& then(const std::vector<std::string>& expected);
  Story& refused(Errc code);
  Story& accepted();

  // A whole life: accept, lease, make, succeed.
  Story& running_vm(std::uint64_t n);
  Story& vm_in(std::uint64_t n, VmState state);

  TaskState state(std::uint64_t n) const;  // of a live task, or the outcome of a finished one
  VmState vm_state(std::uint64_t n) const;
  const Task& live(std::uint64_t n) const;
  bool is_live(std::uint64_t n) const { return world.task(task(n)) != nullptr; }
  // The world read from a snapshot of this one.
  World restored() const;

  World world;
  Policy policy;
  base::Time now = kStart;
  std::uint64_t random = 0;
  std::vector<RecordBody> log;
  Events last;
  base::Error error;
  bool ok = true;

 private:
  void fold(Events events, const std::string& tenant);
};

// What a command of task n makes that is done at once: its task, and then that.
std::vector<std::string> followed(std::uint64_t n, const std::vector<std::string>& made);

std::string short_name(const StreamId& stream);
std::string lines(const Events& events);

}  // namespace slipway::domain::testing
