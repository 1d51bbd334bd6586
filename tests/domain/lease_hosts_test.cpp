#include "tests/domain/lease_story.hpp"

// VMs on the hosts of leases, hosts that are lost, and hosts as they are given to leases.
namespace slipway::domain::testing {
namespace {

Command vm_on_host(std::uint64_t n, const std::string& host, const std::string& tenant = "demo") {
  CreateVm body = create_body(n);
  body.host = host;
  return command(n, body, tenant);
}

// ---- placement ----

TEST(ReservedHosts, TakeVmsOfTheTenantOfAnActiveReservationOnly) {
  LeaseStory s;
  s.given(create_lease(1, 60, 120));
  s.when(vm_on_host(1, "h1")).refused(Errc::CapacityExhausted);
  s.when_passes(60min);
  s.when(vm_on_host(1, "h1", "other")).refused(Errc::CapacityExhausted);
  s.when(vm_on_host(1, "h2")).refused(Errc::CapacityExhausted);
  s.when(vm_on_host(1, "h1")).accepted();
  s.when(vm_on_host(2, "h4", "other")).accepted();
  // Without a wish, strangers get the one host that is nobody's.
  s.when(command(3, create_body(3), "other")).accepted();
  EXPECT_EQ(s.world.vm(vm(3))->spec.host, "h4");
}

// ---- the end ----

TEST(LeaseEnd, DeletesTheVmsOnItsHostsAsTasks) {
  LeaseStory s;
  s.given(create_lease(1, 0, 60)).when_passes(0s);
  s.vm_on(1, "h1").vm_on(2, "h4");
  s.when_passes(60min);
  EXPECT_EQ(s.vm_state(1), VmState::Deleting);
  EXPECT_EQ(s.vm_state(2), VmState::Running);
  EXPECT_EQ(s.lease_state(1), LeaseState::Terminated);
  const auto accepted = s.all_of_last<CommandAccepted>();
  ASSERT_EQ(accepted.size(), 1U);
  EXPECT_EQ(accepted[0].command, CommandKind::VmDelete);
  s.expect_same_after_a_snapshot();
}

TEST(LeaseEnd, FreesTheHostAtOnceAndWaitsForAVmThatIsBusy) {
  LeaseStory s;
  s.given(create_lease(1, 0, 60)).given(create_lease(2, 60, 120)).when_passes(0s);
  s.vm_on(1, "h1");
  s.given(act(50, CommandKind::VmStop, 1));
  s.when_leased(50);
  s.when_passes(60min);
  EXPECT_EQ(s.lease_state(1), LeaseState::Terminating);
  EXPECT_EQ(s.lease_state(2), LeaseState::Active);
  EXPECT_EQ(s.the_lease(1).timer_state(LeaseTimerKind::End), LeaseTimerState::InProgress);
  s.expect_same_after_a_snapshot();
  s.when(ends(50, s.live(50).token, OutcomeKind::Succeeded)).accepted();
  s.when_passes(5s);
  EXPECT_EQ(s.lease_state(1), LeaseState::Terminated);
  EXPECT_EQ(s.vm_state(1), VmState::Deleting);
}

TEST(LeaseEnd, ADeletionOfAnActiveLeaseDeletesItsVmsToo) {
  LeaseStory s;
  s.given(create_lease(1, 0, 60)).when_passes(0s);
  s.vm_on(1, "h1");
  s.given(act(50, CommandKind::VmStop, 1));
  s.when_leased(50);
  s.given(command(9, DeleteLease{lease(1)}));
  EXPECT_EQ(s.lease_state(1), LeaseState::Deleting);
  s.when(command(10, DeleteLease{lease(1)})).refused(Errc::NotFound);
  s.when(ends(50, s.live(50).token, OutcomeKind::Succeeded)).accepted();
  s.when_passes(5s);
  EXPECT_TRUE(s.is_gone(1));
  EXPECT_EQ(s.vm_state(1), VmState::Deleting);
}

// ---- before the end ----

LeaseBeforeEnd warning(LeaseStory& s, BeforeEndAction action) {
  CreateLease c = lease_body(1, 0, 60);
  c.reservations[0].before_end = action;
  s.given(command(5001, c)).when_passes(0s);
  s.vm_on(1, "h1").vm_on(2, "h1");
  s.given(act(60, CommandKind::VmStop, 2));
  s.when_leased(60);
  s.when_passes(50min);
  const auto found = s.all_of_last<LeaseBeforeEnd>();
  EXPECT_EQ(found.size(), 1U);
  EXPECT_EQ(s.the_lease(1).timer_state(LeaseTimerKind::BeforeEnd), LeaseTimerState::Done);
  return found.empty() ? LeaseBeforeEnd() : found[0];
}

TEST(BeforeEnd, SnapshotCapturesTheVmsThatAreNotBusy) {
  LeaseStory s;
  const LeaseBeforeEnd e = warning(s, BeforeEndAction::Snapshot);
  EXPECT_EQ(e.vms, std::vector<VmId>{vm(1)});
  EXPECT_EQ(e.busy, std::vector<VmId>{vm(2)});
  EXPECT_EQ(s.vm_state(1), VmState::Snapshotting);
  ASSERT_EQ(s.all_of_last<ImageSaving>().size(), 1U);
  EXPECT_EQ(s.all_of_last<ImageSaving>()[0].image.name, "web-1 of lease-1");
}

TEST(BeforeEnd, DeleteDeletesThem) {
  LeaseStory s;
  const LeaseBeforeEnd e = warning(s, BeforeEndAction::Delete);
  EXPECT_EQ(e.vms.size(), 2U);
  EXPECT_EQ(s.vm_state(1), VmState::Deleting);
  EXPECT_EQ(s.vm_state(2), VmState::Stopping);
  EXPECT_EQ(s.lease_state(1), LeaseState::Active);
  s.when(ends(60, s.live(60).token, OutcomeKind::Succeeded)).accepted();
  s.when_passes(5s);
  EXPECT_EQ(s.vm_state(2), VmState::Deleting);
}

TEST(BeforeEnd, EmailAndNoneLeaveTheVmsAlone) {
  for (const auto action : {BeforeEndAction::Email, BeforeEndAction::None}) {
    LeaseStory s;
    const LeaseBeforeEnd e = warning(s, action);
    EXPECT_EQ(e.action, action);
    EXPECT_EQ(e.end, kStart + 60min);
    EXPECT_EQ(s.vm_state(1), VmState::Running);
  }
}

TEST(BeforeEnd, DefaultIsWhatTheSettingSays) {
  for (const auto setting : {BeforeEndAction::Email, BeforeEndAction::Snapshot}) {
    LeaseStory s;
    s.policy.lease_before_end = setting;
    EXPECT_EQ(warning(s, BeforeEndAction::Default).action, setting);
  }
}

// ---- hosts that are lost ----

Command alive(std::uint64_t n, const std::string& host, bool is_alive) {
  return command(n, SetHostAlive{host, is_alive});
}

TEST(LostHost, IsReplacedByAFreeOne) {
  LeaseStory s;
  s.given(create_lease(1, 60, 120));
  s.given(alive(1, "h1", false)).when_passes(0s);
  EXPECT_EQ(s.steps(), (Steps{"lease-1 ReservationAllocated", "lease-1 LeaseChecked"}));
  EXPECT_EQ(s.hosts(1), (Steps{"h2"}));
  EXPECT_EQ(s.the_lease(1).missing, 0U);
  s.expect_same_after_a_snapshot();
}

TEST(LostHost, LeavesTheLeaseDegradedUntilItIsBack) {
  LeaseStory s;
  s.given(create_lease(1, 60, 120)).given(create_lease(2, 60, 200, 2));
  s.given(alive(1, "h1", false)).when_passes(0s);
  EXPECT_EQ(s.steps(), (Steps{"lease-1 LeaseDegraded", "lease-1 LeaseChecked"}));
  EXPECT_EQ(s.the_lease(1).missing, 1U);
  EXPECT_EQ(s.hosts(1), (Steps{"h1"}));
  s.expect_same_after_a_snapshot();
  s.given(alive(2, "h1", true)).when_passes(0s);
  EXPECT_EQ(s.steps(), (Steps{"lease-1 LeaseHealed", "lease-1 LeaseChecked"}));
  EXPECT_EQ(s.the_lease(1).missing, 0U);
}

TEST(LostHost, IsReplacedWhenAHostIsGivenBackOrEnrolled) {
  LeaseStory s;
  s.given(create_lease(1, 60, 120)).given(create_lease(2, 60, 200, 2));
  s.given(alive(1, "h1", false)).when_passes(0s);
  s.given(command(9, DeleteLease{lease(2)})).when_passes(0s);
  EXPECT_EQ(s.hosts(1), (Steps{"h2"}));
  EXPECT_EQ(s.the_lease(1).missing, 0U);

  LeaseStory t;
  t.given(create_lease(1, 60, 120)).given(create_lease(2, 60, 200, 2));
  t.given(alive(1, "h1", false)).when_passes(0s);
  t.given(enroll(4)).when_passes(0s);
  EXPECT_EQ(t.hosts(1), (Steps{"h4"}));
}

TEST(LostHost, TheVmsOfAnActiveLeaseOnItAreDeletedWhenAnotherTakesItsPlace) {
  LeaseStory s;
  s.given(create_lease(1, 0, 60)).when_passes(0s);
  s.vm_on(1, "h1");
  s.given(alive(2, "h1", false)).when_passes(0s);
  EXPECT_EQ(s.hosts(1), (Steps{"h2"}));
  EXPECT_EQ(s.vm_state(1), VmState::Deleting);
  s.when(vm_on_host(3, "h2")).accepted();
  EXPECT_EQ(s.lease_state(1), LeaseState::Active);
}

TEST(LostHost, ALeaseThatHasNoneLeftFailsToStartAndFreesWhatItHad) {
  LeaseStory s;
  s.given(create_lease(1, 60, 120)).given(create_lease(2, 60, 200, 2));
  s.given(alive(1, "h1", false)).when_passes(0s);
  s.when_passes(60min);
  EXPECT_EQ(s.lease_state(1), LeaseState::Error);
  EXPECT_EQ(s.the_lease(1).timer_state(LeaseTimerKind::Start), LeaseTimerState::Error);
  EXPECT_EQ(s.the_lease(1).reservations[0].state, ReservationState::Error);
  EXPECT_NE(s.the_lease(1).reason.find("has no host left"), std::string::npos);
  EXPECT_EQ(s.world.leases().calendar().of("h1"), nullptr);
  s.when_passes(60min);  // its warning and its end come and go
  EXPECT_EQ(s.lease_state(1), LeaseState::Error);
  EXPECT_EQ(s.the_lease(1).timer_state(LeaseTimerKind::End), LeaseTimerState::Done);
  s.expect_same_after_a_snapshot();
  s.given(command(9, DeleteLease{lease(1)}));
  EXPECT_TRUE(s.is_gone(1));
}

TEST(LostHost, IsGivenToNobody) {
  LeaseStory s;
  s.given(alive(1, "h1", false));
  s.given(create_lease(1, 60, 120, 3));
  EXPECT_EQ(s.hosts(1), (Steps{"h2", "h3"}));
  s.when(alive(2, "h1", false)).refused(Errc::IllegalTransition);
  s.when(alive(2, "h9", false)).refused(Errc::NotFound);
}

// ---- hosts as they are given to leases ----

TEST(ReservableHost, AnEnrolmentIsRefusedInThisOrder) {
  LeaseStory s;
  s.when(command(1, EnrollHost{"h9", {}})).refused(Errc::NotFound);
  EXPECT_EQ(s.error.message, "Object with {'host_id': 'h9'} not found");
  s.when(enroll(1)).refused(Errc::NameTaken);
  s.given(create(1));
  ASSERT_EQ(s.world.vm(vm(1))->spec.host, "h4");
  s.when(enroll(4, {{std::string(65, 'k'), "v"}})).refused(Errc::InvalidArgument);
  EXPECT_EQ(s.error.message, "Extra capability key too long");
  s.when(enroll(4)).refused(Errc::ResourceBusy);
  EXPECT_EQ(s.error.message, "Servers found for host h4");
}

TEST(ReservableHost, IsKnownByItsNumberAndKeepsWhatAReservationAskedFor) {
  LeaseStory s;
  s.given(command(1, UpdateReservableHost{"2", {{"gpu", "1"}}}));
  EXPECT_EQ(s.world.leases().host("h2")->capabilities.at("gpu"), "1");
  CreateLease c = lease_body(1, 60, 120);
  c.reservations[0].resource_properties = R"(["==", "$gpu", "1"])";
  s.given(command(2, c));
  ASSERT_EQ(s.hosts(1), (Steps{"h2"}));
  s.when(command(3, UpdateReservableHost{"h2", {{"gpu", "0"}}})).refused(Errc::ResourceBusy);
  s.when(command(3, UpdateReservableHost{"h2", {{"colour", "red"}}})).accepted();
  s.when(command(4, WithdrawHost{"2"})).refused(Errc::ResourceBusy);
  s.given(command(5, DeleteLease{lease(1)})).given(command(6, WithdrawHost{"2"}));
  EXPECT_EQ(s.world.leases().host("h2"), nullptr);
  s.when(command(7, WithdrawHost{"2"})).refused(Errc::NotFound);
  s.when(vm_on_host(9, "h2", "other")).accepted();  // it is everybody's again
  s.expect_same_after_a_snapshot();
}

TEST(HostProperty, IsPrivateOnceSomebodySaidSo) {
  LeaseStory s;
  s.when(command(1, SetHostProperty{"none", true})).refused(Errc::NotFound);
  s.given(command(1, SetHostProperty{"rack", true}));
  EXPECT_TRUE(s.world.leases().is_private("rack"));
  s.given(command(2, SetHostProperty{"rack", false}));
  EXPECT_FALSE(s.world.leases().is_private("rack"));
}

TEST(FloatingIp, IsOneOfItsAddressAndNetwork) {
  LeaseStory s;
  const FloatingIp ip{id<FloatingIpId>(1), network(800), 0xC0000201};
  s.when(command(1, CreateFloatingIp{{ip.id, network(1), ip.ipv4}})).refused(Errc::NotFound);
  s.given(command(1, CreateFloatingIp{ip}));
  s.when(command(2, CreateFloatingIp{{id<FloatingIpId>(2), ip.network, ip.ipv4}}))
      .refused(Errc::NameTaken);
  s.expect_same_after_a_snapshot();
  s.given(command(3, DeleteFloatingIp{ip.id}));
  s.when(command(4, DeleteFloatingIp{ip.id})).refused(Errc::NotFound);
}

}  // namespace
}  // namespace slipway::domain::testing
