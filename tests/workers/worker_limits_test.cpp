// What a worker spares a backend, and how little one that is dead takes from the others.
#include <gmock/gmock.h>

#include "tests/workers/harness.hpp"

namespace slipway::workers {
namespace {

using namespace test;  // NOLINT
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

WorkOrder order_on(const ScriptedBackend& backend, std::uint64_t n, std::string host = "sim-1",
                   CommandKind command = CommandKind::VmCreate) {
  WorkOrder order = order_for(command, n);
  order.backend = order.spec.backend = backend.called;
  order.spec.host = std::move(host);
  return order;
}

// ---- limits

struct Limits : testing::Test {
  WorkerCoreOptions with(CallLimits limits) {
    WorkerCoreOptions options;
    options.limits["simulated"] = limits;
    options.on_load = [this](const BackendLoadSeen& seen) {
      calls += seen.calls;
      waiting += seen.waiting;
    };
    options.on_held_back = [this](const HeldBackSeen& seen) { reasons.emplace_back(seen.reason); };
    return options;
  }
  std::vector<std::string> tasks_called() const {
    std::vector<std::string> keys;
    for (const auto& call : backend.calls) keys.push_back(call.key.substr(0, 44).substr(42));
    return keys;
  }
  ScriptedBackend backend;
  int calls = 0;
  int waiting = 0;
  std::vector<std::string> reasons;
};

TEST_F(Limits, ACallOverTheLimitWaitsForItsTurnAndCountsAsNoAttempt) {
  Bench bench(backend, with({.max_calls = 2}));
  for (std::uint64_t n = 1; n <= 4; ++n) bench.lease(order_on(backend, n));
  EXPECT_THAT(tasks_called(), ElementsAre("01", "02"));
  EXPECT_EQ(calls, 2);
  EXPECT_EQ(waiting, 2);
  EXPECT_THAT(reasons, ElementsAre("calls", "calls"));
  bench.answer(1, made("vm-2", true));
  EXPECT_THAT(tasks_called(), ElementsAre("01", "02", "03"));
  bench.answer(0, made("vm-1", true));
  bench.answer(2, made("vm-3", true));
  bench.answer(3, made("vm-4", true));
  for (std::uint64_t n = 1; n <= 4; ++n) {
    ASSERT_TRUE(bench.task(n).outcome) << n;
    EXPECT_EQ(bench.task(n).outcome->kind, OutcomeKind::Succeeded) << n;
  }
  EXPECT_EQ(calls, 0);
  EXPECT_EQ(waiting, 0);
}

TEST_F(Limits, WhatOnlyWaitsForAnEarlierStepTakesNobodysTurn) {
  Bench bench(backend, with({.max_calls = 1}));
  bench.lease(order_on(backend, 1));
  bench.lease(order_on(backend, 2));
  bench.answer(0, made("vm-1"));
  ASSERT_THAT(backend.calls, SizeIs(3));
  EXPECT_EQ(backend.calls[1].operation, "vm.await_running");
  EXPECT_EQ(backend.calls[2].operation, "vm.create") << "though the first is still awaited";
}

TEST_F(Limits, AHostsLimitHoldsNoOtherHostUp) {
  Bench bench(backend, with({.max_calls_per_host = 1}));
  bench.lease(order_on(backend, 1, "a"));
  bench.lease(order_on(backend, 2, "a"));
  bench.lease(order_on(backend, 3, "b"));
  EXPECT_THAT(tasks_called(), ElementsAre("01", "03"));
  bench.answer(0, made("vm-1", true));
  EXPECT_THAT(tasks_called(), ElementsAre("01", "03", "02"));
}

TEST_F(Limits, CallsBeginAtTheRateAfterABurst) {
  Bench bench(backend, with({.per_second = 2, .burst = 3}));
  for (std::uint64_t n = 1; n <= 7; ++n) bench.lease(order_on(backend, n));
  EXPECT_THAT(backend.calls, SizeIs(3));
  bench.advance(490ms);
  EXPECT_THAT(backend.calls, SizeIs(3));
  bench.advance(20ms);
  EXPECT_THAT(backend.calls, SizeIs(4));
  bench.advance(1s);
  EXPECT_THAT(tasks_called(), ElementsAre("01", "02", "03", "04", "05", "06"));
  EXPECT_EQ(waiting, 1);
  EXPECT_THAT(reasons, testing::Contains("rate"));
}

// The first one's call, answered at last: the worker may wait for it that long.
constexpr Duration kLong = 14s;

TEST_F(Limits, OneThatWaitsKeepsItsLease) {
  backend.timeout = kLong;
  Bench bench(backend, with({.max_calls = 1}));
  for (std::uint64_t n = 1; n <= 4; ++n) bench.lease(order_on(backend, n));
  for (std::size_t n = 0; n < 4; ++n) {
    bench.advance(13s);
    bench.answer(n, made("vm", true));
  }
  EXPECT_THAT(tasks_called(), ElementsAre("01", "02", "03", "04"));
  EXPECT_EQ(bench.core->counters().leases_lost, 0U) << "though each is for 30 s";
  EXPECT_EQ(bench.task(4).outcome->kind, OutcomeKind::Succeeded);
}

// A later attempt looks for the effect of a call by the deadline that the log has.
TEST_F(Limits, AStepGrantedLongAgoIsBegunAnewBeforeItIsCalled) {
  backend.timeout = kLong;
  Bench bench(backend, with({.max_calls = 1}));
  for (std::uint64_t n = 1; n <= 3; ++n) bench.lease(order_on(backend, n));
  const auto deadline_in_log = [&](std::uint64_t n) {
    return bench.task(n).order.steps.at(0).call_deadline - kStart;
  };
  EXPECT_EQ(deadline_in_log(3), 30s) << "granted with the lease";
  bench.advance(13s);
  bench.answer(0, made("vm-1", true));
  EXPECT_EQ(deadline_in_log(2), 30s) << "its call is over by then";
  bench.advance(13s);
  bench.answer(1, made("vm-2", true));
  ASSERT_THAT(backend.calls, SizeIs(3));
  EXPECT_EQ(deadline_in_log(3), 26s + kLong);
  EXPECT_EQ(backend.calls[2].deadline.time_since_epoch(),
            bench.clock.steady().time_since_epoch() + kLong);
}

TEST_F(Limits, ACancelledOneLeavesTheQueue) {
  Bench bench(backend, with({.max_calls = 1}));
  bench.lease(order_on(backend, 1));
  bench.lease(order_on(backend, 2));
  bench.to_worker.push_back(
      {bench.stand_in.session, 1, domain::CancelLease{id<TaskId>(2), 1}, "demo"});
  bench.turn();
  ASSERT_TRUE(bench.task(2).outcome);
  EXPECT_EQ(bench.task(2).outcome->kind, OutcomeKind::Cancelled);
  EXPECT_THAT(bench.task(2).outcome->steps_not_begun, ElementsAre("vm.create"));
  EXPECT_EQ(waiting, 0);
  bench.answer(0, made("vm-1", true));
  EXPECT_THAT(backend.calls, SizeIs(1));
}

TEST_F(Limits, ADrainedWorkerHandsBackWhatWaits) {
  Bench bench(backend, with({.max_calls = 1}));
  bench.lease(order_on(backend, 1));
  bench.lease(order_on(backend, 2));
  bench.drain();
  bench.drain();
  ASSERT_TRUE(bench.task(2).outcome);
  EXPECT_EQ(bench.task(2).outcome->kind, OutcomeKind::HandedBack);
  EXPECT_THAT(bench.task(2).outcome->steps_not_begun, ElementsAre("vm.create"));
}

// ---- one that does not answer, beside another

struct TwoClouds : testing::Test {
  static constexpr std::size_t kSlots = 8;
  static WorkerCoreOptions options() {
    WorkerCoreOptions options;
    options.slots = kSlots;
    return options;
  }
  // A server with both kinds of task: what is ready goes out while slots are free, the oldest
  // first; what was sent back is ready again after its time.
  void dispatch() {
    for (auto& [task, known] : bench.stand_in.tasks) {
      if (!known.outcome || known.outcome->kind != OutcomeKind::Retry || waiting.contains(task)) {
        continue;
      }
      waiting[task] = bench.clock.steady() + known.outcome->retry_after.value_or(500ms);
      counted += known.outcome->counted ? 1 : 0;
      sent_back += known.outcome->counted ? 0 : 1;
    }
    for (auto it = waiting.begin(); it != waiting.end();) {
      if (bench.core->leases() >= kSlots || it->second > bench.clock.steady()) {
        ++it;
        continue;
      }
      const TaskId task = it->first;
      it = waiting.erase(it);
      bench.stand_in.lease_again(task);
      bench.turn();
    }
    while (!ready.empty() && bench.core->leases() < kSlots) {
      bench.lease(ready.front());
      ready.pop_front();
    }
  }
  // The live one answers within 20 ms.
  void run(Duration time) {
    for (Duration t{}; t < time; t += 20ms) {
      dispatch();
      bench.advance(20ms);
      for (const std::size_t due = live.calls.size(); answered < due;) {
        bench.answer(live, answered++, made("vm", true));
      }
    }
  }
  std::size_t done() const {
    std::size_t n = 0;
    for (const auto& [task, known] : bench.stand_in.tasks) {
      n += known.outcome && known.outcome->kind == OutcomeKind::Succeeded ? 1 : 0;
    }
    return n;
  }

