#include <gtest/gtest.h>

#include "tests/domain/story.hpp"

// More than one task: batches, dependencies, re-drives.
namespace slipway::domain::testing {
namespace {

std::vector<BatchItem> creates(std::uint64_t from, std::uint64_t to) {
  std::vector<BatchItem> items;
  for (std::uint64_t n = from; n <= to; ++n) items.push_back({task(n), create_body(n)});
  return items;
}

void finish(Story& s, std::uint64_t n, OutcomeKind kind) {
  s.when_leased(n).when(ends(n, s.live(n).token, kind)).accepted();
}

TEST(Batch, EndsWithItsLastItem) {
  Story s;
  s.given(batch(100, creates(1, 3)));
  EXPECT_EQ(s.state(100), TaskState::Running);
  finish(s, 1, OutcomeKind::Succeeded);
  finish(s, 2, OutcomeKind::Succeeded);
  s.when_leased(3).when(ends(3, 1, OutcomeKind::Succeeded));
  s.then({"task-3 TaskSucceeded", "vm-3 VmLaunched", "batch-100 BatchItemSucceeded",
          "batch-100 BatchClosed"});
  EXPECT_EQ(s.state(100), TaskState::Succeeded);
}

TEST(Batch, MixedEndsArePartial) {
  const auto ended = [](OutcomeKind a, OutcomeKind b) {
    Story s;
    s.given(batch(100, creates(1, 2)));
    finish(s, 1, a);
    finish(s, 2, b);
    return s.state(100);
  };
  EXPECT_EQ(ended(OutcomeKind::Succeeded, OutcomeKind::Failed), TaskState::Partial);
  EXPECT_EQ(ended(OutcomeKind::Failed, OutcomeKind::Failed), TaskState::Failed);
  EXPECT_EQ(ended(OutcomeKind::Cancelled, OutcomeKind::Failed), TaskState::Partial);
  EXPECT_EQ(ended(OutcomeKind::Cancelled, OutcomeKind::Cancelled), TaskState::Cancelled);
}

TEST(Batch, CancelCancelsItsItems) {
  Story s;
  s.given(batch(100, creates(1, 2))).when_leased(2);
  s.when(cancel(100))
      .then({"task-1 TaskCancelled", "vm-1 VmDeleted", "batch-100 BatchItemFailed",
             "task-2 TaskCancelRequested"});
  s.when(cancel(100)).then({});
}

TEST(Batch, IsAllOrNothing) {
  Story s;
  auto items = creates(1, 2);
  std::get<CreateVm>(items[1].body).flavor = "none";
  s.when(batch(100, items)).refused(Errc::UnprocessableArgument);
  EXPECT_EQ(s.error.fields.at(0).pointer, "/commands/1/args/flavor");
  EXPECT_EQ(s.world.task_count(), 0U);
}

TEST(Batch, LenientMakesARefusedItemAFailedOne) {
  Story s;
  auto items = creates(1, 2);
  std::get<CreateVm>(items[0].body).flavor = "none";
  s.when(batch(100, items, true)).accepted();
  EXPECT_EQ(s.state(1), TaskState::Failed);
  finish(s, 2, OutcomeKind::Succeeded);
  EXPECT_EQ(s.state(100), TaskState::Partial);
}

TEST(Batch, G8_HasAtLeastOneItemAndAtMostTheLimit) {
  Story s;
  s.policy.batch_items_max = 2;
  s.when(batch(100, {})).refused(Errc::UnprocessableArgument);
  s.when(batch(100, creates(1, 3))).refused(Errc::UnprocessableArgument);
}

TEST(Batch, OneVmIsTouchedByOneItem) {
  Story s;
  s.running_vm(1);
  ActOnVm stop;
  stop.kind = CommandKind::VmStop;
  stop.vm = vm(1);
  s.when(batch(100, {{task(2), stop}, {task(3), stop}})).refused(Errc::ResourceBusy);
}

TEST(Batch, AnItemMayNotDependOnWhatAnEarlierOneCancels) {
  Story s;
  s.given(create(1));
  Command c = batch(100, {{task(2), CancelTask{task(1)}}, {task(3), create_body(3)}}, true);
  c.depends_on = {task(1)};
  s.given(c);
  EXPECT_EQ(s.state(3), TaskState::Failed);
  EXPECT_EQ(s.state(100), TaskState::Partial);
}

// ---- dependencies ----

Command after(std::uint64_t n, std::vector<TaskId> dependencies) {
  Command c = create(n);
  c.depends_on = std::move(dependencies);
  return c;
}

TEST(DependsOn, SuccessOfTheLastMakesReady) {
  Story s;
  s.given(create(1)).given(create(2)).given(after(3, {task(1), task(2), task(1)}));
  EXPECT_EQ(s.state(3), TaskState::Blocked);
  EXPECT_EQ(s.live(3).depends_on.size(), 2U);
  finish(s, 1, OutcomeKind::Succeeded);
  EXPECT_EQ(s.state(3), TaskState::Blocked);
  finish(s, 2, OutcomeKind::Succeeded);
  EXPECT_EQ(s.state(3), TaskState::Ready);
}

TEST(DependsOn, FailureCascades) {
  Story s;
  s.given(create(1)).given(after(2, {task(1)})).given(after(3, {task(2)}));
  s.when(cancel(1)).then({"task-1 TaskCancelled", "vm-1 VmDeleted", "task-2 TaskCancelled",
                          "vm-2 VmDeleted", "task-3 TaskCancelled", "vm-3 VmDeleted"});
}

TEST(DependsOn, TwoThatEndInOneRecordMakeOneEnd) {
  Story s;
  s.given(batch(100, creates(1, 2))).given(after(3, {task(1), task(2), task(100)}));
  s.when(cancel(100)).accepted();
  EXPECT_EQ(s.state(3), TaskState::Cancelled);
}

TEST(DependsOn, ABatchAndItsLastItemTogetherMakeReadyOnce) {
  Story s;
  s.given(batch(100, creates(1, 1))).given(after(3, {task(1), task(100)}));
  s.when_leased(1).when(ends(1, 1, OutcomeKind::Succeeded));
  s.then({"task-1 TaskSucceeded", "vm-1 VmLaunched", "batch-100 BatchItemSucceeded",
          "batch-100 BatchClosed", "task-3 TaskReady"});
}

TEST(DependsOn, WaitsForNotBeforeToo) {
  Story s;
  Command c = after(2, {task(1)});
  c.not_before = kStart + 1h;
  Command early = after(3, {task(1)});
  early.not_before = kStart + 1min;
  s.given(create(1)).given(c).given(early);
  s.when_passes(2min).then({"task-3 TaskBlocked"});
  finish(s, 1, OutcomeKind::Succeeded);
  EXPECT_EQ(s.state(2), TaskState::Blocked);
  EXPECT_EQ(s.state(3), TaskState::Ready);
  s.when_passes(1h).then({"task-2 TaskReady"});
}

TEST(DependsOn, OfAnEndedTask) {
  Story s;
  s.running_vm(1).given(create(2)).given(cancel(2));
  s.when(after(3, {task(1)})).accepted();
  EXPECT_EQ(s.state(3), TaskState::Ready);
  s.when(after(4, {task(2)})).refused(Errc::IllegalTransition);
  s.when(after(5, {task(5)})).refused(Errc::UnprocessableArgument);
}

// A chain as long as there are tasks neither recurses nor fills one record.
TEST(DependsOn, ALongChainIsCancelledInPieces) {
  InitializeSystem cloud = small_cloud();
  cloud.backends[0].places_hosts = false;
  Story s(cloud);
  constexpr std::uint64_t kLength = 20000;
  s.given(create(1));
  for (std::uint64_t n = 2; n <= kLength; ++n) s.given(after(n, {task(n - 1)}));
  s.when(cancel(1)).accepted();
  EXPECT_LT(s.last.size(), 5000U);
  EXPECT_GT(s.world.task_count(), 0U);
  EXPECT_EQ(s.restored().dump_for_test(), s.world.dump_for_test());
  s.when_passes(1s);
  EXPECT_EQ(s.world.task_count(), 0U);
  EXPECT_EQ(s.world.vm_count(), 0U);
}

TEST(DependsOn, AWideFanIsReleasedInPieces) {
  InitializeSystem cloud = small_cloud();
  cloud.backends[0].places_hosts = false;
  Story s(cloud);
  s.given(create(1));
  for (std::uint64_t n = 2; n <= 6000; ++n) s.given(after(n, {task(1)}));
  finish(s, 1, OutcomeKind::Succeeded);
  EXPECT_LT(s.last.size(), 5000U);
  s.when_passes(1s);
  EXPECT_EQ(s.world.ready("default")->size(), 5999U);
}

// ---- re-drives ----

TEST(Redrive, OfACreateGoesOnWithItsVm) {
  Story s;
  s.given(create(1));
  finish(s, 1, OutcomeKind::Failed);
  ASSERT_EQ(s.vm_state(1), VmState::Error);
  s.when(redrive(2, 1, TaskState::Failed));
  s.then({"command-2 CommandAccepted", "task-2 TaskQueued", "task-2 TaskRedriven",
          "vm-1 VmStateChanged"});
  EXPECT_EQ(s.live(2).parent, task(1));
  s.when_leased(2).then({"task-2 TaskLeased", "vm-1 VmLaunching"});
  const WorkOrder order = make_work_order(s.world, s.policy, s.live(2), 1);
  EXPECT_EQ(order.root, task(1));
  EXPECT_EQ(order.granted_step, "");
  ASSERT_EQ(order.steps.size(), 1U);
  s.when(redrive(3, 1, TaskState::Failed)).refused(Errc::IllegalTransition);
}

TEST(Redrive, KeepsTheKeysOfWhoeverMadeTheVm) {
  Story s;
  s.given(create(1)).given(cancel(1));
  s.given(redrive(2, 1, TaskState::Cancelled));  // a new VM, made by task 2
  EXPECT_EQ(s.live(2).correlation_root(), task(2));
  finish(s, 2, OutcomeKind::Failed);
  Command again = redrive(3, 2, TaskState::Failed);
  std::get<RedriveTask>(again.body).root = task(1);  // as a reader of the chain would say
  s.given(again);
  EXPECT_EQ(s.live(3).correlation_root(), task(2));
}

TEST(Redrive, OfACreateWhoseVmIsGoneMakesANewOne) {
  Story s;
  s.given(create(1)).given(cancel(1));
  s.when(redrive(2, 1, TaskState::Cancelled));
  s.then({"command-2 CommandAccepted", "vm-2 VmRequested", "task-2 TaskQueued",
          "task-2 TaskRedriven"});
  s.when_leased(2);
  EXPECT_EQ(make_work_order(s.world, s.policy, s.live(2), 1).granted_step, "vm.create");
}

TEST(Redrive, TwiceInOneBatchIsRefused) {
  Story s;
  s.given(create(1));
  finish(s, 1, OutcomeKind::Failed);
  const auto body = std::get<RedriveTask>(redrive(0, 1, TaskState::Failed).body);
  s.when(batch(100, {{task(2), body}, {task(3), body}})).refused(Errc::IllegalTransition);
}

TEST(Redrive, StartsFromTheErrorThatItsTaskLeft) {
  Story s;
  s.running_vm(1).given(act(2, CommandKind::VmStop, 1));
  finish(s, 2, OutcomeKind::Failed);
  ASSERT_EQ(s.vm_state(1), VmState::Error);
  Command c = redrive(3, 2, TaskState::Failed);
  ActOnVm stop;
  stop.kind = CommandKind::VmStop;
  stop.vm = vm(1);
  std::get<RedriveTask>(c.body).body = stop;
  Command other = c;
  std::get<RedriveTask>(other.body).from = task(1);
  s.when(other).refused(Errc::IllegalTransition);
  s.when(c).then({"command-3 CommandAccepted", "vm-1 VmStateChanged", "task-3 TaskQueued",
                  "task-3 TaskRedriven"});
  finish(s, 3, OutcomeKind::Succeeded);
  EXPECT_EQ(s.vm_state(1), VmState::Stopped);
}

TEST(Redrive, OfACaptureMakesANewImage) {
  Story s;
  ActOnVm capture;
  capture.kind = CommandKind::ImageCapture;
  capture.vm = vm(1);
  capture.args.name = "golden";
  capture.new_image = image(5);
  s.running_vm(1).given(act(2, capture)).given(cancel(2));
  Command c = redrive(3, 2, TaskState::Cancelled);
  std::get<RedriveTask>(c.body).body = capture;
  s.given(c);
  EXPECT_EQ(s.world.image(image(5)), nullptr);
  EXPECT_EQ(s.live(3).image(), image(3));
}

TEST(Redrive, RefusesWhatIsNotRedriven) {
  Story s;
  s.when(redrive(2, 1, TaskState::Succeeded)).refused(Errc::IllegalTransition);
  Command foreign = redrive(2, 1, TaskState::Dead);
  foreign.caller = caller("other");
  s.when(foreign).refused(Errc::NotFound);
}

TEST(Redrive, BlockedAndCancelledIsUndone) {
  Story s;
  s.given(create(1));
  finish(s, 1, OutcomeKind::Failed);
  Command c = redrive(2, 1, TaskState::Failed);
  c.not_before = kStart + 1h;
  s.given(c);
  ASSERT_EQ(s.state(2), TaskState::Blocked);
  s.when(cancel(2)).then({"task-2 TaskCancelRequested", "task-2 TaskReady"});
}

}  // namespace
}  // namespace slipway::domain::testing
