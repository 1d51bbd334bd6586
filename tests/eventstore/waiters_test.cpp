#include "eventstore/waiters.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace slipway::eventstore {
namespace {

using Kind = WaitResult::Kind;
using std::chrono::seconds;

const base::SteadyTime kStart{std::chrono::seconds(1)};

TaskRowPtr row(const domain::TaskId& id, std::uint64_t version,
               domain::TaskState state = domain::TaskState::Running) {
  auto out = std::make_shared<TaskRow>();
  out->id = id;
  out->version = version;
  out->state = state;
  return out;
}
domain::TaskId id(std::uint8_t n) { return domain::TaskId(base::Uuid{{n}}); }

struct Heard {
  std::vector<WaitResult> results;
  WaitCallback callback() {
    return [this](const WaitResult& r) { results.push_back(r); };
  }
};

void commit(Waiters& waiters, const TaskRowPtr& changed, domain::Seq seq) {
  waiters.committed({&changed, 1}, seq);
}

TEST(Waiters, AreCalledOnceAtTheFirstVersionPastTheOneTheySaw) {
  Waiters waiters(10);
  Heard heard;
  ASSERT_NE(waiters.wait_for_task(id(1), 3, kStart, heard.callback()), 0U);
  commit(waiters, row(id(1), 3), 10);
  commit(waiters, row(id(2), 9), 11);
  EXPECT_TRUE(heard.results.empty());
  commit(waiters, row(id(1), 4), 12);
  commit(waiters, row(id(1), 5), 13);
  ASSERT_EQ(heard.results.size(), 1U);
  EXPECT_EQ(heard.results[0].kind, Kind::Reached);
  EXPECT_EQ(heard.results[0].task->version, 4U);
  EXPECT_EQ(heard.results[0].seq, 12U);
  EXPECT_EQ(waiters.size(), 0U);
}

TEST(Waiters, UntilTerminalAreNotWokenByProgress) {
  Waiters waiters(10);
  Heard heard;
  (void)waiters.wait_for_task(id(1), Waiters::kUntilTerminal, kStart, heard.callback());
  commit(waiters, row(id(1), 100), 1);
  EXPECT_TRUE(heard.results.empty());
  commit(waiters, row(id(1), 101, domain::TaskState::Failed), 2);
  EXPECT_EQ(heard.results.size(), 1U);
}

TEST(Waiters, TimeOutAtTheirDeadlineAndNotBefore) {
  Waiters waiters(10);
  Heard heard;
  (void)waiters.wait_for_task(id(1), 0, kStart + seconds(5), heard.callback());
  (void)waiters.wait_for_seq(9, kStart + seconds(6), heard.callback());
  EXPECT_EQ(waiters.next_deadline(), kStart + seconds(5));
  waiters.expire(kStart + seconds(4));
  EXPECT_TRUE(heard.results.empty());
  waiters.expire(kStart + seconds(5));
  ASSERT_EQ(heard.results.size(), 1U);
  EXPECT_EQ(heard.results[0].kind, Kind::TimedOut);
  waiters.expire(kStart + seconds(6));
  EXPECT_EQ(heard.results.size(), 2U);
}

TEST(Waiters, ForASeqAreAnsweredAtOnceWhenItIsReached) {
  Waiters waiters(10);
  waiters.committed({}, 7);
  Heard heard;
  EXPECT_NE(waiters.wait_for_seq(7, kStart, heard.callback()), 0U);
  EXPECT_EQ(heard.results.size(), 1U);
  (void)waiters.wait_for_seq(8, kStart, heard.callback());
  EXPECT_EQ(heard.results.size(), 1U);
  waiters.committed({}, 8);
  EXPECT_EQ(heard.results.size(), 2U);
}

TEST(Waiters, BeyondTheLimitAreRefusedAndCounted) {
  Waiters waiters(2);
  Heard heard;
  EXPECT_NE(waiters.wait_for_task(id(1), 0, kStart, heard.callback()), 0U);
  EXPECT_NE(waiters.wait_for_task(id(1), 0, kStart, heard.callback()), 0U);
  EXPECT_EQ(waiters.wait_for_task(id(1), 0, kStart, heard.callback()), 0U);
  EXPECT_EQ(waiters.rejected(), 1U);
  commit(waiters, row(id(1), 1), 1);
  EXPECT_EQ(heard.results.size(), 2U);
}

TEST(Waiters, OnceCancelledAreNeverCalled) {
  Waiters waiters(10);
  Heard heard;
  const WaitHandle handle = waiters.wait_for_task(id(1), 0, kStart, heard.callback());
  EXPECT_TRUE(waiters.cancel(handle));
  EXPECT_FALSE(waiters.cancel(handle));
  commit(waiters, row(id(1), 1), 1);
  waiters.stop();
  EXPECT_TRUE(heard.results.empty());
}

TEST(Waiters, AreToldOfTheStop) {
  Waiters waiters(10);
  Heard heard;
  (void)waiters.wait_for_task(id(1), 0, kStart, heard.callback());
  waiters.stop();
  ASSERT_EQ(heard.results.size(), 1U);
  EXPECT_EQ(heard.results[0].kind, Kind::Stopped);
  EXPECT_EQ(waiters.wait_for_task(id(1), 0, kStart, heard.callback()), 0U);
}

TEST(Waiters, FromManyThreadsAreEachEitherCalledOrCancelledOnce) {
  Waiters waiters(100000);
  std::atomic<int> called{0}, cancelled{0};
  std::atomic<bool> done{false};
  std::jthread committer([&] {
    for (std::uint64_t v = 1; !done; ++v) commit(waiters, row(id(1), v), v);
  });
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 3; ++t) {
      threads.emplace_back([&] {
        for (int i = 0; i < 500; ++i) {
          const auto handle =
              waiters.wait_for_task(id(1), 0, kStart, [&](const WaitResult&) { ++called; });
          if (i % 2 == 0 && waiters.cancel(handle)) ++cancelled;
        }
      });
    }
  }
  done = true;
  committer.join();
  commit(waiters, row(id(1), ~0ULL), ~0ULL);
  EXPECT_EQ(called + cancelled, 1500);
}

}  // namespace
}  // namespace slipway::eventstore
