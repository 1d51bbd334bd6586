#pragma once
// Numbers folded from the log that somebody may ask for at any time: gauges for /metrics and
// stats_live, and counters since the first event, which a restart therefore does not reset. They
// are kept in the read models with everything else, so they are exact and there at once after a
// start. The projector moves them on after each commit.
#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "core/base/mutex.hpp"
#include "eventstore/rows.hpp"

namespace slipway::eventstore {

// What is counted. Stored by name.
enum class Tally : std::uint8_t {
  // gauges
  TasksByState,   // state
  Queue,          // worker_pool, state: READY | BLOCKED, RETRY_WAIT (scheduled) | RUNNING (leased)
  ReadySince,     // worker_pool, Unix second: tasks READY since then
  VmsByState,     // backend, state
  ImagesByState,  // state
  ReservationsByState,  // state
  // counters
  TasksSubmitted,  // command, dialect
  TasksFinished,   // command, backend, outcome
  TaskAttempts,    // command, backend, result
  TaskRetries,     // command, reason
  DeadLetters,     // command, reason
  UndoSteps,       // command, result
  VmsCreated,      // backend
  VmsDeleted,      // backend
  VmFailures,      // backend, operation
  Events,          // type
};
constexpr std::array<std::string_view, 16> enum_names(Tally) {
  return {"tasks_by_state",  "queue",           "ready_since",
          "vms_by_state",    "images_by_state", "reservations_by_state",
          "tasks_submitted", "tasks_finished",  "task_attempts",
          "task_retries",    "dead_letters",    "undo_steps",
          "vms_created",     "vms_deleted",     "vm_failures",
          "events"};
}

struct TallyKey {
  Tally tally{};
  std::string a, b, c;  // the labels, in the order named above; "" where there are fewer
  auto operator<=>(const TallyKey&) const = default;
};
using TallyMap = std::map<TallyKey, std::int64_t>;

// A copy, for one scrape or answer.
struct LiveCounts {
  domain::Seq seq = 0;           // of the last event counted
  base::Time last_event_time{};  // of its record
  TallyMap tallies;              // none is 0: what is absent is

  std::int64_t get(const TallyKey& key) const;

  struct Queue {
    std::int64_t ready = 0;
    std::int64_t scheduled = 0;  // BLOCKED or RETRY_WAIT
    std::int64_t leased = 0;
    base::Time oldest_ready{};  // to the second; the epoch when none is ready
  };
  Queue queue(const std::string& worker_pool) const;
  std::vector<std::string> worker_pools() const;  // that ever had a task, in order of name
};

// Any thread reads; the projector's thread applies.
class LiveCountsBoard {
 public:
  LiveCounts snapshot() const;
  void reset(TallyMap tallies, domain::Seq seq, base::Time last_event_time);
  void apply(const TallyMap& deltas, domain::Seq seq, base::Time last_event_time);

 private:
  mutable base::Mutex mu_;
  LiveCounts counts_ GUARDED_BY(mu_);
};

}  // namespace slipway::eventstore
