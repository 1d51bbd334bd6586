// Undisturbed: each command does what it says, from each state that the domain lets it start from.
#include <functional>

#include "core/domain/plan.hpp"
#include "tests/backends/contract/suite.hpp"

namespace slipway::workers::contract {
namespace {

using domain::CommandKind;
using domain::Outcome;
using domain::OutcomeKind;
using domain::VmState;
using testing::IsEmpty;

class Command : public EachCommand {};
INSTANTIATE_TEST_SUITE_P(Backends, Command, each_command(offered), name_of_test);

TEST_P(Command, DoesWhatItSaysFromEveryStateThatTheRulesAllow) {
  const auto states = states_for(command(), *open());
  ASSERT_FALSE(states.empty());
  for (const VmState from : states) {
    auto cloud = open();
    Scenario s(*cloud, command(), from);
    ASSERT_FALSE(HasFatalFailure());
    EXPECT_THAT(faults_of(s.before()), IsEmpty());
    const Outcome outcome = s.run();
    EXPECT_EQ(outcome.kind, OutcomeKind::Succeeded)
        << "from " << base::enum_name(from) << ": " << said(outcome);
    EXPECT_THAT(s.faults_of_effect(), IsEmpty()) << "from " << base::enum_name(from);
  }
}

class CommandNotOffered : public EachCommand {};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(CommandNotOffered);
INSTANTIATE_TEST_SUITE_P(Backends, CommandNotOffered, each_command(std::not_fn(offered)),
                         name_of_test);

TEST_P(CommandNotOffered, IsRefusedForGoodAndChangesNothing) {
  auto cloud = open();
  Scenario s(*cloud, command());
  ASSERT_FALSE(HasFatalFailure());
  const Outcome outcome = s.run();
  EXPECT_EQ(outcome.kind, OutcomeKind::Failed) << said(outcome);
  EXPECT_FALSE(outcome.error.retryable);
  EXPECT_FALSE(outcome.error.detail.empty());
  EXPECT_EQ(s.text(), s.text_before());
}

class RepeatableCommand : public EachCommand {};
INSTANTIATE_TEST_SUITE_P(Backends, RepeatableCommand,
                         each_command([](const CloudKind& kind, CommandKind command) {
                           return kind.offers(command) && domain::plan_of(command)[0].repeatable;
                         }),
                         name_of_test);

// Two tasks of the same wish, one after the other.
TEST_P(RepeatableCommand, IsAlreadySoTheSecondTime) {
  auto cloud = open();
  Scenario s(*cloud, command());
  ASSERT_FALSE(HasFatalFailure());
  EXPECT_EQ(s.run().kind, OutcomeKind::Succeeded);
  const std::string after_one = s.text();
  const Outcome second = s.run();
  EXPECT_EQ(second.kind, OutcomeKind::Succeeded) << said(second);
  EXPECT_EQ(s.text(), after_one);
}

INSTANTIATE_TEST_SUITE_P(Backends, OnEachCloud, each_cloud(any_cloud), name_of_cloud);

TEST_P(OnEachCloud, DeletingWhatIsNotThereIsSuccess) {
  for (const CommandKind command : {CommandKind::VmDelete, CommandKind::ImageDelete}) {
    if (!kind().offers(command)) continue;
    Scenario s(*cloud, command);
    ASSERT_FALSE(HasFatalFailure());
    EXPECT_EQ(s.run().kind, OutcomeKind::Succeeded);
    EXPECT_EQ(s.run().kind, OutcomeKind::Succeeded);
    // Nor is one whose id never became known, and that was never made.
    domain::WorkOrder order = s.order();
    order.vm_ref.clear();
    order.image_ref.clear();
    (command == CommandKind::VmDelete ? order.vm_key : order.image_key) =
        domain::correlation_key(s.rig().next_task(), "vm.create");
    const Outcome unknown = s.rig().run(order);
    EXPECT_EQ(unknown.kind, OutcomeKind::Succeeded) << said(unknown);
  }
}

TEST_P(OnEachCloud, AVmWhoseIdNeverBecameKnownIsDeletedByItsKey) {
  Scenario s(*cloud, CommandKind::VmDelete);
  ASSERT_FALSE(HasFatalFailure());
  domain::WorkOrder order = s.order();
  order.vm_ref.clear();
  const Outcome outcome = s.rig().run(order);
  EXPECT_EQ(outcome.kind, OutcomeKind::Succeeded) << said(outcome);
  EXPECT_THAT(s.faults_of_effect(), IsEmpty());
}

TEST_P(OnEachCloud, AVmThatIsGoneFailsACommandForGood) {
  Scenario s(*cloud, CommandKind::VmStop);
  ASSERT_FALSE(HasFatalFailure());
  cloud->lose_vm(s.before().vms.at(0).ref);
  const Outcome outcome = s.run();
  EXPECT_EQ(outcome.kind, OutcomeKind::Failed) << said(outcome);
  EXPECT_EQ(outcome.error.code, base::errc_name(base::Errc::NotFound));
}

}  // namespace
}  // namespace slipway::workers::contract
