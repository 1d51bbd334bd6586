#pragma once
// How many calls one worker makes to one backend: at a time, at a time for one host, and in a
// second (a token bucket). A plain object on the worker's thread; it keeps no queue, the worker
// does.
#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "core/base/time.hpp"

namespace slipway::workers {

struct CallLimits {  // 0: no limit
  std::uint32_t max_calls = 0;
  std::uint32_t max_calls_per_host = 0;
  double per_second = 0;
  std::uint32_t burst = 1;  // begun at once after a quiet time; 1 at least
};

class CallLimiter {
 public:
  enum class Verdict : std::uint8_t { Go, Calls, Host, Rate };

  explicit CallLimiter(CallLimits limits = {}) : limits_(limits), tokens_(limits.burst) {}

  // Go: the call counts from now until end() is told of it. Otherwise what it waits for. A host
  // that is not known (empty) has no limit of its own.
  Verdict begin(std::string_view host, base::SteadyTime now);
  void end(std::string_view host);

  // When the next call may begin after a verdict of Rate.
  base::SteadyTime next_token(base::SteadyTime now) const;
  std::uint32_t in_flight() const { return in_flight_; }

 private:
  void fill(base::SteadyTime now);

  CallLimits limits_;
  std::uint32_t in_flight_ = 0;
  std::map<std::string, std::uint32_t, std::less<>> by_host_;  // only hosts with calls under way
  double tokens_;
  base::SteadyTime filled_at_{};
};

}  // namespace slipway::workers
