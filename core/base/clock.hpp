#pragma once
// Where time comes from. `decide` and `evolve` never ask: time comes in with each command.
#include <atomic>

#include "core/base/time.hpp"

namespace slipway::base {

// Any thread may call both.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual Time now() const = 0;
  virtual SteadyTime steady() const = 0;
};

class SystemClock final : public Clock {
 public:
  Time now() const override {
    return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
  }
  SteadyTime steady() const override {
    return std::chrono::time_point_cast<Duration>(std::chrono::steady_clock::now());
  }
};

// Driven by tests and by the simulator; the wall clock may also jump on its own.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(Time start) : now_us_(to_us(start)) {}
  Time now() const override { return from_us(now_us_.load()); }
  SteadyTime steady() const override { return SteadyTime(Duration(steady_us_.load())); }
  void advance(Duration d) {
    now_us_ += d.count();
    steady_us_ += d.count();
  }
  void jump_wall(Duration d) { now_us_ += d.count(); }

 private:
  std::atomic<std::int64_t> now_us_;
  std::atomic<std::int64_t> steady_us_{1};
};

}  // namespace slipway::base
