#pragma once
// What the kernel says about this process.
#include <cstdint>

#include "core/base/time.hpp"

namespace slipway::metrics {

struct ProcessStats {
  std::uint64_t resident_bytes = 0;
  std::uint64_t open_fds = 0;
  std::uint64_t max_fds = 0;
  base::Time start{};  // to a hundredth of a second
  base::Duration cpu{};
};

// Reads /proc/self, about 20 us; what cannot be read is 0.
ProcessStats read_process_stats();

}  // namespace slipway::metrics
