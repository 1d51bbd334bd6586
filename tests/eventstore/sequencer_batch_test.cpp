// Group commit: many commands share one sync, and nothing leaves before it.
#include <atomic>
#include <condition_variable>
#include <mutex>

#include "tests/eventstore/sequencer_harness.hpp"

namespace slipway::eventstore::testing {
namespace {

TEST(SequencerBatch, G3_1_ManyCommandsShareOneSync) {
  SequencerHarness server;
  std::vector<HeardPtr> heard;
  for (std::uint64_t n = 1; n <= 8; ++n) heard.push_back(server.submit(create(n)));
  ASSERT_TRUE(server.turn());
  ASSERT_EQ(server.log.syncs.size(), 1U);
  EXPECT_EQ(server.log.syncs[0].records, 8U);
  for (const HeardPtr& h : heard) EXPECT_EQ(h->answers, 1);
}

TEST(SequencerBatch, G3_1_AnswersAndFramesLeaveAfterTheSyncThatCoversThem) {
  SequencerHarness server;
  server.hello(1);
  const auto heard = server.submit(create(1));
  ASSERT_TRUE(server.turn());
  // Acceptance and lease share one sync, and both effects came after it.
  ASSERT_EQ(server.log.syncs.size(), 1U);
  EXPECT_EQ(heard->syncs_before, 1U);
  EXPECT_EQ(server.syncs_before_sent, 1U);
  EXPECT_NE(server.order(1), nullptr);
}

TEST(SequencerBatch, G3_1_ARefusalThatRestsOnWhatIsNotDurableYetWaitsToo) {
  SequencerHarness server;
  server.submit(create(1));
  const auto second = server.submit(act(2, domain::CommandKind::VmStart, 1));  // it is being made
  ASSERT_TRUE(server.turn());
  EXPECT_EQ(second->refusals, 1);
  EXPECT_EQ(second->syncs_before, 1U);
}

TEST(SequencerBatch, G1_7_G3_1_NothingLeavesWhenTheSyncFails) {
  SequencerHarness server;
  server.hello(1);
  const auto heard = server.submit(create(1));
  server.disk.fault_next(MemoryLog::Fault::FailBefore);
  EXPECT_FALSE(server.turn());
  EXPECT_FALSE(heard->answered());
  EXPECT_TRUE(server.sent.empty());
}

TEST(SequencerBatch, G3_5_AFailedSyncIsFinal) {
  SequencerHarness server;
  server.submit(create(1));
  server.disk.fault_next(MemoryLog::Fault::FailBefore);
  const auto failed = server.turn();
  ASSERT_FALSE(failed);
  const auto heard = server.submit(create(2));
  const auto again = server.turn();
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().message, failed.error().message);
  EXPECT_FALSE(heard->answered());
  EXPECT_TRUE(server.log.syncs.empty());
}

TEST(SequencerBatch, G3_5_WhatWasUnsyncedIsKnownAfterTheNextStart) {
  for (const auto fault :
       {MemoryLog::Fault::FailBefore, MemoryLog::Fault::Torn, MemoryLog::Fault::AnswerLost}) {
    SequencerHarness server;
    server.submit(create(1));
    server.disk.fault_next(fault);
    ASSERT_FALSE(server.turn());
    server.restart();
    EXPECT_EQ(server.live(1) != nullptr, fault == MemoryLog::Fault::AnswerLost);
  }
}

TEST(SequencerBatch, HasAtMostSoManyEvents) {
  SequencerOptions options;
  options.batch_events_max = 9;  // a create is three events
  SequencerHarness server(options);
  for (std::uint64_t n = 1; n <= 9; ++n) server.submit(create(n));
  ASSERT_TRUE(server.turn());
  ASSERT_EQ(server.log.syncs.size(), 3U);
  for (const auto& sync : server.log.syncs) EXPECT_EQ(sync.records, 3U);
}

TEST(SequencerBatch, HasAtMostSoManyBytes) {
  SequencerOptions options;
  options.batch_bytes_max = 1;
  SequencerHarness server(options);
  for (std::uint64_t n = 1; n <= 3; ++n) server.submit(create(n));
  ASSERT_TRUE(server.turn());
  EXPECT_EQ(server.log.syncs.size(), 3U);
}

TEST(SequencerBatch, G1_2_OneRecordIsNeverCut) {
  SequencerOptions options;
  options.batch_events_max = 2;
  SequencerHarness server(options);
  std::vector<domain::BatchItem> items;
  for (std::uint64_t n = 1; n <= 8; ++n) items.push_back({task(n), create_body(n)});
  const auto heard = server.submit(batch(100, std::move(items)));
  ASSERT_TRUE(server.turn());
  EXPECT_EQ(heard->answers, 1);
  ASSERT_EQ(server.log.syncs.size(), 1U);
  EXPECT_EQ(server.log.syncs[0].records, 1U);
  EXPECT_GT(server.log.syncs[0].events, 24U);
}

TEST(SequencerBatch, G1_2_TaskRecordKeyAndSecretBecomeDurableTogether) {
  for (const bool fails : {false, true}) {
    SequencerHarness server;
    server.submit(create(1), {.key = "k", .secrets = {"admin-1"}});
    if (fails) server.disk.fault_next(MemoryLog::Fault::Torn);
    EXPECT_EQ(server.turn().has_value(), !fails);
    server.restart();
    EXPECT_EQ(server.live(1) != nullptr, !fails);
    EXPECT_EQ(server.disk.idempotency("k")->has_value(), !fails);
    EXPECT_EQ(server.disk.secret("admin-1")->has_value(), !fails);
  }
}

TEST(SequencerBatch, G3_2_SeqIsDenseOverRecordsAndRestarts) {
  SequencerHarness server;
  server.make_vm(1);
  server.restart();
  server.make_vm(2);
  domain::Seq next = 1;
  for (const auto& record : server.records()) {
    EXPECT_EQ(record.envelope.seq, next);
    next += record.events.size();
  }
  EXPECT_EQ(next, server.world().next_seq());
}

TEST(SequencerBatch, ADryRunWritesNothing) {
  SequencerHarness server;
  const auto heard = server.submit(create(1), {.dry_run = true});
  ASSERT_TRUE(server.turn());
  EXPECT_EQ(heard->answers, 1);
  EXPECT_TRUE(server.log.syncs.empty());
  EXPECT_EQ(server.live(1), nullptr);
}

// ---- the space guard

TEST(SequencerSpace, G3_11_BelowTheReserveOnlyResultsAndCancellationsAreTaken) {
  SequencerHarness server;
  server.hello(1);
  server.submit(create(1));
  server.submit(create(2));
  ASSERT_TRUE(server.turn());
  server.space = SpaceState::RefuseNew;
  const auto fresh = server.submit(create(3));
  const auto cancelled = server.submit(cancel(2));
  server.report(ends(1, 1, domain::OutcomeKind::Succeeded));
  ASSERT_TRUE(server.turn());
  EXPECT_EQ(fresh->refusals, 1);
  EXPECT_EQ(fresh->code, Errc::StorageFull);
  EXPECT_EQ(cancelled->answers, 1);
  EXPECT_EQ(server.state(1), TaskState::Succeeded);
}

TEST(SequencerSpace, G3_11_ReadOnlyWritesNothingAndAcknowledgesNothing) {
  SequencerHarness server;
  server.hello(1);
  server.submit(create(1));
  ASSERT_TRUE(server.turn());
  const auto syncs = server.log.syncs.size();
  server.space = SpaceState::ReadOnly;
  server.clear();
  const auto cancelled = server.submit(cancel(1));
  server.report(ends(1, 1, domain::OutcomeKind::Succeeded));
  ASSERT_TRUE(server.turn());
  server.passes(60s);  // no lease ends either: that would have to be written
  EXPECT_EQ(cancelled->code, Errc::StorageFull);
  EXPECT_EQ(server.log.syncs.size(), syncs);
  EXPECT_TRUE(server.messages<domain::ReportAck>().empty()) << "so the worker sends it again";
  EXPECT_EQ(server.state(1), TaskState::Running);
}

TEST(SequencerSpace, G3_11_ComesBackByItself) {
  SequencerHarness server;
  server.hello(1);
  server.submit(create(1));
  ASSERT_TRUE(server.turn());
  server.space = SpaceState::ReadOnly;
  server.passes(60s);
  server.space = SpaceState::Normal;
  server.report(ends(1, 1, domain::OutcomeKind::Succeeded));
  ASSERT_TRUE(server.turn());
  EXPECT_EQ(server.state(1), TaskState::Succeeded) << "its lease had run out, but had not ended";
}

// Else its thread would turn as fast as it can for as long as the disk is full.
TEST(SequencerSpace, NoTimerIsDueWhileNothingMayBeWritten) {
  SequencerHarness server;
  server.hello(1);
  auto late = create(1);
  late.deadline = server.clock.now() + 5s;
  server.submit(late);
  server.submit(create(2));
  ASSERT_TRUE(server.turn());
  server.space = SpaceState::ReadOnly;
  server.passes(60s);
  EXPECT_GT(*server.core->next_timer(), server.clock.now());
  EXPECT_GT(*server.core->next_lease_expiry(), server.clock.steady());
}

// ---- the queue

class Gate final : public Reply {
 public:
  explicit Gate(std::function<void()> on_refuse) : on_refuse_(std::move(on_refuse)) {}
  Answer render(const Accepted&) override { return {}; }
  void send(Answer&&, bool) override {}
  void refuse(const base::Error&) override { on_refuse_(); }

