#pragma once
// What the simulator stands on: randomness from a seed, virtual time, and how an invariant is
// broken. Nothing here or above asks the real clock, so a seed always tells the same story.
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>

#include "core/base/clock.hpp"
#include "core/base/uuid.hpp"

namespace slipway::simulation {

using base::Duration;
using base::SteadyTime;

// 2026-01-01T00:00:00Z
inline const base::Time kStart{std::chrono::seconds(1767225600)};

// splitmix64.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next();
  std::uint64_t below(std::uint64_t n) { return n == 0 ? 0 : next() % n; }
  bool chance(double p) { return static_cast<double>(next() >> 11U) * 0x1.0p-53 < p; }
  Duration between(Duration low, Duration high);
  template <class Id>
  Id id(base::Time now) {
    std::array<std::uint8_t, 10> bytes{};
    for (auto& b : bytes) b = static_cast<std::uint8_t>(next());
    return Id(base::make_uuid7(now, bytes));
  }
  template <class Container>
  auto& pick(Container& c) {
    return c[static_cast<std::size_t>(below(c.size()))];
  }

 private:
  std::uint64_t state_;
};

// What is to happen, in order of time; equal times in the order in which they were asked for.
class Timeline {
 public:
  Duration now() const { return now_; }
  void after(Duration delay, std::function<void()> what) {
    const Duration at = now_ + std::max(delay, Duration(0));
    events_.emplace(std::pair(at, order_++), std::move(what));
  }
  // Lets the next thing happen, if it is due by `end`; else time is `end` and false is returned.
  bool step(Duration end);

 private:
  Duration now_{};
  std::uint64_t order_ = 0;
  std::map<std::pair<Duration, std::uint64_t>, std::function<void()>> events_;
};

// One machine's clocks: its wall clock is wrong and jumps, its steady one began at any value.
class SimClock final : public base::Clock {
 public:
  SimClock(const Timeline& timeline, Duration wall_off, Duration steady_off)
      : timeline_(timeline), wall_off_(wall_off), steady_off_(steady_off) {}
  base::Time now() const override { return kStart + timeline_.now() + wall_off_; }
  SteadyTime steady() const override { return SteadyTime(timeline_.now() + steady_off_); }
  void jump_wall(Duration d) { wall_off_ += d; }

 private:
  const Timeline& timeline_;
  Duration wall_off_;
  Duration steady_off_;
};

// An invariant does not hold. Thrown through everything: the run is over.
struct Violation {
  std::string invariant;
  std::string what;
};
[[noreturn]] void violate(std::string invariant, std::string what);

// A protection switched off or a bug put in, to show that the simulator sees it.
enum class Plant : std::uint8_t {
  None,
  NoFence,            // reports of old tokens count
  AnswerBeforeSync,   // answers and frames leave before the batch is durable
  NoIdempotency,      // remembered answers are forgotten
  LeasesNeverEnd,     // a lease that is not extended does not expire
  KeyPerAttempt,      // correlation keys made from the token, so the cloud cannot tell a repeat
  NoFenceInCloud,     // the cloud takes late calls of old tokens
  UndoDoesNothing,    // the backend says it undid, and did not
  LookupFindsNone,    // and keys per attempt: what an earlier attempt made is not adopted
  SnapshotForgets,    // the snapshot lacks a section
  DeliverTwice,       // one lease's order goes to two workers
  ProjectionForgets,  // the live read models miss an event
  // What the log is given is not what was decided:
  VersionSkipped,     // an event's version is one too high
  AttemptsUncounted,  // a task may be tried once, and is tried on
  EventAfterTheEnd,   // a finished task changes
  BusyVmTaken,        // a command begins on a VM that another is at work on
  // What a worker says that the cloud has is not what it has:
  OrphansHidden,  // what nobody owns is left out
  HalfAList,      // so is every other VM
};
constexpr std::array<std::string_view, 18> enum_names(Plant) {
  return {"none",
          "no-fence",
          "answer-before-sync",
          "no-idempotency",
          "leases-never-end",
          "key-per-attempt",
          "no-fence-in-cloud",
          "undo-does-nothing",
          "lookup-finds-none",
          "snapshot-forgets",
          "deliver-twice",
          "projection-forgets",
          "version-skipped",
          "attempts-uncounted",
          "event-after-the-end",
          "busy-vm-taken",
          "orphans-hidden",
          "half-a-list"};
}

// Reconciliation would mend what these leave behind before anybody sees it.
constexpr bool lists_clouds(Plant plant) {
  return plant != Plant::NoFenceInCloud && plant != Plant::UndoDoesNothing;
}

}  // namespace slipway::simulation
