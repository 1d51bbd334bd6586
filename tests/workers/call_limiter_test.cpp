#include "workers/backends/call_limiter.hpp"

#include <gtest/gtest.h>

#include "tests/workers/support.hpp"

namespace slipway::workers {
namespace {

using namespace test;  // NOLINT
using Verdict = CallLimiter::Verdict;

constexpr base::SteadyTime kNow{1h};

TEST(CallLimiter, WithoutLimitsEverythingGoes) {
  CallLimiter limiter;
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(limiter.begin("h", kNow), Verdict::Go);
  EXPECT_EQ(limiter.in_flight(), 1000U);
}

TEST(CallLimiter, SoManyAtATime) {
  CallLimiter limiter({.max_calls = 2});
  EXPECT_EQ(limiter.begin("", kNow), Verdict::Go);
  EXPECT_EQ(limiter.begin("a", kNow), Verdict::Go);
  EXPECT_EQ(limiter.begin("b", kNow), Verdict::Calls);
  limiter.end("a");
  EXPECT_EQ(limiter.begin("b", kNow), Verdict::Go);
}

TEST(CallLimiter, SoManyAtATimeForOneHostThatIsKnown) {
  CallLimiter limiter({.max_calls_per_host = 1});
  EXPECT_EQ(limiter.begin("a", kNow), Verdict::Go);
  EXPECT_EQ(limiter.begin("a", kNow), Verdict::Host);
  EXPECT_EQ(limiter.begin("b", kNow), Verdict::Go);
  EXPECT_EQ(limiter.begin("", kNow), Verdict::Go);
  EXPECT_EQ(limiter.begin("", kNow), Verdict::Go);
  limiter.end("b");
  EXPECT_EQ(limiter.begin("a", kNow), Verdict::Host);
  limiter.end("a");
  EXPECT_EQ(limiter.begin("a", kNow), Verdict::Go);
}

TEST(CallLimiter, ABurstAndThenTheRate) {
  CallLimiter limiter({.per_second = 4, .burst = 3});
  for (int i = 0; i < 3; ++i) EXPECT_EQ(limiter.begin("", kNow), Verdict::Go);
  EXPECT_EQ(limiter.begin("", kNow), Verdict::Rate);
  const auto next = limiter.next_token(kNow);
  EXPECT_GE(next, kNow + 250ms);
  EXPECT_LT(next, kNow + 251ms);
  EXPECT_EQ(limiter.begin("", next - 1ms), Verdict::Rate);
  EXPECT_EQ(limiter.begin("", next), Verdict::Go);
  EXPECT_EQ(limiter.begin("", next), Verdict::Rate);
}

TEST(CallLimiter, AQuietTimeSavesABurstAndNoMore) {
  CallLimiter limiter({.per_second = 1, .burst = 2});
  EXPECT_EQ(limiter.begin("", kNow), Verdict::Go);
  for (int i = 0; i < 2; ++i) EXPECT_EQ(limiter.begin("", kNow + 1h), Verdict::Go);
  EXPECT_EQ(limiter.begin("", kNow + 1h), Verdict::Rate);
}

TEST(CallLimiter, WhatHadToWaitForAHostTookNoToken) {
  CallLimiter limiter({.max_calls_per_host = 1, .per_second = 1, .burst = 2});
  EXPECT_EQ(limiter.begin("a", kNow), Verdict::Go);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(limiter.begin("a", kNow), Verdict::Host);
  EXPECT_EQ(limiter.begin("b", kNow), Verdict::Go);
}

}  // namespace
}  // namespace slipway::workers
