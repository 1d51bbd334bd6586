#pragma once
// A lease as it is now, and how its events change it: the live state and the read models fold with
// the same functions, so they cannot disagree.
#include "core/domain/lease_events.hpp"

namespace slipway::domain {

struct Reservation {
  ReservationSpec spec;
  ReservationState state = ReservationState::Pending;
  std::vector<std::string> hosts;  // those it holds; none once it is over
  bool changed = false;            // it has had other hosts before
  std::optional<base::Time> updated_at;
  bool operator==(const Reservation&) const = default;
  template <class S, class V>
  static void fields(S& s, V& v) {
    v("spec", s.spec);
    v("state", s.state);
    v("hosts", s.hosts);
    v("changed", s.changed);
    v("updated_at", s.updated_at);
  }
  bool holds_hosts() const {
    return state == ReservationState::Pending || state == ReservationState::Active;
  }
};

struct LeaseTimer {
  LeaseTimerId id;
  LeaseTimerKind kind = LeaseTimerKind::Start;
  base::Time due{};
  LeaseTimerState state = LeaseTimerState::Undone;
  std::optional<base::Time> updated_at;
  bool operator==(const LeaseTimer&) const = default;
  template <class S, class V>
  static void fields(S& s, V& v) {
    v("id", s.id);
    v("kind", s.kind);
    v("due", s.due);
    v("state", s.state);
    v("updated_at", s.updated_at);
  }
};

struct Lease {
  LeaseId id;
  StreamVersion version = 0;
  std::string tenant;
  std::string user;
  std::string name;  // of its kind the only one in its tenant
  base::Time start{};
  base::Time end{};
  LeaseState state = LeaseState::Pending;
  std::string reason;         // why it is in ERROR
  std::uint32_t missing = 0;  // hosts fewer than it asks for; then it is degraded
  std::vector<Reservation> reservations;
  std::vector<LeaseTimer> timers;
  std::vector<VmId> vms;               // on hosts that it has given up, still to be deleted
  std::optional<base::Time> check_at;  // when its hosts and VMs are to be looked after
  base::Time created_at{};
  std::optional<base::Time> updated_at;
  template <class S, class V>
  static void fields(S& s, V& v) {
    v("id", s.id);
    v("version", s.version);
    v("tenant", s.tenant);
    v("user", s.user);
    v("name", s.name);
    v("start", s.start);
    v("end", s.end);
    v("state", s.state);
    v("reason", s.reason);
    v("missing", s.missing);
    v("reservations", s.reservations);
    v("timers", s.timers);
    v("vms", s.vms);
    v("check_at", s.check_at);
    v("created_at", s.created_at);
    v("updated_at", s.updated_at);
  }

  const LeaseTimer* timer(LeaseTimerKind kind) const;
  const Reservation* reservation(const ReservationId& id) const;
  LeaseTimerState timer_state(LeaseTimerKind kind) const;
  bool has_started() const { return timer_state(LeaseTimerKind::Start) != LeaseTimerState::Undone; }
  // Nothing of it but its name may change any more.
  bool is_over() const { return timer_state(LeaseTimerKind::End) != LeaseTimerState::Undone; }
};

// A host that is given to leases.
struct ReservableHost {
  std::string name;
  HypervisorFacts facts;
  Labels capabilities;
  bool alive = true;
  base::Time enrolled_at{};
  std::optional<base::Time> updated_at;
  template <class S, class V>
  static void fields(S& s, V& v) {
    v("name", s.name);
    v("facts", s.facts);
    v("capabilities", s.capabilities);
    v("alive", s.alive);
    v("enrolled_at", s.enrolled_at);
    v("updated_at", s.updated_at);
  }
  // What filters see as $<property>.
  std::optional<std::string> property(std::string_view name) const;
};

// `at`: the time of the record.
void apply(Lease& lease, const LeaseCreated& e, base::Time at);
void apply(Lease& lease, const ReservationAllocated& e, base::Time at);
void apply(Lease& lease, const ReservationReleased& e, base::Time at);
void apply(Lease& lease, const LeaseStarting& e, base::Time at);
void apply(Lease& lease, const LeaseStarted& e, base::Time at);
void apply(Lease& lease, const LeaseBeforeEnd& e, base::Time at);
void apply(Lease& lease, const LeaseEnding& e, base::Time at);
void apply(Lease& lease, const LeaseEnded& e, base::Time at);
void apply(Lease& lease, const LeaseUpdated& e, base::Time at);
void apply(Lease& lease, const LeaseDegraded& e, base::Time at);
void apply(Lease& lease, const LeaseHealed& e, base::Time at);
void apply(Lease& lease, const LeaseFailed& e, base::Time at);
void apply(Lease& lease, const LeaseChecked& e, base::Time at);
void apply(Lease& lease, const LeaseDeleting& e, base::Time at);
void apply(Lease& lease, const TimerSet& e, base::Time at);
void apply(Lease& lease, const TimerFired& e, base::Time at);
void apply(Lease& lease, const TimerDone& e, base::Time at);
void apply(Lease& lease, const TimerFailed& e, base::Time at);

}  // namespace slipway::domain
