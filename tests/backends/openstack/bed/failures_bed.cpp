// The cloud refuses, or fails: each time the task must hear what Nova said, and nothing stay
// behind.
#include <signal.h>

#include <thread>

#include "tests/backends/openstack/bed/bed_fixture.hpp"

namespace slipway::workers::openstack::test {
namespace {

using base::Errc;
using testing::HasSubstr;
using testing::StartsWith;

class Failures : public Bed {};

TEST_F(Failures, NoValidHostIsACapacityErrorWithNovasWordsAndRequestId) {
  const WorkOrder order = create_order("nohost", {.flavor = "99"});
  WorkOrder sized = order;
  const BackendAnswer all = calls->inventory();
  ASSERT_TRUE(all.inventory);
  for (const domain::Flavor& flavor : all.inventory->flavors) {
    if (flavor.id != "99") continue;
    sized.spec.size = {"99", flavor.vcpus, flavor.memory_mb, flavor.disk_gb};
  }
  const BackendAnswer made = calls->run(sized);
  ASSERT_EQ(made.kind, Kind::Failed);
  EXPECT_EQ(made.error.code, Errc::CapacityExhausted);
  EXPECT_THAT(made.error.detail, HasSubstr("No valid host"));
  EXPECT_THAT(made.error.backend_request_id, StartsWith("req-"));
  EXPECT_FALSE(made.error.retryable);
  // As the worker does then: look up, undo. Nova has taken the port from the server already.
  const BackendAnswer found = calls->lookup(sized, "vm.create", true);
  EXPECT_GE(found.found.size(), 1U);
  for (const FoundResource& item : found.found) {
    const BackendAnswer undone = calls->perform(sized, "vm.create", item.ref, "vm.delete");
    EXPECT_EQ(undone.kind, Kind::Done) << undone.error.detail;
  }
  expect_nothing_left(sized);
}

TEST_F(Failures, AnImageThatIsGoneIsSaidInNovasWords) {
  WorkOrder order = create_order("noimage");
  order.image_ref = "00000000-0000-0000-0000-000000000000";
  const BackendAnswer made = calls->run(order);
  EXPECT_EQ(made.error.code, Errc::BackendRefused);
  EXPECT_EQ(made.error.detail, "Can not find requested image");
  EXPECT_TRUE(made.error.without_effect);
  expect_nothing_left(order);
}

TEST_F(Failures, AServerThatNeverStartsIsAnError) {
  BedCloud::inject(R"({"spawn":{"fail":true,"match":"-bad-"}})");
  WorkOrder order = create_order("bad-spawn");
  const BackendAnswer made = calls->run(order);
  BedCloud::inject("");
  EXPECT_EQ(made.kind, Kind::Failed);
  EXPECT_THAT(made.error.detail, HasSubstr("Exhausted all hosts"));
  for (const FoundResource& found : calls->lookup(order, "vm.create", true).found) {
    EXPECT_EQ(calls->perform(order, "vm.create", found.ref, "vm.delete").kind, Kind::Done);
  }
  expect_nothing_left(order);
}

TEST_F(Failures, ALiveMigrationThatFailsIsAnErrorAndItStaysWhereItWas) {
  const Vm vm = create("stays");
  const std::string host = cloud.field(vm.ref, "OS-EXT-SRV-ATTR:host");
  BedCloud::inject(R"({"live_migration":{"fail":true}})");
  WorkOrder order = Bed::order(CommandKind::VmMigrate, vm);
  order.args.live = true;
  const BackendAnswer moved = calls->run(order);
  BedCloud::inject("");
  EXPECT_EQ(moved.kind, Kind::Failed);
  EXPECT_THAT(moved.error.detail, HasSubstr("migration"));
  EXPECT_EQ(cloud.field(vm.ref, "OS-EXT-SRV-ATTR:host"), host);
  EXPECT_EQ(cloud.status(vm.ref), "ACTIVE");
  remove(vm);
}

TEST_F(Failures, ARevokedTokenIsNotNoticed) {
  const Vm vm = create("revoked");
  const std::string user = cloud.make_user(prefix() + "user", "first");
  Options options = cloud.options();
  options.user_name = prefix() + "user";
  options.password = base::Secret("first");
  auto opened = OpenstackBackend::open(std::move(options));
  ASSERT_TRUE(opened);
  Calls his(**opened);
  EXPECT_EQ(his.run(order(CommandKind::VmStop, vm)).kind, Kind::Done);
  EXPECT_EQ((*opened)->counters().tokens, 1U);
  ASSERT_TRUE(cloud.set_password(user, "first"));  // revokes what he has
  const BackendAnswer started = his.run(order(CommandKind::VmStart, vm));
  EXPECT_EQ(started.kind, Kind::Done) << started.error.detail;
  // Services may believe in a token for minutes after they last asked; then it is not renewed yet.
  EXPECT_LE((*opened)->counters().tokens, 2U);
  cloud.remove_user(user);
  remove(vm);
}

TEST_F(Failures, AStoppedKeystoneFailsCallsForAWhileAndNothingIsLost) {
  Options options = cloud.options();
  options.auth_timeout = std::chrono::seconds(3);
  auto opened = OpenstackBackend::open(std::move(options));
  ASSERT_TRUE(opened);
  Calls fresh(**opened);  // has no token yet
  const WorkOrder order = create_order("keystone");
  BedCloud::signal("keystone", SIGSTOP);
  const BackendAnswer down = fresh.perform(order, "vm.create");
  BedCloud::signal("keystone", SIGCONT);
  EXPECT_EQ(down.error.code, Errc::BackendUnavailable);
  EXPECT_TRUE(down.error.retryable);
  EXPECT_TRUE(down.error.without_effect);
  EXPECT_THAT(down.error.detail, StartsWith("keystone"));
  std::this_thread::sleep_for(std::chrono::milliseconds(1100));  // a failure holds for a second
  const BackendAnswer made = fresh.run(order);
  EXPECT_EQ(made.kind, Kind::Done) << made.error.detail;
  remove({order, made.ref});
}

TEST_F(Failures, WithNovaComputeStoppedACreateWaitsAndGoesOnAfterwards) {
  const WorkOrder order = create_order("nocompute");
  BedCloud::signal("nova-compute1", SIGSTOP);
  BedCloud::signal("nova-compute2", SIGSTOP);
  const BackendAnswer made = calls->perform(order, "vm.create");
  const BackendAnswer waiting =
      calls->perform(order, "vm.await_running", made.ref, {}, std::chrono::seconds(8));
  // Down after 15 s without a word of theirs.
  std::this_thread::sleep_for(std::chrono::seconds(20));
  const BackendAnswer seen = calls->inventory();
  BedCloud::signal("nova-compute1", SIGCONT);
  BedCloud::signal("nova-compute2", SIGCONT);
  ASSERT_EQ(made.kind, Kind::Done) << made.error.detail;
  EXPECT_EQ(waiting.kind, Kind::NotYet) << waiting.error.detail;
  ASSERT_TRUE(seen.inventory);
  for (const domain::SeenHost& host : seen.inventory->hosts) EXPECT_FALSE(host.alive) << host.name;
  BackendAnswer after;
  do {
    after = calls->perform(order, "vm.await_running", made.ref);
  } while (after.kind == Kind::NotYet);
  EXPECT_EQ(after.kind, Kind::Done) << after.error.detail;
  remove({order, made.ref});
}

// What a worker leaves that is killed between two calls of a create; another takes over.
TEST_F(Failures, AWorkerKilledAtAnyPointOfACreateLeavesNoDoubleAndNoOrphan) {
  WorkOrder order = create_order("killed");
  const std::string key = domain::correlation_key(order.task, "vm.create");
  // After the port.
  const BedCloud::Answer port = cloud.call(
      Service::Network, "POST", "/v2.0/ports",
      R"({"port":{"name":")" + key + R"(","network_id":")" + cloud.network_id("private") + "\"}}");
  ASSERT_EQ(port.status, 201) << port.body;
  EXPECT_TRUE(calls->lookup(order, "vm.create").found.empty());
  order.token = 2;
  const BackendAnswer made = calls->perform(order, "vm.create");
  ASSERT_EQ(made.kind, Kind::Done) << made.error.detail;
  // After the server, its answer lost: found while it is still being made.
  auto opened = OpenstackBackend::open(cloud.options());
  ASSERT_TRUE(opened);
  Calls another(**opened);
  const BackendAnswer found = another.lookup(order, "vm.create");
  ASSERT_EQ(found.found.size(), 1U) << found.error.detail;
  EXPECT_EQ(found.found[0].ref, made.ref);
  // And if the look-up had come too early, the port tells when it is called again.
  order.token = 3;
  ASSERT_EQ(another.perform(order, "vm.await_running", made.ref).kind, Kind::Done);
  EXPECT_EQ(another.perform(order, "vm.create").ref, made.ref);
  EXPECT_EQ(cloud.servers_with_key(key), 1U);
  EXPECT_EQ(cloud.ports_named(key), 1U);
  remove({order, made.ref});
}

class Limited : public Bed {
 protected:
  Limited() : Bed("limited") {}
};

TEST_F(Limited, QuotaExceededIsSaidInNovasWordsAndLeavesNothing) {
  const WorkOrder order = create_order("quota", small());
  const BackendAnswer made = calls->run(order);
  EXPECT_EQ(made.error.code, Errc::QuotaExceeded);
  EXPECT_THAT(made.error.detail, StartsWith("Quota exceeded for ram"));
  EXPECT_THAT(made.error.backend_request_id, StartsWith("req-"));
  EXPECT_TRUE(made.error.without_effect);
  expect_nothing_left(order);
}

TEST_F(Limited, AMemberSeesNoHosts) {
  const BackendAnswer all = calls->inventory();
  ASSERT_TRUE(all.inventory) << all.error.detail;
  EXPECT_TRUE(all.inventory->hosts.empty());
  EXPECT_FALSE(all.inventory->images.empty());
}

}  // namespace
}  // namespace slipway::workers::openstack::test
