#include "core/domain/host_rules.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "core/domain/inner_task.hpp"

namespace slipway::domain {
namespace {

using base::Errc;
using base::fail;
using base::Status;

constexpr std::size_t kMaxCapabilityKey = 64;
constexpr std::size_t kMaxCapabilities = 64;
constexpr std::string_view kProperties = "host-properties";

tl::unexpected<base::Error> no_host(const std::string& host) {
  return fail(Errc::NotFound, fmt::format("Object with {{'host_id': '{}'}} not found", host));
}

const ReservableHost* find_host(const LeaseBook& book, const std::string& host) {
  std::uint64_t number = 0;
  const char* end = host.data() + host.size();
  if (const auto [at, error] = std::from_chars(host.data(), end, number);
      error == std::errc() && at == end) {
    if (const ReservableHost* found = book.host_by_number(number)) return found;
  }
  return book.host(host);
}

Status check_capabilities(const Labels& capabilities, std::size_t had) {
  for (const auto& [key, value] : capabilities) {
    if (key.size() > kMaxCapabilityKey) {
      return fail(Errc::InvalidArgument, "Extra capability key too long");
    }
  }
  if (capabilities.size() + had > kMaxCapabilities) {
    return fail(Errc::InvalidArgument,
                fmt::format("a host has at most {} extra capabilities", kMaxCapabilities));
  }
  return {};
}

// A property that a reservation on this host has asked for stays as it was asked for.
Status check_unused(const LeaseBook& book, const ReservableHost& host, const Labels& capabilities) {
  const auto* bookings = book.calendar().of(host.name);
  if (bookings == nullptr) return {};
  for (const auto& [from, booking] : *bookings) {
    const Lease* lease = book.lease(booking.lease);
    const Reservation* r = lease == nullptr ? nullptr : lease->reservation(booking.reservation);
    const auto filter = HostFilter::parse(r == nullptr ? "" : r->spec.resource_properties);
    if (!filter) continue;
    for (const auto& [key, value] : capabilities) {
      if (!filter->mentions(key)) continue;
      return fail(Errc::ResourceBusy, fmt::format("Capability {} is in use by reservation {}", key,
                                                  base::to_string(booking.reservation)));
    }
  }
  return {};
}

bool has_property(const LeaseBook& book, const std::string& property) {
  return std::any_of(book.hosts().begin(), book.hosts().end(), [&](const auto& entry) {
    return entry.second.capabilities.contains(property);
  });
}

}  // namespace

Status decide_on(Draft& draft, const Command& command, const EnrollHost& c) {
  const auto live = draft.world.hosts().find(c.name);
  if (live == draft.world.hosts().end()) return no_host(c.name);
  const LeaseBook& book = draft.world.leases();
  if (book.host(c.name) != nullptr) {
    return fail(Errc::NameTaken, fmt::format("The host {} is enrolled already", c.name));
  }
  if (auto status = check_capabilities(c.capabilities, 0); !status) return status;
  if (live->second.used.vms > 0) {
    return fail(Errc::ResourceBusy, fmt::format("Servers found for host {}", c.name));
  }
  const Host& host = live->second.host;
  const bool has_number = host.number != 0 && book.host_by_number(host.number) == nullptr;
  HypervisorFacts facts{has_number ? host.number : book.next_host_number(), host.vcpus,
                        host.memory_mb, host.disk_gb, host.backend};
  add_done_task(draft, command, {StreamKind::Host, {}, c.name});
  draft.add(StreamKind::Host, c.name, HostEnrolled{std::move(facts), c.capabilities});
  return {};
}

Status decide_on(Draft& draft, const Command& command, const UpdateReservableHost& c) {
  const LeaseBook& book = draft.world.leases();
  const ReservableHost* host = find_host(book, c.host);
  if (host == nullptr) return no_host(c.host);
  if (auto status = check_capabilities(c.capabilities, host->capabilities.size()); !status) {
    return status;
  }
  if (auto status = check_unused(book, *host, c.capabilities); !status) return status;
  add_done_task(draft, command, {StreamKind::Host, {}, host->name});
  draft.add(StreamKind::Host, host->name, HostCapabilitySet{c.capabilities});
  return {};
}

Status decide_on(Draft& draft, const Command& command, const WithdrawHost& c) {
  const LeaseBook& book = draft.world.leases();
  const ReservableHost* host = find_host(book, c.host);
  if (host == nullptr) return no_host(c.host);
  if (book.calendar().of(host->name) != nullptr) {
    return fail(Errc::ResourceBusy,
                fmt::format("Can't delete host {}. It is allocated to a reservation", host->name));
  }
  add_done_task(draft, command, {StreamKind::Host, {}, host->name});
  draft.add(StreamKind::Host, host->name, HostWithdrawn{});
  return {};
}

Status decide_on(Draft& draft, const Command& command, const SetHostProperty& c) {
  if (!has_property(draft.world.leases(), c.property)) {
    return fail(Errc::NotFound,
                fmt::format("Object with {{'property_name': '{}'}} not found", c.property));
  }
  add_done_task(draft, command, {StreamKind::System, {}, std::string(kProperties)});
  draft.add(StreamKind::System, kProperties, HostPropertyChanged{c.property, c.is_private});
  return {};
}

Status decide_on(Draft& draft, const Command& command, const SetHostAlive& c) {
  const ReservableHost* host = find_host(draft.world.leases(), c.host);
  if (host == nullptr) return no_host(c.host);
  if (host->alive == c.alive) {
    return fail(Errc::IllegalTransition,
                fmt::format("The host {} is {} already", host->name, c.alive ? "alive" : "lost"));
  }
  add_done_task(draft, command, {StreamKind::Host, {}, host->name});
  draft.add(StreamKind::Host, host->name, c.alive ? EventBody(HostSeen{}) : EventBody(HostLost{}));
  return {};
}

Status decide_on(Draft& draft, const Command& command, const CreateFloatingIp& c) {
  const FloatingIp& ip = c.floating_ip;
  if (draft.world.network(ip.network) == nullptr) {
    return fail(Errc::NotFound, fmt::format("Object with {{'network_id': '{}'}} not found",
                                            base::to_string(ip.network)));
  }
  if (draft.world.leases().has_floating_address(ip.ipv4)) {
    return fail(Errc::NameTaken,
                fmt::format("The floating IP {} already exists", ipv4_text(ip.ipv4)));
  }
  add_done_task(draft, command, {StreamKind::AddressPool, ip.id, ipv4_text(ip.ipv4)});
  draft.add(StreamKind::AddressPool, ip.id, FloatingIpCreated{ip});
  return {};
}

Status decide_on(Draft& draft, const Command& command, const DeleteFloatingIp& c) {
  const FloatingIp* ip = draft.world.leases().floating_ip(c.floating_ip);
  if (ip == nullptr) {
    return fail(Errc::NotFound, fmt::format("Object with {{'floatingip_id': '{}'}} not found",
                                            base::to_string(c.floating_ip)));
  }
  add_done_task(draft, command, {StreamKind::AddressPool, ip->id, ipv4_text(ip->ipv4)});
  draft.add(StreamKind::AddressPool, ip->id, FloatingIpDeleted{});
  return {};
}

}  // namespace slipway::domain
