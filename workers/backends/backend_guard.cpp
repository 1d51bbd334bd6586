#include "workers/backends/backend_guard.hpp"

#include <algorithm>

namespace slipway::workers {

using base::Duration;

namespace {

constexpr Duration kMinute = std::chrono::minutes(1);
constexpr double kRetriesSaved = 1000;  // by a busy time for a bad one

}  // namespace

std::optional<Duration> BackendGuard::admit(bool retry, base::SteadyTime now) {
  if (open_until_) {
    if (now < *open_until_) return *open_until_ - now;
    open_until_ = now + options_.pause;  // one tries; if its answer never comes, another may
    return std::nullopt;
  }
  fill(now);
  if (!retry) {
    retries_left_ += options_.retry_share;
    return std::nullopt;
  }
  if (retries_left_ < 1) {
    const double us = (1 - retries_left_) * static_cast<double>(kMinute.count());
    return Duration(static_cast<std::int64_t>(us / std::max(options_.retries_always, 1U)));
  }
  --retries_left_;
  return std::nullopt;
}

void BackendGuard::fill(base::SteadyTime now) {
  const double always = options_.retries_always;
  if (!filled_at_) retries_left_ = always;
  const Duration since = now - filled_at_.value_or(now);
  filled_at_ = now;
  retries_left_ +=
      always * static_cast<double>(since.count()) / static_cast<double>(kMinute.count());
  retries_left_ = std::min(retries_left_, std::max(always, kRetriesSaved));
}

void BackendGuard::on_answer(bool available, base::SteadyTime now) {
  if (open_until_) {
    open_until_ = now + options_.pause;
    if (available) open_until_.reset();
    answered_ = failed_ = 0;
    window_start_ = now;
    return;
  }
  if (now - window_start_ >= options_.window) {
    window_start_ = now;
    answered_ = failed_ = 0;
  }
  ++answered_;
  if (!available) ++failed_;
  if (answered_ >= options_.min_calls && failed_ * 2 >= answered_) {
    open_until_ = now + options_.pause;
  }
}

}  // namespace slipway::workers
