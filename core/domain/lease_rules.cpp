#include "core/domain/lease_rules.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/domain/inner_task.hpp"

namespace slipway::domain {
namespace {

using base::Errc;
using base::fail;
using base::Status;
using Hosts = std::vector<std::string>;

// Clients name minutes: what they call now is the minute that has begun.
base::Time this_minute(base::Time now) { return std::chrono::floor<std::chrono::minutes>(now); }

base::Time before_end_of(std::optional<base::Time> asked, base::Time start, base::Time end,
                         base::Duration lead) {
  return std::max(start, asked.value_or(end - lead));
}

Status check_span(base::Time start, base::Time end, std::optional<base::Time> before_end) {
  if (end <= start) return fail(Errc::InvalidArgument, "End date must be later than start date.");
  if (before_end && *before_end > end) {
    return fail(Errc::InvalidArgument, "Datetime is out of lease limits");
  }
  return {};
}

Status check_spec(const ReservationSpec& spec) {
  if (spec.min == 0 || spec.min > spec.max) {
    return fail(Errc::InvalidArgument,
                fmt::format("min and max must be 1 or more and min not above max, not {} and {}",
                            spec.min, spec.max));
  }
  for (const std::string& filter : {spec.hypervisor_properties, spec.resource_properties}) {
    if (auto parsed = HostFilter::parse(filter); !parsed) return fail(parsed.error());
  }
  return {};
}

bool contains(const Hosts& hosts, const std::string& name) {
  return std::find(hosts.begin(), hosts.end(), name) != hosts.end();
}

const Lease* find_own(const Draft& draft, const Command& command, const LeaseId& id) {
  const Lease* lease = draft.world.leases().lease(id);
  const bool seen = lease != nullptr && command.caller.owns(lease->tenant) &&
                    lease->state != LeaseState::Deleting;
  return seen ? lease : nullptr;
}

tl::unexpected<base::Error> no_lease(const LeaseId& id) {
  return fail(Errc::NotFound,
              fmt::format("Object with {{'lease_id': '{}'}} not found", base::to_string(id)));
}

Status check_name(const Draft& draft, const Command& command, const std::string& name,
                  const LeaseId& own) {
  const Lease* other = draft.world.leases().lease_by_name(command.caller.tenant, name);
  if (other == nullptr || other->id == own) return {};
  return fail(Errc::NameTaken, fmt::format("The lease with name: {} already exists", name));
}

void set_timer(Draft& draft, const LeaseId& lease, const LeaseTimerId& id, LeaseTimerKind kind,
               base::Time due) {
  draft.add(StreamKind::Lease, lease, TimerSet{id, kind, due});
}

// ---- a change of a lease ----
class Update {
 public:
  Update(Draft& draft, const Lease& lease, const UpdateLease& c)
      : draft_(draft),
        book_(draft.world.leases()),
        lease_(lease),
        c_(c),
        start_(c.start.value_or(lease.start)),
        end_(c.end.value_or(lease.end)) {}

  Status check() const {
    const bool moves = c_.start || c_.end || c_.before_end || !c_.reservations.empty();
    if (!moves) return {};
    if (lease_.is_over() || lease_.state == LeaseState::Error) {
      return fail(Errc::InvalidArgument, "Terminated leases can only be renamed");
    }
    if (lease_.has_started() && start_ != lease_.start) {
      return fail(Errc::InvalidArgument, "Cannot modify the start date of already started leases");
    }
    const base::Time now = this_minute(draft_.now);
    if (c_.start && !lease_.has_started() && start_ < now) {
      return fail(Errc::InvalidArgument, "Start date must be later than current date");
    }
    if (auto status = check_span(start_, end_, c_.before_end); !status) return status;
    if (c_.end && end_ < now) {
      return fail(Errc::InvalidArgument, "End date must be later than current date");
    }
    return check_ids();
  }

  Status decide() {
    LeaseUpdated updated;
    if (c_.name && *c_.name != lease_.name) updated.name = c_.name;
    if (start_ != lease_.start) updated.start = start_;
    if (end_ != lease_.end) updated.end = end_;
    for (const Reservation& r : lease_.reservations) {
      if (!r.holds_hosts()) continue;
      ReservationChange change{changed_spec(r), r.hosts};
      if (auto status = check_spec(change.spec); !status) return status;
      if (auto status = find_hosts(r, change); !status) return status;
      taken_.insert(taken_.end(), change.hosts.begin(), change.hosts.end());
      if (change.spec != r.spec || change.hosts != r.hosts) {
        updated.reservations.push_back(std::move(change));
      }
    }
    draft_.add(StreamKind::Lease, lease_.id, std::move(updated));
    move_timers();
    if (lease_.missing > 0) draft_.add(StreamKind::Lease, lease_.id, LeaseHealed{});
    return {};
  }

