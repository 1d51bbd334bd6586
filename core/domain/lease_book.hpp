#pragma once
// The live state of leases: the leases themselves, the hosts given to them, who has which host
// when, and what falls due next. A member of World, folded by the same events; everything that can
// be derived is, and is built again after a snapshot.
#include <boost/unordered/unordered_flat_map.hpp>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/domain/host_calendar.hpp"
#include "core/domain/host_filter.hpp"
#include "core/domain/lease.hpp"

namespace slipway::domain {

// Something of a lease that falls due. Due times alone decide what comes first, and of equal ones
// the rank: before-end, end, start; then the before-end of a lease whose own start was due in the
// same moment; then what is looked after.
struct LeaseDue {
  enum class Rank : std::uint8_t { BeforeEnd, End, Start, LateBeforeEnd, Check };
  base::Time at{};
  Rank rank = Rank::Check;
  LeaseId lease;
  auto operator<=>(const LeaseDue&) const = default;
};

class LeaseBook {
 public:
  // ---- look-ups; nullptr if there is none ----
  const Lease* lease(const LeaseId& id) const;
  // One that is not being deleted.
  const Lease* lease_by_name(std::string_view tenant, std::string_view name) const;
  const ReservableHost* host(std::string_view name) const;
  const ReservableHost* host_by_number(std::uint64_t number) const;
  const std::map<std::string, ReservableHost, std::less<>>& hosts() const { return hosts_; }
  const FloatingIp* floating_ip(const FloatingIpId& id) const;
  bool has_floating_address(std::uint32_t ipv4) const { return addresses_.contains(ipv4); }
  bool is_private(std::string_view property) const;
  std::size_t lease_count() const { return leases_.size(); }
  template <class F>
  void each_lease(F&& f) const {
    for (const auto& [id, entry] : leases_) f(entry.lease);
  }

  // ---- who has a host ----
  const HostCalendar& calendar() const { return calendar_; }
  // Whether VMs of that tenant may be placed on the host now.
  bool is_open_to(std::string_view host, std::string_view tenant) const;
  // Alive ones that both filters allow and nobody but `lease` has in the window, by number.
  std::vector<std::string> free_hosts(const ReservationSpec& spec, base::Time from, base::Time to,
                                      const LeaseId& lease) const;
  bool allows(const ReservationSpec& spec, const ReservableHost& host) const;
  // From when a reservation keeps others off its hosts: an active one from ever, so that no wall
  // clock that is set back gives them to somebody else.
  static base::Time booked_from(const Lease& lease, const Reservation& reservation);
  std::uint32_t missing(const Lease& lease) const;

  const std::set<LeaseDue>& due() const { return due_; }
  std::uint64_t next_reservation_number() const { return next_number_; }
  std::uint64_t next_host_number() const;

  // ---- folding; the streams' versions are counted here for leases, by World for the others ----
  struct Context {
    std::string_view tenant;
    base::Time time;
    const StreamId& stream;
    StreamVersion version;
  };
  void fold(const Context& ctx, const LeaseCreated& e);
  void fold(const Context& ctx, const LeaseDeleted& e);
  void fold(const Context& ctx, const HostEnrolled& e);
  void fold(const Context& ctx, const HostCapabilitySet& e);
  void fold(const Context& ctx, const HostWithdrawn& e);
  void fold(const Context& ctx, const HostLost& e);
  void fold(const Context& ctx, const HostSeen& e);
  void fold(const Context& ctx, const HostPropertyChanged& e);
  void fold(const Context& ctx, const FloatingIpCreated& e);
  void fold(const Context& ctx, const FloatingIpDeleted& e);
  // Every other event of a lease: what apply() makes of it, with the indexes kept.
  template <class E>
  requires requires(Lease& lease, const E& e, base::Time at) { apply(lease, e, at); }
  void fold(const Context& ctx, const E& e) {
    constexpr bool kNewFilters = std::is_same_v<E, LeaseUpdated>;
    change(ctx, kNewFilters, [&](Lease& lease) { apply(lease, e, ctx.time); });
  }

  // ---- snapshots ----
  struct Rest {  // what is not a lease
    std::vector<ReservableHost> hosts;
    std::vector<FloatingIp> floating_ips;
    std::vector<std::string> private_properties;
    std::uint64_t next_number = 1;
    template <class S, class V>
    static void fields(S& s, V& v) {
      v("hosts", s.hosts);
      v("floating_ips", s.floating_ips);
      v("private_properties", s.private_properties);
      v("next_number", s.next_number);
    }
  };
  Rest rest() const;
  void restore(Lease lease);
  void restore(Rest rest);
  // For equality in tests: all of it, the derived included.
  void dump_for_test(const std::function<void(std::string)>& line) const;

 private:
  struct Filters {
    HostFilter hypervisor;
    HostFilter resource;
  };
  struct Entry {
    Lease lease;
    std::vector<Filters> filters;  // of each reservation
  };
  void change(const Context& ctx, bool new_filters, const std::function<void(Lease&)>& what);
  Entry& entry_of(const Context& ctx);
  void index(Entry& entry);
  void unindex(Entry& entry);
  template <class F>
  static void each_due(const Lease& lease, F&& f);
  template <class F>
  void each_booking(const Lease& lease, F&& f) const;
  static Filters parse(const ReservationSpec& spec);
  static bool match(const Filters& filters, const ReservableHost& host);
  void look_after(const LeaseId& id, base::Time at);
  void offer_to_degraded(const std::string& host, base::Time at);

  boost::unordered_flat_map<LeaseId, Entry, base::UuidHash> leases_;
  std::map<std::string, ReservableHost, std::less<>> hosts_;
  std::map<FloatingIpId, FloatingIp> floating_ips_;
  std::set<std::string, std::less<>> private_properties_;
  std::uint64_t next_number_ = 1;

  // ---- derived ----
  std::map<std::pair<std::string, std::string>, LeaseId, std::less<>> names_;
  std::map<std::uint64_t, std::string> hosts_by_number_;
  HostCalendar calendar_;
  std::set<LeaseDue> due_;
  std::set<LeaseId> degraded_;
  std::map<std::string, std::string, std::less<>> open_to_;  // host to tenant, while active
  std::set<std::uint32_t> addresses_;
};

}  // namespace slipway::domain
