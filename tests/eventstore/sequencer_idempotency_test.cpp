// One answer per key: within a batch, across batches, crashes and two days; then it is forgotten.
#include "tests/eventstore/sequencer_harness.hpp"

namespace slipway::eventstore::testing {
namespace {

std::size_t tasks_of(const SequencerHarness& server) { return server.world().task_count(); }

// The clock goes from hour to hour, as a quiet server's does.
void hours_pass(SequencerHarness& server, int hours) {
  for (int i = 0; i < hours; ++i) {
    server.clock.advance(1h);
    ASSERT_TRUE(server.turn());
    while (*server.core->next_timer() <= server.clock.now()) ASSERT_TRUE(server.turn());
  }
}

TEST(SequencerIdempotency, G1_3_TwoOfOneKeyInOneBatchMakeOneTask) {
  SequencerHarness server;
  const auto first = server.submit(create(1), {.key = "k"});
  const auto second = server.submit(create(2), {.key = "k"});
  ASSERT_TRUE(server.turn());
  EXPECT_EQ(tasks_of(server), 1U);
  EXPECT_EQ(second->body, first->body);
  EXPECT_EQ(second->task, task(1));
  EXPECT_FALSE(first->replayed);
  EXPECT_TRUE(second->replayed);
  EXPECT_EQ(second->syncs_before, 1U) << "the first one's answer must be durable by then";
  EXPECT_EQ(server.idempotency, "new replayed ");
}

TEST(SequencerIdempotency, G1_3_ARepeatInALaterBatchGetsTheFirstAnswer) {
  SequencerHarness server;
  const auto first = server.submit(create(1), {.key = "k"});
  ASSERT_TRUE(server.turn());
  const auto second = server.submit(create(2), {.key = "k"});
  ASSERT_TRUE(server.turn());
  EXPECT_EQ(tasks_of(server), 1U);
  EXPECT_EQ(second->body, first->body);
  EXPECT_TRUE(second->replayed);
}

TEST(SequencerIdempotency, G1_3_ARepeatAfterACrashGetsTheFirstAnswer) {
  SequencerHarness server;
  const auto first = server.submit(create(1), {.key = "k"});
  ASSERT_TRUE(server.turn());
  server.restart();
  const auto second = server.submit(create(2), {.key = "k"});
  ASSERT_TRUE(server.turn());
  EXPECT_EQ(tasks_of(server), 1U);
  EXPECT_EQ(second->body, first->body);
}

// The client heard nothing; whether its command is durable, only the log knows.
TEST(SequencerIdempotency, G1_3_AnUnknownOutcomeIsResolvedByRepeating) {
  for (const auto fault : {MemoryLog::Fault::FailBefore, MemoryLog::Fault::AnswerLost}) {
    SequencerHarness server;
    const auto first = server.submit(create(1), {.key = "k"});
    server.disk.fault_next(fault);
    ASSERT_FALSE(server.turn());
    EXPECT_FALSE(first->answered());
    server.restart();
    const auto second = server.submit(create(2), {.key = "k"});
    ASSERT_TRUE(server.turn());
    EXPECT_EQ(tasks_of(server), 1U);
    EXPECT_EQ(second->replayed, fault == MemoryLog::Fault::AnswerLost);
  }
}

TEST(SequencerIdempotency, AnotherRequestUnderTheKeyIsRefused) {
  SequencerHarness server;
  server.submit(create(1), {.key = "k", .fingerprint = "one"});
  const auto same_batch = server.submit(create(2), {.key = "k", .fingerprint = "two"});
  ASSERT_TRUE(server.turn());
  const auto later = server.submit(create(3), {.key = "k", .fingerprint = "two"});
  ASSERT_TRUE(server.turn());
  EXPECT_EQ(same_batch->code, Errc::IdempotencyKeyReused);
  EXPECT_EQ(later->code, Errc::IdempotencyKeyReused);
  EXPECT_EQ(tasks_of(server), 1U);
  EXPECT_EQ(server.idempotency, "new reused reused ");
}

TEST(SequencerIdempotency, ARefusalIsNotRemembered) {
  SequencerHarness server;
  const auto refused = server.submit(act(1, domain::CommandKind::VmStart, 5), {.key = "k"});
  ASSERT_TRUE(server.turn());
  EXPECT_EQ(refused->refusals, 1);
  const auto accepted = server.submit(create(5), {.key = "k"});
  ASSERT_TRUE(server.turn());
  EXPECT_EQ(accepted->answers, 1);
  EXPECT_FALSE(accepted->replayed);
}

// ---- forgetting

TEST(SequencerRetention, G1_3_AKeyIsRememberedForTwoDaysAndThenForgotten) {
  SequencerHarness server;
  server.submit(create(1), {.key = "k"});
  ASSERT_TRUE(server.turn());
  hours_pass(server, 48);
  EXPECT_TRUE(server.disk.idempotency("k")->has_value());
  hours_pass(server, 1);
  EXPECT_FALSE(server.disk.idempotency("k")->has_value());
  const auto fresh = server.submit(create(2), {.key = "k"});
  ASSERT_TRUE(server.turn());
  EXPECT_FALSE(fresh->replayed);
  EXPECT_EQ(fresh->task, task(2));
}

TEST(SequencerRetention, NothingIsLeftOfAForgottenKey) {
  SequencerHarness server;
  server.submit(create(1), {.key = "k"});
  ASSERT_TRUE(server.turn());
  const auto kept = [&] {
    return server.disk.range(LogColumn::Idempotency, "", "\xFF", 10)->size();
  };
  EXPECT_EQ(kept(), 2U) << "the answer, and its place in the queue";
  hours_pass(server, 49);
  EXPECT_EQ(kept(), 0U);
}

// Guarantees 2: no safety rule depends on a wall clock.
TEST(SequencerRetention, AJumpOfTheWallClockForgetsNothing) {
  SequencerHarness server;
  server.submit(create(1), {.key = "k"});
  ASSERT_TRUE(server.turn());
  server.clock.jump_wall(1000h);
  ASSERT_TRUE(server.turn());
  hours_pass(server, 40);
  EXPECT_TRUE(server.disk.idempotency("k")->has_value());
}

TEST(SequencerRetention, HoursAreCountedAcrossRestarts) {
  SequencerHarness server;
  server.submit(create(1), {.key = "k"});
  ASSERT_TRUE(server.turn());
  for (int i = 0; i < 7; ++i) {
    hours_pass(server, 6);
    server.restart();
    ASSERT_TRUE(server.turn());
  }
  EXPECT_TRUE(server.disk.idempotency("k")->has_value());
  hours_pass(server, 6);
  EXPECT_TRUE(server.disk.idempotency("k")->has_value());
  hours_pass(server, 1);
  EXPECT_FALSE(server.disk.idempotency("k")->has_value());
}

TEST(SequencerRetention, ASweepIsBoundedAndGoesOnUntilItIsDone) {
  SequencerOptions options;
  options.retention.sweep_max = 10;
  SequencerHarness server(options);
  server.submit(create(1), {.key = "k"});
  for (int i = 1; i < 35; ++i) {
    domain::Command command = cancel(1);
    command.body = domain::SetPriority{task(1), 3};
    server.submit(command, {.key = "k" + std::to_string(i)});
  }
  ASSERT_TRUE(server.turn());
  hours_pass(server, 48);
  server.log.syncs.clear();
  server.clock.advance(1h);
  int turns = 0;
  do {
    ASSERT_TRUE(server.turn());
  } while (*server.core->next_timer() <= server.clock.now() && ++turns < 100);
  std::size_t forgotten = 0;
  for (const auto& sync : server.log.syncs) {
    EXPECT_LE(sync.forgotten, 20U) << "each key and its place in the queue";
    forgotten += sync.forgotten;
  }
  EXPECT_EQ(forgotten, 70U);
  EXPECT_EQ(server.disk.range(LogColumn::Idempotency, "", "\xFF", 100)->size(), 0U);
}

TEST(SequencerRetention, CommandsAreTakenBetweenSweeps) {
  SequencerOptions options;
  options.retention.sweep_max = 1;
  SequencerHarness server(options);
  server.submit(create(1), {.key = "a"});
  server.submit(create(2), {.key = "b"});
  ASSERT_TRUE(server.turn());
  hours_pass(server, 48);
  server.clock.advance(1h);
  ASSERT_TRUE(server.turn());  // the 49th sample
  const auto heard = server.submit(create(3));
  ASSERT_TRUE(server.turn());
  EXPECT_EQ(heard->answers, 1);
  EXPECT_FALSE(server.disk.idempotency("a")->has_value());
  EXPECT_TRUE(server.disk.idempotency("b")->has_value());
}

// A token is shown once; a repeat of the request shows it again for as long as its key is known.
TEST(SequencerRetention, G6_3_AOneTimeSecretGoesWithTheAnswerThatShowsIt) {
  SequencerHarness server;
  server.submit(create(1), {.key = "k", .secrets = {"token-1"}, .once = "token-1"});
  ASSERT_TRUE(server.turn());
  hours_pass(server, 48);
  EXPECT_TRUE(server.disk.secret("token-1")->has_value());
  hours_pass(server, 1);
  EXPECT_FALSE(server.disk.secret("token-1")->has_value());
}

TEST(SequencerRetention, AForgottenBatchThatIsNotDurableIsForgottenAgain) {
  SequencerHarness server;
  server.submit(create(1), {.key = "k"});
  ASSERT_TRUE(server.turn());
  hours_pass(server, 48);
  server.clock.advance(1h);
  ASSERT_TRUE(server.turn());  // the 49th sample; the next turn sweeps
  server.disk.fault_next(MemoryLog::Fault::FailBefore);
  ASSERT_FALSE(server.turn());
  server.restart();
  EXPECT_TRUE(server.disk.idempotency("k")->has_value());
  ASSERT_TRUE(server.turn());
  EXPECT_FALSE(server.disk.idempotency("k")->has_value());
}

}  // namespace
}  // namespace slipway::eventstore::testing
