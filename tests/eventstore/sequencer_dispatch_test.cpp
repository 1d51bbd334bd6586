// Who is given what, and when: priorities, slots, sessions that go, drains.
#include "tests/eventstore/sequencer_harness.hpp"

namespace slipway::eventstore::testing {
namespace {

using domain::OutcomeKind;

std::vector<std::string> orders(const SequencerHarness& server) {
  std::vector<std::string> out;
  for (const auto* o : server.messages<domain::WorkOrder>()) {
    out.push_back(short_name(domain::StreamId(domain::StreamKind::Task, o->task)));
  }
  return out;
}
using Names = std::vector<std::string>;

TEST(SequencerDispatch, HigherPrioritiesFirstThenInTheOrderOfArrival) {
  SequencerHarness server;
  std::uint64_t n = 0;
  for (const std::uint32_t priority : {5U, 1U, 9U, 5U}) {
    auto command = create(++n);
    command.priority = priority;
    server.submit(command);
  }
  server.hello(1);
  ASSERT_TRUE(server.turn());
  EXPECT_EQ(orders(server), (Names{"task-3", "task-1", "task-4", "task-2"}));
}

TEST(SequencerDispatch, AChangedPriorityCounts) {
  SequencerHarness server;
  server.submit(create(1));
  server.submit(create(2));
  ASSERT_TRUE(server.turn());
  domain::Command first = cancel(1);
  first.body = domain::SetPriority{task(2), 9};
  server.submit(first);
  server.hello(1, 1);
  ASSERT_TRUE(server.turn());
  EXPECT_EQ(orders(server), Names{"task-2"});
}

TEST(SequencerDispatch, NoMoreThanItsSlots) {
  SequencerHarness server;
  for (std::uint64_t n = 1; n <= 5; ++n) server.submit(create(n));
  server.hello(1, 2);
  ASSERT_TRUE(server.turn());
  EXPECT_EQ(orders(server).size(), 2U);
  server.report(ends(1, 1, OutcomeKind::Succeeded));
  ASSERT_TRUE(server.turn());
  EXPECT_EQ(orders(server), (Names{"task-1", "task-2", "task-3"}));
}

TEST(SequencerDispatch, TheRoomiestWorkerFirst) {
  SequencerHarness server;
  server.hello(1, 1, {}, "w1");
  server.hello(2, 3, {}, "w2");
  for (std::uint64_t n = 1; n <= 4; ++n) server.submit(create(n));
  ASSERT_TRUE(server.turn());
  std::map<domain::SessionId, int> given;
  for (const auto& e : server.sent) {
    given[e.session] += std::holds_alternative<domain::WorkOrder>(e.message) ? 1 : 0;
  }
  EXPECT_EQ(given[session(1)], 1);
  EXPECT_EQ(given[session(2)], 3);
}

TEST(SequencerDispatch, OfAnotherPoolNothing) {
  SequencerHarness server;
  domain::WorkerHello hello;
  hello.session = session(1);
  hello.worker = "w1";
  hello.pools = {"other"};
  hello.slots = 8;
  server.push(domain::WorkerInput(hello));
  server.submit(create(1));
  ASSERT_TRUE(server.turn());
  EXPECT_TRUE(orders(server).empty());
}

TEST(SequencerDispatch, ASilentWorkerIsGivenNothing) {
  SequencerHarness server;
  server.hello(1);
  server.passes(20s);
  server.submit(create(1));
  ASSERT_TRUE(server.turn());
  EXPECT_TRUE(orders(server).empty());
  server.heartbeat(1);
  ASSERT_TRUE(server.turn());
  EXPECT_EQ(orders(server), Names{"task-1"});
}

TEST(SequencerDispatch, AWorkerThatSaidNothingForALeaseTimeoutIsGone) {
  SequencerHarness server;
  server.hello(1);
  ASSERT_TRUE(server.turn());
  server.passes(30s);
  EXPECT_EQ(server.core->workers().size(), 1U);
  server.passes(1s);
  EXPECT_TRUE(server.core->workers().empty());
}

TEST(SequencerDispatch, ADrainingWorkerKeepsWhatItHasAndGetsNoMore) {
  SequencerHarness server;
  server.hello(1);
  server.submit(create(1));
  ASSERT_TRUE(server.turn());
  bool found = false;
  server.push(DrainRequest{"w1", [&](bool f) { found = f; }});
  server.submit(create(2));
  ASSERT_TRUE(server.turn());
  EXPECT_TRUE(found);
  EXPECT_EQ(server.messages<domain::DrainWorker>().size(), 1U);
  EXPECT_EQ(orders(server), Names{"task-1"});
  EXPECT_EQ(server.state(1), TaskState::Running);
  EXPECT_TRUE(server.core->workers().front().draining);
}

TEST(SequencerDispatch, ADrainFindsASessionByItsIdAndNobodyByAnyOtherName) {
  SequencerHarness server;
  server.hello(1);
  std::vector<bool> found;
  server.push(DrainRequest{"w2", [&](bool f) { found.push_back(f); }});
  server.push(DrainRequest{base::to_string(session(1)), [&](bool f) { found.push_back(f); }});
  ASSERT_TRUE(server.turn());
  EXPECT_EQ(found, (std::vector<bool>{false, true}));
}

TEST(SequencerDispatch, AWorkerMayDrainItself) {
  SequencerHarness server;
  server.hello(1);
  domain::WorkerHeartbeat beat;
  beat.session = session(1);
  beat.draining = true;
  server.push(domain::WorkerInput(beat));
  server.submit(create(1));
  ASSERT_TRUE(server.turn());
  EXPECT_TRUE(orders(server).empty());
}

TEST(SequencerDispatch, GoodbyeEndsTheSessionAndWhatItStillHeld) {
  SequencerHarness server;
  server.hello(1);
  server.submit(create(1));
  ASSERT_TRUE(server.turn());
  domain::WorkerGoodbye bye;
  bye.session = session(1);
  server.push(domain::WorkerInput(bye));
  ASSERT_TRUE(server.turn());
  EXPECT_TRUE(server.core->workers().empty());
  EXPECT_EQ(server.state(1), TaskState::RetryWait);
  EXPECT_EQ(server.live(1)->process_deaths, 0U) << "it ended in good order";
}

TEST(SequencerDispatch, ANewProcessOfAWorkerTakesThePlaceOfTheOld) {
  SequencerHarness server;
  server.hello(1);
  server.submit(create(1));
  ASSERT_TRUE(server.turn());
  server.hello(2);
  ASSERT_TRUE(server.turn());
  EXPECT_EQ(server.core->workers().size(), 1U);
  EXPECT_EQ(server.state(1), TaskState::RetryWait);
  // The old one, asleep until now, is sent away and changes nothing.
  server.clear();
  server.report(ends(1, 1, OutcomeKind::Succeeded), 1);
  server.heartbeat(1);
  server.hello(1);
  ASSERT_TRUE(server.turn());
  EXPECT_EQ(server.messages<domain::DrainWorker>().size(), 3U);
  EXPECT_EQ(server.core->workers().size(), 1U);
  EXPECT_EQ(server.state(1), TaskState::RetryWait);
}

TEST(SequencerDispatch, LeasesOfManyTasksStopAtAFullBatchAndGoOn) {
  SequencerOptions options;
  options.batch_events_max = 4;
  SequencerHarness server(options);
  for (std::uint64_t n = 1; n <= 6; ++n) server.submit(create(n));
  ASSERT_TRUE(server.turn());
  server.log.syncs.clear();
  server.hello(1);
  ASSERT_TRUE(server.turn());
  EXPECT_EQ(orders(server).size(), 6U);
  EXPECT_GT(server.log.syncs.size(), 1U);
  for (const auto& sync : server.log.syncs) EXPECT_LE(sync.events, 4U + 2U);
}

}  // namespace
}  // namespace slipway::eventstore::testing
