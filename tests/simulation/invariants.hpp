#pragma once
// The invariants of docs/ARCHITECTURE.md, coded once. They are folded from the log alone, record by
// record as it becomes durable, beside a world of their own; at the end the cloud is asked too.
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "core/domain/world.hpp"
#include "eventstore/event_log.hpp"
#include "tests/domain/lease_invariants.hpp"
#include "tests/simulation/base.hpp"
#include "tests/simulation/cloud.hpp"
#include "workers/backends/simulated/store.hpp"

namespace slipway::simulation {

// What the log says of one task, finished or not.
struct TaskTrace {
  domain::CommandKind command = domain::CommandKind::VmCreate;
  domain::TaskState state = domain::TaskState::Accepted;
  domain::VmId vm;
  domain::ImageId image;
  domain::TaskId root;  // of a chain of re-drives; itself else
  std::uint64_t token = 0;
  std::uint32_t attempt = 0;
  std::uint32_t max_attempts = 0;
  bool cancelled = false;
  base::Time deadline{};
  base::Time ended_at{};
  domain::Seq ended_seq = 0;
};

class Invariants {
 public:
  // Reads what the log has since the last time. After a crash the log must not be shorter.
  void follow(const eventstore::EventLog& log);
  void folded_equals(const domain::World& live, std::string_view where) const;
  void was_acknowledged(const domain::TaskId& task) const;  // must be in the log
  void answered(const std::string& request, const domain::TaskId& task);
  // A worker was given a lease: no other may be given the same.
  void ordered(const domain::TaskId& task, domain::FencingToken token,
               const domain::SessionId& session);
  // All is quiet: nothing may be unfinished, and what ended since `quiet` ended in time.
  void all_ended(base::Time quiet, domain::Seq quiet_seq, Duration grace) const;
  // At quiescence: the cloud has what the log says, once, and nothing else.
  void inventory(workers::simulated::Store& cloud, const Meddling& meddling) const;
  // What went behind the service's back is known to the log, what carries our tag and is nobody's
  // is gone, and what does not carry it was left alone.
  void meddled(workers::simulated::Store& cloud, const Meddling& meddling) const;
  // The cloud's own account of its calls: each VM made once, by a task that the log knows, and each
  // that was made is there or was deleted.
  void ledger(workers::simulated::Store& cloud, const Meddling& meddling) const;
  // At any time: no VM exists twice.
  static void no_double(workers::simulated::Store& cloud);

  const domain::World& world() const { return world_; }
  const std::map<domain::TaskId, TaskTrace>& tasks() const { return tasks_; }
  std::function<void(std::string)> tell;  // each event, for the trace
  std::uint64_t events() const { return world_.next_seq() - 1; }

 private:
  void on_record(const domain::RecordBody& record);
  void on_task(const domain::RecordBody& record, const domain::Event& event);
  void on_lease(TaskTrace& task, const domain::TaskLeased& e, const std::string& name);
  void on_vm(const domain::Event& event);
  void on_node(const domain::Event& event, const domain::VmId& vm);
  void end(const domain::RecordBody& record, TaskTrace& task, domain::TaskState state);
  void check_vm(const domain::Vm& vm,
                const std::multimap<domain::VmId, workers::simulated::VmRow>& rows) const;

  domain::World world_;
  std::map<std::string, domain::StreamVersion> versions_;
  std::map<domain::TaskId, TaskTrace> tasks_;
  std::map<domain::VmId, domain::TaskId> at_work_;
  // After ERROR, or a rename that ended badly, the log does not know size, host, image and name.
  std::set<domain::VmId> uncertain_;
  std::set<std::pair<std::string, std::uint64_t>> numbers_;  // of nodes, by their cloud
  std::map<domain::VmId, std::uint64_t> assigned_;
  std::uint64_t last_assignment_ = 0;
  std::map<std::string, domain::Seq> requests_;    // request id -> the record that accepted it
  std::map<std::string, domain::TaskId> answers_;  // request id -> the task it was told
  std::map<std::pair<domain::TaskId, domain::FencingToken>, domain::SessionId> ordered_;
  domain::testing::LeaseInvariants leases_{violate};
  base::JsonParser parser_;
};

}  // namespace slipway::simulation
