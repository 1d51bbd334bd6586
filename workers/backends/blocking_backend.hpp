#pragma once
// Makes a Backend of a client library that blocks (libvirt): each call runs on one of N threads of
// its own, and its answer comes back to the worker's thread. The worker's leases bound the queue.
#include <condition_variable>
#include <deque>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "core/base/mutex.hpp"
#include "workers/backends/backend.hpp"
#include "workers/backends/completion_queue.hpp"

namespace slipway::workers {

// Called on the executors' threads, several at once.
class BlockingClient {
 public:
  virtual ~BlockingClient() = default;
  virtual BackendAnswer perform(const BackendCall& call) = 0;
  virtual BackendAnswer lookup(const BackendCall& call) = 0;
  virtual BackendAnswer inventory(const InventoryCall& call) = 0;
};

class BlockingBackend final : public Backend {
 public:
  struct Options {
    std::string name;
    std::size_t threads = 4;
    base::Duration call_timeout = std::chrono::seconds(10);  // the client must keep to it
    base::Duration settle_time = std::chrono::seconds(1);
  };

  BlockingBackend(Options options, std::unique_ptr<BlockingClient> client);
  // Waits for the calls under way; those still queued are never made.
  ~BlockingBackend() override;

  std::string_view name() const override { return options_.name; }
  base::Duration call_timeout() const override { return options_.call_timeout; }
  base::Duration settle_time() const override { return options_.settle_time; }
  void attach(CompletionQueue& queue) override;
  void perform(const BackendCall& call, Answer answer) override;
  void lookup(const BackendCall& call, Answer answer) override;
  void inventory(const InventoryCall& call, Answer answer) override;

 private:
  struct Asked {
    std::function<BackendAnswer(BlockingClient&)> call;
    Answer answer;
  };
  void ask(Asked&& asked);
  void run();

  const Options options_;
  const std::unique_ptr<BlockingClient> client_;
  CompletionQueue* completions_ = nullptr;
  base::Mutex mu_;
  std::condition_variable ready_;
  std::deque<Asked> asked_ GUARDED_BY(mu_);
  bool closed_ GUARDED_BY(mu_) = false;
  std::vector<std::jthread> threads_;
};

}  // namespace slipway::workers
