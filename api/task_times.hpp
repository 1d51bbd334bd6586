#pragma once
// How long tasks of each command take, for Retry-After: a running estimate of the median that costs
// one number a command (Ma, Muthukrishnan, Sandler: Frugal Streaming, 2013): each sample moves it
// by a twentieth, up or down.
#include <algorithm>
#include <array>
#include <atomic>

#include "eventstore/rows.hpp"

namespace slipway::api {

class TaskTimes {
 public:
  TaskTimes() {
    for (auto& us : median_us_) us.store(1'000'000, std::memory_order_relaxed);
  }
  // Any thread. A lost update costs one sample.
  void observe(const eventstore::TaskRow& task) {
    if (task.state != domain::TaskState::Succeeded || !task.finished_at) return;
    const std::int64_t took = (*task.finished_at - task.created_at).count();
    auto& median = median_us_[static_cast<std::size_t>(task.command)];
    const std::int64_t now = median.load(std::memory_order_relaxed);
    const std::int64_t step = std::max<std::int64_t>(now / 20, 1);
    median.store(took > now ? now + step : std::max<std::int64_t>(now - step, 1),
                 std::memory_order_relaxed);
  }
  // Whole seconds, 1 to 30.
  int retry_after(domain::CommandKind command) const {
    const auto us = median_us_[static_cast<std::size_t>(command)].load(std::memory_order_relaxed);
    return static_cast<int>(std::clamp<std::int64_t>((us + 999'999) / 1'000'000, 1, 30));
  }

 private:
  static constexpr std::size_t kCommands = enum_names(domain::CommandKind{}).size();
  std::array<std::atomic<std::int64_t>, kCommands> median_us_;
};

}  // namespace slipway::api
