#pragma once
// A worker without its thread, socket and clock: its session, leases, reports and timers, as a
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
//    is acknowledged, for at least one lease timeout after the lease's end. At most one is under
//    way for a task: what happens meanwhile is added to it, under a new report_id;
//  - what carries an epoch below the newest seen is dropped;
//  - a call over its backend's limits waits here, in order, and counts as no attempt; what only
//    waits for an earlier step ("vm.await_running") is under no limit;
//  - of several backends, one that is not known to answer has a share of the slots only
//    (worker_limits.cpp): what is over it goes back, uncounted, and leaves the slots to the others.
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
#include "workers/backends/backend_guard.hpp"
#include "workers/backends/call_limiter.hpp"

namespace slipway::workers {

struct Action;

// For the metrics: a backend call that has ended. `code` is "ok", "timeout" or an error's name.
struct BackendCallSeen {
  std::string_view backend;
  std::string_view operation;
  std::string_view code;
  bool throttled = false;
  base::Duration took{};
};

// How many calls of this worker's are under way, and how many wait for their turn: the change.
struct BackendLoadSeen {
  std::string_view backend;
  int calls = 0;
  int waiting = 0;
};

// Why a call had to wait here, or a task was sent back: "calls", "host", "rate" (its limits),
// "circuit", "retries" (its guard), "silent" (over its share of the slots).
struct HeldBackSeen {
  std::string_view backend;
  std::string_view reason;
};

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
  BackendGuardOptions guard;
  std::map<std::string, CallLimits, std::less<>> limits;  // by backend; others have none
  // A backend that has answered none of its calls for so long is taken for dead.
  base::Duration silence = std::chrono::seconds(5);
  // On the worker's thread: each call that has ended, and each time a backend's circuit has opened
  // or closed.
  std::function<void(const BackendCallSeen&)> on_backend_call;
  std::function<void(std::string_view backend, bool open)> on_circuit;
  std::function<void(const BackendLoadSeen&)> on_load;
  std::function<void(const HeldBackSeen&)> on_held_back;
};

// Plain numbers; read them on the thread that drives the core.
struct WorkerCounters {
  std::uint64_t orders = 0;
  std::uint64_t reports = 0;  // messages, repeats included
  std::uint64_t reports_repeated = 0;
  std::uint64_t backend_calls = 0;
  std::uint64_t leases_lost = 0;     // expired here, or the server said so
  std::uint64_t stale_messages = 0;  // an older epoch, or an order seen before
  std::uint64_t put_off = 0;         // tasks sent back, uncounted: a backend's guard, or its share
  std::uint64_t calls_waited = 0;    // for their turn at a backend
};

class WorkerCore {
 public:
  // Sends or loses a message; never blocks.
  using Send = std::function<void(const domain::WorkerInput&)>;

  // The backends are borrowed, called on the thread that drives the core, and found by their name.
  WorkerCore(WorkerCoreOptions options, std::vector<Backend*> backends, Send send);
  ~WorkerCore();
  WorkerCore(const WorkerCore&) = delete;
  WorkerCore& operator=(const WorkerCore&) = delete;

  void begin_turn(base::Time now, base::SteadyTime steady);
  void on_message(std::uint64_t epoch, domain::ServerMessage&& message, Secrets&& secrets = {});
  void end_turn();

  // When the next turn is due without a message; max() for never.
  base::SteadyTime next_timer() const;

  // Within a turn. Takes nothing new; finishes or hands back within drain_timeout; then says
  // goodbye. A second call hurries: what is not in the middle of a call is handed back now.
  void drain();
  bool finished() const { return finished_; }

  std::size_t leases() const { return held_.size(); }
  bool welcomed() const { return welcomed_ && !draining_; }
  std::uint64_t epoch() const { return epoch_; }
  const WorkerCounters& counters() const { return counters_; }

 private:
  struct Held;  // a task lease
  struct Target {
    Backend* backend = nullptr;
    BackendGuard guard;
    bool taking_inventory = false;  // one list at a time
    CallLimiter limiter;
    std::deque<Held*> waiting;  // for their turn, in order; at most one a lease
    std::vector<Held*> crowd;   // over the share, until it is known whether the backend answers
    std::size_t held = 0;       // leases
    std::size_t calls = 0;      // under way
    std::size_t asked = 0;      // of these the ones that do more than wait: an answer is due
    bool answers = false;       // it has, and is not silent
    base::SteadyTime silent_since = base::SteadyTime::max();  // calls are under way, none answered
    base::SteadyTime back_at{};  // when the last of those put off comes back
    base::SteadyTime token_at =
        base::SteadyTime::max();  // of the rate limit, if that is waited for
    CallLimiter::Verdict limited_by =
        CallLimiter::Verdict::Go;  // what the first that waits waits for
    int calls_told = 0;
    int waiting_told = 0;

