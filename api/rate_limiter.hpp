#pragma once
// Requests a second for one token, one tenant, one address (off at first). A bucket of `burst`
// requests that fills at the rate; what does not fit is refused, and told when to come again.
#include <array>
#include <atomic>
#include <cstdint>
#include <optional>
#include <string_view>
#include <unordered_map>

#include "core/base/mutex.hpp"
#include "core/base/time.hpp"

namespace slipway::api {

// By what a rate counts.
enum class RateOf : std::uint8_t { Token, Tenant, Address };
inline constexpr std::size_t kRates = 3;
std::string_view rate_name(RateOf of);  // "token", ...

struct RateOptions {
  std::array<std::uint64_t, kRates> per_second{};  // by RateOf; 0: off
  std::uint64_t burst = 100;
};

class RateLimiter {
 public:
  // Callers kept apart. Beyond it those that are new share one bucket: memory has a limit too.
  static constexpr std::size_t kMaxBuckets = 100'000;

  // ---- any thread ----
  void set(const RateOptions& options);

  struct Refusal {
    RateOf of{};
    std::uint64_t per_second = 0;
    std::uint64_t burst = 0;
    base::Duration wait{};  // until one request fits
  };
  // Takes one request out of the bucket of `who`; nullopt: it fits.
  std::optional<Refusal> take(RateOf of, std::string_view who, base::SteadyTime now);

  std::uint64_t refused() const { return refused_.load(std::memory_order_relaxed); }
  std::size_t buckets() const;

 private:
  // When the bucket will be full again, in nanoseconds of the steady clock.
  using Buckets = std::unordered_map<std::uint64_t, std::int64_t>;
  std::int64_t& bucket(RateOf of, std::string_view who, std::int64_t now) REQUIRES(mu_);

  std::atomic<bool> on_{false};
  std::atomic<std::uint64_t> refused_{0};
  mutable base::Mutex mu_;
  RateOptions options_ GUARDED_BY(mu_);
  Buckets buckets_ GUARDED_BY(mu_);
  std::int64_t shared_ GUARDED_BY(mu_) = 0;
  std::int64_t swept_ GUARDED_BY(mu_) = 0;
};

}  // namespace slipway::api
