#include <fmt/format.h>

#include <algorithm>

#include "core/domain/inner_task.hpp"
#include "core/domain/lease_rules.hpp"

// What happens when something of a lease falls due. Each record is in the name of the lease's
// tenant, and so are the tasks that it begins.
namespace slipway::domain {
namespace {

// VMs that another task is at work on are tried again after this.
constexpr base::Duration kTryAgain = std::chrono::seconds(5);
// So many tasks at most in one record; the rest are due at once.
constexpr std::size_t kVmsPerRecord = 200;

class DueDecider {
 public:
  DueDecider(const World& world, const Policy& policy, const Lease& lease, base::Time now)
      : world_(world), book_(world.leases()), policy_(policy), lease_(lease), draft_(world, now) {}

  Events run(LeaseDue::Rank rank) {
    switch (rank) {
      case LeaseDue::Rank::Start:
        start();
        break;
      case LeaseDue::Rank::End:
        end();
        break;
      case LeaseDue::Rank::BeforeEnd:
      case LeaseDue::Rank::LateBeforeEnd:
        before_end();
        break;
      case LeaseDue::Rank::Check:
        look_after();
        break;
    }
    return std::move(draft_.events);
  }

 private:
  template <class E>
  void add(E event) {
    draft_.add(StreamKind::Lease, lease_.id, std::move(event));
  }
  bool is_alive(const std::string& name) const {
    const ReservableHost* host = book_.host(name);
    return host != nullptr && host->alive;
  }

  void start() {
    add(TimerFired{LeaseTimerKind::Start});
    add(LeaseStarting{});
    for (const Reservation& r : lease_.reservations) {
      if (std::any_of(r.hosts.begin(), r.hosts.end(), [&](auto& h) { return is_alive(h); }))
        continue;
      return fail_start(fmt::format("reservation {} has no host left", base::to_string(r.spec.id)));
    }
    add(LeaseStarted{});
    add(TimerDone{LeaseTimerKind::Start});
  }

  void fail_start(std::string reason) {
    for (const Reservation& r : lease_.reservations) add(ReservationReleased{r.spec.id});
    add(LeaseFailed{reason});
    if (lease_.missing > 0) add(LeaseHealed{});  // nothing is wanted any more
    add(TimerFailed{LeaseTimerKind::Start, std::move(reason)});
  }

  void before_end() {
    add(TimerFired{LeaseTimerKind::BeforeEnd});
    std::vector<VmId> doomed = lease_.vms;
    for (const Reservation& r : lease_.reservations) {
      if (r.state == ReservationState::Active) warn(r, doomed);
    }
    if (doomed != lease_.vms) add(LeaseChecked{std::move(doomed), draft_.now});
    add(TimerDone{LeaseTimerKind::BeforeEnd});
  }

  void warn(const Reservation& r, std::vector<VmId>& doomed) {
    LeaseBeforeEnd e;
    e.reservation = r.spec.id;
    e.end = lease_.end;
    e.action = r.spec.before_end == BeforeEndAction::Default ? policy_.lease_before_end
                                                             : r.spec.before_end;
    const std::vector<VmId> guests = guests_of(world_, lease_, r);
    if (e.action == BeforeEndAction::Snapshot) {
      for (const VmId& vm : guests) (capture(vm) ? e.vms : e.busy).push_back(vm);
    } else if (e.action == BeforeEndAction::Delete) {
      e.vms = guests;
      doomed.insert(doomed.end(), guests.begin(), guests.end());
    }
    add(std::move(e));
  }

  bool capture(const VmId& id) {
    ActOnVm act;
    act.kind = CommandKind::ImageCapture;
    act.vm = id;
    act.args.name = fmt::format("{} of {}", world_.vm(id)->spec.name, lease_.name);
    act.args.description = fmt::format("before the end of lease {}", base::to_string(lease_.id));
    return begin_on_vm(draft_, policy_, lease_.tenant, lease_.id, "before_end", std::move(act))
        .has_value();
  }

