#include "api/rate_limiter.hpp"

#include <gtest/gtest.h>

#include <string>

namespace slipway::api {
namespace {

using namespace std::chrono_literals;

struct Rates : ::testing::Test {
  RateLimiter limiter;
  base::SteadyTime now{1h};

  bool fits(std::string_view who, RateOf of = RateOf::Token) {
    return !limiter.take(of, who, now).has_value();
  }
};

TEST_F(Rates, AreOffAtFirst) {
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(fits("a"));
  EXPECT_EQ(limiter.refused(), 0U);
  EXPECT_EQ(limiter.buckets(), 0U);
}

TEST_F(Rates, LetABurstThroughAndThenSoManyASecond) {
  limiter.set({.per_second = {10, 0, 0}, .burst = 3});
  EXPECT_TRUE(fits("a") && fits("a") && fits("a"));
  const auto refusal = limiter.take(RateOf::Token, "a", now);
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->wait, 100ms);
  EXPECT_EQ(refusal->per_second, 10U);
  EXPECT_EQ(limiter.refused(), 1U);
  now += 99ms;
  EXPECT_FALSE(fits("a"));
  now += 1ms;
  EXPECT_TRUE(fits("a"));
  EXPECT_FALSE(fits("a"));
  now += 10s;  // full again, and no fuller
  EXPECT_TRUE(fits("a") && fits("a") && fits("a"));
  EXPECT_FALSE(fits("a"));
}

TEST_F(Rates, KeepCallersAndKindsApart) {
  limiter.set({.per_second = {1, 1, 0}, .burst = 1});
  EXPECT_TRUE(fits("a"));
  EXPECT_FALSE(fits("a"));
  EXPECT_TRUE(fits("b"));
  EXPECT_TRUE(fits("a", RateOf::Tenant));
  EXPECT_FALSE(fits("a", RateOf::Tenant));
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(fits("a", RateOf::Address)) << "that one is off";
}

TEST_F(Rates, HoldBoundedMemoryAndForgetWhoHasGone) {
  limiter.set({.per_second = {0, 0, 1}, .burst = 1});
  const auto crowd = [&](const std::string& name, std::size_t n) {
    std::size_t let_in = 0;
    for (std::size_t i = 0; i < n; ++i) {
      if (fits(name + std::to_string(i), RateOf::Address)) ++let_in;
    }
    return let_in;
  };
  EXPECT_EQ(crowd("first", RateLimiter::kMaxBuckets), RateLimiter::kMaxBuckets);
  EXPECT_EQ(crowd("second", 1000), 1U) << "those beyond share one bucket";
  EXPECT_EQ(limiter.buckets(), RateLimiter::kMaxBuckets);
  now += 2s;
  EXPECT_EQ(crowd("third", 1000), 1000U);
  EXPECT_EQ(limiter.buckets(), 1000U);
}

}  // namespace
}  // namespace slipway::api
