#include "core/domain/lease.hpp"

#include <algorithm>

#include "core/base/check.hpp"

namespace slipway::domain {
namespace {

void become(Lease& lease, LeaseState next, base::Time at) {
  CHECK(may_become(lease.state, next), "lease {} from {} to {}", base::to_string(lease.id),
        base::enum_name(lease.state), base::enum_name(next));
  lease.state = next;
  lease.updated_at = at;
}

Reservation& find(Lease& lease, const ReservationId& id) {
  const auto it = std::find_if(lease.reservations.begin(), lease.reservations.end(),
                               [&](const Reservation& r) { return r.spec.id == id; });
  CHECK(it != lease.reservations.end(), "lease {} has no reservation {}", base::to_string(lease.id),
        base::to_string(id));
  return *it;
}

LeaseTimer& find(Lease& lease, LeaseTimerKind kind) {
  const auto it = std::find_if(lease.timers.begin(), lease.timers.end(),
                               [&](const LeaseTimer& t) { return t.kind == kind; });
  CHECK(it != lease.timers.end(), "lease {} has no timer {}", base::to_string(lease.id),
        base::enum_name(kind));
  return *it;
}

void set(Lease& lease, LeaseTimerKind kind, LeaseTimerState from, LeaseTimerState to,
         base::Time at) {
  LeaseTimer& timer = find(lease, kind);
  CHECK(timer.state == from, "lease {}: {} from {} to {}", base::to_string(lease.id),
        base::enum_name(kind), base::enum_name(timer.state), base::enum_name(to));
  timer.state = to;
  timer.updated_at = at;
}

void give(Reservation& reservation, const std::vector<std::string>& hosts) {
  reservation.changed = reservation.changed || !reservation.hosts.empty();
  reservation.hosts = hosts;
}

}  // namespace

bool may_become(LeaseState from, LeaseState to) {
  using enum LeaseState;
  switch (to) {
    case Starting:
      return from == Pending;
    case Active:
      return from == Starting;
    case Terminating:
      return from == Active || from == Error;
    case Terminated:
      return from == Terminating;
    case Error:
      return from == Starting || from == Terminating;
    case Deleting:
      return from != Deleting;
    case Pending:
      return false;
  }
  return false;
}

const LeaseTimer* Lease::timer(LeaseTimerKind kind) const {
  const auto it = std::find_if(timers.begin(), timers.end(),
                               [&](const LeaseTimer& t) { return t.kind == kind; });
  return it == timers.end() ? nullptr : &*it;
}
const Reservation* Lease::reservation(const ReservationId& wanted) const {
  const auto it = std::find_if(reservations.begin(), reservations.end(),
                               [&](const Reservation& r) { return r.spec.id == wanted; });
  return it == reservations.end() ? nullptr : &*it;
}
LeaseTimerState Lease::timer_state(LeaseTimerKind kind) const {
  const LeaseTimer* found = timer(kind);
  return found == nullptr ? LeaseTimerState::Undone : found->state;
}

std::optional<std::string> ReservableHost::property(std::string_view wanted) const {
  if (const auto it = capabilities.find(std::string(wanted)); it != capabilities.end()) {
    return it->second;
  }
  if (wanted == "hypervisor_hostname" || wanted == "service_name") return name;
  if (wanted == "id") return std::to_string(facts.number);
  if (wanted == "vcpus") return std::to_string(facts.vcpus);
  if (wanted == "memory_mb") return std::to_string(facts.memory_mb);
  if (wanted == "local_gb") return std::to_string(facts.local_gb);
  if (wanted == "hypervisor_type") return std::string(kHypervisorType);
  if (wanted == "hypervisor_version") return std::to_string(kHypervisorVersion);
  return std::nullopt;
}

void apply(Lease& lease, const LeaseCreated& e, base::Time at) {
  lease.name = e.name;
  lease.user = e.user;
  lease.start = e.start;
  lease.end = e.end;
  lease.created_at = at;
  for (const ReservationSpec& spec : e.reservations) lease.reservations.push_back({.spec = spec});
}
void apply(Lease& lease, const ReservationAllocated& e, base::Time at) {
  Reservation& reservation = find(lease, e.reservation);
  if (!reservation.hosts.empty()) reservation.updated_at = at;
  give(reservation, e.hosts);
}
void apply(Lease& lease, const ReservationReleased& e, base::Time at) {
  Reservation& reservation = find(lease, e.reservation);
  reservation.hosts.clear();
  reservation.state = ReservationState::Deleted;
  reservation.updated_at = at;
}
void apply(Lease& lease, const LeaseStarting&, base::Time at) {
  become(lease, LeaseState::Starting, at);
}
void apply(Lease& lease, const LeaseStarted&, base::Time at) {
  become(lease, LeaseState::Active, at);
  for (Reservation& reservation : lease.reservations) {
    reservation.state = ReservationState::Active;
    reservation.updated_at = at;
  }
}
void apply(Lease&, const LeaseBeforeEnd&, base::Time) {}
void apply(Lease& lease, const LeaseEnding&, base::Time at) {
  become(lease, LeaseState::Terminating, at);
}
void apply(Lease& lease, const LeaseEnded&, base::Time at) {
  const bool failed = lease.timer_state(LeaseTimerKind::Start) == LeaseTimerState::Error;
  become(lease, failed ? LeaseState::Error : LeaseState::Terminated, at);
}
void apply(Lease& lease, const LeaseUpdated& e, base::Time at) {
  if (e.name) lease.name = *e.name;
  if (e.start) lease.start = *e.start;
  if (e.end) lease.end = *e.end;
  lease.updated_at = at;
  for (const ReservationChange& change : e.reservations) {
    Reservation& reservation = find(lease, change.spec.id);
    reservation.spec = change.spec;
    reservation.updated_at = at;
    if (reservation.hosts != change.hosts) give(reservation, change.hosts);
  }
}
void apply(Lease& lease, const LeaseDegraded& e, base::Time) { lease.missing = e.missing; }
void apply(Lease& lease, const LeaseHealed&, base::Time) { lease.missing = 0; }
void apply(Lease& lease, const LeaseFailed& e, base::Time at) {
  become(lease, LeaseState::Error, at);
  lease.reason = e.reason;
  for (Reservation& reservation : lease.reservations) {
    reservation.state = ReservationState::Error;
    reservation.updated_at = at;
  }
}
void apply(Lease& lease, const LeaseChecked& e, base::Time) {
  lease.vms = e.vms;
  lease.check_at = e.again_at;
}
void apply(Lease& lease, const LeaseDeleting&, base::Time at) {
  become(lease, LeaseState::Deleting, at);
}
void apply(Lease& lease, const TimerSet& e, base::Time at) {
  const auto it = std::find_if(lease.timers.begin(), lease.timers.end(),
                               [&](const LeaseTimer& t) { return t.kind == e.kind; });
  if (it == lease.timers.end()) {
    lease.timers.push_back({.id = e.timer, .kind = e.kind, .due = e.due});
    return;
  }
  it->due = e.due;
  it->state = LeaseTimerState::Undone;
  it->updated_at = at;
}
void apply(Lease& lease, const TimerFired& e, base::Time at) {
  set(lease, e.kind, LeaseTimerState::Undone, LeaseTimerState::InProgress, at);
}
void apply(Lease& lease, const TimerDone& e, base::Time at) {
  set(lease, e.kind, LeaseTimerState::InProgress, LeaseTimerState::Done, at);
}
void apply(Lease& lease, const TimerFailed& e, base::Time at) {
  set(lease, e.kind, LeaseTimerState::InProgress, LeaseTimerState::Error, at);
}

}  // namespace slipway::domain