    base::SteadyTime silent_at(base::Duration silence) const {
      return silent_since == base::SteadyTime::max() ? silent_since : silent_since + silence;
    }
  };
  void send_inspection(std::uint64_t inspection, BackendAnswer&& answer);
  void send_inventory(const domain::TakeInventory& asked, BackendAnswer&& answer);

  void on(domain::Welcome&& m);
  void on(domain::ReportAck&& m);
  void on(domain::HeartbeatAck&& m);
  void on(domain::CancelLease&& m);
  void on(domain::DrainWorker&& m);
  void on(domain::TakeInventory&& m);  // worker_inventory.cpp
  void on(domain::InspectVm&& m);      // the same
  bool seen_before(const domain::WorkOrder& order);
  void on_order(domain::WorkOrder&& order, Secrets&& secrets);
  Held* find(const domain::TaskId& task, domain::FencingToken token);

  void advance(Held& held);
  bool take_step(Held& held);
  bool call(Held& held, Action action);
  void on_answer(std::uint64_t call, BackendAnswer&& answer);
  void end_call(Held& held);
  void call_ended(Held& held, std::string_view code, bool available, bool throttled);
  void on_progress(Held& held, const BackendAnswer& answer);
  void leave_off(Held& held);

  // worker_limits.cpp
  bool gets_turn(Held& held, Action& action);
  void give_turns();
  bool give_next_turn(Target& target);
  void end_turn_of(Held& held);
  void leave_crowd(Held& held);
  void leave_target(Held& held);
  void admit(Held& held);
  void send_back(Held& held, base::Duration wait, std::string_view reason);
  std::size_t share() const;
  bool is_silent(const Target& target) const;
  bool over_share(const Target& target) const;
  void put_off_for_silence(Held& held);
  void heard_of(Target& target, std::size_t unanswered);
  void look_at_silence(Target& target);
  void leave_slots_to_others(Target& target);
  void held_back(const Target& target, std::string_view reason) const;
  void tell_load(Target& target) const;

  void extend(const std::vector<domain::HeldLease>& lost, std::int64_t asked_at_us);
  void lose(Held& held);
  void forget(Held& held);
  void mark_dirty(Held& held);
  void flush(Held& held);
  void send_report(Held& held);

  void run_timers();
  void run_timers(Held& held);
  void hand_back_all();
  void say_hello();
  void beat();
  std::vector<domain::HeldLease> held_leases() const;
  void wake_at(base::SteadyTime at);

  WorkerCoreOptions options_;
  std::map<std::string, Target, std::less<>> backends_;
  Send send_;
  base::Time now_{};
  base::SteadyTime steady_{};

  std::unordered_map<domain::TaskId, std::unique_ptr<Held>> held_;
  std::unordered_map<std::uint64_t, Held*> calls_;  // under way, by number
  std::size_t inspections_ = 0;                     // under way
  std::vector<Held*> dirty_;                        // something to report at the end of the turn
  // Leases that ended here lately: a late copy of their order must not begin them again.
  std::unordered_map<domain::TaskId, domain::FencingToken> ended_;
  std::deque<std::pair<base::SteadyTime, domain::TaskId>> ended_order_;

  std::uint64_t next_call_ = 1;
  std::uint64_t next_report_ = 1;
  std::uint64_t epoch_ = 0;
  bool welcomed_ = false;
  bool draining_ = false;
  bool finished_ = false;
  base::Duration heartbeat_interval_ = std::chrono::seconds(5);
  base::Duration hello_pause_;
  base::SteadyTime hello_at_{};
  base::SteadyTime beat_at_ = base::SteadyTime::max();
  base::SteadyTime drain_by_ = base::SteadyTime::max();
  base::SteadyTime drained_at_{};                       // when the server was told of it
  base::SteadyTime goodbye_at_{};                       // not before: orders may be on their way
  base::SteadyTime scan_at_ = base::SteadyTime::max();  // the leases' earliest timer, or before it
  WorkerCounters counters_;
};

}  // namespace slipway::workers
