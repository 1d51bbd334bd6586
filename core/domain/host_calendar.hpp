#pragma once
// When each host is booked, and for whom: intervals that never overlap, in order of time, so that
// asking about a window costs a look-up however many leases there are. An overlap ends the process:
// a host would be given away twice.
#include <map>
#include <string>
#include <string_view>

#include "core/base/time.hpp"
#include "core/domain/ids.hpp"

namespace slipway::domain {

struct Booking {
  base::Time from{};
  base::Time to{};  // not included
  LeaseId lease;
  ReservationId reservation;
  bool operator==(const Booking&) const = default;
};

class HostCalendar {
 public:
  // Whether nobody but `except` has the host at any time of [from, to).
  bool is_free(std::string_view host, base::Time from, base::Time to, const LeaseId& except) const;
  void book(const std::string& host, const Booking& booking);
  // The one of that reservation that begins then.
  void cancel(const std::string& host, const Booking& booking);
  // Those of a host in order of time; nullptr if it has none.
  using Bookings = std::map<base::Time, Booking>;
  const Bookings* of(std::string_view host) const;
  const std::map<std::string, Bookings, std::less<>>& all() const { return hosts_; }

 private:
  std::map<std::string, Bookings, std::less<>> hosts_;
};

}  // namespace slipway::domain