  void end() {
    add(TimerFired{LeaseTimerKind::End});
    add(LeaseEnding{});
    std::vector<VmId> vms = lease_.vms;
    for (const Reservation& r : lease_.reservations) {
      if (!r.holds_hosts()) continue;
      for (const VmId& vm : guests_of(world_, lease_, r)) vms.push_back(vm);
      add(ReservationReleased{r.spec.id});
    }
    if (lease_.missing > 0) add(LeaseHealed{});  // nothing is wanted any more
    if (vms.empty()) return finish();
    add(LeaseChecked{std::move(vms), draft_.now});
  }

  void finish() {
    if (lease_.state == LeaseState::Deleting) {
      add(LeaseDeleted{});
      return;
    }
    add(LeaseEnded{});
    add(TimerDone{LeaseTimerKind::End});
  }

  // ---- hosts that were lost, VMs that are to go ----
  void look_after() {
    std::vector<VmId> vms = lease_.vms;
    std::uint32_t missing = 0;
    for (const Reservation& r : lease_.reservations) {
      if (r.holds_hosts()) missing += heal(r, vms);
    }
    if (missing == 0 && lease_.missing > 0) add(LeaseHealed{});
    if (missing > 0 && missing != lease_.missing) add(LeaseDegraded{missing});
    LeaseChecked checked = sweep(vms);
    const bool done = checked.vms.empty();
    add(std::move(checked));
    const bool ending =
        lease_.state == LeaseState::Terminating || lease_.state == LeaseState::Deleting;
    if (done && ending) finish();
  }

  // Other hosts for those that are lost; where there is none the lost one stays booked, as it may
  // come back. Says how many it has too few.
  std::uint32_t heal(const Reservation& r, std::vector<VmId>& vms) {
    std::vector<std::string> free;
    if (!std::all_of(r.hosts.begin(), r.hosts.end(), [&](auto& h) { return is_alive(h); })) {
      free = book_.free_hosts(r.spec, LeaseBook::booked_from(lease_, r), lease_.end, lease_.id);
      std::erase_if(free, [&](const std::string& name) { return is_ours(name); });
    }
    ReservationAllocated e{r.spec.id, r.hosts};
    std::uint32_t alive = 0;
    for (std::string& name : e.hosts) {
      if (!is_alive(name) && !free.empty()) {
        if (r.state == ReservationState::Active) add_guests(world_, lease_, name, vms);
        name = free.front();
        free.erase(free.begin());
        given_.push_back(name);
      }
      if (is_alive(name)) ++alive;
    }
    if (e.hosts != r.hosts) add(std::move(e));
    return alive < r.spec.min ? r.spec.min - alive : 0;
  }
  bool is_ours(const std::string& name) const {
    const auto has = [&](const std::vector<std::string>& hosts) {
      return std::find(hosts.begin(), hosts.end(), name) != hosts.end();
    };
    return has(given_) || std::any_of(lease_.reservations.begin(), lease_.reservations.end(),
                                      [&](const Reservation& r) { return has(r.hosts); });
  }

  LeaseChecked sweep(const std::vector<VmId>& vms) {
    LeaseChecked checked;
    std::size_t begun = 0;
    for (const VmId& id : vms) {
      const Vm* vm = world_.vm(id);
      if (vm == nullptr || vm->state == VmState::Deleting) continue;
      if (begun >= kVmsPerRecord) {
        checked.vms.push_back(id);
        checked.again_at = draft_.now;
        continue;
      }
      ActOnVm act;
      act.vm = id;
      const auto status =
          begin_on_vm(draft_, policy_, lease_.tenant, lease_.id, "end", std::move(act));
      if (status) {
        ++begun;
      } else if (status.error().code == base::Errc::ResourceBusy) {
        checked.vms.push_back(id);
        if (!checked.again_at) checked.again_at = draft_.now + kTryAgain;
      }
    }
    return checked;
  }

  const World& world_;
  const LeaseBook& book_;
  const Policy& policy_;
  const Lease& lease_;
  Draft draft_;
  std::vector<std::string> given_;
};

}  // namespace

Events decide_lease_due(const World& world, const Policy& policy, const LeaseDue& due,
                        base::Time now) {
  const Lease* lease = world.leases().lease(due.lease);
  if (lease == nullptr) return {};
  return DueDecider(world, policy, *lease, now).run(due.rank);
}

}  // namespace slipway::domain
