#include "eventstore/space_guard.hpp"

#include <algorithm>
#include <utility>

namespace slipway::eventstore {

SpaceGuard::SpaceGuard(std::uint64_t reserve_bytes, std::function<std::uint64_t()> free_bytes)
    : reserve_bytes_(reserve_bytes), free_bytes_(std::move(free_bytes)) {}

SpaceState SpaceGuard::poll() {
  const std::uint64_t free = free_bytes_();
  const SpaceState worse = state_for(free, reserve_bytes_);
  // What the state would be with every mark a tenth higher: the best that may be returned to.
  const SpaceState better = state_for(free, reserve_bytes_ + reserve_bytes_ / 10);
  const SpaceState now = std::max(worse, std::min(better, state()));
  state_.store(now, std::memory_order_relaxed);
  return now;
}

SpaceState SpaceGuard::state_for(std::uint64_t free, std::uint64_t reserve) const {
  if (free < reserve / 4) return SpaceState::ReadOnly;
  return free < reserve ? SpaceState::RefuseNew : SpaceState::Normal;
}

}  // namespace slipway::eventstore
