#pragma once
// The checks behind /healthz and /readyz, and the watch over the program's loops.
//
//   health.add_ready("log", [&] { return log.writable() ? ok() : not_ok("the disk is nearly full");
//   }); auto beat = health.watch_loop("sequencer", 10s);    ... in the loop:
//   beat.now(clock.steady());
//
// /healthz asks only whether the loops turn; no dependency. /readyz asks everything.
#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.hpp"
#include "core/base/mutex.hpp"

namespace slipway::metrics {

struct CheckResult {
  bool ok = true;
  std::string detail{};  // why not; shown to those who may know
};

struct HealthReport {
  struct Check {
    std::string name;
    CheckResult result;
  };
  bool ok = true;
  std::vector<Check> checks;

  // {"status":"ok","checks":[{"name":"log","status":"ok"}]}; details only for the authenticated.
  std::string json(bool with_details) const;
};

// Says that a loop turns. Cheap: one store. A copy says it of the same loop.
class LoopBeat {
 public:
  void now(base::SteadyTime t) const {
    last_->store(t.time_since_epoch().count(), std::memory_order_relaxed);
  }

 private:
  friend class Health;
  explicit LoopBeat(std::shared_ptr<std::atomic<std::int64_t>> last) : last_(std::move(last)) {}
  // Shared: a loop may end after the Health that watched it, or before.
  std::shared_ptr<std::atomic<std::int64_t>> last_;
};

// Any thread asks. Checks are added before anyone asks, and must outlive it with what they refer
// to.
class Health {
 public:
  explicit Health(const base::Clock& clock) : clock_(clock) {}

  // `check` runs on the asking thread, perhaps on several at once: it reads a few atomics and
  // returns. No I/O.
  void add_ready(std::string name, std::function<CheckResult()> check);
  // The loop is alive while it beats at least every `max_silence`; it has one from now to begin.
  [[nodiscard]] LoopBeat watch_loop(std::string name, base::Duration max_silence);

  HealthReport live() const;   // the loops
  HealthReport ready() const;  // the loops and the checks; its answer is 200 or 503

 private:
  struct Loop {
    std::string name;
    base::Duration max_silence;
    std::shared_ptr<std::atomic<std::int64_t>> last;
  };
  const base::Clock& clock_;
  std::vector<Loop> loops_;
  std::vector<std::pair<std::string, std::function<CheckResult()>>> checks_;
};

}  // namespace slipway::metrics
