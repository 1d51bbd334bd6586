// What falls due: waits, deadlines, cancellations, the hour.
#include "tests/eventstore/sequencer_harness.hpp"

namespace slipway::eventstore::testing {
namespace {

using domain::OutcomeKind;

TEST(SequencerTimer, NotBeforeHoldsATaskBackUntilThen) {
  SequencerHarness server;
  auto later = create(1);
  later.not_before = server.clock.now() + 10s;
  server.submit(later);
  server.hello(1);
  ASSERT_TRUE(server.turn());
  EXPECT_EQ(server.state(1), TaskState::Blocked);
  EXPECT_EQ(server.core->next_timer(), server.clock.now() + 10s);
  server.passes(9s, {1});
  EXPECT_EQ(server.state(1), TaskState::Blocked);
  server.passes(1s, {1});
  EXPECT_EQ(server.state(1), TaskState::Running);
}

TEST(SequencerTimer, ATimerOutlivesTheServer) {
  SequencerHarness server;
  auto later = create(1);
  later.not_before = server.clock.now() + 10s;
  server.submit(later);
  ASSERT_TRUE(server.turn());
  server.restart();
  server.passes(11s);
  EXPECT_EQ(server.state(1), TaskState::Ready);
}

TEST(SequencerTimer, ADependentIsWokenByTheSuccessItWaitsFor) {
  SequencerHarness server;
  server.submit(create(1));
  auto second = create(2);
  second.depends_on = {task(1)};
  server.submit(second);
  server.hello(1);
  ASSERT_TRUE(server.turn());
  EXPECT_EQ(server.state(2), TaskState::Blocked);
  server.report(ends(1, 1, OutcomeKind::Succeeded));
  ASSERT_TRUE(server.turn());
  EXPECT_EQ(server.state(2), TaskState::Running) << "in the same turn";
}

TEST(SequencerTimer, ADependentOfAFailureIsCancelled) {
  SequencerHarness server;
  server.submit(create(1));
  auto second = create(2);
  second.depends_on = {task(1)};
  server.submit(second);
  server.hello(1);
  ASSERT_TRUE(server.turn());
  server.report(ends(1, 1, OutcomeKind::Failed));
  ASSERT_TRUE(server.turn());
  EXPECT_EQ(server.state(2), TaskState::Cancelled);
}

// ---- deadlines

TEST(SequencerTimer, G1_4_WithoutAnyWorkerATaskEndsByItsDeadline) {
  SequencerHarness server;
  auto command = create(1);
  command.deadline = server.clock.now() + 60s;
  server.submit(command);
  ASSERT_TRUE(server.turn());
  server.passes(59s);
  EXPECT_EQ(server.state(1), TaskState::Ready);
  server.passes(1s);
  EXPECT_EQ(server.state(1), TaskState::TimedOut);
}

TEST(SequencerTimer, G1_4_WithoutADeadlineItHasADay) {
  SequencerHarness server;
  server.submit(create(1));
  ASSERT_TRUE(server.turn());
  server.clock.advance(24h - 1s);
  ASSERT_TRUE(server.turn());
  EXPECT_EQ(server.state(1), TaskState::Ready);
  server.clock.advance(1s);
  ASSERT_TRUE(server.turn());
  EXPECT_EQ(server.state(1), TaskState::TimedOut);
}

TEST(SequencerTimer, G1_4_ARunningTaskIsAskedToStopAndThenGivenUp) {
  SequencerHarness server;
  auto command = create(1);
  command.deadline = server.clock.now() + 10s;
  server.submit(command);
  server.hello(1);
  ASSERT_TRUE(server.turn());
  for (int i = 0; i < 75; ++i) {  // its worker is alive, and does nothing
    server.clock.advance(1s);
    server.heartbeat(1, {{task(1), 1}});
    ASSERT_TRUE(server.turn());
  }
  EXPECT_FALSE(server.messages<domain::CancelLease>().empty());
  EXPECT_EQ(server.state(1), TaskState::TimedOut);
  EXPECT_EQ(server.core->leases().lease_count(), 0U);
}

TEST(SequencerTimer, G1_4_TheDeadlineFallsDueThoughTheServerWasDown) {
  SequencerHarness server;
  auto command = create(1);
  command.deadline = server.clock.now() + 60s;
  server.submit(command);
  ASSERT_TRUE(server.turn());
  server.restart();
  server.clock.advance(1h);
  ASSERT_TRUE(server.turn());
  EXPECT_EQ(server.state(1), TaskState::TimedOut);
}

// ---- cancellation, in each state that a task may wait in

class Cancel : public ::testing::TestWithParam<TaskState> {
 protected:
  void bring_to(TaskState wanted) {
    if (wanted == TaskState::Blocked) {
      auto later = create(1);
      later.not_before = server.clock.now() + 1h;
      server.submit(later);
    } else {
      server.submit(create(1));
    }
    if (wanted == TaskState::Running || wanted == TaskState::RetryWait) server.hello(1);
    ASSERT_TRUE(server.turn());
    if (wanted != TaskState::RetryWait) return;
    auto retry = ends(1, 1, OutcomeKind::Retry);
    retry.outcome->retry_after = 10min;
    retry.outcome->steps_not_begun = {"vm.create"};
    server.report(retry);
    ASSERT_TRUE(server.turn());
  }
  SequencerHarness server;
};

TEST_P(Cancel, EndsTheTask) {
  bring_to(GetParam());
  ASSERT_EQ(server.state(1), GetParam());
  server.clear();
  const auto heard = server.submit(cancel(1));
  ASSERT_TRUE(server.turn());
  EXPECT_EQ(heard->answers, 1);
  if (GetParam() == TaskState::Running) {
    ASSERT_EQ(server.messages<domain::CancelLease>().size(), 1U) << "its worker is to undo it";
    EXPECT_EQ(server.messages<domain::CancelLease>().front()->token, 1U);
    EXPECT_EQ(server.state(1), TaskState::Running);
    auto cancelled = ends(1, 1, OutcomeKind::Cancelled);
    cancelled.outcome->steps_not_begun = {"vm.create"};
    server.report(cancelled);
    ASSERT_TRUE(server.turn());
  }
  EXPECT_EQ(server.state(1), TaskState::Cancelled);
  EXPECT_EQ(server.world().vm(vm(1)), nullptr);
  const auto again = server.submit(cancel(1));
  ASSERT_TRUE(server.turn());
  EXPECT_EQ(again->refusals, 1) << "it is no more";
}

INSTANTIATE_TEST_SUITE_P(SequencerTimer, Cancel,
                         ::testing::Values(TaskState::Blocked, TaskState::Ready, TaskState::Running,
                                           TaskState::RetryWait),
                         [](const auto& param_info) {
                           std::string name(base::enum_name(param_info.param));
                           std::erase(name, '_');
                           return name;
                         });

TEST(SequencerTimer, ACancelIsSaidAgainToAWorkerThatDidNotHearIt) {
  SequencerHarness server;
  server.hello(1);
  server.submit(create(1));
  ASSERT_TRUE(server.turn());
  server.submit(cancel(1));
  ASSERT_TRUE(server.turn());
  server.clear();  // lost on the way
  server.heartbeat(1, {{task(1), 1}});
  ASSERT_TRUE(server.turn());
  EXPECT_EQ(server.messages<domain::CancelLease>().size(), 1U);
}

TEST(SequencerTimer, AnAcceptedCancelOfWhatIsBeingCancelledWritesNothing) {
  SequencerHarness server;
  server.hello(1);
  server.submit(create(1));
  ASSERT_TRUE(server.turn());
  server.submit(cancel(1));
  ASSERT_TRUE(server.turn());
  const auto before = server.world().next_seq();
  const auto heard = server.submit(cancel(1));
  ASSERT_TRUE(server.turn());
  EXPECT_EQ(heard->answers, 1);
  EXPECT_EQ(server.world().next_seq(), before);
}

// ---- progress and the hour

TEST(SequencerTimer, ProgressIsKeptInMemoryAndLoggedSeldom) {
  SequencerHarness server;
  server.hello(1);
  server.submit(create(1));
  ASSERT_TRUE(server.turn());
  const auto before = server.world().next_seq();
  for (std::uint32_t percent = 1; percent <= 20; ++percent) {
    server.clock.advance(1s);
    auto progress = report(1, 1);
    progress.progress = domain::Progress{percent, "vm.create", ""};
    server.report(progress);
    ASSERT_TRUE(server.turn());
  }
  EXPECT_LE(server.world().next_seq() - before, 3U);
  EXPECT_GE(server.world().next_seq() - before, 1U);
}

TEST(SequencerTimer, EachHourIsSampledOnce) {
  SequencerHarness server;
  server.passes(std::chrono::hours(3));
  int samples = 0;
  for (const auto& record : server.records()) {
    samples += std::holds_alternative<domain::StatSampled>(record.events.front().body) ? 1 : 0;
  }
  EXPECT_EQ(samples, 3);
}

// ---- the sum of it

TEST(SequencerRestart, G3_10_TheStateFoldedFromTheLogIsTheLiveOne) {
  SequencerHarness server;
  server.make_vm(1);
  server.submit(create(2));
  auto later = create(3);
  later.not_before = server.clock.now() + 1h;
  server.submit(later);
  server.submit(act(4, domain::CommandKind::VmStop, 1));
  ASSERT_TRUE(server.turn());
  const std::string before = server.world().dump_for_test();
  server.restart();
  EXPECT_EQ(server.world().dump_for_test(), before);
}

}  // namespace
}  // namespace slipway::eventstore::testing
