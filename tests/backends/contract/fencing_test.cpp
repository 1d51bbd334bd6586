// What older callers may still do, and what a cloud that remembers says to them.
#include "core/domain/plan.hpp"
#include "tests/backends/contract/suite.hpp"

namespace slipway::workers::contract {
namespace {

using domain::CommandKind;
using domain::Outcome;
using domain::OutcomeKind;
using testing::IsEmpty;

class Fencing : public OnEachCloud {};
INSTANTIATE_TEST_SUITE_P(Backends, Fencing, each_cloud([](const auto& k) { return k.fences; }),
                         name_of_cloud);

// A creation that a frozen worker sends after another attempt of its task has made the VM, and
// another task has deleted it.
TEST_P(Fencing, ALateCreateMakesNothingOnceItsVmWasDeleted) {
  Scenario s(*cloud, CommandKind::VmCreate);
  domain::WorkOrder create = s.order();
  s.rig().disturb(Trouble::Frozen, 0);
  EXPECT_EQ(s.rig().run(create).kind, OutcomeKind::Succeeded);
  domain::WorkOrder remove = s.order();
  remove.command = CommandKind::VmDelete;
  remove.vm_key = domain::correlation_key(create.task, "vm.create");
  EXPECT_EQ(s.rig().run(remove).kind, OutcomeKind::Succeeded);
  EXPECT_THAT(s.census().vms, IsEmpty());
  s.rig().thaw();
  EXPECT_THAT(s.census().vms, IsEmpty());
}

class Neighbours : public OnEachCloud {};
INSTANTIATE_TEST_SUITE_P(Backends, Neighbours, each_cloud(any_cloud), name_of_cloud);

// A task that is driven anew goes on with the keys of the first.
TEST_P(Neighbours, ARedrivenCreateAdoptsWhatTheFirstMade) {
  Scenario s(*cloud, CommandKind::VmCreate);
  const domain::WorkOrder first = s.order();
  EXPECT_EQ(s.rig().run(first).kind, OutcomeKind::Succeeded);
  const std::string text = s.text();
  domain::WorkOrder again = first;
  again.task = s.rig().next_task();
  again.root = first.task;
  const Outcome outcome = s.rig().run(again);
  EXPECT_EQ(outcome.kind, OutcomeKind::Succeeded) << said(outcome);
  EXPECT_EQ(s.text(), text);
  EXPECT_EQ(s.rig().ref_of(again.task, "vm.create"), s.rig().ref_of(first.task, "vm.create"));
}

TEST_P(Neighbours, WhatIsNotOursIsThereBeforeAndAfter) {
  cloud->add_foreign_vm();
  Scenario s(*cloud, CommandKind::VmDelete);
  ASSERT_FALSE(HasFatalFailure());
  EXPECT_GT(s.before().foreign, 0U);
  EXPECT_EQ(s.run().kind, OutcomeKind::Succeeded);
  EXPECT_EQ(s.census().foreign, s.before().foreign);
}

}  // namespace
}  // namespace slipway::workers::contract
