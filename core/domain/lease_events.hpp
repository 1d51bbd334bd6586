#pragma once
// Leases of hosts, the hosts given to them, floating addresses. See events.hpp. The events of a
// lease, of its reservations and of its timers are all in the stream lease-<id>.
#include <map>
#include <optional>

#include "core/domain/event.hpp"
#include "core/domain/lease_specs.hpp"

namespace slipway::domain {

// ---- lease ----
// PENDING. Three TimerSet and a ReservationAllocated for each reservation follow.
struct LeaseCreated {
  std::string name;
  std::string user;
  base::Time start{};
  base::Time end{};
  std::vector<ReservationSpec> reservations;
  SLIPWAY_EVENT(LeaseCreated, v("name", s.name); v("user", s.user); v("start", s.start);
                v("end", s.end); v("reservations", s.reservations);)
};
// These hosts are the reservation's, in place of those it had.
struct ReservationAllocated {
  ReservationId reservation;
  std::vector<std::string> hosts;
  SLIPWAY_EVENT(ReservationAllocated, v("reservation", s.reservation); v("hosts", s.hosts);)
};
// Its hosts are free from now on.
struct ReservationReleased {
  ReservationId reservation;
  SLIPWAY_EVENT(ReservationReleased, v("reservation", s.reservation);)
};
struct LeaseStarting {
  SLIPWAY_EVENT(LeaseStarting, )
};
// ACTIVE, and so its reservations: VMs of its tenant may be placed on its hosts.
struct LeaseStarted {
  SLIPWAY_EVENT(LeaseStarted, )
};
// One for each reservation that is active. `email`: the letter is this event. `vms`: those that
// tasks of the same record see to; `busy`: those that another task is at work on.
struct LeaseBeforeEnd {
  ReservationId reservation;
  BeforeEndAction action = BeforeEndAction::None;
  base::Time end{};
  std::vector<VmId> vms;
  std::vector<VmId> busy;
  SLIPWAY_EVENT(LeaseBeforeEnd, v("reservation", s.reservation); v("action", s.action);
                v("end", s.end); v("vms", s.vms); v("busy", s.busy);)
};
struct LeaseEnding {
  SLIPWAY_EVENT(LeaseEnding, )
};
struct LeaseEnded {
  SLIPWAY_EVENT(LeaseEnded, )
};
// What is absent stays. The timers that move are set by TimerSet beside it.
struct LeaseUpdated {
  std::optional<std::string> name;
  std::optional<base::Time> start;
  std::optional<base::Time> end;
  std::vector<ReservationChange> reservations;
  SLIPWAY_EVENT(LeaseUpdated, v("name", s.name); v("start", s.start); v("end", s.end);
                v("reservations", s.reservations);)
};
// So many hosts fewer are alive than its reservations ask for at least.
struct LeaseDegraded {
  std::uint32_t missing = 0;
  SLIPWAY_EVENT(LeaseDegraded, v("missing", s.missing);)
};
struct LeaseHealed {
  SLIPWAY_EVENT(LeaseHealed, )
};
// ERROR: it could not start.
struct LeaseFailed {
  std::string reason;
  SLIPWAY_EVENT(LeaseFailed, v("reason", s.reason);)
};
// Its hosts and VMs were looked after. `vms`: those on hosts that it has given up which are still
// to be deleted; they are looked at again at `again_at`.
struct LeaseChecked {
  std::vector<VmId> vms;
  std::optional<base::Time> again_at;
  SLIPWAY_EVENT(LeaseChecked, v("vms", s.vms); v("again_at", s.again_at);)
};
struct LeaseDeleting {
  SLIPWAY_EVENT(LeaseDeleting, )
};
struct LeaseDeleted {
  SLIPWAY_EVENT(LeaseDeleted, )
};

// ---- its timers ----
// UNDONE until `due`; also when a change of the lease moves it.
struct TimerSet {
  LeaseTimerId timer;
  LeaseTimerKind kind = LeaseTimerKind::Start;
  base::Time due{};
  SLIPWAY_EVENT(TimerSet, v("timer", s.timer); v("kind", s.kind); v("due", s.due);)
};
struct TimerFired {
  LeaseTimerKind kind = LeaseTimerKind::Start;
  SLIPWAY_EVENT(TimerFired, v("kind", s.kind);)
};
struct TimerDone {
  LeaseTimerKind kind = LeaseTimerKind::Start;
  SLIPWAY_EVENT(TimerDone, v("kind", s.kind);)
};
struct TimerFailed {
  LeaseTimerKind kind = LeaseTimerKind::Start;
  std::string reason;
  SLIPWAY_EVENT(TimerFailed, v("kind", s.kind); v("reason", s.reason);)
};

// ---- hosts given to leases: stream host-<name> ----
struct HostEnrolled {
  HypervisorFacts facts;
  Labels capabilities;
  SLIPWAY_EVENT(HostEnrolled, v("facts", s.facts); v("capabilities", s.capabilities);)
};
// The rest stay as they are.
struct HostCapabilitySet {
  Labels capabilities;
  SLIPWAY_EVENT(HostCapabilitySet, v("capabilities", s.capabilities);)
};
struct HostWithdrawn {
  SLIPWAY_EVENT(HostWithdrawn, )
};
struct HostLost {
  SLIPWAY_EVENT(HostLost, )
};
struct HostSeen {
  SLIPWAY_EVENT(HostSeen, )
};

// ---- stream system-host-properties ----
// A private property is shown to administrators only.
struct HostPropertyChanged {
  std::string property;
  bool is_private = false;
  SLIPWAY_EVENT(HostPropertyChanged, v("property", s.property); v("private", s.is_private);)
};

// ---- stream address_pool-<id> ----
struct FloatingIpCreated {
  FloatingIp floating_ip;
  SLIPWAY_EVENT(FloatingIpCreated, v("floating_ip", s.floating_ip);)
};
struct FloatingIpDeleted {
  SLIPWAY_EVENT(FloatingIpDeleted, )
};

}  // namespace slipway::domain
