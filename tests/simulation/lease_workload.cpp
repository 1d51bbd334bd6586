#include "tests/simulation/lease_workload.hpp"

#include <fmt/format.h>

namespace slipway::simulation {

using namespace domain;                // NOLINT: tests
using namespace std::chrono_literals;  // NOLINT: tests

LeaseId LeaseWorkload::any(Random& random) {
  return leases_.empty() ? LeaseId() : random.pick(leases_);
}

CommandBody LeaseWorkload::make(Random& random, base::Time now) {
  const std::uint64_t kind = random.below(100);
  if (kind < 15) return EnrollHost{host(random.below(kHosts)), {}};
  if (kind < 30) return SetHostAlive{host(random.below(kHosts)), random.chance(0.6)};
  if (kind < 40) return DeleteLease{any(random)};
  if (kind < 55) {
    UpdateLease u;
    u.lease = any(random);
    if (random.chance(0.5)) u.start = now + random.between(0s, 60s);
    if (random.chance(0.7)) u.end = now + random.between(60s, 200s);
    u.default_lead = random.between(0s, 60s);
    return u;
  }
  CreateLease c;
  c.lease = random.id<LeaseId>(now);
  leases_.push_back(c.lease);
  c.name = fmt::format("lease-{}", leases_.size());
  c.start = now + random.between(0s, 90s);
  c.end = c.start + random.between(1s, 180s);
  c.default_lead = random.between(0s, 120s);
  ReservationSpec spec;
  spec.id = random.id<ReservationId>(now);
  spec.max = 1 + static_cast<std::uint32_t>(random.below(2));
  spec.before_end = static_cast<BeforeEndAction>(random.below(5));
  c.reservations.push_back(spec);
  for (LeaseTimerId& timer : c.timers) timer = random.id<LeaseTimerId>(now);
  return c;
}

}  // namespace slipway::simulation
