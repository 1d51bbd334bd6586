#include "core/domain/address_range.hpp"

#include <iterator>

namespace slipway::domain {

std::uint32_t AddressRange::peek(std::size_t n) const {
  if (first_ == 0) return 0;
  const std::size_t fresh = next_ > last_ ? 0 : std::size_t{last_} - next_ + 1;
  if (n < fresh) return next_ + static_cast<std::uint32_t>(n);
  n -= fresh;
  if (n >= freed_.size()) return 0;
  return *std::next(freed_.begin(), static_cast<std::ptrdiff_t>(n));
}
bool AddressRange::is_free(std::uint32_t ipv4) const {
  return (ipv4 >= next_ && ipv4 <= last_) || freed_.contains(ipv4);
}

void AddressRange::take(std::uint32_t ipv4) {
  if (ipv4 == next_) {
    ++next_;
  } else if (freed_.erase(ipv4) == 0 && ipv4 > next_ && ipv4 <= last_) {
    // Taken out of turn: what lies between is free and comes later.
    for (; next_ < ipv4; ++next_) freed_.insert(next_);
    ++next_;
  }
}
void AddressRange::release(std::uint32_t ipv4) {
  if (ipv4 >= first_ && ipv4 < next_) freed_.insert(ipv4);
}
void AddressRange::pack() { freed_list_.assign(freed_.begin(), freed_.end()); }
void AddressRange::unpack() {
  freed_.insert(freed_list_.begin(), freed_list_.end());
  freed_list_ = {};
}

}  // namespace slipway::domain
