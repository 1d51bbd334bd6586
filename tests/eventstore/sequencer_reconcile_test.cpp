// When clouds are asked what they have, and what the sequencer does with pages of the answer.
#include "tests/eventstore/sequencer_harness.hpp"

namespace slipway::eventstore::testing {
namespace {

SequencerOptions every_minute() {
  SequencerOptions o;
  o.reconcile.interval = 60s;
  return o;
}

// A server with VM 1 on its cloud "sim", whose worker has been asked for a list.
struct SequencerReconcile : ::testing::Test {
  SequencerReconcile() {
    server.make_vm(1);
    server.passes(3s, {1});
  }
  const domain::TakeInventory* asked() {
    const auto all = server.messages<domain::TakeInventory>();
    return all.empty() ? nullptr : all.back();
  }
  domain::InventoryPage page(std::uint32_t number, bool last) {
    domain::InventoryPage p;
    p.session = session(1);
    p.backend = "sim";
    p.run = asked()->run;
    p.page = number;
    p.last = last;
    return p;
  }
  domain::SeenVm seen(std::uint64_t n) {
    const domain::Vm& v = *server.world().vm(vm(n));
    domain::SeenVm out;
    out.ref = v.backend_ref;
    out.tag = {asked()->installation, domain::correlation_key(task(n), "vm.create")};
    out.vm = v.id;
    out.name = v.spec.name;
    out.state = v.state;
    out.host = v.spec.host;
    out.size = v.spec.size;
    out.age = 1h;
    return out;
  }
  void say(domain::InventoryPage p) {
    server.push(domain::WorkerInput(std::move(p)));
    ASSERT_TRUE(server.turn());
  }
  bool lost(std::uint64_t n) { return server.world().vm(vm(n))->lost; }

  SequencerHarness server{every_minute()};
};

TEST_F(SequencerReconcile, AsksAWorkerOfTheCloudsPoolOnceAnInterval) {
  ASSERT_NE(asked(), nullptr);
  EXPECT_EQ(asked()->backend, "sim");
  say(page(0, true));
  server.clear();
  server.passes(50s, {1});
  EXPECT_EQ(asked(), nullptr);
  server.passes(15s, {1});
  EXPECT_NE(asked(), nullptr);
}

TEST_F(SequencerReconcile, WhatIsOnNoPageIsLostWithTheLastOne) {
  say(page(0, false));
  EXPECT_FALSE(lost(1));
  say(page(1, true));
  EXPECT_TRUE(lost(1));
}

TEST_F(SequencerReconcile, WhatIsOnAnyPageIsThere) {
  auto first = page(0, false);
  first.inventory.vms.push_back(seen(1));
  say(first);
  say(page(1, true));
  EXPECT_FALSE(lost(1));
}

TEST_F(SequencerReconcile, AMissingPageMakesNothingLost) {
  say(page(1, true));
  EXPECT_FALSE(lost(1));
  say(page(0, true));  // of a run that has ended by that
  EXPECT_FALSE(lost(1));
}

TEST_F(SequencerReconcile, AListThatFailedMakesNothingLost) {
  auto failed = page(0, true);
  failed.error = "the cloud is away";
  say(failed);
  EXPECT_FALSE(lost(1));
}

TEST_F(SequencerReconcile, WhatChangedSinceItWasAskedForIsLeftForTheNextList) {
  const auto late = seen(1);
  server.submit(act(2, domain::CommandKind::VmStop, 1));
  ASSERT_TRUE(server.turn());
  server.report(ends(2, 1, domain::OutcomeKind::Succeeded));
  ASSERT_TRUE(server.turn());
  ASSERT_EQ(server.world().vm(vm(1))->state, VmState::Stopped);
  auto only = page(0, true);
  only.inventory.vms.push_back(late);
  say(only);
  EXPECT_FALSE(server.world().vm(vm(1))->drift.has_value());
  EXPECT_FALSE(lost(1));
}

TEST_F(SequencerReconcile, VmsOfAHostThatCouldNotBeListedAreNotLost) {
  auto only = page(0, true);
  only.inventory.silent_hosts.push_back(server.world().vm(vm(1))->spec.host);
  say(only);
  EXPECT_FALSE(lost(1));
}

TEST_F(SequencerReconcile, G4_2_5_AnOrphanIsDeletedByATaskThatAWorkerGets) {
  auto only = page(0, true);
  only.inventory.vms.push_back(seen(1));
  domain::SeenVm orphan = seen(1);
  orphan.ref = "ref-77";
  orphan.vm = vm(77);
  orphan.tag.key = domain::correlation_key(task(77), "vm.create");
  only.inventory.vms.push_back(orphan);
  server.clear();
  const auto run = only;
  say(run);
  const auto orders = server.messages<domain::WorkOrder>();
  ASSERT_EQ(orders.size(), 1U);
  EXPECT_EQ(orders[0]->command, domain::CommandKind::OrphanVmDelete);
  EXPECT_EQ(orders[0]->vm_ref, "ref-77");
}

TEST_F(SequencerReconcile, PagesOfAnotherWorkerOrRunArePassedOver) {
  auto other = page(0, true);
  other.session = session(2);
  say(other);
  other = page(0, true);
  ++other.run;
  say(other);
  EXPECT_FALSE(lost(1));
}

TEST(SequencerReconcileOff, AsksNobodyWithoutAnInterval) {
  SequencerHarness server;
  server.make_vm(1);
  server.passes(120s, {1});
  EXPECT_TRUE(server.messages<domain::TakeInventory>().empty());
}

}  // namespace
}  // namespace slipway::eventstore::testing
