#pragma once
// The service around a backend, in one thread: the real WorkerCore and StepRunner in processes that
// can be killed, and a stand-in for the sequencer that keeps of each task what a log would keep.
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "core/base/clock.hpp"
#include "core/base/uuid.hpp"
#include "tests/backends/contract/cloud.hpp"
#include "tests/backends/contract/faulty_backend.hpp"
#include "tests/workers/support.hpp"
#include "workers/worker_core.hpp"

namespace slipway::workers::contract {

// Virtual, or real and now and then skipped ahead. On the rig's thread and on backends' threads.
class RigClock final : public base::Clock {
 public:
  explicit RigClock(bool is_virtual);
  base::Time now() const override;
  base::SteadyTime steady() const override;
  void skip(base::Duration d) { ahead_us_ += d.count(); }
  base::Duration ahead() const { return base::Duration(ahead_us_.load()); }
  bool is_virtual() const { return is_virtual_; }

 private:
  const bool is_virtual_;
  base::SystemClock system_;
  std::atomic<std::int64_t> ahead_us_{0};
};

class Rig {
 public:
  explicit Rig(CloudUnderTest& cloud);
  ~Rig();

  // What befalls the next run() of a task; forgotten when that ends.
  void disturb(Trouble trouble, std::size_t at);
  // From the first lease to the end. An attempt that failed is leased again at once, the task of a
  // killed worker to a new one.
  domain::Outcome run(const domain::WorkOrder& order);
  // Lets out the call that a frozen worker held back, and waits until the cloud has answered it.
  void thaw();
  std::shared_ptr<domain::Inventory> inventory(BackendError* error = nullptr);

  domain::TaskId next_task() { return domain::TaskId(ids_.next()); }
  domain::VmId next_vm() { return domain::VmId(ids_.next()); }
  domain::ImageId next_image() { return domain::ImageId(ids_.next()); }
  // Of the last run: calls begun, and which.
  std::size_t calls() const { return disturbance_.calls; }
  const std::vector<std::string>& asked() const { return disturbance_.asked; }
  // What the log has of a step of a task.
  std::string ref_of(const domain::TaskId& task, const std::string& step);
  std::size_t reports(const domain::TaskId& task) { return stand_in_.tasks[task].reports.size(); }

  std::string backend_name() const;
  CloudUnderTest& cloud() { return cloud_; }
  base::Time now() const { return clock_.now(); }

 private:
  struct Process;

  void start_process();
  void lease(domain::WorkOrder order);
  void turn();
  void wait();
  bool came(base::Duration at_most);
  void deliver(domain::WorkerEffect&& effect);

  CloudUnderTest& cloud_;
  RigClock clock_;
  base::SystemIdSource ids_;
  Disturbance disturbance_;
  test::StandIn stand_in_;
  std::vector<domain::WorkerEffect> to_worker_;
  std::vector<domain::WorkerInput> to_server_;
  domain::Seq fence_ = 0;
  std::mutex mu_;
  std::condition_variable came_;
  bool has_come_ = false;
  std::vector<std::unique_ptr<Process>> frozen_;  // killed, and yet with a call to make
  std::unique_ptr<Process> process_;
};

}  // namespace slipway::workers::contract
