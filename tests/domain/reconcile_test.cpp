#include "core/domain/reconcile_rules.hpp"

#include "core/base/clock.hpp"
#include "tests/domain/story.hpp"

// What it means that a cloud has something, has it otherwise, or has it no more.
namespace slipway::domain::testing {
namespace {

const std::string kHere = "11111111-1111-7111-8111-111111111111";
const std::string kCloud = "sim";

struct Reconcile : ::testing::Test {
  Reconcile() {
    s.running_vm(1);
    backend = *s.world.backend(kCloud);
  }
  ReconcileContext context() { return {s.world, policy, backend, kHere, 30s, kStart + 1h}; }
  // As the log has VM 1.
  SeenVm seen() {
    const Vm& v = *s.world.vm(vm(1));
    SeenVm out;
    out.ref = v.backend_ref;
    out.tag = {kHere, correlation_key(task(1), "vm.create")};
    out.vm = v.id;
    out.name = v.spec.name;
    out.state = v.state;
    out.host = v.spec.host;
    out.size = v.spec.size;
    out.age = 1h;
    return out;
  }
  SeenVm stranger() {
    SeenVm out;
    out.ref = "theirs-7";
    out.name = "by-hand";
    out.state = VmState::Stopped;
    out.size = {"", 2, 1024, 10};
    out.ipv4 = "10.9.8.7";
    out.age = 1h;
    return out;
  }
  std::vector<std::string> types(const Finding& finding) {
    std::vector<std::string> out;
    for (const Event& e : finding.events) out.emplace_back(event_type(e.body));
    return out;
  }
  std::vector<std::string> fold(Finding finding) {
    auto out = types(finding);
    s.given(std::move(finding.events));
    return out;
  }
  const Vm& one() { return *s.world.vm(vm(1)); }

