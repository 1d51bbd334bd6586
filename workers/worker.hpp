#pragma once
// One worker: the thread that owns the DEALER socket and drives a WorkerCore. In the server's own
// process it talks over inproc, elsewhere over TCP; nothing else differs. It connects again by
// itself, for ever.
#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "core/base/clock.hpp"
#include "core/base/uuid.hpp"
#include "workers/backends/completion_queue.hpp"
#include "workers/curve_keys.hpp"
#include "workers/mailbox.hpp"
#include "workers/transport.hpp"
#include "workers/worker_core.hpp"

namespace slipway::workers {

struct WorkerOptions {
  std::string endpoint{kInprocEndpoint};  // or "tcp://host:5871"
  // CURVE: required for an endpoint beyond loopback.
  std::shared_ptr<const CurveKeys> keys;  // this worker's; shared: secrets are not copied
  std::string server_public_key;          // 40 characters of Z85
  base::Duration heartbeat_interval = std::chrono::seconds(2);  // of the connection
  base::Duration heartbeat_timeout = std::chrono::seconds(10);
  std::function<void()> on_turn;  // on the worker's thread, every few seconds at least
  // `session` is filled in by start().
  WorkerCoreOptions core;
};

class Worker {
 public:
  // Starts the thread. InvalidArgument if an address or key cannot be used, or would be unsafe.
  // `transport` and `clock` must outlive the worker.
  static base::Result<std::unique_ptr<Worker>> start(Transport& transport, WorkerOptions options,
                                                     std::vector<std::unique_ptr<Backend>> backends,
                                                     const base::Clock& clock);
  // Ends at once: leases held are left to expire. Drain and wait first to end in good order.
  ~Worker();

  // Any thread. A second call hurries.
  void drain();
  bool finished() const { return finished_.load(); }
  // Until finished, or the timeout.
  bool wait_finished(base::Duration timeout);

  // For metrics; any thread.
  std::uint64_t leases() const { return leases_.load(std::memory_order_relaxed); }
  // The server has welcomed it, and has not forgotten it since.
  bool welcomed() const { return welcomed_.load(std::memory_order_relaxed); }

 private:
  struct Socket;
  Worker(WorkerOptions options, std::vector<std::unique_ptr<Backend>> backends,
         const base::Clock& clock);
  void run(std::stop_token stop);
  std::chrono::milliseconds poll_timeout(base::SteadyTime next) const;

  const base::Clock& clock_;
  WorkerOptions options_;
  WakeUp wake_up_;
  CompletionQueue completions_;
  std::vector<std::unique_ptr<Backend>> backends_;
  std::unique_ptr<Socket> socket_;
  std::atomic<int> drains_{0};
  std::atomic<bool> finished_{false};
  std::atomic<std::uint64_t> leases_{0};
  std::atomic<bool> welcomed_{false};
  base::Mutex mu_;
  std::condition_variable ended_;
  std::jthread thread_;
};

}  // namespace slipway::workers
