#pragma once
// Gives a Backend its calls the way a worker does: asks, and waits for the answer on this thread. A
// step that says "not yet" is asked again, as StepRunner would.
#include <condition_variable>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/base/mutex.hpp"
#include "tests/workers/support.hpp"
#include "workers/backends/backend.hpp"
#include "workers/backends/completion_queue.hpp"

namespace slipway::workers::libvirt::test {

using namespace std::chrono_literals;  // NOLINT: tests
using domain::CommandKind;

class Driver {
 public:
  explicit Driver(std::unique_ptr<Backend> backend);
  ~Driver();

  // The steps of an order's plan, one after the other; the first that fails ends it. What the last
  // one that gave a result answered.
  BackendAnswer run(const domain::WorkOrder& order, Secrets secrets = {});
  BackendAnswer step(std::shared_ptr<const LeasedWork> work, std::string_view step,
                     std::string ref = {});
  BackendAnswer undo(std::shared_ptr<const LeasedWork> work, std::string_view step,
                     std::string ref = {});
  BackendAnswer lookup(std::shared_ptr<const LeasedWork> work, std::string_view step,
                       bool undo = false);
  BackendAnswer inventory();

  // Asks without waiting; `wait_for` runs what comes in until `until` holds.
  void ask(std::shared_ptr<const LeasedWork> work, std::string_view step, Answer answer,
           std::string ref = {});
  bool wait_for(const std::function<bool()>& until, base::Duration limit = 120s);

  Backend& backend() { return *backend_; }
  std::vector<std::uint32_t> progress;  // of the last call
  std::vector<std::string> messages;

 private:
  BackendAnswer call(const BackendCall& call, bool look_up);

  base::Mutex mu_;
  std::condition_variable woken_;
  bool awake_ GUARDED_BY(mu_) = false;
  CompletionQueue queue_;
  std::unique_ptr<Backend> backend_;
};

std::shared_ptr<LeasedWork> work_of(domain::WorkOrder order);
domain::VmFacts facts_of(const BackendAnswer& answer);

}  // namespace slipway::workers::libvirt::test