 private:
  Status check_ids() const {
    std::string unknown;
    for (const ChangeReservation& change : c_.reservations) {
      if (lease_.reservation(change.id) != nullptr) continue;
      unknown += (unknown.empty() ? "" : ",") + base::to_string(change.id);
    }
    if (unknown.empty()) return {};
    return fail(Errc::InvalidArgument,
                "Please enter valid reservation IDs. Invalid reservation IDs are: " + unknown);
  }

  ReservationSpec changed_spec(const Reservation& r) const {
    ReservationSpec spec = r.spec;
    for (const ChangeReservation& change : c_.reservations) {
      if (change.id != spec.id) continue;
      if (change.min) spec.min = *change.min;
      if (change.max) spec.max = *change.max;
      if (change.hypervisor_properties) spec.hypervisor_properties = *change.hypervisor_properties;
      if (change.resource_properties) spec.resource_properties = *change.resource_properties;
      if (change.before_end) spec.before_end = *change.before_end;
    }
    return spec;
  }

  // Keeps the hosts that still serve and adds what is missing. VMs run on those of an active
  // reservation: it may get more, never others.
  Status find_hosts(const Reservation& r, ReservationChange& change) {
    const bool same_hosts_asked =
        change.spec.min == r.spec.min && change.spec.max == r.spec.max &&
        change.spec.hypervisor_properties == r.spec.hypervisor_properties &&
        change.spec.resource_properties == r.spec.resource_properties;
    if (same_hosts_asked && start_ == lease_.start && end_ == lease_.end) return {};
    const bool active = r.state == ReservationState::Active;
    const base::Time from = active ? LeaseBook::booked_from(lease_, r) : start_;
    const Hosts free = book_.free_hosts(change.spec, from, end_, lease_.id);
    Hosts hosts;
    for (const std::string& name : r.hosts) {
      if (contains(free, name) && !contains(taken_, name)) hosts.push_back(name);
    }
    if (active && hosts != r.hosts && !lost_only(r, hosts)) return cannot_keep(r, change);
    if (hosts.size() > change.spec.max) {
      if (active) return fail(Errc::IllegalTransition, "max cannot be updated");
      hosts.resize(change.spec.max);
    }
    // Without a change of what is asked, no more than before.
    const std::size_t wanted = same_hosts_asked ? r.hosts.size() : std::size_t{change.spec.max};
    for (const std::string& name : free) {
      if (hosts.size() >= wanted) break;
      if (!contains(hosts, name) && !contains(taken_, name) && !is_others(name, r)) {
        hosts.push_back(name);
      }
    }
    if (hosts.size() < change.spec.min) {
      return fail(Errc::CapacityExhausted, "Not enough hosts available");
    }
    change.hosts = std::move(hosts);
    return {};
  }

  // Hosts that are not alive are not among the free ones; a change need not keep those.
  bool lost_only(const Reservation& r, const Hosts& kept) const {
    return std::all_of(r.hosts.begin(), r.hosts.end(), [&](const std::string& name) {
      const ReservableHost* host = book_.host(name);
      return contains(kept, name) || host == nullptr || !host->alive;
    });
  }
  Status cannot_keep(const Reservation& r, const ReservationChange& change) const {
    for (const std::string& name : r.hosts) {
      const ReservableHost* host = book_.host(name);
      if (host != nullptr && !book_.allows(change.spec, *host)) {
        return fail(Errc::IllegalTransition, "resource_properties cannot be updated");
      }
    }
    return fail(Errc::CapacityExhausted, "Not enough hosts available");
  }
  // Held by another reservation of the same lease.
  bool is_others(const std::string& name, const Reservation& r) const {
    return std::any_of(lease_.reservations.begin(), lease_.reservations.end(),
                       [&](const Reservation& other) {
                         return other.spec.id != r.spec.id && contains(other.hosts, name);
                       });
  }

  void move_timers() {
    if (start_ != lease_.start) move(LeaseTimerKind::Start, start_);
    if (end_ != lease_.end) move(LeaseTimerKind::End, end_);
    if (start_ == lease_.start && end_ == lease_.end && !c_.before_end) return;
    const base::Time due = before_end_of(c_.before_end, start_, end_, c_.default_lead);
    const LeaseTimer* timer = lease_.timer(LeaseTimerKind::BeforeEnd);
    const bool undone = timer->state == LeaseTimerState::Undone;
    if (timer->due != due && (undone || due > draft_.now)) move(LeaseTimerKind::BeforeEnd, due);
  }
  void move(LeaseTimerKind kind, base::Time due) {
    set_timer(draft_, lease_.id, lease_.timer(kind)->id, kind, due);
  }

