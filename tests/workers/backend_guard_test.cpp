#include "workers/backends/backend_guard.hpp"

#include <gtest/gtest.h>

#include "tests/workers/support.hpp"

namespace slipway::workers {
namespace {

using namespace test;  // NOLINT

struct Guard : testing::Test {
  BackendGuard guard;
  base::SteadyTime now{1h};

  void answers(int n, bool available) {
    for (int i = 0; i < n; ++i) guard.on_answer(available, now);
  }
};

TEST_F(Guard, G4_1_8_TheBreakerOpensWhenHalfOfTheCallsFail) {
  answers(10, true);
  answers(9, false);
  EXPECT_FALSE(guard.is_open());
  answers(1, false);
  EXPECT_TRUE(guard.is_open());
  EXPECT_EQ(guard.admit(false, now + 1s), Duration(4s));
}

TEST_F(Guard, G4_1_8_AfterThePauseOneTaskTriesAndTheOthersWait) {
  answers(20, false);
  now += 5s;
  EXPECT_EQ(guard.admit(false, now), std::nullopt);
  EXPECT_TRUE(guard.admit(false, now).has_value());
  guard.on_answer(false, now);
  EXPECT_TRUE(guard.admit(false, now + 4s).has_value());
  now += 5s;
  EXPECT_EQ(guard.admit(false, now), std::nullopt);
  guard.on_answer(true, now);
  EXPECT_FALSE(guard.is_open());
  EXPECT_EQ(guard.admit(false, now), std::nullopt);
}

TEST_F(Guard, AFewFailuresAmongFewCallsOpenNothing) {
  answers(19, false);
  EXPECT_FALSE(guard.is_open());
  now += 11s;
  answers(1, false);
  EXPECT_FALSE(guard.is_open());
}

TEST_F(Guard, G4_1_8_ATenthOfAMinutesTasksMayBeRetriesAndTenAlways) {
  for (int i = 0; i < 10; ++i) EXPECT_EQ(guard.admit(true, now), std::nullopt);
  EXPECT_TRUE(guard.admit(true, now).has_value());
  EXPECT_EQ(guard.admit(true, now), Duration(6s));
  for (int i = 0; i < 11; ++i) EXPECT_EQ(guard.admit(false, now), std::nullopt);
  EXPECT_EQ(guard.admit(true, now), std::nullopt);
  EXPECT_TRUE(guard.admit(true, now).has_value());
  EXPECT_EQ(guard.admit(true, now + 6s), std::nullopt);
}

}  // namespace
}  // namespace slipway::workers
