#include "api/rate_limiter.hpp"

#include <algorithm>
#include <chrono>
#include <functional>

namespace slipway::api {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

std::int64_t nanoseconds(base::SteadyTime time) {
  return std::chrono::nanoseconds(time.time_since_epoch()).count();
}

}  // namespace

std::string_view rate_name(RateOf of) {
  switch (of) {
    case RateOf::Token:
      return "token";
    case RateOf::Tenant:
      return "tenant";
    case RateOf::Address:
      return "address";
  }
  return "";
}

void RateLimiter::set(const RateOptions& options) {
  base::Lock lock(mu_);
  options_ = options;
  on_ = std::any_of(options.per_second.begin(), options.per_second.end(),
                    [](std::uint64_t rate) { return rate > 0; });
  buckets_.clear();
  shared_ = 0;
}

std::size_t RateLimiter::buckets() const {
  base::Lock lock(mu_);
  return buckets_.size();
}

// Two callers of one hash share a bucket: with 64 bits and a limit of 100 000 that does not happen.
std::int64_t& RateLimiter::bucket(RateOf of, std::string_view who, std::int64_t now) {
  const std::uint64_t key =
      std::hash<std::string_view>()(who) * kRates + static_cast<std::uint64_t>(of);
  const auto known = buckets_.find(key);
  if (known != buckets_.end()) return known->second;
  // One sweep a second at most, so that a crowd of new callers does not pay for each of them.
  if (buckets_.size() >= kMaxBuckets && now - swept_ >= kSecond) {
    swept_ = now;
    std::erase_if(buckets_, [&](const auto& item) { return item.second <= now; });
  }
  if (buckets_.size() >= kMaxBuckets) return shared_;
  return buckets_[key];
}

std::optional<RateLimiter::Refusal> RateLimiter::take(RateOf of, std::string_view who,
                                                      base::SteadyTime now) {
  if (!on_.load(std::memory_order_relaxed)) return std::nullopt;
  base::Lock lock(mu_);
  const std::uint64_t rate = options_.per_second[static_cast<std::size_t>(of)];
  if (rate == 0) return std::nullopt;
  const std::int64_t at = nanoseconds(now);
  const std::int64_t each = kSecond / static_cast<std::int64_t>(rate);
  std::int64_t& full_again = bucket(of, who, at);
  full_again = std::max(full_again, at);
  const std::int64_t room = each * static_cast<std::int64_t>(options_.burst - 1);
  if (full_again - at > room) {
    refused_.fetch_add(1, std::memory_order_relaxed);
    const std::chrono::nanoseconds wait(full_again - at - room);
    return Refusal{of, rate, options_.burst, std::chrono::ceil<base::Duration>(wait)};
  }
  full_again += each;
  return std::nullopt;
}

}  // namespace slipway::api
