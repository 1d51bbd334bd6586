#pragma once
// What keeps a worker from beating a backend that is down (docs/GUARANTEES.md 4.1.8): a circuit
// breaker, and a budget for retries. A plain object on the worker's thread; one a backend.
#include <cstdint>
#include <optional>

#include "core/base/time.hpp"

namespace slipway::workers {

struct BackendGuardOptions {
  // Opens when, within `window`, at least `min_calls` were answered and half of them or more
  // failed because the backend was not available; then lets one call through after `pause`.
  base::Duration window = std::chrono::seconds(10);
  std::uint32_t min_calls = 20;
  base::Duration pause = std::chrono::seconds(5);
  // Of the tasks at most this share may be retries; so many a minute are always let through.
  double retry_share = 0.1;
  std::uint32_t retries_always = 10;
};

class BackendGuard {
 public:
  explicit BackendGuard(BackendGuardOptions options = {}) : options_(options) {}

  // Before a task begins. How long it had better wait, which counts as no attempt; nullopt: go.
  std::optional<base::Duration> admit(bool retry, base::SteadyTime now);
  void on_answer(bool available, base::SteadyTime now);
  bool is_open() const { return open_until_.has_value(); }

 private:
  void fill(base::SteadyTime now);

  BackendGuardOptions options_;
  base::SteadyTime window_start_{};
  std::uint32_t answered_ = 0;
  std::uint32_t failed_ = 0;
  std::optional<base::SteadyTime> open_until_;
  std::optional<base::SteadyTime> filled_at_;
  double retries_left_ = 0;  // filled by time and by tasks, emptied by retries
};

}  // namespace slipway::workers
