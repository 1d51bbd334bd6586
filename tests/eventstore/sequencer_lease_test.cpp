// Leases and fencing (guarantees 4.1) as the sequencer keeps them.
#include "tests/eventstore/sequencer_harness.hpp"

namespace slipway::eventstore::testing {
namespace {

using domain::OutcomeKind;
using domain::ReportAck;

class SequencerLease : public ::testing::Test {
 protected:
  // Task n is accepted and given to session 1.
  void lease(std::uint64_t n) {
    server.submit(create(n));
    server.hello(1);
    ASSERT_TRUE(server.turn());
    ASSERT_NE(server.order(n), nullptr);
  }
  const ReportAck& last_ack() { return *server.messages<ReportAck>().back(); }

  SequencerHarness server;
};

// ---- 4.1.1

TEST_F(SequencerLease, G4_1_1_TheLeaseIsDurableBeforeTheOrderIsSent) {
  server.submit(create(1));
  ASSERT_TRUE(server.turn());
  server.hello(1);
  server.disk.fault_next(MemoryLog::Fault::FailBefore);
  ASSERT_FALSE(server.turn());
  EXPECT_TRUE(server.sent.empty());
  server.restart();
  EXPECT_EQ(server.history(1), "TaskQueued");
  server.hello(1);
  ASSERT_TRUE(server.turn());
  EXPECT_EQ(server.order(1)->token, 1U);
  EXPECT_EQ(server.syncs_before_sent, server.log.syncs.size());
}

TEST_F(SequencerLease, G4_1_1_TokensGrowByOneAndTravelWithEpochAndTask) {
  lease(1);
  for (domain::FencingToken token = 1; token <= 3; ++token) {
    ASSERT_NE(server.order(1), nullptr);
    EXPECT_EQ(server.order(1)->token, token);
    EXPECT_EQ(server.order(1)->task, task(1));
    EXPECT_EQ(server.order(1)->epoch, 1U);
    EXPECT_EQ(server.sent.back().epoch, 1U);
    server.clear();
    server.report(ends(1, token, OutcomeKind::HandedBack));
    ASSERT_TRUE(server.turn());
  }
}

TEST_F(SequencerLease, G4_1_1_TokensGrowAcrossARestart) {
  lease(1);
  server.report(ends(1, 1, OutcomeKind::HandedBack));
  ASSERT_TRUE(server.turn());
  server.restart();
  server.hello(2);
  server.passes(32s, {2});
  EXPECT_EQ(server.order(1)->token, 3U) << "the one of token 2 was not heard of again";
}

TEST_F(SequencerLease, G4_1_1_TheFenceGrowsOverAllTasks) {
  lease(1);
  lease(2);
  EXPECT_GT(server.order(2)->fence, server.order(1)->fence);
}

// ---- 4.1.2

TEST_F(SequencerLease, G4_1_2_AnOldTokenIsAnsweredLeaseLostCountedAndChangesNothing) {
  lease(1);
  server.report(ends(1, 1, OutcomeKind::HandedBack));
  ASSERT_TRUE(server.turn());
  ASSERT_EQ(server.order(1)->token, 2U);
  const auto before = server.world().next_seq();
  server.report(ends(1, 1, OutcomeKind::Succeeded));
  ASSERT_TRUE(server.turn());
  EXPECT_TRUE(last_ack().lease_lost);
  EXPECT_EQ(last_ack().token, 1U);
  EXPECT_EQ(server.stale_reports, 1);
  EXPECT_EQ(server.world().next_seq(), before);
  EXPECT_EQ(server.state(1), TaskState::Running);
}

TEST_F(SequencerLease, G4_1_2_AReportOnATaskThatIsNotRunningIsStale) {
  lease(1);
  server.report(ends(1, 1, OutcomeKind::Succeeded));
  ASSERT_TRUE(server.turn());
  const auto before = server.world().next_seq();
  for (const std::uint64_t n : {1, 2}) {  // one that has ended, one that never was
    server.report(ends(n, 1, OutcomeKind::Failed));
    ASSERT_TRUE(server.turn());
    EXPECT_TRUE(last_ack().lease_lost);
  }
  EXPECT_EQ(server.stale_reports, 2);
  EXPECT_EQ(server.world().next_seq(), before);
}

TEST_F(SequencerLease, G4_1_2_AnotherSessionMayNotReport) {
  lease(1);
  server.hello(2, 8, {}, "w2");
  server.report(ends(1, 1, OutcomeKind::Succeeded), 2);
  ASSERT_TRUE(server.turn());
  EXPECT_TRUE(last_ack().lease_lost);
  EXPECT_EQ(server.state(1), TaskState::Running);
}

TEST_F(SequencerLease, G4_1_2_AnOldTokenExtendsNothing) {
  lease(1);
  server.heartbeat(1, {{task(1), 7}, {task(9), 1}});
  ASSERT_TRUE(server.turn());
  const auto* ack = server.messages<domain::HeartbeatAck>().back();
  ASSERT_EQ(ack->lost.size(), 2U);
  EXPECT_EQ(ack->lost[0].token, 7U);
  EXPECT_EQ(server.expired_leases, 0);
}

TEST_F(SequencerLease, G4_1_6_AReportThatComesTwiceCountsOnceAndIsAcknowledgedTwice) {
  lease(1);
  auto done = step_done(1, 1, "vm.create");
  done.report_id = 5;
  server.report(done);
  server.report(done);
  ASSERT_TRUE(server.turn());
  EXPECT_EQ(server.messages<ReportAck>().size(), 2U);
  EXPECT_FALSE(last_ack().lease_lost);
  EXPECT_EQ(server.stale_reports, 0);
  EXPECT_EQ(server.history(1), "TaskQueued TaskLeased TaskStepStarted TaskStepDone");
}

// ---- 4.1.3

TEST_F(SequencerLease, G4_1_3_OfTwoReportsInOneBatchTheSecondSeesTheFirst) {
  lease(1);
  server.report(ends(1, 1, OutcomeKind::Failed));
  server.report(ends(1, 1, OutcomeKind::Succeeded));
  ASSERT_TRUE(server.turn());
  EXPECT_EQ(server.state(1), TaskState::Failed);
  EXPECT_EQ(server.stale_reports, 1);
}

// ---- 4.1.4

TEST_F(SequencerLease, G4_1_4_ALeaseEndsWhenItsWorkerIsNotHeardOfInTime) {
  lease(1);
  server.passes(29s);
  EXPECT_EQ(server.state(1), TaskState::Running);
  server.passes(1s);
  EXPECT_NE(server.state(1), TaskState::Running);
  EXPECT_EQ(server.expired_leases, 1);
}

TEST_F(SequencerLease, G4_1_4_AHeartbeatThatNamesItExtendsIt) {
  lease(1);
  for (int i = 0; i < 10; ++i) {
    server.clock.advance(20s);
    server.heartbeat(1, {{task(1), 1}});
    ASSERT_TRUE(server.turn());
  }
  EXPECT_EQ(server.state(1), TaskState::Running);
  EXPECT_EQ(server.expired_leases, 0);
}

TEST_F(SequencerLease, G4_1_4_TheWallClockIsNotAsked) {
  lease(1);
  for (const auto jump : {1h, -3h, 2h}) {
    server.clock.jump_wall(jump);
    ASSERT_TRUE(server.turn());
  }
  EXPECT_EQ(server.state(1), TaskState::Running);
}

TEST_F(SequencerLease, G4_1_4_ARestartGivesEachLeaseAFullTimeout) {
  lease(1);
  server.passes(29s);
  server.restart();
  server.passes(29s);
  EXPECT_EQ(server.state(1), TaskState::Running);
  EXPECT_EQ(server.expired_leases, 0);
  server.passes(1s);
  EXPECT_NE(server.state(1), TaskState::Running);
  EXPECT_EQ(server.expired_leases, 1);
}

TEST_F(SequencerLease, G4_1_4_AWorkerThatComesBackAfterARestartKeepsItsLease) {
  lease(1);
  server.restart();
  server.passes(20s);
  server.hello(1, 8, {{task(1), 1}});
  ASSERT_TRUE(server.turn());
  EXPECT_TRUE(server.messages<domain::Welcome>().back()->lost.empty());
  server.passes(29s);
  EXPECT_EQ(server.state(1), TaskState::Running) << "extended from its hello on";
  server.report(ends(1, 1, OutcomeKind::Succeeded));
  ASSERT_TRUE(server.turn());
  EXPECT_EQ(server.state(1), TaskState::Succeeded);
}

TEST_F(SequencerLease, G4_1_4_AResultThatCameWhileTheServerWasDownCounts) {
  lease(1);
  server.restart();
  server.report(ends(1, 1, OutcomeKind::Succeeded));
  ASSERT_TRUE(server.turn());
  EXPECT_EQ(server.state(1), TaskState::Succeeded);
  EXPECT_FALSE(last_ack().lease_lost);
}

TEST_F(SequencerLease, AnUnknownSessionIsAskedToSayHello) {
  server.heartbeat(4);
  ASSERT_TRUE(server.turn());
  EXPECT_TRUE(server.messages<domain::HeartbeatAck>().back()->unknown_session);
}

// ---- 4.1.7

TEST_F(SequencerLease, G4_1_7_AnExpiredLeaseIsTriedAgainAfterABackoff) {
  lease(1);
  server.clock.advance(31s);
  ASSERT_TRUE(server.turn());
  ASSERT_EQ(server.state(1), TaskState::RetryWait);
  server.hello(2, 8, {}, "w2");
  server.passes(2s, {2});
  ASSERT_EQ(server.state(1), TaskState::Running);
  EXPECT_EQ(server.order(1)->attempt, 2U);
  EXPECT_EQ(server.order(1)->token, 2U);
}

TEST_F(SequencerLease, G4_1_7_AfterTheLastAttemptItIsDead) {
  server.options.policy.max_attempts = 2;
  server.restart();
  lease(1);
  for (domain::FencingToken token = 1; token <= 2; ++token) {
    auto retry = ends(1, token, OutcomeKind::Retry);
    retry.outcome->steps_not_begun = {"vm.create"};
    server.report(retry);
    server.passes(3s, {1});
  }
  EXPECT_EQ(server.state(1), TaskState::Dead);
}

TEST_F(SequencerLease, G4_1_7_ThreeWorkerDeathsArePoison) {
  server.submit(create(1));
  for (std::uint64_t n = 1; n <= 3; ++n) {
    server.hello(n);  // the same worker's next process
    server.passes(3s, {n});
    ASSERT_EQ(server.state(1), TaskState::Running) << n;
  }
  server.hello(4);
  ASSERT_TRUE(server.turn());
  EXPECT_EQ(server.state(1), TaskState::Dead);
  std::string error;
  for (const auto& record : server.records()) {
    for (const auto& event : record.events) {
      if (const auto* dead = std::get_if<domain::TaskDead>(&event.body)) error = dead->error.code;
    }
  }
  EXPECT_EQ(error, "attempts-exhausted");
}

TEST_F(SequencerLease, G4_1_7_ADeathWhileTheServerWasDownIsSeenToo) {
  lease(1);
  server.restart();
  server.hello(2);  // the same worker, another process
  ASSERT_TRUE(server.turn());
  EXPECT_EQ(server.state(1), TaskState::RetryWait);
  EXPECT_EQ(server.live(1)->process_deaths, 1U);
}

TEST_F(SequencerLease, G4_1_7_HandingBackCountsNoAttempt) {
  lease(1);
  for (domain::FencingToken token = 1; token <= 20; ++token) {
    server.report(ends(1, token, OutcomeKind::HandedBack));
    ASSERT_TRUE(server.turn());
  }
  EXPECT_EQ(server.order(1)->token, 21U);
  EXPECT_EQ(server.order(1)->attempt, 1U);
}

// ---- intent

TEST_F(SequencerLease, G4_2_1_AStepMayBeCalledOnceItStandsInTheLog) {
  lease(1);
  EXPECT_EQ(server.order(1)->granted_step, "vm.create") << "with the lease, in the same record";
  server.report(begins(1, 1, "vm.await_running"));
  ASSERT_TRUE(server.turn());
  EXPECT_EQ(last_ack().granted_step, "vm.await_running");
  EXPECT_EQ(server.syncs_before_sent, server.log.syncs.size());
  EXPECT_TRUE(server.history(1).ends_with("TaskStepStarted"));
}

TEST_F(SequencerLease, G4_2_1_AStaleWorkerIsGrantedNothing) {
  lease(1);
  server.report(begins(1, 9, "vm.await_running"));
  ASSERT_TRUE(server.turn());
  EXPECT_TRUE(last_ack().lease_lost);
  EXPECT_EQ(last_ack().granted_step, "");
}

}  // namespace
}  // namespace slipway::eventstore::testing