 private:
  std::function<void()> on_refuse_;
};

std::unique_ptr<Submission> refused_one(std::function<void()> on_refuse) {
  auto submission = std::make_unique<Submission>();
  submission->command = cancel(77);
  submission->reply = std::make_unique<Gate>(std::move(on_refuse));
  return submission;
}

TEST(SequencerQueue, G8_AFullQueueRefusesAndCounts) {
  SequencerHarness server;
  std::mutex mu;
  std::condition_variable changed;
  bool entered = false;
  bool open = false;
  std::atomic<int> taken = 0;
  Sequencer sequencer(*server.core, server.clock, 2, [](const base::Error&) {});
  sequencer.start();
  // The first holds the thread.
  ASSERT_TRUE(sequencer.submit(refused_one([&] {
    std::unique_lock lock(mu);
    entered = true;
    changed.notify_all();
    changed.wait_for(lock, 10s, [&] { return open; });
  })));
  {
    std::unique_lock lock(mu);
    ASSERT_TRUE(changed.wait_for(lock, 10s, [&] { return entered; }));
  }
  EXPECT_TRUE(sequencer.submit(refused_one([&] { ++taken; })));
  EXPECT_TRUE(sequencer.submit(refused_one([&] { ++taken; })));
  auto third = refused_one([&] { ++taken; });
  EXPECT_FALSE(sequencer.submit(std::move(third)));
  EXPECT_NE(third, nullptr) << "it is the caller's again, to answer 503";
  EXPECT_EQ(sequencer.rejected(), 1U);
  {
    std::lock_guard lock(mu);
    open = true;
  }
  changed.notify_all();
  sequencer.stop();
  EXPECT_EQ(taken, 2) << "what was queued is taken before the thread ends";
}

TEST(SequencerQueue, G3_5_AFailedLogEndsTheThread) {
  SequencerHarness server;
  std::mutex mu;
  std::condition_variable changed;
  std::string fatal;
  server.disk.fault_next(MemoryLog::Fault::FailBefore);
  Sequencer sequencer(*server.core, server.clock, 2, [&](const base::Error& error) {
    std::lock_guard lock(mu);
    fatal = error.message;
    changed.notify_all();
  });
  sequencer.start();
  auto submission = std::make_unique<Submission>();
  submission->command = create(1);
  submission->reply = std::make_unique<Gate>([] {});
  ASSERT_TRUE(sequencer.submit(std::move(submission)));
  std::unique_lock lock(mu);
  EXPECT_TRUE(changed.wait_for(lock, 10s, [&] { return !fatal.empty(); }));
}

}  // namespace
}  // namespace slipway::eventstore::testing
