#pragma once
// What must hold of leases, told from the log alone and without the code that decides: no host in
// two active reservations, no two bookings of a host that overlap, each timer once and in order, no
// VM of a stranger on a host that is given to leases.
#include <fmt/format.h>

#include <functional>
#include <map>
#include <set>
#include <string>
#include <tuple>

#include "core/domain/record.hpp"

namespace slipway::domain::testing {

class LeaseInvariants {
 public:
  using Violate = std::function<void(std::string invariant, std::string what)>;
  explicit LeaseInvariants(Violate violate) : violate_(std::move(violate)) {}

  void on_record(const RecordBody& record) {
    for (const Event& event : record.events) {
      std::visit([&](const auto& e) { on(record.envelope, event, e); }, event.body);
    }
  }
  std::uint64_t started() const { return started_; }
  std::uint64_t fired() const { return fired_; }
  // At quiescence: nothing that was due by `now` is left undone.
  void all_fired(base::Time now) const {
    if (!undone_.empty() && std::get<0>(*undone_.begin()) <= now) {
      violate_("every-timer-fires", fmt::format("lease {} has one of {} undone",
                                                base::to_string(std::get<2>(*undone_.begin())),
                                                base::rfc3339(std::get<0>(*undone_.begin()))));
    }
  }

 private:
  struct Held {
    bool active = false;
    bool over = false;
    std::vector<std::string> hosts;
  };
  struct Trace {
    std::string tenant;
    base::Time start{};
    base::Time end{};
    bool gone = false;
    std::map<ReservationId, Held> reservations;
    std::map<LeaseTimerKind, base::Time> due;  // of undone ones
  };
  using Due = std::tuple<base::Time, int, LeaseId, LeaseTimerKind>;

  template <class E>
  void on(const Envelope&, const Event&, const E&) {}

  void on(const Envelope& envelope, const Event& event, const LeaseCreated& e) {
    Trace& t = leases_[LeaseId(event.stream.id)];
    t.tenant = envelope.tenant;
    t.start = e.start;
    t.end = e.end;
    for (const ReservationSpec& spec : e.reservations) t.reservations[spec.id] = {};
  }
  void on(const Envelope&, const Event& event, const ReservationAllocated& e) {
    Trace& t = of(event);
    t.reservations[e.reservation].hosts = e.hosts;
    check_hosts(LeaseId(event.stream.id));
  }
  void on(const Envelope&, const Event& event, const LeaseUpdated& e) {
    Trace& t = of(event);
    if (e.start) t.start = *e.start;
    if (e.end) t.end = *e.end;
    for (const ReservationChange& c : e.reservations) t.reservations[c.spec.id].hosts = c.hosts;
    check_hosts(LeaseId(event.stream.id));
  }
  void on(const Envelope&, const Event& event, const ReservationReleased& e) {
    Held& held = of(event).reservations[e.reservation];
    held = {.over = true};
  }
  void on(const Envelope&, const Event& event, const LeaseStarted&) {
    ++started_;
    for (auto& [id, held] : of(event).reservations) held.active = true;
    check_hosts(LeaseId(event.stream.id));
  }
  void on(const Envelope&, const Event& event, const LeaseDeleting&) {
    Trace& t = of(event);
    t.gone = true;
    for (const auto& [kind, due] : t.due) undone_.erase(key(LeaseId(event.stream.id), t, kind));
    t.due.clear();
  }
  void on(const Envelope&, const Event& event, const TimerSet& e) {
    const LeaseId id(event.stream.id);
    Trace& t = of(event);
    forget(id, t);
    t.due[e.kind] = e.due;
    remember(id, t);
  }
  void on(const Envelope& envelope, const Event& event, const TimerFired& e) {
    ++fired_;
    const LeaseId id(event.stream.id);
    Trace& t = of(event);
    const std::string name =
        fmt::format("{} of lease {}", base::enum_name(e.kind), base::to_string(id));
    if (!t.due.contains(e.kind)) return violate_("every-timer-once", name + " fires twice");
    if (t.due[e.kind] > envelope.time) violate_("no-timer-early", name);
    if (*undone_.begin() != key(id, t, e.kind)) {
      violate_("timers-in-order", fmt::format("{} fires before {} of lease {}", name,
                                              base::enum_name(std::get<3>(*undone_.begin())),
                                              base::to_string(std::get<2>(*undone_.begin()))));
    }
    forget(id, t);
    t.due.erase(e.kind);
    remember(id, t);
  }
  void on(const Envelope&, const Event& event, const HostEnrolled&) {
    reservable_.insert(event.stream.name);
  }
  void on(const Envelope&, const Event& event, const HostWithdrawn&) {
    reservable_.erase(event.stream.name);
  }
  void on(const Envelope&, const Event&, const VmRequested& e) {
    if (!reservable_.contains(e.spec.host)) return;
    for (const auto& [id, t] : leases_) {
      for (const auto& [rid, held] : t.reservations) {
        if (held.active && t.tenant == e.spec.project && has(held, e.spec.host)) return;
      }
    }
    violate_("no-stranger-on-a-reserved-host", fmt::format("{} on {}", e.spec.name, e.spec.host));
  }

  Trace& of(const Event& event) { return leases_[LeaseId(event.stream.id)]; }
  static bool has(const Held& held, const std::string& host) {
    return std::find(held.hosts.begin(), held.hosts.end(), host) != held.hosts.end();
  }

  // Before-end, end, start; a before-end of the same moment as its own start after that.
  static Due key(const LeaseId& id, const Trace& t, LeaseTimerKind kind) {
    const auto start = t.due.find(LeaseTimerKind::Start);
    int rank = kind == LeaseTimerKind::End ? 1 : kind == LeaseTimerKind::Start ? 2 : 0;
    if (rank == 0 && start != t.due.end() && start->second == t.due.at(kind)) rank = 3;
    return {t.due.at(kind), rank, id, kind};
  }
  void forget(const LeaseId& id, const Trace& t) {
    for (const auto& [kind, due] : t.due) undone_.erase(key(id, t, kind));
  }
  void remember(const LeaseId& id, const Trace& t) {
    for (const auto& [kind, due] : t.due) undone_.insert(key(id, t, kind));
  }

  // Of this lease against all others.
  void check_hosts(const LeaseId& mine) {
    const Trace& a = leases_[mine];
    for (const auto& [rid, held] : a.reservations) {
      for (const std::string& host : held.hosts) check_host(mine, a, rid, held, host);
    }
  }
  void check_host(const LeaseId& mine, const Trace& a, const ReservationId& rid, const Held& held,
                  const std::string& host) {
    for (const auto& [other, b] : leases_) {
      for (const auto& [id, their] : b.reservations) {
        if (id == rid || !has(their, host)) continue;
        if (held.active && their.active) {
          violate_("host-in-one-active-reservation", describe(mine, other, host));
        }
        if (other == mine || (a.start < b.end && b.start < a.end)) {
          violate_("no-host-booked-twice", describe(mine, other, host));
        }
      }
    }
  }
  static std::string describe(const LeaseId& a, const LeaseId& b, const std::string& host) {
    return fmt::format("{} by leases {} and {}", host, base::to_string(a), base::to_string(b));
  }

  Violate violate_;
  std::map<LeaseId, Trace> leases_;
  std::set<Due> undone_;
  std::set<std::string> reservable_;
  std::uint64_t started_ = 0;
  std::uint64_t fired_ = 0;
};

}  // namespace slipway::domain::testing
