#pragma once
// The simulated cloud as a worker's backend, in two flavours over the same Driver:
//   SimulatedBackend  its own thread, which takes what queued up through one transaction at a time;
//                     the real one, over SQLite
//   InlineBackend     no thread; answers within the call, or from on_timer(). For the deterministic
//                     simulator and for tests
#include <memory>
#include <thread>
#include <vector>

#include "core/base/bounded_queue.hpp"
#include "core/base/clock.hpp"
#include "workers/backends/simulated/driver.hpp"

namespace slipway::workers::simulated {

class SimulatedBackend final : public Backend {
 public:
  // `path` is the cloud's one file, shared by all processes; `clock` must outlive the backend.
  static base::Result<std::unique_ptr<SimulatedBackend>> open(const std::string& path,
                                                              Options options,
                                                              const base::Clock& clock);
  SimulatedBackend(Options options, std::unique_ptr<Store> store, const base::Clock& clock);
  ~SimulatedBackend() override;

  std::string_view name() const override { return name_; }
  base::Duration call_timeout() const override { return driver_.options().call_timeout; }
  base::Duration settle_time() const override { return driver_.options().settle_time; }
  void attach(CompletionQueue& queue) override;
  void perform(const BackendCall& call, Answer answer) override;
  void lookup(const BackendCall& call, Answer answer) override;
  void inventory(const InventoryCall& call, Answer answer) override;

 private:
  void run();
  base::Duration until_due() const;

  const std::string name_;
  const base::Clock& clock_;
  Driver driver_;  // the thread's, once it runs
  base::BoundedQueue<Asked> asked_;
  CompletionQueue* completions_ = nullptr;
  std::jthread thread_;
};

class InlineBackend final : public Backend {
 public:
  InlineBackend(Options options, std::unique_ptr<Store> store);

  std::string_view name() const override { return driver_.options().name; }
  base::Duration call_timeout() const override { return driver_.options().call_timeout; }
  base::Duration settle_time() const override { return driver_.options().settle_time; }
  void perform(const BackendCall& call, Answer answer) override;
  void lookup(const BackendCall& call, Answer answer) override;
  void inventory(const InventoryCall& call, Answer answer) override;
  void on_timer(base::Time now) override;
  std::optional<base::Time> next_timer() const override { return driver_.next_due(); }

  Cloud& cloud() { return driver_.cloud(); }

 private:
  void turn();

  Driver driver_;
  base::Time now_{};
  std::vector<Asked> asked_;
};

}  // namespace slipway::workers::simulated
