#pragma once
// A worker without its thread, socket and clock: its sessions, leases, reports and timers, as a
// plain deterministic object. The real Worker and the simulator drive it in turns:
//
//   core.begin_turn(now, steady);
//   core.on_message(...);        any number, in the order received
//   (answers of backends)        any number: they call back into the core
//   core.end_turn();             runs due timers, then sends what the turn brought
//   ... sleep until core.next_timer(), a message or an answer
//
// The rules are docs/GUARANTEES.md 4.1 to 4.3:
//  - a lease is measured from the clock reading echoed in its order, so it ends here before it ends
//    at the server; only a heartbeat that is answered extends it;
//  - no backend call begins with less than its timeout and a margin left; at expiry all is dropped;
//  - what happened to a task in one turn goes in one report, which is kept and sent again until it
//    is acknowledged, for at least one lease timeout after the lease's end;
//  - what carries an epoch below the newest seen is dropped.
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/domain/worker_messages.hpp"
#include "workers/backends/backend.hpp"
#include "workers/step_runner.hpp"

namespace slipway::workers {

struct WorkerCoreOptions {
  domain::SessionId session;  // fresh for each run of the process
  std::string name;
  std::vector<std::string> pools = {"default"};
  std::uint32_t slots = 64;  // leases held at a time
  std::string version;
  base::Duration margin = std::chrono::seconds(1);
  base::Duration hello_interval = std::chrono::milliseconds(250);  // until welcomed
  base::Duration report_interval = std::chrono::seconds(2);        // until acknowledged
  base::Duration drain_timeout = std::chrono::seconds(60);
  base::Duration progress_interval = std::chrono::milliseconds(250);
};

// Plain numbers; the worker's thread only.
struct WorkerCounters {
  std::uint64_t orders = 0;
  std::uint64_t reports = 0;  // messages, repeats included
  std::uint64_t reports_repeated = 0;
  std::uint64_t backend_calls = 0;
  std::uint64_t leases_lost = 0;     // expired here, or the server said so
  std::uint64_t stale_messages = 0;  // an older epoch, or an order seen before
};

class WorkerCore {
 public:
  // Sends or loses a message; never blocks.
  using Send = std::function<void(domain::WorkerInput&&)>;

  // The backends are borrowed, and called on the thread that drives the core.
  WorkerCore(WorkerCoreOptions options, std::vector<Backend*> backends, Send send);
  ~WorkerCore();
  WorkerCore(const WorkerCore&) = delete;
  WorkerCore& operator=(const WorkerCore&) = delete;

  void begin_turn(base::Time now, base::SteadyTime steady);
  void on_message(std::uint64_t epoch, domain::ServerMessage&& message, Secrets&& secrets = {});
  void end_turn();

  // When the next turn is due without a message; max() for never.
  base::SteadyTime next_timer() const;

  // Takes nothing new; finishes or hands back within drain_timeout; then says goodbye. A second
  // call hurries: what is not in the middle of a call is handed back now.
  void drain();
  bool finished() const { return finished_; }

  std::size_t leases() const { return by_task_.size(); }
  std::uint64_t epoch() const { return epoch_; }
  const WorkerCounters& counters() const { return counters_; }

 private:
  struct Held;
  void on(domain::Welcome&& m);
  void on(domain::ReportAck&& m);
  void on(domain::HeartbeatAck&& m);
  void on(domain::CancelLease&& m);
  void on(domain::DrainWorker&& m);
  void on_order(domain::WorkOrder&& order, Secrets&& secrets);

  WorkerCoreOptions options_;
  std::map<std::string, Backend*, std::less<>> backends_;
  Send send_;
  std::unordered_map<domain::TaskId, std::unique_ptr<Held>> by_task_;
  std::uint64_t epoch_ = 0;
  bool finished_ = false;
  WorkerCounters counters_;
};

}  // namespace slipway::workers
