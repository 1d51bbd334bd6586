#include <gtest/gtest.h>

#include "tests/domain/story.hpp"

// A task from its lease to its end: steps, attempts, cancels, deadlines.
namespace slipway::domain::testing {
namespace {

TEST(Lease, GrantsTheFirstStepInTheSameRecord) {
  Story s;
  s.given(create(1)).when_leased(1).then(
      {"task-1 TaskLeased", "task-1 TaskStepStarted", "vm-1 VmLaunching"});
  const WorkOrder order = make_work_order(s.world, s.policy, s.live(1), 1);
  EXPECT_EQ(order.granted_step, "vm.create");
  EXPECT_EQ(order.token, 1U);
  EXPECT_EQ(order.vm_key, correlation_key(task(1), "vm.create"));
}

TEST(Lease, AnUnknownStepIsNotGrantedAgain) {
  Story s;
  s.given(create(1)).when_leased(1).when_lease_ends(1).when_passes(1min).when_leased(1).then(
      {"task-1 TaskLeased"});
  const WorkOrder order = make_work_order(s.world, s.policy, s.live(1), 1);
  EXPECT_EQ(order.granted_step, "");
  ASSERT_EQ(order.steps.size(), 1U);
  EXPECT_EQ(order.steps[0].state, StepState::Started);
  EXPECT_EQ(order.attempt, 2U);
}

TEST(Report, OnlyThePresentTokenOfThePresentSessionCounts) {
  Story s;
  s.given(create(1));
  s.when(ends(1, 0, OutcomeKind::Succeeded)).refused(Errc::LeaseLost);
  s.when_leased(1);
  s.when(ends(1, 2, OutcomeKind::Succeeded)).refused(Errc::LeaseLost);
  s.when(ends(2, 1, OutcomeKind::Succeeded)).refused(Errc::LeaseLost);
  WorkerReport forged = ends(1, 1, OutcomeKind::Failed);
  forged.session = session(2);
  s.when(forged).refused(Errc::LeaseLost);
  s.when_lease_ends(1).when(ends(1, 1, OutcomeKind::Succeeded)).refused(Errc::LeaseLost);
  s.when_passes(1min).when_leased(1);
  s.when(ends(1, 1, OutcomeKind::Succeeded)).refused(Errc::LeaseLost);
  s.when(ends(1, 2, OutcomeKind::Succeeded)).then({"task-1 TaskSucceeded", "vm-1 VmLaunched"});
  s.when(ends(1, 2, OutcomeKind::Succeeded)).refused(Errc::LeaseLost);
}

TEST(Report, WhatTheLogHasIsNotSaidAgain) {
  Story s;
  s.given(create(1)).when_leased(1);
  s.when(step_done(1, 1, "vm.create")).then({"task-1 TaskStepDone"});
  s.when(step_done(1, 1, "vm.create")).then({});
  s.when(begins(1, 1, "vm.create")).then({});
  EXPECT_FALSE(is_begun(s.world, begins(1, 1, "vm.create")));
  s.when(step_undone(1, 1, "vm.create")).then({"task-1 TaskStepUndone"});
  s.when(step_done(1, 1, "vm.create")).then({});
  EXPECT_EQ(s.live(1).steps[0].state, StepState::Undone);
}

TEST(Report, AnUndoneStepIsBegunAgainOnlyThroughTheLog) {
  Story s;
  s.given(create(1)).when_leased(1).when(step_undone(1, 1, "vm.create"));
  EXPECT_FALSE(is_begun(s.world, begins(1, 1, "vm.create")));
  s.when(begins(1, 1, "vm.create")).then({"task-1 TaskStepStarted"});
  EXPECT_TRUE(is_begun(s.world, begins(1, 1, "vm.create")));
}

// The undo was carried out, and the report of it lost: the next lease must not take it for done.
TEST(Report, AStepWhoseUndoHasBegunIsUnknown) {
  Story s;
  s.given(create(1)).when_leased(1).when(step_done(1, 1, "vm.create"));
  WorkerReport undo = begins(1, 1, "vm.create");
  undo.begin->undo = true;
  s.when(undo).then({"task-1 TaskStepStarted"});
  EXPECT_EQ(s.live(1).steps[0].state, StepState::Started);
  EXPECT_TRUE(s.live(1).has_steps_to_undo());
}

TEST(Report, ProgressIsLoggedOnlyWhenDue) {
  Story s;
  s.given(create(1)).when_leased(1);
  WorkerReport r = report(1, 1);
  r.progress = Progress{40, "vm.create", "half"};
  s.when(r).then({});
  s.when(r, true).then({"task-1 TaskProgressed"});
}

TEST(Attempts, G4_1_8_BackoffIsFullJitterWithinItsBounds) {
  Policy p;
  for (std::uint32_t attempt = 0; attempt < 70; ++attempt) {
    const auto ceiling = std::min<std::int64_t>(
        p.backoff_max.count(), p.backoff_base.count()
                                   << std::min(attempt > 0 ? attempt - 1 : 0, 20U));
    for (const std::uint64_t random :
         {std::uint64_t{0}, std::uint64_t{123456789}, ~std::uint64_t{0}}) {
      EXPECT_GE(backoff(p, attempt, random).count(), 0);
      EXPECT_LE(backoff(p, attempt, random).count(), ceiling);
    }
    EXPECT_EQ(backoff(p, attempt, static_cast<std::uint64_t>(ceiling)).count(), ceiling);
  }
}

TEST(Attempts, ARetryWaitsAtLeastAsLongAsTheBackendAsks) {
  Story s;
  s.given(create(1)).when_leased(1);
  WorkerReport r = ends(1, 1, OutcomeKind::Retry);
  r.outcome->retry_after = 30s;
  s.when(r).then({"task-1 TaskRetryScheduled"});
  s.when_passes(29s).then({});
  s.when_passes(1s).then({"task-1 TaskReady"});
}

TEST(Attempts, G4_1_8_ThrottlingIsNotCounted) {
  Story s;
  s.given(create(1));
  for (FencingToken token = 1; token <= 20; ++token) {
    s.when_leased(1);
    EXPECT_EQ(s.live(1).attempt, 1U);
    WorkerReport r = ends(1, token, OutcomeKind::Retry);
    r.outcome->counted = false;
    s.when(r).then({"task-1 TaskRetryScheduled"}).when_passes(2min);
  }
}

TEST(Attempts, HandingBackCountsNoneAndForgetsWhatWasNotCalled) {
  Story s;
  s.given(create(1)).when_leased(1);
  WorkerReport r = ends(1, 1, OutcomeKind::HandedBack);
  r.outcome->steps_not_begun = {"vm.create"};
  s.when(r).then({"task-1 TaskReady"});
  EXPECT_EQ(s.live(1).attempt, 0U);
  EXPECT_TRUE(s.live(1).steps.empty());
  s.when_leased(1).then({"task-1 TaskLeased", "task-1 TaskStepStarted"});
  EXPECT_EQ(s.live(1).token, 2U);
}

TEST(Attempts, ARetryForgetsAStepThatSurelyHadNoEffect) {
  Story s;
  s.given(create(1)).when_leased(1);
  WorkerReport r = ends(1, 1, OutcomeKind::Retry);
  r.outcome->steps_not_begun = {"vm.create"};
  s.when(r).when_passes(1min);
  EXPECT_TRUE(s.live(1).steps.empty());
}

TEST(Attempts, UsedUpWithNothingToUndoIsDead) {
  Story s;
  s.running_vm(1).given(act(2, CommandKind::VmStop, 1));
  for (FencingToken token = 1; token < 5; ++token) {
    s.when_leased(2).when(ends(2, token, OutcomeKind::Retry)).then({"task-2 TaskRetryScheduled"});
    s.when_passes(2min);
  }
  s.when_leased(2).when(ends(2, 5, OutcomeKind::Retry)).then({"task-2 TaskDead", "vm-1 VmFailed"});
}

Story& use_up(Story& s) {
  s.given(create(1));
  for (FencingToken token = 1; token < 5; ++token) {
    s.when_leased(1).when(ends(1, token, OutcomeKind::Retry)).when_passes(2min);
  }
  return s.when_leased(1).when(ends(1, 5, OutcomeKind::Retry));
}

TEST(Attempts, UsedUpWithStepsToUndoAreUndoneFirst) {
  Story s;
  use_up(s).then({"task-1 TaskRetryScheduled", "task-1 TaskCancelRequested", "task-1 TaskReady"});
  s.when_leased(1);
  EXPECT_TRUE(make_work_order(s.world, s.policy, s.live(1), 1).cancel);
  WorkerReport r = step_undone(1, 6, "vm.create");
  r.outcome.emplace();
  r.outcome->kind = OutcomeKind::Cancelled;
  s.when(r).then({"task-1 TaskStepUndone", "task-1 TaskDead", "vm-1 VmFailed"});
}

// The undo waits READY for a worker that never comes: it ends from there.
TEST(Attempts, UsedUpAndNobodyToUndoIsDeadAfterTheGrace) {
  Story s;
  use_up(s).when_passes(2min).then({"task-1 TaskDead", "vm-1 VmFailed"});
}

TEST(Attempts, G4_1_7_ThreeProcessDeathsArePoison) {
  Story s;
  s.given(create(1));
  for (int death = 1; death < 3; ++death) {
    s.when_leased(1).when_lease_ends(1, LeaseEnd::ProcessDied).then({"task-1 TaskRetryScheduled"});
    s.when_passes(2min);
  }
  s.when_leased(1).when_lease_ends(1, LeaseEnd::ProcessDied);
  s.then({"task-1 TaskDead", "vm-1 VmFailed"});
  EXPECT_EQ(std::get<TaskDead>(s.last[0].body).error.code, "attempts-exhausted");
}

// ---- cancel, in every state ----

TEST(Cancel, EndsWhatNobodyHasBegun) {
  Story s;
  Command later = create(2);
  later.not_before = kStart + 1h;
  s.given(create(1)).given(later);
  s.when(cancel(1)).then({"task-1 TaskCancelled", "vm-1 VmDeleted"});
  s.when(cancel(2)).then({"task-2 TaskCancelled", "vm-2 VmDeleted"});
  EXPECT_TRUE(s.world.timers().empty());
  // What has ended is the read models' to tell: here nobody knows whose it was.
  s.when(cancel(1)).refused(Errc::NotFound);
  s.when(cancel(3)).refused(Errc::NotFound);
}

TEST(Cancel, OfARunningTaskIsAskedOfItsWorkerOnce) {
  Story s;
  s.given(create(1)).when_leased(1);
  s.when(cancel(1)).then({"task-1 TaskCancelRequested"});
  s.when(cancel(1)).then({});
  s.when(ends(1, 1, OutcomeKind::Cancelled)).then({"task-1 TaskCancelled", "vm-1 VmFailed"});
}

TEST(Cancel, IsGivenUpWhenTheWorkerIsGone) {
  Story s;
  s.given(create(1)).when_leased(1).given(cancel(1));
  s.when_passes(61s).then({"task-1 TaskCancelled", "vm-1 VmFailed"});
}

TEST(Cancel, InRetryWaitWithStepsToUndoMakesItReadyForThat) {
  Story s;
  s.given(create(1)).when_leased(1).when_lease_ends(1);
  s.random = 0;
  ASSERT_EQ(s.state(1), TaskState::RetryWait);
  s.when(cancel(1)).then({"task-1 TaskCancelRequested", "task-1 TaskReady"});
}

TEST(Cancel, TwiceInOneBatchIsOne) {
  Story s;
  s.given(create(1)).when_leased(1).when_lease_ends(1);
  s.when(batch(100, {{task(101), CancelTask{task(1)}}, {task(102), CancelTask{task(1)}}}));
  s.accepted();
  EXPECT_EQ(s.state(100), TaskState::Succeeded);
  EXPECT_EQ(s.state(1), TaskState::Ready);
}

TEST(Cancel, LeavesTheVmAsItWasOnlyIfThatIsKnown) {
  const auto vm_after = [](auto&& end) {
    Story s;
    s.running_vm(1).given(act(2, CommandKind::VmStop, 1));
    end(s);
    EXPECT_EQ(s.state(2), TaskState::Cancelled);
    return s.vm_state(1);
  };
  EXPECT_EQ(vm_after([](Story& s) { s.given(cancel(2)); }), VmState::Running);
  EXPECT_EQ(vm_after([](Story& s) {
              s.when_leased(2).given(cancel(2)).when(ends(2, 1, OutcomeKind::Cancelled));
            }),
            VmState::Running);
  // An earlier lease may have stopped it.
  EXPECT_EQ(vm_after([](Story& s) {
              s.when_leased(2).when_lease_ends(2).when_passes(1min).when_leased(2);
              s.given(cancel(2)).when(ends(2, 2, OutcomeKind::Cancelled));
            }),
            VmState::Error);
  EXPECT_EQ(vm_after([](Story& s) { s.when_leased(2).given(cancel(2)).when_passes(2min); }),
            VmState::Error);
  EXPECT_EQ(vm_after([](Story& s) { s.when_leased(2).when_lease_ends(2).given(cancel(2)); }),
            VmState::Error);
}

// Seed 254 of the simulator: the first attempt's answer was lost, the second was refused.
TEST(Attempts, ARestoreThatFailedMayHaveHappened) {
  Story s;
  s.running_vm(1).vm_in(1, VmState::Stopped);
  s.given(Events{{StreamId(StreamKind::Vm, vm(1)), 0, SnapshotCreated{{.name = "s"}}}});
  ActOnVm restore;
  restore.kind = CommandKind::VmSnapshotRestore;
  restore.vm = vm(1);
  restore.args.snapshot = "s";
  s.given(act(2, restore)).when_leased(2);
  s.when(ends(2, 1, OutcomeKind::Retry)).when_passes(1min).when_leased(2);
  s.when(ends(2, 2, OutcomeKind::Failed)).then({"task-2 TaskFailed", "vm-1 VmFailed"});
}

TEST(Snapshots, ARestoreBringsBackWhetherTheVmRan) {
  for (const bool ran : {true, false}) {
    Story s;
    s.running_vm(1).vm_in(1, ran ? VmState::Stopped : VmState::Running);
    s.given(Events{
        {StreamId(StreamKind::Vm, vm(1)), 0, SnapshotCreated{{.name = "s", .running = ran}}}});
    ActOnVm restore;
    restore.kind = CommandKind::VmSnapshotRestore;
    restore.vm = vm(1);
    restore.args.snapshot = "s";
    s.given(act(2, restore)).when_leased(2).when(ends(2, 1, OutcomeKind::Succeeded));
    EXPECT_EQ(s.vm_state(1), ran ? VmState::Running : VmState::Stopped);
  }
}

TEST(Cancel, TooLateIsSuccess) {
  Story s;
  s.running_vm(1).given(act(2, CommandKind::VmReboot, 1)).when_leased(2).given(cancel(2));
  s.when(ends(2, 1, OutcomeKind::Succeeded)).then({"task-2 TaskSucceeded", "vm-1 VmStateChanged"});
}

// ---- deadlines, in every state ----

TEST(Deadline, EndsWhatWaits) {
  Story s;
  Command c = create(1);
  c.deadline = kStart + 1h;
  Command blocked = create(2);
  blocked.deadline = kStart + 1h;
  blocked.depends_on = {task(1)};
  s.given(c).given(blocked);
  s.when_passes(1h).then(
      {"task-1 TaskTimedOut", "vm-1 VmFailed", "task-2 TaskCancelled", "vm-2 VmDeleted"});
}

TEST(Deadline, AsksTheWorkerThenGivesUp) {
  Story s;
  Command c = create(1);
  c.deadline = kStart + 1h;
  s.given(c).when_leased(1).when_passes(1h).then({"task-1 TaskCancelRequested"});
  s.when_passes(1min).then({"task-1 TaskTimedOut", "vm-1 VmFailed"});
}

TEST(Deadline, InRetryWaitIsUndoneFirst) {
  Story s;
  Command c = create(1);
  c.deadline = kStart + 10s;
  s.given(c).when_leased(1);
  WorkerReport r = ends(1, 1, OutcomeKind::Retry);
  r.outcome->retry_after = 1h;
  s.when(r).when_passes(10s).then({"task-1 TaskCancelRequested", "task-1 TaskReady"});
  s.when_leased(1);
  WorkerReport undone = step_undone(1, 2, "vm.create");
  undone.outcome.emplace();
  undone.outcome->kind = OutcomeKind::Cancelled;
  s.when(undone).then({"task-1 TaskStepUndone", "task-1 TaskTimedOut", "vm-1 VmFailed"});
}

TEST(Deadline, WithoutOneItIsADayFromNotBefore) {
  Story s;
  Command c = create(1);
  c.not_before = kStart + 10h;
  s.given(c);
  EXPECT_EQ(s.live(1).deadline, kStart + 34h);
  EXPECT_EQ(s.state(1), TaskState::Blocked);
  s.when_passes(10h).then({"task-1 TaskReady"});
}

}  // namespace
}  // namespace slipway::domain::testing
