// The worker's rules (docs/GUARANTEES.md 4.1 and 4.2), one by one: given, when, then.
#include "workers/worker_core.hpp"

#include <gmock/gmock.h>

#include "tests/workers/harness.hpp"

namespace slipway::workers {
namespace {

using namespace test;  // NOLINT
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

struct Rules : testing::Test {
  ScriptedBackend backend;
  Bench bench{backend};

  const KnownTask& task() { return bench.task(1); }
  void lease(CommandKind command) { bench.lease(order_for(command, 1)); }
  void heartbeats_are_lost() {
    bench.lose_to_worker = [](const auto& e) { return is<domain::HeartbeatAck>(e); };
  }
};

// ---- 4.1 leases and fencing

TEST_F(Rules, G4_1_1_EveryReportCarriesEpochTaskAndToken) {
  bench.stand_in.epoch = 3;
  WorkOrder order = order_for(CommandKind::VmCreate, 1);
  order.token = 9;
  bench.lease(order);
  bench.answer(0, made("vm-1", true));
  ASSERT_THAT(task().reports, SizeIs(1));
  EXPECT_EQ(task().reports[0].epoch, 3U);
  EXPECT_EQ(task().reports[0].token, 9U);
  EXPECT_EQ(task().reports[0].task, id<TaskId>(1));
}

TEST_F(Rules, G4_1_4_ALeaseIsMeasuredFromBeforeItWasAskedFor) {
  WorkOrder order = order_for(CommandKind::VmCreate, 1);
  order.lease_timeout = 30s;
  bench.stand_in.lease(order);  // the order is on its way, from a heartbeat's echo of now
  auto delayed = std::exchange(bench.to_worker, {});
  heartbeats_are_lost();
  bench.advance(19500ms);  // of 30 s; the call needs 10 s and the margin 1 s
  bench.to_worker = std::move(delayed);
  bench.turn();
  EXPECT_THAT(backend.calls, IsEmpty());  // 10.5 s are left, not 30
  EXPECT_EQ(bench.core->leases(), 1U);
  bench.advance(10500ms);
  EXPECT_EQ(bench.core->leases(), 0U);
}

TEST_F(Rules, G4_1_4_AnOrderThatComesAfterItsLeaseEndedIsNotBegun) {
  bench.stand_in.lease(order_for(CommandKind::VmCreate, 1));
  auto delayed = std::exchange(bench.to_worker, {});
  bench.advance(31s);
  bench.to_worker = std::move(delayed);
  bench.turn();
  EXPECT_THAT(backend.calls, IsEmpty());
  EXPECT_EQ(bench.core->leases(), 0U);
}

TEST_F(Rules, G4_1_4_AnAnsweredHeartbeatExtendsALease) {
  lease(CommandKind::VmStart);
  bench.advance(9s);
  EXPECT_GE(bench.stand_in.heartbeats, 1U);
  for (int i = 0; i < 6; ++i) {  // waits; each call ends within its time
    backend.calls.back().answer = nullptr;
    bench.advance(9s);
  }
  EXPECT_EQ(bench.core->counters().leases_lost, 0U);
}

TEST_F(Rules, G4_1_4_AHeartbeatDoesNotExtendALeaseThatItDidNotName) {
  std::vector<domain::WorkerEffect> late;
  bench.lose_to_worker = [&](const domain::WorkerEffect& e) {
    if (is<domain::HeartbeatAck>(e)) late.push_back(e);
    return is<domain::HeartbeatAck>(e);
  };
  WorkOrder order = order_for(CommandKind::VmCreate, 1);
  bench.stand_in.asked_at_us = 0;
  bench.stand_in.lease(order);  // asked at the hello
  auto delayed = std::exchange(bench.to_worker, {});
  bench.advance(6s);  // a heartbeat goes, without this lease
  ASSERT_THAT(late, testing::Not(IsEmpty()));
  std::get<WorkOrder>(delayed[0].message).asked_at_us = 1;
  bench.to_worker = std::move(delayed);
  bench.turn();
  bench.lose_to_worker = nullptr;
  bench.to_worker.push_back(late[0]);
  bench.turn();
  heartbeats_are_lost();
  bench.advance(24100ms);  // 30 s since it was asked for
  EXPECT_EQ(bench.core->leases(), 0U);
}

TEST_F(Rules, G4_1_5_NoCallBeginsWithLessThanItsTimeAndAMarginLeft) {
  lease(CommandKind::VmCreate);
  heartbeats_are_lost();
  bench.advance(9s);
  bench.answer(0, made("vm-1"));
  ASSERT_THAT(backend.calls, SizeIs(2));  // await_running, with 21 s left
  BackendAnswer later;
  later.kind = BackendAnswer::Kind::NotYet;
  later.ask_again_after = 10500ms;
  bench.answer(1, later);
  bench.advance(11s);  // 10 s are left: not enough
  EXPECT_THAT(backend.calls, SizeIs(2));
  EXPECT_EQ(bench.core->leases(), 1U);
}

TEST_F(Rules, G4_1_5_TheCallGoesOutOnceAHeartbeatHasMadeRoom) {
  lease(CommandKind::VmCreate);
  heartbeats_are_lost();
  bench.advance(9s);
  bench.answer(0, made("vm-1"));
  BackendAnswer later;
  later.kind = BackendAnswer::Kind::NotYet;
  later.ask_again_after = 10500ms;
  bench.answer(1, later);
  bench.advance(11s);
  ASSERT_THAT(backend.calls, SizeIs(2));
  bench.lose_to_worker = nullptr;
  bench.advance(6s);
  EXPECT_THAT(backend.calls, SizeIs(3));
}

TEST_F(Rules, G4_1_5_AtExpiryEverythingIsGivenUp) {
  lease(CommandKind::VmCreate);
  heartbeats_are_lost();
  bench.advance(9s);
  bench.lose_to_server = [](const auto& m) {
    return std::holds_alternative<domain::WorkerReport>(m);
  };
  bench.advance(21s);
  EXPECT_EQ(bench.core->counters().leases_lost, 0U);  // its outcome is kept
  bench.answer(0, made("vm-1"));                      // late: not heard
  EXPECT_THAT(backend.calls, SizeIs(1));
}

TEST_F(Rules, G4_1_5_AShortLeaseShortensTheCalls) {
  WorkOrder order = order_for(CommandKind::VmCreate, 1);
  order.lease_timeout = 4s;
  bench.lease(order);
  ASSERT_THAT(backend.calls, SizeIs(1));
  EXPECT_EQ(backend.calls[0].deadline, bench.clock.steady() + 2s);
}

TEST_F(Rules, G4_1_6_AReportIsSentAgainUntilItIsAcknowledged) {
  lease(CommandKind::VmCreate);
  bench.stand_in.acknowledge = false;
  bench.answer(0, made("vm-1", true));
  EXPECT_THAT(task().reports, SizeIs(1));
  bench.advance(4500ms);
  EXPECT_THAT(task().reports, SizeIs(3));
  EXPECT_EQ(task().reports[0].report_id, task().reports[2].report_id);
  EXPECT_EQ(bench.core->leases(), 1U);
  bench.stand_in.acknowledge = true;
  bench.advance(2s);
  EXPECT_EQ(bench.core->leases(), 0U);
}

TEST_F(Rules, G4_1_6_AnOutcomeIsKeptForALeaseTimeoutPastTheEndOfItsLease) {
  lease(CommandKind::VmCreate);
  heartbeats_are_lost();
  bench.stand_in.acknowledge = false;
  bench.answer(0, made("vm-1", true));
  bench.advance(59s);
  EXPECT_EQ(bench.core->leases(), 1U);
  bench.advance(2s);
  EXPECT_EQ(bench.core->leases(), 0U);
}

TEST_F(Rules, G4_1_2_ALostLeaseStopsTheTask) {
  lease(CommandKind::VmCreate);
  bench.stand_in.tasks[id<TaskId>(1)].leased = false;
  bench.advance(6s);  // the next heartbeat says so
  EXPECT_EQ(bench.core->leases(), 0U);
  bench.answer(0, made("vm-1"));
  EXPECT_THAT(backend.calls, SizeIs(1));
  EXPECT_THAT(task().reports, IsEmpty());
}

TEST_F(Rules, ASecondCopyOfAnOrderIsNotBegunAgain) {
  bench.stand_in.lease(order_for(CommandKind::VmReboot, 1));
  bench.to_worker.push_back(bench.to_worker.front());
  const domain::WorkerEffect copy = bench.to_worker.front();
  bench.turn();
  EXPECT_THAT(backend.calls, SizeIs(1));
  bench.answer(0, made("vm-1"));
  ASSERT_TRUE(task().outcome);
  bench.to_worker.push_back(copy);
  bench.turn();
  EXPECT_THAT(backend.calls, SizeIs(1));
}

TEST_F(Rules, AnOlderEpochIsNotListenedTo) {
  bench.stand_in.epoch = 5;
  lease(CommandKind::VmCreate);
  bench.stand_in.epoch = 4;
  bench.lease(order_for(CommandKind::VmCreate, 2));
  EXPECT_THAT(backend.calls, SizeIs(1));
  EXPECT_EQ(bench.core->counters().stale_messages, 1U);
}

TEST_F(Rules, AnUnknownSessionSaysHelloAgainWithWhatItHolds) {
  lease(CommandKind::VmCreate);
  bench.to_worker.push_back(
      {bench.stand_in.session, 1, domain::HeartbeatAck{.unknown_session = true}, ""});
  bench.turn();
  ASSERT_THAT(bench.stand_in.hellos, SizeIs(2));
  EXPECT_THAT(bench.stand_in.hellos[1].held, SizeIs(1));
  EXPECT_EQ(bench.core->leases(), 1U);
}

TEST_F(Rules, WithoutAWelcomeItKeepsSayingHello) {
  ScriptedBackend other;
  Bench silent(other);
  silent.lose_to_worker = [](const auto&) { return true; };
  silent.to_worker.push_back(
      {silent.stand_in.session, 1, domain::HeartbeatAck{.unknown_session = true}, ""});
  silent.lose_to_worker = nullptr;
  silent.lose_to_server = [](const auto&) { return true; };
  silent.turn();
  std::size_t hellos = 0;
  silent.lose_to_server = [&](const domain::WorkerInput& m) {
    hellos += std::holds_alternative<domain::WorkerHello>(m) ? 1 : 0;
    return true;
  };
  silent.advance(10s);
  EXPECT_GE(hellos, 5U);
}

// ---- 4.2 intent before effect

TEST_F(Rules, G4_2_1_AStepGrantedWithTheLeaseIsCalledAtOnce) {
  lease(CommandKind::VmCreate);
  ASSERT_THAT(backend.calls, SizeIs(1));
  EXPECT_EQ(backend.calls[0].operation, "vm.create");
  EXPECT_THAT(task().reports, IsEmpty());
}

TEST_F(Rules, G4_2_1_AnyOtherStepIsBegunInTheLogFirst) {
  WorkOrder order = order_for(CommandKind::VmReboot, 1);
  order.vm_ref = "vm-1";
  order.attempt = 2;
  order.steps.push_back({.step = "vm.reboot", .state = domain::StepState::Undone});
  bench.stand_in.acknowledge = false;
  bench.lease(order);
  EXPECT_THAT(backend.calls, IsEmpty());
  ASSERT_THAT(task().reports, SizeIs(1));
  ASSERT_TRUE(task().reports[0].begin);
  EXPECT_EQ(task().reports[0].begin->step, "vm.reboot");
  EXPECT_EQ(task().reports[0].begin->call_timeout, 10s);
  bench.stand_in.acknowledge = true;
  bench.advance(3s);  // sent again, and granted
  ASSERT_THAT(backend.calls, SizeIs(1));
}

TEST_F(Rules, G4_2_1_ARepeatableStepOwesNoBegin) {
  lease(CommandKind::VmStop);
  EXPECT_THAT(backend.calls, SizeIs(1));
  EXPECT_THAT(task().reports, IsEmpty());
}

TEST_F(Rules, G4_2_2_AnUnknownStepIsLookedUpAfterItsDeadlineAndTheSettleTime) {
  lease(CommandKind::VmCreate);
  bench.answer(0, failure({.detail = "connection reset", .retryable = true}));
  ASSERT_TRUE(task().outcome);
  EXPECT_EQ(task().outcome->kind, OutcomeKind::Retry);
  bench.stand_in.tasks[id<TaskId>(1)].order.steps[0].call_deadline = bench.clock.now() + 5s;
  bench.stand_in.lease_again(id<TaskId>(1));
  bench.turn();
  bench.advance(5900ms);
  EXPECT_THAT(backend.calls, SizeIs(1));
  bench.advance(200ms);
  ASSERT_THAT(backend.calls, SizeIs(2));
  EXPECT_TRUE(backend.calls[1].lookup);
  EXPECT_EQ(backend.calls[1].key, backend.calls[0].key);
}

TEST_F(Rules, G4_2_2_ACancelDoesNotCutThatWaitShort) {
  WorkOrder order = order_for(CommandKind::VmCreate, 1);
  order.token = 2;
  order.steps.push_back({.step = "vm.create", .token = 1, .call_deadline = kStart + 5s});
  bench.lease(order);
  bench.to_worker.push_back({bench.stand_in.session, 1, domain::CancelLease{id<TaskId>(1), 2}, ""});
  bench.turn();
  bench.advance(5900ms);
  EXPECT_THAT(backend.calls, IsEmpty());
  bench.advance(200ms);
  ASSERT_THAT(backend.calls, SizeIs(1));
  bench.answer(0, found({{"late", 1s}}));
  ASSERT_THAT(backend.calls, SizeIs(2));
  EXPECT_EQ(backend.calls[1].operation, "vm.delete");
  EXPECT_EQ(backend.calls[1].ref, "late");
}

struct Unknown : Rules {
  Unknown() {
    WorkOrder order = order_for(CommandKind::VmCreate, 1);
    order.token = 2;
    order.attempt = 2;
    order.steps.push_back({.step = "vm.create", .token = 1, .call_deadline = kStart - 5s});
    bench.lease(order);
  }
};

TEST_F(Unknown, G4_2_2_OneFoundIsAdopted) {
  bench.answer(0, found({{"vm-7", 20s}}));
  ASSERT_THAT(backend.calls, SizeIs(2));
  EXPECT_EQ(backend.calls[1].operation, "vm.await_running");
  EXPECT_EQ(backend.calls[1].ref, "vm-7");
  ASSERT_THAT(task().reports, SizeIs(1));
  EXPECT_TRUE(task().reports[0].steps_done[0].adopted);
  EXPECT_EQ(task().reports[0].steps_done[0].backend_ref, "vm-7");
}

TEST_F(Unknown, G4_2_2_NoneFoundIsBegunAndCalledAgain) {
  bench.answer(0, found({}));
  ASSERT_THAT(task().reports, SizeIs(1));
  EXPECT_EQ(task().reports[0].begin->step, "vm.create");
  ASSERT_THAT(backend.calls, SizeIs(2));
  EXPECT_EQ(backend.calls[1].operation, "vm.create");
  EXPECT_EQ(backend.calls[1].token, 2U);
}

TEST_F(Unknown, G4_2_2_OfManyTheOldestIsKeptAndTheOthersDeleted) {
  bench.answer(0, found({{"vm-8", 5s}, {"vm-7", 20s}, {"vm-9", 1s}}));
  ASSERT_THAT(backend.calls, SizeIs(2));
  EXPECT_EQ(backend.calls[1].operation, "vm.delete");
  EXPECT_EQ(backend.calls[1].ref, "vm-9");
  bench.answer(1, failure({.code = base::Errc::NotFound}));
  ASSERT_THAT(backend.calls, SizeIs(3));
  EXPECT_EQ(backend.calls[2].ref, "vm-8");
  bench.answer(2, made(""));
  ASSERT_THAT(backend.calls, SizeIs(4));
  EXPECT_EQ(backend.calls[3].operation, "vm.await_running");
  EXPECT_EQ(backend.calls[3].ref, "vm-7");
}

TEST_F(Rules, G4_2_3_TheCorrelationKeyIsTheSameInEveryAttemptAndAfterARedrive) {
  WorkOrder order = order_for(CommandKind::VmCreate, 1);
  bench.lease(order);
  WorkOrder redriven = order_for(CommandKind::VmCreate, 2);
  redriven.root = order.task;
  bench.lease(redriven);
  ASSERT_THAT(backend.calls, SizeIs(2));
  EXPECT_EQ(backend.calls[0].key, "slipway-" + base::to_string(order.task) + "-vm.create");
  EXPECT_EQ(backend.calls[1].key, backend.calls[0].key);
}

TEST_F(Rules, G4_2_4_AnUndoIsBegunInTheLogAndNotFoundIsSuccess) {
  lease(CommandKind::VmCreate);
  bench.answer(0, made("vm-1"));
  bench.answer(1, failure({.code = base::Errc::BackendRefused, .detail = "no valid host"}));
  ASSERT_THAT(backend.calls, SizeIs(3));
  EXPECT_EQ(backend.calls[2].operation, "vm.delete");
  EXPECT_EQ(backend.calls[2].ref, "vm-1");
  ASSERT_TRUE(task().reports.back().begin);
  EXPECT_TRUE(task().reports.back().begin->undo);
  bench.answer(2, failure({.code = base::Errc::NotFound}));
  ASSERT_TRUE(task().outcome);
  EXPECT_EQ(task().outcome->kind, OutcomeKind::Failed);
  EXPECT_EQ(task().outcome->error.detail, "no valid host");
  EXPECT_TRUE(task().reports.back().steps_done.back().undone);
}

TEST_F(Rules, ACreateThatFailedForGoodIsLookedUpBeforeItIsCalledUndone) {
  lease(CommandKind::VmCreate);
  bench.answer(0, failure({.code = base::Errc::BackendRefused, .detail = "quota"}));
  ASSERT_THAT(backend.calls, SizeIs(2));
  EXPECT_TRUE(backend.calls[1].lookup);
  bench.answer(1, found({{"half-made", 1s}}));
  ASSERT_THAT(backend.calls, SizeIs(3));
  EXPECT_EQ(backend.calls[2].operation, "vm.delete");
  EXPECT_EQ(backend.calls[2].ref, "half-made");
  bench.answer(2, made(""));
  EXPECT_EQ(task().outcome->kind, OutcomeKind::Failed);
}

TEST_F(Rules, ARefusalWithoutEffectEndsTheTaskAtOnce) {
  lease(CommandKind::VmCreate);
  bench.answer(0, failure({.code = base::Errc::QuotaExceeded, .without_effect = true}));
  EXPECT_THAT(backend.calls, SizeIs(1));
  ASSERT_TRUE(task().outcome);
  EXPECT_EQ(task().outcome->kind, OutcomeKind::Failed);
  EXPECT_EQ(task().outcome->error.code, "quota-exceeded");
}

TEST_F(Rules, AThrottledCallIsNotCountedAndKeepsTheBackendsWait) {
  lease(CommandKind::VmCreate);
  bench.answer(0, failure({.throttled = true, .without_effect = true, .retry_after = 7s}));
  ASSERT_TRUE(task().outcome);
  EXPECT_EQ(task().outcome->kind, OutcomeKind::Retry);
  EXPECT_FALSE(task().outcome->counted);
  EXPECT_EQ(task().outcome->retry_after, Duration(7s));
  EXPECT_THAT(task().outcome->steps_not_begun, ElementsAre("vm.create"));
}

TEST_F(Rules, AnUndoThatFailsIsRetriedNotForgotten) {
  lease(CommandKind::VmCreate);
  bench.answer(0, made("vm-1"));
  bench.answer(1, failure({.code = base::Errc::BackendRefused}));
  bench.answer(2, failure({.code = base::Errc::BackendRefused, .detail = "locked"}));
  ASSERT_TRUE(task().outcome);
  EXPECT_EQ(task().outcome->kind, OutcomeKind::Retry);
}

TEST_F(Rules, ACallWithoutAnAnswerInTimeIsRetriedAsUnknown) {
  lease(CommandKind::VmCreate);
  bench.advance(11s);
  ASSERT_TRUE(task().outcome);
  EXPECT_EQ(task().outcome->kind, OutcomeKind::Retry);
  EXPECT_THAT(task().outcome->steps_not_begun, IsEmpty());
}

// ---- one report a turn

TEST_F(Rules, WhatHappenedInOneTurnGoesInOneReport) {
  lease(CommandKind::VmCreate);
  bench.answer(0, made("vm-1", true));
  ASSERT_THAT(task().reports, SizeIs(1));
  EXPECT_THAT(task().reports[0].steps_done, SizeIs(1));
  EXPECT_EQ(task().reports[0].outcome->kind, OutcomeKind::Succeeded);
}

TEST_F(Rules, TheAcknowledgementOfAnEarlierReportDoesNotStandForTheOutcome) {
  lease(CommandKind::VmCreate);
  decltype(bench.to_worker) late;
  bench.lose_to_worker = [&](const domain::WorkerEffect& e) {
    if (is<domain::ReportAck>(e)) late.push_back(e);
    return is<domain::ReportAck>(e);
  };
  bench.answer(0, made("vm-1"));  // said, and the answer to it is on its way
  bench.lose_to_worker = nullptr;
  bench.to_worker = std::move(late);
  bench.answer(1, made("vm-1"));  // it comes when the outcome is there and not yet said
  ASSERT_TRUE(task().outcome);
  EXPECT_EQ(task().outcome->kind, OutcomeKind::Succeeded);
}

TEST_F(Rules, WhatWasNotAcknowledgedIsSaidAgainWithTheNext) {
  lease(CommandKind::VmCreate);
  bench.stand_in.acknowledge = false;
  bench.answer(0, made("vm-1"));
  bench.answer(1, made("vm-1"));
  ASSERT_THAT(task().reports, SizeIs(2));
  EXPECT_THAT(task().reports[1].steps_done, SizeIs(1));
  EXPECT_TRUE(task().reports[1].outcome);
  EXPECT_GT(task().reports[1].report_id, task().reports[0].report_id);
}

TEST_F(Rules, ProgressIsSentAtMostSoOftenAndNeverAgain) {
  lease(CommandKind::VmCreate);
  bench.answer(0, made("vm-1"));
  const std::size_t before = task().reports.size();
  bench.stand_in.acknowledge = false;
  BackendAnswer progress;
  progress.kind = BackendAnswer::Kind::Progress;
  for (std::uint32_t percent = 1; percent <= 50; ++percent) {
    progress.percent = percent;
    bench.answer(1, progress);
    bench.clock.advance(10ms);
  }
  EXPECT_LE(task().reports.size() - before, 3U);
  EXPECT_GE(task().reports.size() - before, 1U);
  const std::size_t sent = task().reports.size();
  bench.advance(5s);
  EXPECT_THAT(task().reports, SizeIs(sent));
}

// ---- cancel

TEST_F(Rules, ACancelUndoesWhatWasDone) {
  lease(CommandKind::VmCreate);
  bench.answer(0, made("vm-1"));
  bench.to_worker.push_back({bench.stand_in.session, 1, domain::CancelLease{id<TaskId>(1), 1}, ""});
  bench.turn();  // the waiting step is left off
  ASSERT_THAT(backend.calls, SizeIs(3));
  EXPECT_EQ(backend.calls[2].operation, "vm.delete");
  bench.answer(2, made(""));
  EXPECT_EQ(task().outcome->kind, OutcomeKind::Cancelled);
}

TEST_F(Rules, ACancelWaitsForTheCallUnderWay) {
  lease(CommandKind::VmCreate);
  bench.to_worker.push_back({bench.stand_in.session, 1, domain::CancelLease{id<TaskId>(1), 1}, ""});
  bench.turn();
  EXPECT_THAT(backend.calls, SizeIs(1));
  bench.answer(0, made("vm-1"));
  ASSERT_THAT(backend.calls, SizeIs(2));
  EXPECT_EQ(backend.calls[1].operation, "vm.delete");
}

TEST_F(Rules, ACancelThatComesTooLateLetsTheTaskSucceed) {
  lease(CommandKind::VmStop);
  bench.to_worker.push_back({bench.stand_in.session, 1, domain::CancelLease{id<TaskId>(1), 1}, ""});
  bench.turn();
  bench.answer(0, made("vm-1"));
  EXPECT_EQ(task().outcome->kind, OutcomeKind::Succeeded);
}

TEST_F(Rules, AnOrderToUndoBeginsNothing) {
  WorkOrder order = order_for(CommandKind::VmCreate, 1);
  order.cancel = true;
  order.steps.push_back(
      {.step = "vm.create", .state = domain::StepState::Done, .backend_ref = "vm-1"});
  bench.lease(order);
  ASSERT_THAT(backend.calls, SizeIs(1));
  EXPECT_EQ(backend.calls[0].operation, "vm.delete");
  bench.answer(0, made(""));
  EXPECT_EQ(task().outcome->kind, OutcomeKind::Cancelled);
}

TEST_F(Rules, ARebuildThatHasBegunIsNotCancelled) {
  WorkOrder order = order_for(CommandKind::VmRebuild, 1);
  order.vm_ref = "vm-1";
  bench.lease(order);
  bench.answer(0, made("vm-1"));
  bench.to_worker.push_back({bench.stand_in.session, 1, domain::CancelLease{id<TaskId>(1), 1}, ""});
  bench.turn();
  bench.answer(2, made("vm-1"));  // the waiting step was left off, and asked again
  EXPECT_EQ(task().outcome->kind, OutcomeKind::Succeeded);
}

// ---- drain

TEST_F(Rules, ADrainingWorkerHandsBackWhatComesAndSaysGoodbye) {
  lease(CommandKind::VmCreate);
  bench.drain();
  EXPECT_TRUE(bench.stand_in.draining_seen);
  bench.lease(order_for(CommandKind::VmCreate, 2));
  ASSERT_TRUE(bench.task(2).outcome);
  EXPECT_EQ(bench.task(2).outcome->kind, OutcomeKind::HandedBack);
  EXPECT_THAT(bench.task(2).outcome->steps_not_begun, ElementsAre("vm.create"));
  EXPECT_FALSE(bench.core->finished());
  bench.answer(0, made("vm-1", true));
  EXPECT_EQ(task().outcome->kind, OutcomeKind::Succeeded);
  EXPECT_TRUE(bench.core->finished());
  EXPECT_EQ(bench.stand_in.goodbyes, 1U);
}

TEST_F(Rules, ADrainingWorkerWaitsForOrdersThatAreOnTheirWay) {
  bench.stand_in.answers_heartbeats = false;
  bench.drain();
  EXPECT_FALSE(bench.core->finished());
  bench.lease(order_for(CommandKind::VmCreate, 2));  // sent before the server heard of the drain
  ASSERT_TRUE(bench.task(2).outcome);
  EXPECT_EQ(bench.task(2).outcome->kind, OutcomeKind::HandedBack);
  bench.stand_in.answers_heartbeats = true;
  bench.advance(5s);
  EXPECT_TRUE(bench.core->finished());
  EXPECT_EQ(bench.stand_in.goodbyes, 1U);
}

TEST_F(Rules, ADrainingWorkerWithoutLeasesLeavesASilentServer) {
  bench.stand_in.answers_heartbeats = false;
  bench.drain();
  EXPECT_FALSE(bench.core->finished());
  bench.advance(2s);
  EXPECT_TRUE(bench.core->finished());
}

TEST_F(Rules, AtTheEndOfTheDrainWhatWaitsIsHandedBack) {
  lease(CommandKind::VmCreate);
  bench.answer(0, made("vm-1"));
  bench.drain();
  for (int i = 0; i < 59; ++i) {
    bench.advance(1s);
    ASSERT_FALSE(task().outcome);
  }
  bench.advance(2s);
  ASSERT_TRUE(task().outcome);
  EXPECT_EQ(task().outcome->kind, OutcomeKind::HandedBack);
  EXPECT_TRUE(bench.core->finished());
}

TEST_F(Rules, ASecondDrainHurriesButLetsACallEnd) {
  lease(CommandKind::VmCreate);
  bench.drain();
  bench.drain();
  EXPECT_FALSE(task().outcome);
  bench.answer(0, made("vm-1"));
  ASSERT_TRUE(task().outcome);
  EXPECT_EQ(task().outcome->kind, OutcomeKind::HandedBack);
  EXPECT_THAT(task().outcome->steps_not_begun, IsEmpty());
  EXPECT_TRUE(bench.core->finished());
}

TEST_F(Rules, G4_1_8_ABackendThatIsDownIsLeftAloneWithoutCountingAttempts) {
  for (std::uint64_t n = 1; n <= 20; ++n) {
    bench.lease(order_for(CommandKind::VmCreate, n));
    bench.answer(backend.calls.size() - 1, failure({.retryable = true, .without_effect = true}));
  }
  EXPECT_TRUE(bench.task(20).outcome->counted);
  bench.lease(order_for(CommandKind::VmCreate, 21));
  EXPECT_THAT(backend.calls, SizeIs(20));
  ASSERT_TRUE(bench.task(21).outcome);
  EXPECT_EQ(bench.task(21).outcome->kind, OutcomeKind::Retry);
  EXPECT_FALSE(bench.task(21).outcome->counted);
  EXPECT_EQ(bench.task(21).outcome->retry_after, Duration(5s));
  EXPECT_THAT(bench.task(21).outcome->steps_not_begun, ElementsAre("vm.create"));
}

TEST_F(Rules, ABackendThatThisWorkerLacksIsLeftToAnother) {
  WorkOrder order = order_for(CommandKind::VmCreate, 1);
  order.backend = "elsewhere";
  bench.lease(order);
  ASSERT_TRUE(task().outcome);
  EXPECT_EQ(task().outcome->kind, OutcomeKind::Retry);
  EXPECT_THAT(task().outcome->steps_not_begun, ElementsAre("vm.create"));
}

domain::WorkerEffect question(Bench& bench, std::uint64_t number, std::string operation,
                              std::string backend = "simulated") {
  domain::InspectVm ask;
  ask.inspection = number;
  ask.operation = std::move(operation);
  ask.order.backend = std::move(backend);
  ask.order.vm_ref = "sim-3";
  return {bench.stand_in.session, 1, std::move(ask), ""};
}

TEST(WorkerInspections, AreAskedOfTheBackendWithoutALeaseAndAnsweredOnce) {
  ScriptedBackend backend;
  Bench bench(backend);
  bench.to_worker.push_back(question(bench, 5, "vm.console_open"));
  bench.turn();
  ASSERT_EQ(backend.calls.size(), 1U);
  EXPECT_EQ(backend.calls[0].operation, "vm.console_open");
  EXPECT_EQ(backend.calls[0].ref, "sim-3");
  EXPECT_EQ(bench.core->leases(), 0U);
  EXPECT_TRUE(bench.stand_in.inspections.empty());
  BackendAnswer console = made("sim-3");
  console.result.text = R"({"url":"x"})";
  bench.answer(0, std::move(console));
  ASSERT_EQ(bench.stand_in.inspections.size(), 1U);
  EXPECT_EQ(bench.stand_in.inspections[0].inspection, 5U);
  EXPECT_EQ(bench.stand_in.inspections[0].result.text, R"({"url":"x"})");
  EXPECT_EQ(bench.stand_in.inspections[0].error, "");
}

TEST(WorkerInspections, OfNothingButQuestionsAndOfNoOtherBackend) {
  ScriptedBackend backend;
  Bench bench(backend);
  bench.to_worker.push_back(question(bench, 1, "vm.delete"));
  bench.to_worker.push_back(question(bench, 2, "vm.stats", "elsewhere"));
  bench.turn();
  EXPECT_TRUE(backend.calls.empty());
  ASSERT_EQ(bench.stand_in.inspections.size(), 2U);
  for (const auto& told : bench.stand_in.inspections) EXPECT_EQ(told.error, "backend-refused");
}

TEST(WorkerInspections, MoreThanSixtyFourAtOnceAreRefused) {
  ScriptedBackend backend;
  Bench bench(backend);
  for (std::uint64_t n = 1; n <= 65; ++n) {
    bench.to_worker.push_back(question(bench, n, "vm.stats"));
  }
  bench.turn();
  EXPECT_EQ(backend.calls.size(), 64U);
  ASSERT_EQ(bench.stand_in.inspections.size(), 1U);
  EXPECT_EQ(bench.stand_in.inspections[0].inspection, 65U);
  EXPECT_EQ(bench.stand_in.inspections[0].error, "rate-limited");
}

}  // namespace
}  // namespace slipway::workers
