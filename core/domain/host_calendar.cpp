#include "core/domain/host_calendar.hpp"

#include <iterator>

#include "core/base/check.hpp"

namespace slipway::domain {

bool HostCalendar::is_free(std::string_view host, base::Time from, base::Time to,
                           const LeaseId& except) const {
  const Bookings* bookings = of(host);
  if (bookings == nullptr) return true;
  auto it = bookings->upper_bound(from);
  if (it != bookings->begin()) --it;  // it may reach into the window
  for (; it != bookings->end() && it->first < to; ++it) {
    if (it->second.to > from && it->second.lease != except) return false;
  }
  return true;
}

void HostCalendar::book(const std::string& host, const Booking& booking) {
  CHECK(is_free(host, booking.from, booking.to, LeaseId()), "host {} would be booked twice", host);
  hosts_[host].emplace(booking.from, booking);
}

void HostCalendar::cancel(const std::string& host, const Booking& booking) {
  const auto found = hosts_.find(host);
  CHECK(found != hosts_.end(), "host {} has no booking", host);
  const auto it = found->second.find(booking.from);
  CHECK(it != found->second.end() && it->second.reservation == booking.reservation,
        "host {} has no such booking", host);
  found->second.erase(it);
  if (found->second.empty()) hosts_.erase(found);
}

const HostCalendar::Bookings* HostCalendar::of(std::string_view host) const {
  const auto it = hosts_.find(host);
  return it == hosts_.end() ? nullptr : &it->second;
}

}  // namespace slipway::domain
