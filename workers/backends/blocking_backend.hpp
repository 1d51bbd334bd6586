#pragma once
// Makes a Backend of a client library that blocks (libvirt). Its calls run on threads of *lanes*,
// one lane for each part of the cloud that can hang by itself (a libvirt cell): what waits in one
// lane delays no other. A call that is not over at its deadline is answered for it; its thread is
// left behind in the library and another takes its place. How many may be left behind is bounded;
// past that the lane has fewer threads until some come back. The worker's leases bound the queues.
#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "workers/backends/backend.hpp"
#include "workers/backends/completion_queue.hpp"

namespace slipway::workers {

// Called on the lanes' threads, several at once. It may be outlived by none of its calls: one that
// hangs keeps it.
class BlockingClient {
 public:
  using Progress = std::function<void(std::uint32_t percent, std::string message)>;
  virtual ~BlockingClient() = default;

  // On the worker's thread; must not block. The name of one of Options::lanes; any other: the
  // first.
  virtual std::string_view lane(const BackendCall&) const { return {}; }
  virtual BackendAnswer perform(const BackendCall& call, const Progress& progress) = 0;
  virtual BackendAnswer lookup(const BackendCall& call) = 0;

  // What that lane's part of the cloud has; asked of all lanes at once.
  virtual BackendAnswer inventory(const InventoryCall& call, std::string_view lane) = 0;
  // All lanes' answers, in their order, as one. A lane that did not answer has Failed.
  virtual BackendAnswer join(std::vector<BackendAnswer>&& parts) { return std::move(parts.at(0)); }
};

class BlockingBackend final : public Backend {
 public:
  struct Lane {
    std::string name;
    std::size_t threads = 4;
  };
  struct Options {
    std::string name;
    std::vector<Lane> lanes = {Lane{}};
    base::Duration call_timeout = std::chrono::seconds(10);
    base::Duration settle_time = std::chrono::seconds(1);
    // An answer is given so long before its deadline: the worker must still hear it.
    base::Duration margin = std::chrono::milliseconds(200);
    std::size_t max_left_behind = 32;  // threads, in all lanes together
  };

  BlockingBackend(Options options, std::shared_ptr<BlockingClient> client);
  // Waits for the calls under way, each to its deadline at most; those still queued are never made.
  ~BlockingBackend() override;

  std::string_view name() const override { return options_.name; }
  base::Duration call_timeout() const override { return options_.call_timeout; }
  base::Duration settle_time() const override { return options_.settle_time; }
  void attach(CompletionQueue& queue) override;
  void perform(const BackendCall& call, Answer answer) override;
  void lookup(const BackendCall& call, Answer answer) override;
  void inventory(const InventoryCall& call, Answer answer) override;

  // Threads that are in a call whose deadline has passed. Any thread.
  std::size_t left_behind() const;

 private:
  struct Core;
  base::SteadyTime cut_off(base::SteadyTime deadline) const;

  const Options options_;
  // Shared with threads that hang in the library when this goes.
  std::shared_ptr<Core> core_;
};

}  // namespace slipway::workers