  using Types = std::vector<std::string>;
  Story s;
  Policy policy;
  Backend backend;
};

TEST_F(Reconcile, SaysNothingOfWhatIsAsItShouldBe) {
  EXPECT_EQ(types(decide_seen(context(), seen())), Types{});
  EXPECT_EQ(known_as(context(), seen()), vm(1));
}

TEST_F(Reconcile, SaysOnceThatAStateHasDrifted) {
  SeenVm found = seen();
  found.state = VmState::Stopped;
  EXPECT_EQ(fold(decide_seen(context(), found)), Types{"VmDrifted"});
  EXPECT_EQ(one().state, VmState::Running);
  EXPECT_EQ(fold(decide_seen(context(), found)), Types{});
  found.state = VmState::Paused;
  EXPECT_EQ(fold(decide_seen(context(), found)), Types{"VmDrifted"});
  EXPECT_EQ(fold(decide_seen(context(), seen())), Types{"VmReconciled"});
  EXPECT_FALSE(one().drift.has_value());
}

TEST_F(Reconcile, FollowsTheCloudWhereThePolicyIsToAdopt) {
  backend.policy = ReconcilePolicy::Adopt;
  SeenVm found = seen();
  found.state = VmState::Stopped;
  EXPECT_EQ(fold(decide_seen(context(), found)),
            (Types{"VmDrifted", "VmStateChanged", "VmReconciled"}));
  EXPECT_EQ(one().state, VmState::Stopped);
  found.name = "renamed";
  fold(decide_seen(context(), found));
  EXPECT_EQ(one().spec.name, "renamed");
  found.size.vcpus += 1;
  fold(decide_seen(context(), found));
  EXPECT_EQ(one().spec.size.vcpus, found.size.vcpus);
  found.state = VmState::Error;
  found.fault = "disk is gone";
  fold(decide_seen(context(), found));
  EXPECT_EQ(one().state, VmState::Error);
}

TEST_F(Reconcile, ChangesTheCloudBackWhereThePolicyIsToRepair) {
  backend.policy = ReconcilePolicy::Repair;
  SeenVm found = seen();
  found.state = VmState::Stopped;
  fold(decide_seen(context(), found));
  fold(decide_repair(context(), found));
  EXPECT_EQ(one().state, VmState::Starting);
  const Task* repair = s.world.task(one().task);
  ASSERT_NE(repair, nullptr);
  EXPECT_EQ(repair->command, CommandKind::VmStart);
  EXPECT_EQ(repair->state, TaskState::Ready);
  // Under way: left alone, whatever the list says.
  EXPECT_EQ(types(decide_seen(context(), found)), Types{});
  EXPECT_EQ(types(decide_repair(context(), found)), Types{});
}

TEST_F(Reconcile, RepairsNothingUnderAnotherPolicy) {
  SeenVm found = seen();
  found.state = VmState::Stopped;
  fold(decide_seen(context(), found));
  EXPECT_EQ(types(decide_repair(context(), found)), Types{});
}

TEST_F(Reconcile, G4_2_5_AVmThatIsNotInTheListIsLostUntilItIsFoundAgain) {
  EXPECT_EQ(fold(decide_missing(context(), one())), Types{"VmLost"});
  EXPECT_TRUE(one().lost);
  EXPECT_EQ(one().state, VmState::Running);
  EXPECT_EQ(fold(decide_missing(context(), one())), Types{});
  EXPECT_EQ(fold(decide_seen(context(), seen())), Types{"VmFound"});
  EXPECT_FALSE(one().lost);
}

TEST_F(Reconcile, ShowsWhatNobodyMadeHereToTheTenantOfTheCloud) {
  EXPECT_EQ(types(decide_seen(context(), stranger())), Types{});  // no tenant: to nobody
  backend.tenant = "demo";
  const Finding finding = decide_seen(context(), stranger());
  EXPECT_EQ(finding.tenant, "demo");
  EXPECT_EQ(fold(finding), (Types{"VmRequested", "VmLaunched", "VmFound", "VmStateChanged"}));
  const VmId id = known_as(context(), stranger());
  ASSERT_FALSE(id.is_nil());
  const Vm& theirs = *s.world.vm(id);
  EXPECT_TRUE(theirs.foreign);
  EXPECT_EQ(theirs.state, VmState::Stopped);
  EXPECT_EQ(ipv4_text(theirs.spec.ipv4), "10.9.8.7");
  // It is as its cloud has it, under any policy.
  SeenVm later = stranger();
  later.state = VmState::Running;
  fold(decide_seen(context(), later));
  EXPECT_EQ(s.world.vm(id)->state, VmState::Running);
  EXPECT_EQ(fold(decide_missing(context(), *s.world.vm(id))), Types{"VmDeleted"});
  EXPECT_TRUE(known_as(context(), stranger()).is_nil());
}

TEST_F(Reconcile, G4_2_5_TheTagOfAnotherInstallationIsNotOurs) {
  SeenVm found = stranger();
  found.tag = {"22222222-2222-7222-8222-222222222222", correlation_key(task(1), "vm.create")};
  found.vm = vm(1);
  EXPECT_EQ(types(decide_seen(context(), found)), Types{});
  EXPECT_TRUE(known_as(context(), found).is_nil());
}

TEST_F(Reconcile, KnowsAVmWithoutATagByItsIdAndRef) {
  SeenVm untagged = seen();
  untagged.tag = {};
  EXPECT_EQ(known_as(context(), untagged), vm(1));
  untagged.ref = "another";
  EXPECT_TRUE(known_as(context(), untagged).is_nil());
}

// ---- orphans ----

SeenVm orphan_of(SeenVm seen, std::uint64_t made_by, const std::string& ref) {
  seen.ref = ref;
  seen.vm = vm(made_by);
  seen.tag.key = correlation_key(task(made_by), "vm.create");
  return seen;
}

TEST_F(Reconcile, G4_2_5_DeletesWhatIsOursAndNobodysByATask) {
  const SeenVm orphan = orphan_of(seen(), 77, "ref-77");
  const Finding finding = decide_seen(context(), orphan);
  EXPECT_EQ(finding.tenant, kCloud);
  EXPECT_EQ(fold(finding), (Types{"OrphanFound", "CommandAccepted", "TaskQueued"}));
  TaskId sweeper;
  s.world.each_task([&](const Task& t) { sweeper = t.id; });
  const Task& task = *s.world.task(sweeper);
  EXPECT_EQ(task.command, CommandKind::OrphanVmDelete);
  const WorkOrder order = make_work_order(s.world, policy, task, 1);
  EXPECT_EQ(order.vm_ref, "ref-77");
  EXPECT_EQ(order.vm_key, orphan.tag.key);
  // Seen again before the task has ended: one is enough.
  EXPECT_EQ(types(decide_seen(context(), orphan)), Types{});
}

TEST_F(Reconcile, G4_2_5_LeavesAloneWhatIsTooYoungToBeAnOrphan) {
  SeenVm young = orphan_of(seen(), 77, "ref-77");
  young.age = 29s;
  EXPECT_EQ(types(decide_seen(context(), young)), Types{});
}

TEST_F(Reconcile, LeavesAloneWhatAnUnfinishedTaskMayClaim) {
  s.given(create(2));
  EXPECT_EQ(types(decide_seen(context(), orphan_of(seen(), 2, "ref-2"))), Types{});
}

TEST_F(Reconcile, OfTwoWithOneKeyTheOneThatTheLogHasStays) {
  SeenVm twin = seen();
  twin.ref = "ref-1b";
  EXPECT_EQ(types(decide_seen(context(), twin)),
            (Types{"OrphanFound", "CommandAccepted", "TaskQueued"}));
  EXPECT_TRUE(known_as(context(), twin).is_nil());
  EXPECT_EQ(types(decide_seen(context(), seen())), Types{});
}

TEST_F(Reconcile, OfTwoBackendsOfOneCloudNoneTakesTheOthersVmsForOrphans) {
  backend.name = "the-same-cloud";
  EXPECT_EQ(types(decide_seen(context(), seen())), Types{});
}

TEST_F(Reconcile, APartOfAVmThatIsThereIsNobodysOrphan) {
  const std::vector<SeenPart> parts = {
      {"port", "owned", {kHere, correlation_key(task(1), "vm.create")}, 1h},
      {"port", "orphan", {kHere, correlation_key(task(77), "vm.create")}, 1h},
      {"port", "somebody's", {"", correlation_key(task(77), "vm.create")}, 1h}};
  const auto nobodys = parts_of_no_vm(context(), parts);
  ASSERT_EQ(nobodys.size(), 1U);
  EXPECT_EQ(nobodys[0]->ref, "orphan");
  EXPECT_EQ(types(decide_part(context(), *nobodys[0])),
            (Types{"OrphanFound", "CommandAccepted", "TaskQueued"}));
}

TEST_F(Reconcile, AnImageWithOurTagThatNoTaskMadeIsAnOrphan) {
  SeenImage image;
  image.ref = "img-9";
  image.tag = {kHere, correlation_key(task(77), "image.create")};
  EXPECT_EQ(types(decide_image(context(), image)),
            (Types{"OrphanFound", "CommandAccepted", "TaskQueued"}));
  image.tag.installation = "another";
  EXPECT_EQ(types(decide_image(context(), image)), Types{});
}

// ---- the catalogue ----

Inventory catalogue() {
  Inventory all;
  all.flavors.push_back({"1", "m1.other", 7, 7168, 70});  // id 1 is small's here
  all.networks.push_back({"lan", "lan"});
  all.images.push_back({"base.qcow2", {}, "base"});
  all.hosts.push_back({"cell-a", "10.77.0.11", true, true, 4, 8192, 100});
  return all;
}

TEST_F(Reconcile, MakesTheCatalogueOfACloudKnownOnce) {
  EXPECT_EQ(
      fold(decide_catalogue(context(), catalogue())),
      (Types{"FlavorDefined", "NetworkDefined", "ImageRegistered", "PoolCreated", "HostAttached"}));
  EXPECT_EQ(s.world.flavor("sim-1")->vcpus, 7U);
  EXPECT_NE(s.world.flavor("1")->vcpus, 7U);
  EXPECT_EQ(s.world.image_by_name("base", "demo")->image.backend_ref, "base.qcow2");
  EXPECT_EQ(s.world.hosts().at("cell-a").host.pool, kCloud);
  EXPECT_EQ(fold(decide_catalogue(context(), catalogue())), Types{});
}

TEST_F(Reconcile, AHostThatIsNotAliveIsLostAndSeenAgain) {
  fold(decide_catalogue(context(), catalogue()));
  Inventory dead = catalogue();
  dead.hosts[0] = {"cell-a", "", true, false, 0, 0, 0};  // nothing is known of it
  EXPECT_EQ(fold(decide_catalogue(context(), dead)), Types{"HostLost"});
  EXPECT_FALSE(s.world.hosts().at("cell-a").host.alive);
  EXPECT_EQ(fold(decide_catalogue(context(), dead)), Types{});
  EXPECT_EQ(fold(decide_catalogue(context(), catalogue())), Types{"HostSeen"});
}

TEST_F(Reconcile, VmsOfALostHostGoToAnotherWhereTheirPoolSaysSo) {
  Vm const before = one();
  GuestSpec guest;
  guest.auto_start = true;
  s.given({{StreamId(StreamKind::Vm, before.id), 0, VmConfigured{guest}},
           {StreamId(StreamKind::Host, before.spec.host), 0, HostLost{}}});
  EXPECT_TRUE(decide_failover(context(), before.spec.host).empty());  // off by default
  Pool pool;
  pool.name = "default";
  pool.failover = true;
  s.given({{StreamId(StreamKind::Pool, pool.name), 0, PoolCreated{pool}}});
  EXPECT_TRUE(decide_failover(context(), before.spec.host).empty());  // disks of its own
  pool.storage = "nfs";
  s.given({{StreamId(StreamKind::Pool, pool.name), 0, PoolUpdated{pool}}});
  auto findings = decide_failover(context(), before.spec.host);
  ASSERT_EQ(findings.size(), 1U);
  fold(std::move(findings[0]));
  EXPECT_EQ(one().state, VmState::Migrating);
  const ActionArgs args = action_args(*s.world.task(one().task));
  EXPECT_TRUE(args.evacuate);
  EXPECT_FALSE(args.live);
  EXPECT_NE(args.host, before.spec.host);
  EXPECT_TRUE(decide_failover(context(), before.spec.host).empty());  // under way
}

TEST_F(Reconcile, AVmThatDoesNotStartWithItsHostStays) {
  s.given({{StreamId(StreamKind::Host, one().spec.host), 0, HostLost{}}});
  Pool pool;
  pool.name = "default";
  pool.failover = true;
  pool.storage = "nfs";
  s.given({{StreamId(StreamKind::Pool, pool.name), 0, PoolCreated{pool}}});
  EXPECT_TRUE(decide_failover(context(), one().spec.host).empty());
}

TEST_F(Reconcile, AnImageThatItsCloudNoLongerHasIsGone) {
  fold(decide_catalogue(context(), catalogue()));
  EXPECT_EQ(fold(decide_missing_images(context(), {"base.qcow2"})), Types{});
  EXPECT_EQ(fold(decide_missing_images(context(), {})), Types{"ImageDeleted"});
  EXPECT_EQ(s.world.image_by_name("base", "demo"), nullptr);
}

// ---- clouds that place by themselves ----

TEST_F(Reconcile, ACloudThatPlacesByItselfSaysWhere) {
  backend.places_hosts = false;
  SeenVm found = seen();
  found.host = "compute2";
  found.ipv4 = "10.20.0.83";
  found.mac = "fa:16:3e:00:00:01";
  EXPECT_EQ(fold(decide_seen(context(), found)), Types{"VmPlaced"});
  EXPECT_EQ(one().spec.host, "compute2");
  EXPECT_EQ(ipv4_text(one().spec.ipv4), "10.20.0.83");
  EXPECT_EQ(mac_of(one().spec), "fa:16:3e:00:00:01");
  EXPECT_EQ(fold(decide_seen(context(), found)), Types{});
}

}  // namespace
}  // namespace slipway::domain::testing