  ScriptedBackend dead{"dead"};
  ScriptedBackend live{"live"};
  Bench bench{{&dead, &live}, options()};
  std::deque<WorkOrder> ready;
  std::map<TaskId, base::SteadyTime> waiting;
  std::size_t answered = 0;
  std::size_t counted = 0;
  std::size_t sent_back = 0;
};

TEST_F(TwoClouds, ADeadOneSlowsNoOther) {
  for (std::uint64_t n = 1; n <= 100; ++n) ready.push_back(order_on(dead, n));
  for (std::uint64_t n = 101; n <= 1000; ++n) ready.push_back(order_on(live, n));
  run(5100ms);  // until it is known to be dead
  ASSERT_GT(sent_back, 50U);
  const std::size_t before = done();
  run(1s);
  // Three slots, 20 ms a task: all that they can.
  EXPECT_GE(done() - before, 140U);
  run(30s);
  EXPECT_EQ(done(), 900U);
  EXPECT_LE(sent_back, 100U + 36U) << "what is sent back comes again at a measured pace";
}

TEST_F(TwoClouds, OneThatDiesWithAllTheSlotsGivesThemUp) {
  ready.push_back(order_on(dead, 1));
  dispatch();
  bench.answer(dead, 0, made("vm", true));
  for (std::uint64_t n = 2; n <= 9; ++n) ready.push_back(order_on(dead, n));
  dispatch();
  ASSERT_EQ(bench.core->leases(), kSlots) << "it answers: all are its own";
  ready.push_back(order_on(live, 10));
  run(4900ms);
  EXPECT_THAT(live.calls, IsEmpty());
  run(200ms);
  EXPECT_THAT(live.calls, SizeIs(1));
  ASSERT_TRUE(bench.task(9).outcome) << "the newest";
  EXPECT_EQ(bench.task(9).outcome->kind, OutcomeKind::Retry);
  EXPECT_FALSE(bench.task(9).outcome->counted);
  EXPECT_THAT(bench.task(9).outcome->steps_not_begun, IsEmpty()) << "it may have had effect";
}

TEST_F(TwoClouds, TheFirstAnswerOpensAllTheSlots) {
  for (std::uint64_t n = 1; n <= 8; ++n) ready.push_back(order_on(dead, n));
  dispatch();
  EXPECT_THAT(dead.calls, SizeIs(kSlots / 2 + 1));
  bench.answer(dead, 0, made("vm-1"));
  EXPECT_THAT(dead.calls, SizeIs(kSlots + 1)) << "and the first one's next step";
  EXPECT_EQ(sent_back, 0U);
}

TEST_F(TwoClouds, OnlyWaitingForWhatIsUnderWayIsNoSilence) {
  ready.push_back(order_on(dead, 1));
  dispatch();
  bench.answer(dead, 0, made("vm"));
  for (std::uint64_t n = 2; n <= 8; ++n) ready.push_back(order_on(dead, n));
  dispatch();
  for (std::size_t call = 1; call < dead.calls.size(); ++call) {
    if (dead.calls[call].operation == "vm.create") bench.answer(dead, call, made("vm"));
  }
  bench.advance(9s);
  EXPECT_EQ(bench.core->leases(), kSlots);
  EXPECT_EQ(bench.core->counters().put_off, 0U);
}

TEST(OneCloud, HasAllTheSlots) {
  ScriptedBackend only;
  WorkerCoreOptions options;
  options.slots = 4;
  Bench bench(only, options);
  for (std::uint64_t n = 1; n <= 4; ++n) bench.lease(order_on(only, n));
  bench.advance(9s);
  EXPECT_THAT(only.calls, SizeIs(4));
  EXPECT_EQ(bench.core->leases(), 4U);
}

}  // namespace
}  // namespace slipway::workers
