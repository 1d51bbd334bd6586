#include "core/domain/lease.hpp"

#include <functional>

#include "tests/domain/lease_story.hpp"

// The life of a lease, who gets which host, and what is refused.
namespace slipway::domain::testing {
namespace {

TEST(Lease, IsAcceptedWithItsTimersAndHosts) {
  LeaseStory s;
  s.when(create_lease(1, 60, 120, 2))
      .then({"command-5001 CommandAccepted", "task-5001 TaskQueued", "task-5001 TaskLeased",
             "task-5001 TaskSucceeded", "lease-1 LeaseCreated", "lease-1 TimerSet",
             "lease-1 TimerSet", "lease-1 TimerSet", "lease-1 ReservationAllocated"});
  EXPECT_EQ(s.lease_state(1), LeaseState::Pending);
  EXPECT_EQ(s.hosts(1), (Steps{"h1", "h2"}));
  EXPECT_EQ(s.the_lease(1).timer(LeaseTimerKind::BeforeEnd)->due, kStart + 110min);
}

TEST(Lease, StartsWarnsAndEndsAtItsTimes) {
  LeaseStory s;
  s.given(create_lease(1, 60, 120));
  s.when_passes(59min);
  EXPECT_TRUE(s.last.empty());
  s.when_passes(1min).then(
      {"lease-1 TimerFired", "lease-1 LeaseStarting", "lease-1 LeaseStarted", "lease-1 TimerDone"});
  EXPECT_EQ(s.lease_state(1), LeaseState::Active);
  EXPECT_EQ(s.the_lease(1).reservations[0].state, ReservationState::Active);
  s.expect_same_after_a_snapshot();
  s.when_passes(50min).then({"lease-1 TimerFired", "lease-1 LeaseBeforeEnd", "lease-1 TimerDone"});
  s.when_passes(10min).then({"lease-1 TimerFired", "lease-1 LeaseEnding",
                             "lease-1 ReservationReleased", "lease-1 LeaseEnded",
                             "lease-1 TimerDone"});
  EXPECT_EQ(s.lease_state(1), LeaseState::Terminated);
  EXPECT_TRUE(s.hosts(1).empty());
  s.when_passes(24h);
  EXPECT_TRUE(s.last.empty()) << lines(s.last);
  s.expect_same_after_a_snapshot();
}

// One row a refusal, in the order in which they are checked: each row breaks its own rule and all
// those below it as well.
TEST(Lease, ACreationIsRefusedInThisOrder) {
  struct Row {
    std::string text;
    Errc code;
    std::function<void(CreateLease&)> break_it;
  };
  const std::vector<Row> rows = {
      {"Start date must be later than current date", Errc::InvalidArgument,
       [](auto& c) { c.start = kStart - 1min; }},
      {"End date must be later than start date.", Errc::InvalidArgument,
       [](auto& c) { c.end = c.start; }},
      {"Datetime is out of lease limits", Errc::InvalidArgument,
       [](auto& c) { c.before_end = c.end + 1min; }},
      {"The lease with name: taken already exists", Errc::NameTaken,
       [](auto& c) { c.name = "taken"; }},
      {"min and max must be 1 or more and min not above max, not 2 and 1", Errc::InvalidArgument,
       [](auto& c) { c.reservations[0].min = 2; }},
      {"Malformed requirements [", Errc::InvalidArgument,
       [](auto& c) { c.reservations[0].resource_properties = "["; }},
      {"Not enough hosts available", Errc::CapacityExhausted,
       [](auto& c) { c.reservations[0].hypervisor_properties = R"(["==","$vcpus","9"])"; }},
  };
  for (std::size_t first = 0; first < rows.size(); ++first) {
    LeaseStory s;
    CreateLease other = lease_body(9, 600, 660);
    other.name = "taken";
    s.given(command(1, other));
    CreateLease c = lease_body(1, 60, 120);
    for (std::size_t i = first; i < rows.size(); ++i) rows[i].break_it(c);
    SCOPED_TRACE(rows[first].text);
    s.when(command(2, c)).refused(rows[first].code);
    EXPECT_EQ(s.error.message, rows[first].text);
  }
}

TEST(Lease, AStartOfThisMinuteIsNotInThePast) {
  LeaseStory s;
  s.now = kStart + 59s;
  s.when(create_lease(1, 0, 60)).accepted();
  s.when_passes(0s);
  EXPECT_EQ(s.lease_state(1), LeaseState::Active);
}

TEST(Lease, ABeforeEndBeforeTheStartMovesToTheStartAndWaitsForIt) {
  LeaseStory s;
  CreateLease c = lease_body(1, 60, 65);  // its default would be 5 minutes before the start
  s.given(command(1, c));
  EXPECT_EQ(s.the_lease(1).timer(LeaseTimerKind::BeforeEnd)->due, kStart + 60min);
  s.when_passes(60min).then({"lease-1 TimerFired", "lease-1 LeaseStarting", "lease-1 LeaseStarted",
                             "lease-1 TimerDone", "lease-1 TimerFired", "lease-1 LeaseBeforeEnd",
                             "lease-1 TimerDone"});
}

TEST(Lease, TimersOfOneMomentRunBeforeEndThenEndThenStart) {
  LeaseStory s;
  s.given(create_lease(1, 10, 70, 3));   // ends at 70
  s.given(create_lease(3, 70, 130, 3));  // starts at 70, on the same hosts
  CreateLease c = lease_body(2, 100, 140, 1);
  c.lease = lease(2);
  c.start = kStart + 130min;
  c.end = kStart + 200min;
  s.given(command(2, c));
  s.when_passes(69min);
  s.when_passes(1min);
  EXPECT_EQ(s.steps(),
            (Steps{"lease-1 TimerFired", "lease-1 LeaseEnding", "lease-1 ReservationReleased",
                   "lease-1 LeaseEnded", "lease-1 TimerDone", "lease-3 TimerFired",
                   "lease-3 LeaseStarting", "lease-3 LeaseStarted", "lease-3 TimerDone"}));
  // All of 60 minutes late at once: still by their due times.
  s.when_passes(60min);
  EXPECT_EQ(s.lease_state(3), LeaseState::Terminated);
  EXPECT_EQ(s.lease_state(2), LeaseState::Active);
}

TEST(Lease, NoHostIsGivenTwiceAndNeighboursInTimeMayShareIt) {
  LeaseStory s;
  s.given(create_lease(1, 60, 120, 3));
  s.when(create_lease(2, 119, 180)).refused(Errc::CapacityExhausted);
  s.when(create_lease(2, 30, 61)).refused(Errc::CapacityExhausted);
  s.when(create_lease(2, 30, 180)).refused(Errc::CapacityExhausted);
  s.when(create_lease(2, 80, 90)).refused(Errc::CapacityExhausted);
  s.given(create_lease(3, 30, 60)).given(create_lease(4, 120, 180));
  EXPECT_EQ(s.hosts(3), (Steps{"h1"}));
  EXPECT_EQ(s.hosts(4), (Steps{"h1"}));
}

TEST(Lease, TakesUpToItsMaxAndFiltersChoose) {
  LeaseStory s;
  s.given(create_lease(1, 60, 120, 9));
  EXPECT_EQ(s.hosts(1), (Steps{"h1", "h2", "h3"}));
  CreateLease c = lease_body(2, 120, 180, 2);
  c.reservations[0].resource_properties = R"(["in", "$rack", "r2", "r3"])";
  ReservationSpec second = c.reservations[0];
  second.id = reservation(21);
  second.max = 1;
  second.resource_properties = "";
  c.reservations.push_back(second);
  s.given(command(2, c));
  EXPECT_EQ(s.hosts(2, 0), (Steps{"h2", "h3"}));
  EXPECT_EQ(s.hosts(2, 1), (Steps{"h1"}));
}

TEST(Lease, AClockThatIsSetBackGivesAnActiveHostToNobody) {
  LeaseStory s;
  s.given(create_lease(1, 60, 120, 3));
  s.when_passes(60min);
  s.now = kStart - 24h;
  CreateLease c = lease_body(2, -120, -60);
  s.when(command(2, c)).refused(Errc::CapacityExhausted);
}

// ---- deletion ----

TEST(Lease, ADeletionFreesItsHostsAndItsName) {
  LeaseStory s;
  s.given(create_lease(1, 60, 120, 3));
  s.when(command(2, DeleteLease{lease(1)}))
      .then({"command-2 CommandAccepted", "task-2 TaskQueued", "task-2 TaskLeased",
             "task-2 TaskSucceeded", "lease-1 LeaseDeleting", "lease-1 ReservationReleased",
             "lease-1 LeaseDeleted"});
  EXPECT_TRUE(s.is_gone(1));
  CreateLease again = lease_body(2, 60, 120, 3);
  again.name = "lease-1";
  s.when(command(3, again)).accepted();
  s.when(command(4, DeleteLease{lease(1)})).refused(Errc::NotFound);
  EXPECT_EQ(s.error.message,
            "Object with {'lease_id': '" + base::to_string(lease(1)) + "'} not found");
  s.expect_same_after_a_snapshot();
}

TEST(Lease, AnothersIsNotFound) {
  LeaseStory s;
  s.given(create_lease(1, 60, 120));
  s.when(command(2, DeleteLease{lease(1)}, "other")).refused(Errc::NotFound);
  s.when(command(2, UpdateLease{.lease = lease(1)}, "other")).refused(Errc::NotFound);
  CreateLease same_name = lease_body(2, 60, 120);
  same_name.name = "lease-1";
  s.when(command(3, same_name, "other")).accepted();
}

// ---- changes ----

UpdateLease update(std::uint64_t n) {
  UpdateLease u;
  u.lease = lease(n);
  u.default_lead = 10min;
  return u;
}

TEST(LeaseUpdate, MovesItsTimersWithIt) {
  LeaseStory s;
  s.given(create_lease(1, 60, 120));
  UpdateLease u = update(1);
  u.name = "renamed";
  u.start = kStart + 70min;
  u.end = kStart + 150min;
  s.when(command(2, u))
      .then({"command-2 CommandAccepted", "task-2 TaskQueued", "task-2 TaskLeased",
             "task-2 TaskSucceeded", "lease-1 LeaseUpdated", "lease-1 TimerSet", "lease-1 TimerSet",
             "lease-1 TimerSet"});
  EXPECT_EQ(s.the_lease(1).name, "renamed");
  EXPECT_EQ(s.the_lease(1).timer(LeaseTimerKind::BeforeEnd)->due, kStart + 140min);
  s.when_passes(60min);
  EXPECT_TRUE(s.last.empty());
  s.when_passes(10min);
  EXPECT_EQ(s.lease_state(1), LeaseState::Active);
}

TEST(LeaseUpdate, AWarningThatWasGivenIsGivenAgainWhenTheEndMoves) {
  LeaseStory s;
  s.given(create_lease(1, 60, 120));
  s.when_passes(115min);
  UpdateLease u = update(1);
  u.end = kStart + 180min;
  s.given(command(2, u));
  EXPECT_EQ(s.the_lease(1).timer_state(LeaseTimerKind::BeforeEnd), LeaseTimerState::Undone);
  s.when_passes(65min);
  EXPECT_EQ(s.all_of_last<LeaseBeforeEnd>().size(), 1U);
  EXPECT_EQ(s.lease_state(1), LeaseState::Terminated);
}

TEST(LeaseUpdate, RefusesByTheStateOfTheLease) {
  LeaseStory s;
  s.given(create_lease(1, 60, 120)).given(create_lease(2, 60, 600));
  UpdateLease u = update(1);
  u.start = kStart + 200min;
  s.when(command(9, u)).refused(Errc::InvalidArgument);
  EXPECT_EQ(s.error.message, "End date must be later than start date.");
  u.start = kStart - 5min;
  s.when(command(9, u)).refused(Errc::InvalidArgument);
  EXPECT_EQ(s.error.message, "Start date must be later than current date");
  u = update(1);
  u.name = "lease-2";
  s.when(command(9, u)).refused(Errc::NameTaken);
  u = update(1);
  u.reservations = {{.id = reservation(77)}};
  s.when(command(9, u)).refused(Errc::InvalidArgument);
  EXPECT_NE(s.error.message.find("Invalid reservation IDs are: "), std::string::npos);
  s.when_passes(130min);
  u = update(2);
  u.start = kStart + 300min;
  s.when(command(9, u)).refused(Errc::InvalidArgument);
  EXPECT_EQ(s.error.message, "Cannot modify the start date of already started leases");
  u = update(2);
  u.end = kStart + 120min;
  s.when(command(9, u)).refused(Errc::InvalidArgument);
  EXPECT_EQ(s.error.message, "End date must be later than current date");
  u = update(1);
  u.end = kStart + 300min;
  s.when(command(9, u)).refused(Errc::InvalidArgument);
  EXPECT_EQ(s.error.message, "Terminated leases can only be renamed");
  u = update(1);
  u.name = "was";
  s.when(command(9, u)).accepted();
}

TEST(LeaseUpdate, ChangesHostsOfAPendingOneAndKeepsThoseOfAnActiveOne) {
  LeaseStory s;
  s.given(create_lease(1, 60, 120)).given(create_lease(2, 120, 180));
  ASSERT_EQ(s.hosts(1), s.hosts(2));
  UpdateLease u = update(1);
  u.end = kStart + 150min;
  s.given(command(9, u));  // h1 is the other's after 120
  EXPECT_EQ(s.hosts(1), (Steps{"h2"}));
  EXPECT_TRUE(s.the_lease(1).reservations[0].changed);
  s.given(create_lease(3, 150, 200));
  s.given(create_lease(4, 150, 200));
  s.when_passes(70min);
  u.end = kStart + 160min;
  // Other hosts are free, but its VMs are on h2.
  ASSERT_EQ(s.hosts(3), (Steps{"h2"}));
  s.when(command(10, u)).refused(Errc::CapacityExhausted);
  s.expect_same_after_a_snapshot();
}

TEST(LeaseUpdate, AnActiveReservationGrowsButDoesNotShrink) {
  LeaseStory s;
  s.given(create_lease(1, 60, 120, 2));
  s.when_passes(60min);
  UpdateLease u = update(1);
  u.reservations = {{.id = reservation(10), .max = 1}};
  s.when(command(9, u)).refused(Errc::IllegalTransition);
  EXPECT_EQ(s.error.message, "max cannot be updated");
  u.reservations = {{.id = reservation(10), .max = 3}};
  s.given(command(9, u));
  EXPECT_EQ(s.hosts(1), (Steps{"h1", "h2", "h3"}));
  u.reservations = {{.id = reservation(10), .resource_properties = R"(["==","$rack","r9"])"}};
  s.when(command(10, u)).refused(Errc::IllegalTransition);
  EXPECT_EQ(s.error.message, "resource_properties cannot be updated");
  EXPECT_TRUE(s.world.leases().is_open_to("h3", "demo"));
}

}  // namespace
}  // namespace slipway::domain::testing
