#pragma once
// Calls of a backend as a worker makes them, waited for one by one: what the tests of a single
// client need. The worker itself is tested elsewhere.
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "workers/backends/backend.hpp"
#include "workers/backends/completion_queue.hpp"

namespace slipway::workers::openstack::test {

// The tests' task ids: a fresh one each, of version 7.
domain::TaskId fresh_task();
domain::VmId fresh_vm();

class Calls {
 public:
  explicit Calls(Backend& backend);

  // One call that has ended. `step` is of `order`'s plan; `operation` empty: the step itself.
  BackendAnswer perform(const domain::WorkOrder& order, std::string_view step, std::string ref = {},
                        std::string_view undo = {},
                        base::Duration time = std::chrono::seconds(110));
  BackendAnswer lookup(const domain::WorkOrder& order, std::string_view step, bool undo = false);
  BackendAnswer inventory();
  // The same, not waited for; `answer` comes in wait_for() or a later call.
  void start(const domain::WorkOrder& order, std::string_view step, std::string ref, Answer answer,
             base::Duration time = std::chrono::seconds(110));
  // Hears answers until `done` says so; false if it did not within `time`.
  bool wait_for(const std::function<bool()>& done, base::Duration time = std::chrono::seconds(120));

  // All steps of the order's plan in turn, as a worker would: a step that waits is asked again, and
  // what its step made is handed on. The first that fails ends it.
  BackendAnswer run(const domain::WorkOrder& order);

  Secrets secrets;  // of the next call
  std::vector<std::string> progress;

 private:
  BackendAnswer wait(const std::function<void(Answer)>& ask);
  std::shared_ptr<LeasedWork> lease(const domain::WorkOrder& order);

  Backend& backend_;
  std::mutex mutex_;
  std::condition_variable ready_;
  bool woken_ = false;
  CompletionQueue queue_;
};

}  // namespace slipway::workers::openstack::test
