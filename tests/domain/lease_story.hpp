#pragma once
// Leases in stories: four hosts of which three are given to leases, commands with small numbers.
#include <fmt/format.h>

#include "tests/domain/story.hpp"

namespace slipway::domain::testing {

inline LeaseId lease(std::uint64_t n) { return id<LeaseId>(n); }
inline ReservationId reservation(std::uint64_t n) { return id<ReservationId>(n); }

inline InitializeSystem four_hosts() {
  InitializeSystem cloud = small_cloud();
  cloud.hosts.clear();
  for (std::uint64_t n = 1; n <= 4; ++n) {
    Host host;
    host.name = fmt::format("h{}", n);
    host.number = n;
    host.backend = "sim";
    host.pool = "default";
    host.vcpus = 8;
    host.memory_mb = 16384;
    host.disk_gb = 400;
    cloud.hosts.push_back(host);
  }
  Project other;
  other.name = "other";
  cloud.projects.push_back(other);
  return cloud;
}

inline Command command(std::uint64_t n, CommandBody body, const std::string& tenant = "demo") {
  Command c;
  c.caller = caller(tenant);
  c.task = task(n);
  c.body = std::move(body);
  return c;
}

// From and to in minutes after kStart; one reservation of up to `max` hosts, number 10 * n.
inline CreateLease lease_body(std::uint64_t n, int from, int to, std::uint32_t max = 1) {
  CreateLease c;
  c.lease = lease(n);
  c.name = fmt::format("lease-{}", n);
  c.start = kStart + std::chrono::minutes(from);
  c.end = kStart + std::chrono::minutes(to);
  c.default_lead = 10min;
  ReservationSpec spec;
  spec.id = reservation(10 * n);
  spec.max = max;
  c.reservations = {spec};
  for (std::uint64_t i = 0; i < 3; ++i) c.timers[i] = id<LeaseTimerId>(100 * n + i);
  return c;
}
inline Command create_lease(std::uint64_t n, int from, int to, std::uint32_t max = 1) {
  return command(5000 + n, lease_body(n, from, to, max));
}
inline Command enroll(std::uint64_t n, Labels capabilities = {}) {
  return command(4000 + n, EnrollHost{fmt::format("h{}", n), std::move(capabilities)});
}

class LeaseStory : public Story {
 public:
  LeaseStory() : Story(four_hosts()) {
    for (std::uint64_t n = 1; n <= 3; ++n) given(enroll(n, {{"rack", fmt::format("r{}", n)}}));
  }
  const Lease& the_lease(std::uint64_t n) const {
    const Lease* found = world.leases().lease(lease(n));
    if (found == nullptr) throw std::runtime_error(fmt::format("no lease {}", n));
    return *found;
  }
  LeaseState lease_state(std::uint64_t n) const { return the_lease(n).state; }
  std::vector<std::string> hosts(std::uint64_t n, std::size_t i = 0) const {
    return the_lease(n).reservations.at(i).hosts;
  }
  bool is_gone(std::uint64_t n) const { return world.leases().lease(lease(n)) == nullptr; }
  // The lines of the last step that are about leases.
  std::vector<std::string> steps() const {
    std::vector<std::string> out;
    for (const Event& e : last) {
      if (e.stream.kind == StreamKind::Lease) {
        out.push_back(short_name(e.stream) + " " + std::string(event_type(e.body)));
      }
    }
    return out;
  }
  template <class E>
  std::vector<E> all_of_last() const {
    std::vector<E> out;
    for (const Event& e : last) {
      if (const auto* found = std::get_if<E>(&e.body)) out.push_back(*found);
    }
    return out;
  }
  // A VM on that host, running.
  LeaseStory& vm_on(std::uint64_t n, const std::string& host, const std::string& tenant = "demo") {
    CreateVm body = create_body(n);
    body.host = host;
    given(command(n, body, tenant));
    when_leased(n);
    WorkerReport r = step_done(n, live(n).token, "vm.create", fmt::format("sim-{}", n));
    r.outcome.emplace();
    when(r).accepted();
    return *this;
  }
  void expect_same_after_a_snapshot() const {
    EXPECT_EQ(restored().dump_for_test(), world.dump_for_test());
  }
};

using Steps = std::vector<std::string>;

}  // namespace slipway::domain::testing
