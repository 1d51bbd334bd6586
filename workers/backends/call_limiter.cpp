#include "workers/backends/call_limiter.hpp"

#include <cmath>

namespace slipway::workers {
namespace {

constexpr double kUsPerSecond = 1e6;

}  // namespace

CallLimiter::Verdict CallLimiter::begin(std::string_view host, base::SteadyTime now) {
  if (limits_.max_calls > 0 && in_flight_ >= limits_.max_calls) return Verdict::Calls;
  const bool per_host = limits_.max_calls_per_host > 0 && !host.empty();
  const auto known = per_host ? by_host_.find(host) : by_host_.end();
  if (known != by_host_.end() && known->second >= limits_.max_calls_per_host) return Verdict::Host;
  if (limits_.per_second > 0) {
    fill(now);
    if (tokens_ < 1) return Verdict::Rate;
    --tokens_;
  }
  ++in_flight_;
  if (known != by_host_.end()) {
    ++known->second;
  } else if (per_host) {
    by_host_.emplace(host, 1);
  }
  return Verdict::Go;
}

void CallLimiter::end(std::string_view host) {
  --in_flight_;
  const auto known = by_host_.find(host);
  if (known != by_host_.end() && --known->second == 0) by_host_.erase(known);
}

void CallLimiter::fill(base::SteadyTime now) {
  const double seconds = static_cast<double>((now - filled_at_).count()) / kUsPerSecond;
  filled_at_ = now;
  tokens_ = std::min(tokens_ + seconds * limits_.per_second, static_cast<double>(limits_.burst));
}

// Rounded up, so that the token is there then.
base::SteadyTime CallLimiter::next_token(base::SteadyTime now) const {
  const double missing = std::max(1 - tokens_, 0.0);
  const double us = std::ceil(missing * kUsPerSecond / limits_.per_second) + 1;
  return std::max(now, filled_at_ + base::Duration(static_cast<std::int64_t>(us)));
}

}  // namespace slipway::workers
