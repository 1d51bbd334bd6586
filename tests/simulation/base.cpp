#include "tests/simulation/base.hpp"

namespace slipway::simulation {

std::uint64_t Random::next() {
  std::uint64_t z = (state_ += 0x9E3779B97F4A7C15ULL);
  z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27U)) * 0x94D049BB133111EBULL;
  return z ^ (z >> 31U);
}

Duration Random::between(Duration low, Duration high) {
  const auto span = static_cast<std::uint64_t>((high - low).count());
  return low + Duration(static_cast<std::int64_t>(below(span + 1)));
}

bool Timeline::step(Duration end) {
  const auto first = events_.begin();
  if (first == events_.end() || first->first.first > end) {
    now_ = std::max(now_, end);
    return false;
  }
  now_ = first->first.first;
  const std::function<void()> what = std::move(first->second);
  events_.erase(first);
  what();
  return true;
}

void violate(std::string invariant, std::string what) {
  throw Violation{std::move(invariant), std::move(what)};
}

}  // namespace slipway::simulation
