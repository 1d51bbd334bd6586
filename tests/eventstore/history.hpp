#pragma once
// Histories for tests and benchmarks of whatever follows the log: a Recorder that gives events
// their envelopes, seqs and versions, the lives of tasks as the sequencer would write them, and a
// random mixture of everything.
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "eventstore/committed.hpp"

namespace slipway::eventstore::testing {

using domain::StreamId;
using domain::StreamKind;
using domain::TaskId;
using domain::VmId;

// 2026-01-01T00:00:00Z
inline const base::Time kStart{std::chrono::seconds(1767225600)};

class Recorder {
 public:
  using Events = std::vector<std::pair<StreamId, domain::EventBody>>;

  base::Time now = kStart;
  std::string tenant = "demo";
  domain::Dialect dialect = domain::Dialect::Core;

  void record(Events events);
  template <class E>
  void task(const TaskId& id, E event) {
    record({{StreamId(StreamKind::Task, id), std::move(event)}});
  }
  template <class E>
  void vm(const VmId& id, E event) {
    record({{StreamId(StreamKind::Vm, id), std::move(event)}});
  }
  void wait(base::Duration d) { now += d; }
  // Deterministic, in order of time.
  base::Uuid new_id();

  // What a task's life is made of.
  Events accepted_vm_create(const TaskId& task, const VmId& vm, const std::string& name,
                            const TaskId& parent = {}, std::uint32_t index = 0);
  void accept_vm_create(const TaskId& task, const VmId& vm, const std::string& name) {
    record(accepted_vm_create(task, vm, name));
  }
  void lease_vm_create(const TaskId& task, const VmId& vm, std::uint32_t attempt = 1);
  void finish_vm_create(const TaskId& task, const VmId& vm);
  void accept(const TaskId& task, domain::CommandKind command, const VmId& vm,
              domain::EventBody vm_event);
  // Accept, lease, finish: 3 records, 10 events.
  void whole_vm_create(const TaskId& task, const VmId& vm, const std::string& name);
  void whole_vm_delete(const TaskId& task, const VmId& vm);

  const std::vector<domain::RecordBody>& records() const { return records_; }
  domain::Seq next_seq() const { return next_seq_; }
  // The records from `from` on as batches of about so many events.
  std::vector<CommittedBatchPtr> batches(std::size_t events_per_batch, domain::Seq from = 1) const;
  // All since the last call, as one batch.
  CommittedBatchPtr take();

 private:
  std::vector<domain::RecordBody> records_;
  std::map<std::string, std::uint64_t> versions_;
  domain::Seq next_seq_ = 1;
  std::uint64_t ids_ = 0;
  std::size_t taken_ = 0;
};

CommittedBatchPtr make_batch(std::vector<domain::RecordBody> records);
// As the log would give them back: encoded and decoded.
std::vector<CommittedBatchPtr> through_the_log(const std::vector<CommittedBatchPtr>& batches);

// Catalog and people, then tasks of every kind and fate, interleaved, over some hours.
Recorder random_history(std::uint64_t seed, std::size_t tasks);

}  // namespace slipway::eventstore::testing
