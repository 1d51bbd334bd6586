#include "eventstore/arrival_rates.hpp"

#include <gtest/gtest.h>

namespace slipway::eventstore {
namespace {

using namespace std::chrono_literals;

CommittedBatchPtr queued(const std::string& pool, int n) {
  auto batch = std::make_shared<CommittedBatch>();
  domain::RecordBody& record = batch->records.emplace_back();
  for (int i = 0; i < n; ++i) {
    domain::TaskQueued body;
    body.worker_pool = pool;
    record.events.emplace_back().body = body;
  }
  return batch;
}

TEST(ArrivalRates, AreTheTasksOfTheLastMinute) {
  base::ManualClock clock(base::Time{});
  ArrivalRates rates(clock);
  EXPECT_EQ(rates.per_second("default"), 0);
  clock.advance(59s);
  rates.on_committed(queued("default", 120));
  rates.on_committed(queued("gpu", 6));
  EXPECT_EQ(rates.per_second("default"), 2);
  EXPECT_EQ(rates.per_second("gpu"), 0.1);
  clock.advance(30s);
  rates.on_committed(queued("default", 60));
  EXPECT_EQ(rates.per_second("default"), 3);
  clock.advance(30s);
  EXPECT_EQ(rates.per_second("default"), 1) << "the first are more than a minute old";
  clock.advance(1h);
  EXPECT_EQ(rates.per_second("default"), 0);
}

TEST(ArrivalRates, SoonAfterTheStartTheWindowIsShorter) {
  base::ManualClock clock(base::Time{});
  ArrivalRates rates(clock);
  clock.advance(1s);
  rates.on_committed(queued("default", 10));
  EXPECT_EQ(rates.per_second("default"), 5);
}

TEST(ArrivalRates, CountOnlySoManyPools) {
  base::ManualClock clock(base::Time{});
  ArrivalRates rates(clock);
  for (std::size_t i = 0; i <= ArrivalRates::kMaxPools; ++i) {
    rates.on_committed(queued("pool-" + std::to_string(i), 1));
  }
  EXPECT_GT(rates.per_second("pool-0"), 0);
  EXPECT_EQ(rates.per_second("pool-" + std::to_string(ArrivalRates::kMaxPools)), 0);
}

}  // namespace
}  // namespace slipway::eventstore
