#include <random>

#include "tests/domain/lease_invariants.hpp"
#include "tests/domain/lease_story.hpp"

// Thousands of leases at random on a few hosts, with hosts lost and found, clocks set forward and
// back, and restarts from a snapshot; what must hold is checked from the log, after each record.
namespace slipway::domain::testing {
namespace {

InitializeSystem many_hosts(std::uint64_t count) {
  InitializeSystem cloud = four_hosts();
  for (std::uint64_t n = 5; n <= count; ++n) {
    Host host = cloud.hosts[0];
    host.name = fmt::format("h{}", n);
    host.number = n;
    cloud.hosts.push_back(host);
  }
  return cloud;
}

class Storm {
 public:
  static constexpr std::uint64_t kHosts = 12;
  explicit Storm(std::uint64_t seed)
      : story_(many_hosts(kHosts)),
        random_(seed),
        invariants_([this](const std::string& invariant, const std::string& what) {
          ADD_FAILURE() << invariant << ": " << what;
          broken_ = true;
        }) {
    for (std::uint64_t n = 1; n <= kHosts; ++n) story_.given(enroll(n));
    follow();
  }

  void run(std::uint64_t steps) {
    for (std::uint64_t i = 0; i < steps && !broken_; ++i) {
      step();
      follow();
    }
  }
  // Time goes on until nothing is left to do.
  void settle() {
    story_.now = std::max(story_.now, latest_);
    story_.when_passes(48h);
    follow();
    invariants_.all_fired(story_.now);
    EXPECT_TRUE(story_.world.leases().due().empty());
    for (const auto& [host, bookings] : story_.world.leases().calendar().all()) {
      ADD_FAILURE() << host << " is still booked";
    }
  }
  const LeaseInvariants& invariants() const { return invariants_; }
  Story& story() { return story_; }

 private:
  std::uint64_t below(std::uint64_t n) { return random_() % n; }

  void follow() {
    for (; seen_ < story_.log.size(); ++seen_) invariants_.on_record(story_.log[seen_]);
  }

  void step() {
    const std::uint64_t kind = below(100);
    if (kind < 45) {
      create();
    } else if (kind < 60) {
      change();
    } else if (kind < 66) {
      story_.when(command(++tasks_, DeleteLease{any_lease()}));
    } else if (kind < 74) {
      const bool alive = below(2) == 0;
      story_.when(command(++tasks_, SetHostAlive{fmt::format("h{}", 1 + below(kHosts)), alive}));
    } else if (kind < 76) {
      // The wall clock is set: what falls due by it is run at once, or not for a while.
      latest_ = std::max(latest_, story_.now);
      story_.now += std::chrono::minutes(below(240)) - 120min;
      story_.when_passes(0s);
    } else if (kind < 77) {
      World restored = story_.restored();
      EXPECT_EQ(restored.dump_for_test(), story_.world.dump_for_test());
      story_.world = std::move(restored);
    } else {
      story_.when_passes(std::chrono::seconds(below(900)));
    }
  }

  void create() {
    CreateLease c = lease_body(++leases_, 0, 1, 1 + static_cast<std::uint32_t>(below(4)));
    c.start = story_.now + std::chrono::minutes(below(300));
    c.end = c.start + std::chrono::minutes(1 + below(120));
    c.default_lead = std::chrono::minutes(below(180));
    c.reservations[0].min = 1 + static_cast<std::uint32_t>(below(c.reservations[0].max));
    story_.when(command(++tasks_, c));
  }

  void change() {
    UpdateLease u;
    u.lease = any_lease();
    u.default_lead = 5min;
    if (below(2) == 0) u.start = story_.now + std::chrono::minutes(below(300));
    if (below(2) == 0) u.end = story_.now + std::chrono::minutes(below(400));
    const Lease* lease = story_.world.leases().lease(u.lease);
    if (lease != nullptr && below(2) == 0) {
      u.reservations = {
          {.id = lease->reservations[0].spec.id, .max = 1 + static_cast<std::uint32_t>(below(4))}};
    }
    story_.when(command(++tasks_, u));
  }

  // Mostly a young one.
  LeaseId any_lease() {
    return lease(leases_ <= 60 ? 1 + below(leases_ + 1) : leases_ - below(60));
  }

  Story story_;
  std::mt19937_64 random_;
  LeaseInvariants invariants_;
  std::size_t seen_ = 0;
  std::uint64_t leases_ = 0;
  std::uint64_t tasks_ = 100000;
  base::Time latest_ = kStart;
  bool broken_ = false;
};

TEST(LeaseStorm, NoHostIsGivenTwiceAndEveryTimerFiresOnceInOrder) {
  for (const std::uint64_t seed : {1, 2, 3, 4}) {
    SCOPED_TRACE(seed);
    Storm storm(seed);
    storm.run(3000);
    storm.settle();
    EXPECT_GT(storm.invariants().started(), 100U);
    EXPECT_GT(storm.invariants().fired(), 300U);
  }
}

// The same with the protection taken away is caught: the log of a service that gives a host twice.
TEST(LeaseStorm, SeesAHostThatIsGivenTwice) {
  std::vector<std::string> seen;
  LeaseInvariants invariants(
      [&](const std::string& what, const std::string&) { seen.push_back(what); });
  const auto record = [&](std::uint64_t n, EventBody body) {
    RecordBody r;
    r.envelope.time = kStart + 2h;
    r.events.push_back({StreamId(StreamKind::Lease, lease(n)), 1, std::move(body)});
    invariants.on_record(r);
  };
  for (const std::uint64_t n : {1, 2}) {
    ReservationSpec spec;
    spec.id = reservation(n);
    record(n, LeaseCreated{"x", "u", kStart, kStart + 1h, {spec}});
    record(n, ReservationAllocated{reservation(n), {"h1"}});
  }
  EXPECT_EQ(seen, std::vector<std::string>{"no-host-booked-twice"});
  record(1, LeaseStarted{});
  record(2, LeaseStarted{});
  EXPECT_EQ(std::count(seen.begin(), seen.end(), "host-in-one-active-reservation"), 1);
  record(1, TimerSet{{}, LeaseTimerKind::End, kStart + 1h});
  record(2, TimerSet{{}, LeaseTimerKind::End, kStart + 1min});
  record(1, TimerFired{LeaseTimerKind::End});
  record(1, TimerFired{LeaseTimerKind::End});
  EXPECT_EQ(seen[seen.size() - 2], "timers-in-order");
  EXPECT_EQ(seen.back(), "every-timer-once");
}

}  // namespace
}  // namespace slipway::domain::testing
