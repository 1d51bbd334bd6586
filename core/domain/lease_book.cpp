#include "core/domain/lease_book.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/check.hpp"

namespace slipway::domain {
namespace {

constexpr base::Time kEver = base::Time::min();

template <class T>
std::string json(const T& value) {
  base::JsonWriter w;
  base::write_json(w, value);
  return w.text();
}

}  // namespace

// ---- look-ups ----

const Lease* LeaseBook::lease(const LeaseId& id) const {
  const auto it = leases_.find(id);
  return it == leases_.end() ? nullptr : &it->second.lease;
}
const Lease* LeaseBook::lease_by_name(std::string_view tenant, std::string_view name) const {
  const auto it = names_.find(std::pair(std::string(tenant), std::string(name)));
  return it == names_.end() ? nullptr : lease(it->second);
}
const ReservableHost* LeaseBook::host(std::string_view name) const {
  const auto it = hosts_.find(name);
  return it == hosts_.end() ? nullptr : &it->second;
}
const ReservableHost* LeaseBook::host_by_number(std::uint64_t number) const {
  const auto it = hosts_by_number_.find(number);
  return it == hosts_by_number_.end() ? nullptr : host(it->second);
}
const FloatingIp* LeaseBook::floating_ip(const FloatingIpId& id) const {
  const auto it = floating_ips_.find(id);
  return it == floating_ips_.end() ? nullptr : &it->second;
}
bool LeaseBook::is_private(std::string_view property) const {
  return private_properties_.contains(property);
}
std::uint64_t LeaseBook::next_host_number() const {
  return hosts_by_number_.empty() ? 1 : hosts_by_number_.rbegin()->first + 1;
}

// ---- who has a host ----

bool LeaseBook::is_open_to(std::string_view name, std::string_view tenant) const {
  const ReservableHost* found = host(name);
  const auto it = open_to_.find(name);
  return found != nullptr && found->alive && it != open_to_.end() && it->second == tenant;
}

std::vector<std::string> LeaseBook::free_hosts(const ReservationSpec& spec, base::Time from,
                                               base::Time to, const LeaseId& lease) const {
  const Filters filters = parse(spec);
  std::vector<std::string> out;
  for (const auto& [number, name] : hosts_by_number_) {
    const ReservableHost& found = hosts_.find(name)->second;
    if (!found.alive || !match(filters, found)) continue;
    if (calendar_.is_free(name, from, to, lease)) out.push_back(name);
  }
  return out;
}

bool LeaseBook::allows(const ReservationSpec& spec, const ReservableHost& host) const {
  return match(parse(spec), host);
}

base::Time LeaseBook::booked_from(const Lease& lease, const Reservation& reservation) {
  return reservation.state == ReservationState::Active ? kEver : lease.start;
}

std::uint32_t LeaseBook::missing(const Lease& lease) const {
  std::uint32_t missing = 0;
  for (const Reservation& r : lease.reservations) {
    if (!r.holds_hosts()) continue;
    const auto alive = std::count_if(r.hosts.begin(), r.hosts.end(), [&](const std::string& name) {
      const ReservableHost* found = host(name);
      return found != nullptr && found->alive;
    });
    if (static_cast<std::uint32_t>(alive) < r.spec.min) {
      missing += r.spec.min - static_cast<std::uint32_t>(alive);
    }
  }
  return missing;
}

LeaseBook::Filters LeaseBook::parse(const ReservationSpec& spec) {
  // Parsed when the command came in: what is in the log is good.
  auto hypervisor = HostFilter::parse(spec.hypervisor_properties);
  auto resource = HostFilter::parse(spec.resource_properties);
  CHECK(hypervisor && resource, "reservation {} has an unreadable filter",
        base::to_string(spec.id));
  return {std::move(*hypervisor), std::move(*resource)};
}

bool LeaseBook::match(const Filters& filters, const ReservableHost& host) {
  const auto lookup = [&](std::string_view property) { return host.property(property); };
  return filters.hypervisor.matches(lookup) && filters.resource.matches(lookup);
}

// ---- folding ----

LeaseBook::Entry& LeaseBook::entry_of(const Context& ctx) {
  const auto it = leases_.find(LeaseId(ctx.stream.id));
  CHECK(it != leases_.end(), "{} is not live", ctx.stream.text());
  Lease& lease = it->second.lease;
  CHECK(ctx.version == lease.version + 1, "{} is at version {}, the event says {}",
        ctx.stream.text(), lease.version, ctx.version);
  lease.version = ctx.version;
  return it->second;
}

void LeaseBook::change(const Context& ctx, bool new_filters,
                       const std::function<void(Lease&)>& what) {
  Entry& entry = entry_of(ctx);
  std::vector<std::string> had;
  for (const Reservation& r : entry.lease.reservations) {
    had.insert(had.end(), r.hosts.begin(), r.hosts.end());
  }
  unindex(entry);
  what(entry.lease);
  if (new_filters) entry.filters.clear();
  index(entry);
  if (degraded_.empty()) return;
  for (const std::string& name : had) {
    if (calendar_.of(name) == nullptr ||
        calendar_.is_free(name, entry.lease.start, entry.lease.end, LeaseId())) {
      offer_to_degraded(name, ctx.time);
    }
  }
}

void LeaseBook::fold(const Context& ctx, const LeaseCreated& e) {
  const LeaseId id(ctx.stream.id);
  Entry entry;
  entry.lease.id = id;
  entry.lease.version = ctx.version;
  entry.lease.tenant = ctx.tenant;
  apply(entry.lease, e, ctx.time);
  for (const ReservationSpec& spec : e.reservations) {
    next_number_ = std::max(next_number_, spec.number + 1);
  }
  const auto [it, is_new] = leases_.emplace(id, std::move(entry));
  CHECK(is_new, "{} is created twice", ctx.stream.text());
  index(it->second);
}

void LeaseBook::fold(const Context& ctx, const LeaseDeleted&) {
  Entry& entry = entry_of(ctx);
  unindex(entry);
  leases_.erase(LeaseId(ctx.stream.id));
}

void LeaseBook::fold(const Context& ctx, const HostEnrolled& e) {
  ReservableHost host{ctx.stream.name, e.facts, e.capabilities, true, ctx.time, std::nullopt};
  hosts_by_number_[e.facts.number] = host.name;
  hosts_[host.name] = std::move(host);
  offer_to_degraded(ctx.stream.name, ctx.time);
}
void LeaseBook::fold(const Context& ctx, const HostCapabilitySet& e) {
  ReservableHost& host = hosts_[ctx.stream.name];
  for (const auto& [key, value] : e.capabilities) host.capabilities[key] = value;
  host.updated_at = ctx.time;
  offer_to_degraded(host.name, ctx.time);
}
void LeaseBook::fold(const Context& ctx, const HostWithdrawn&) {
  const auto it = hosts_.find(ctx.stream.name);
  CHECK(it != hosts_.end() && calendar_.of(it->first) == nullptr,
        "host {} is withdrawn while it is "
        "booked",
        ctx.stream.name);
  hosts_by_number_.erase(it->second.facts.number);
  hosts_.erase(it);
}
void LeaseBook::fold(const Context& ctx, const HostLost&) {
  hosts_[ctx.stream.name].alive = false;
  const auto* bookings = calendar_.of(ctx.stream.name);
  if (bookings == nullptr) return;
  for (const auto& [from, booking] : *bookings) look_after(booking.lease, ctx.time);
}
void LeaseBook::fold(const Context& ctx, const HostSeen&) {
  hosts_[ctx.stream.name].alive = true;
  if (const auto* bookings = calendar_.of(ctx.stream.name)) {
    for (const auto& [from, booking] : *bookings) {
      if (degraded_.contains(booking.lease)) look_after(booking.lease, ctx.time);
    }
  }
  offer_to_degraded(ctx.stream.name, ctx.time);
}
void LeaseBook::fold(const Context&, const HostPropertyChanged& e) {
  if (e.is_private) {
    private_properties_.insert(e.property);
  } else {
    private_properties_.erase(e.property);
  }
}
void LeaseBook::fold(const Context&, const FloatingIpCreated& e) {
  floating_ips_[e.floating_ip.id] = e.floating_ip;
  addresses_.insert(e.floating_ip.ipv4);
}
void LeaseBook::fold(const Context& ctx, const FloatingIpDeleted&) {
  const auto it = floating_ips_.find(FloatingIpId(ctx.stream.id));
  CHECK(it != floating_ips_.end(), "{} is not live", ctx.stream.text());
  addresses_.erase(it->second.ipv4);
  floating_ips_.erase(it);
}

void LeaseBook::look_after(const LeaseId& id, base::Time at) {
  const auto it = leases_.find(id);
  if (it == leases_.end()) return;
  Lease& lease = it->second.lease;
  if (lease.check_at && *lease.check_at <= at) return;
  if (lease.check_at) due_.erase({*lease.check_at, LeaseDue::Rank::Check, id});
  lease.check_at = at;
  due_.insert({at, LeaseDue::Rank::Check, id});
}

// A host that may be free for some that have too few: they look whether it is.
void LeaseBook::offer_to_degraded(const std::string& name, base::Time at) {
  const ReservableHost* found = host(name);
  if (found == nullptr || !found->alive) return;
  for (const LeaseId& id : degraded_) {
    const Entry& entry = leases_.find(id)->second;
    for (std::size_t i = 0; i < entry.lease.reservations.size(); ++i) {
      const Reservation& r = entry.lease.reservations[i];
      if (!r.holds_hosts() || !match(entry.filters[i], *found)) continue;
      if (calendar_.is_free(name, booked_from(entry.lease, r), entry.lease.end, id)) {
        look_after(id, at);
      }
    }
  }
}

// ---- what is derived from a lease ----

template <class F>
void LeaseBook::each_due(const Lease& lease, F&& f) {
  if (lease.check_at) f(LeaseDue{*lease.check_at, LeaseDue::Rank::Check, lease.id});
  if (lease.state == LeaseState::Deleting) return;
  const LeaseTimer* start = lease.timer(LeaseTimerKind::Start);
  for (const LeaseTimer& timer : lease.timers) {
    if (timer.state != LeaseTimerState::Undone) continue;
    LeaseDue due{timer.due, static_cast<LeaseDue::Rank>(timer.kind), lease.id};
    if (timer.kind == LeaseTimerKind::BeforeEnd && start != nullptr &&
        start->state == LeaseTimerState::Undone && start->due == timer.due) {
      due.rank = LeaseDue::Rank::LateBeforeEnd;
    }
    f(due);
  }
}

template <class F>
void LeaseBook::each_booking(const Lease& lease, F&& f) const {
  for (const Reservation& r : lease.reservations) {
    if (!r.holds_hosts()) continue;
    for (const std::string& name : r.hosts) {
      f(name, Booking{booked_from(lease, r), lease.end, lease.id, r.spec.id}, r);
    }
  }
}

void LeaseBook::index(Entry& entry) {
  const Lease& lease = entry.lease;
  if (entry.filters.empty()) {
    for (const Reservation& r : lease.reservations) entry.filters.push_back(parse(r.spec));
  }
  if (lease.state != LeaseState::Deleting) names_[{lease.tenant, lease.name}] = lease.id;
  each_due(lease, [&](const LeaseDue& due) { due_.insert(due); });
  if (lease.missing > 0) degraded_.insert(lease.id);
  each_booking(lease, [&](const std::string& name, const Booking& booking, const Reservation& r) {
    calendar_.book(name, booking);
    if (r.state == ReservationState::Active) open_to_[name] = lease.tenant;
  });
}

void LeaseBook::unindex(Entry& entry) {
  const Lease& lease = entry.lease;
  if (lease.state != LeaseState::Deleting) names_.erase({lease.tenant, lease.name});
  each_due(lease, [&](const LeaseDue& due) { due_.erase(due); });
  degraded_.erase(lease.id);
  each_booking(lease, [&](const std::string& name, const Booking& booking, const Reservation& r) {
    calendar_.cancel(name, booking);
    if (r.state == ReservationState::Active) open_to_.erase(name);
  });
}

// ---- snapshots ----

LeaseBook::Rest LeaseBook::rest() const {
  Rest out;
  for (const auto& [name, host] : hosts_) out.hosts.push_back(host);
  for (const auto& [id, ip] : floating_ips_) out.floating_ips.push_back(ip);
  out.private_properties.assign(private_properties_.begin(), private_properties_.end());
  out.next_number = next_number_;
  return out;
}

void LeaseBook::restore(Lease lease) {
  const LeaseId id = lease.id;
  index(leases_.emplace(id, Entry{std::move(lease), {}}).first->second);
}

void LeaseBook::restore(Rest rest) {
  for (ReservableHost& host : rest.hosts) {
    hosts_by_number_[host.facts.number] = host.name;
    hosts_[host.name] = std::move(host);
  }
  for (const FloatingIp& ip : rest.floating_ips) {
    floating_ips_[ip.id] = ip;
    addresses_.insert(ip.ipv4);
  }
  private_properties_.insert(rest.private_properties.begin(), rest.private_properties.end());
  next_number_ = rest.next_number;
}

void LeaseBook::dump_for_test(const std::function<void(std::string)>& line) const {
  for (const auto& [id, entry] : leases_) line("lease " + json(entry.lease));
  line("lease-rest " + json(rest()));
  for (const auto& [name, id] : names_) {
    line(fmt::format("lease-name {} {} {}", name.first, name.second, base::to_string(id)));
  }
  for (const auto& [host, bookings] : calendar_.all()) {
    for (const auto& [from, b] : bookings) {
      line(fmt::format("booking {} {} {} {}", host, base::to_us(from), base::to_us(b.to),
                       base::to_string(b.reservation)));
    }
  }
  for (const LeaseDue& d : due_) {
    line(fmt::format("lease-due {} {} {}", base::rfc3339(d.at), static_cast<int>(d.rank),
                     base::to_string(d.lease)));
  }
  for (const LeaseId& id : degraded_) line("degraded " + base::to_string(id));
  for (const auto& [host, tenant] : open_to_) line(fmt::format("open {} {}", host, tenant));
}

}  // namespace slipway::domain
