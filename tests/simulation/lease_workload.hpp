#pragma once
// What the clients ask about leases, so that they overlap, end and lose hosts while all else fails.
#include <optional>
#include <vector>

#include "core/domain/command.hpp"
#include "tests/simulation/base.hpp"

namespace slipway::simulation {

class LeaseWorkload {
 public:
  static constexpr int kHosts = 4;  // sim-5 to sim-8: given to leases
  static std::string host(std::uint64_t n) { return "sim-" + std::to_string(5 + n % kHosts); }

  domain::CommandBody make(Random& random, base::Time now);

 private:
  domain::LeaseId any(Random& random);
  std::vector<domain::LeaseId> leases_;
};

}  // namespace slipway::simulation