  Draft& draft_;
  const LeaseBook& book_;
  const Lease& lease_;
  const UpdateLease& c_;
  const base::Time start_;
  const base::Time end_;
  Hosts taken_;
};

}  // namespace

void add_guests(const World& world, const Lease& lease, const std::string& host,
                std::vector<VmId>& out) {
  const auto live = world.hosts().find(host);
  if (live == world.hosts().end()) return;
  for (const VmId& id : live->second.guests) {
    const Vm* vm = world.vm(id);
    if (vm == nullptr || vm->tenant != lease.tenant) continue;
    if (std::find(out.begin(), out.end(), id) == out.end()) out.push_back(id);
  }
}

std::vector<VmId> guests_of(const World& world, const Lease& lease, const Reservation& r) {
  std::vector<VmId> out;
  if (r.state != ReservationState::Active) return out;
  for (const std::string& host : r.hosts) add_guests(world, lease, host, out);
  return out;
}

Status decide_on(Draft& draft, const Command& command, const CreateLease& c) {
  if (c.start < this_minute(draft.now)) {
    return fail(Errc::InvalidArgument, "Start date must be later than current date");
  }
  if (auto status = check_span(c.start, c.end, c.before_end); !status) return status;
  if (auto status = check_name(draft, command, c.name, c.lease); !status) return status;
  const LeaseBook& book = draft.world.leases();
  LeaseCreated created{c.name, command.caller.actor, c.start, c.end, c.reservations};
  std::vector<ReservationAllocated> allocated;
  Hosts taken;
  std::uint64_t number = book.next_reservation_number();
  for (ReservationSpec& spec : created.reservations) {
    if (auto status = check_spec(spec); !status) return status;
    spec.number = number++;
    Hosts hosts;
    for (const std::string& name : book.free_hosts(spec, c.start, c.end, c.lease)) {
      if (hosts.size() < spec.max && !contains(taken, name)) hosts.push_back(name);
    }
    if (hosts.size() < spec.min) {
      return fail(Errc::CapacityExhausted, "Not enough hosts available");
    }
    taken.insert(taken.end(), hosts.begin(), hosts.end());
    allocated.push_back({spec.id, std::move(hosts)});
  }
  add_done_task(draft, command, {StreamKind::Lease, c.lease, c.name});
  draft.add(StreamKind::Lease, c.lease, std::move(created));
  const auto set = [&](LeaseTimerKind kind, base::Time due) {
    set_timer(draft, c.lease, c.timers[static_cast<std::size_t>(kind)], kind, due);
  };
  set(LeaseTimerKind::Start, c.start);
  set(LeaseTimerKind::End, c.end);
  set(LeaseTimerKind::BeforeEnd, before_end_of(c.before_end, c.start, c.end, c.default_lead));
  for (ReservationAllocated& e : allocated) draft.add(StreamKind::Lease, c.lease, std::move(e));
  return {};
}

Status decide_on(Draft& draft, const Command& command, const UpdateLease& c) {
  const Lease* lease = find_own(draft, command, c.lease);
  if (lease == nullptr) return no_lease(c.lease);
  Update update(draft, *lease, c);
  if (auto status = update.check(); !status) return status;
  if (c.name) {
    if (auto status = check_name(draft, command, *c.name, lease->id); !status) return status;
  }
  add_done_task(draft, command, {StreamKind::Lease, lease->id, c.name.value_or(lease->name)});
  return update.decide();
}

Status decide_on(Draft& draft, const Command& command, const DeleteLease& c) {
  const Lease* lease = find_own(draft, command, c.lease);
  if (lease == nullptr) return no_lease(c.lease);
  add_done_task(draft, command, {StreamKind::Lease, lease->id, lease->name});
  std::vector<VmId> vms = lease->vms;
  draft.add(StreamKind::Lease, lease->id, LeaseDeleting{});
  for (const Reservation& r : lease->reservations) {
    if (!r.holds_hosts()) continue;
    for (const VmId& vm : guests_of(draft.world, *lease, r)) vms.push_back(vm);
    draft.add(StreamKind::Lease, lease->id, ReservationReleased{r.spec.id});
  }
  if (vms.empty()) {
    draft.add(StreamKind::Lease, lease->id, LeaseDeleted{});
  } else {
    draft.add(StreamKind::Lease, lease->id, LeaseChecked{std::move(vms), draft.now});
  }
  return {};
}

}  // namespace slipway::domain
