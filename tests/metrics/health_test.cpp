#include "metrics/health.hpp"

#include <gtest/gtest.h>

namespace slipway::metrics {
namespace {

using std::chrono::seconds;

class HealthTest : public ::testing::Test {
 protected:
  base::ManualClock clock_{base::Time{}};
  Health health_{clock_};
};

TEST_F(HealthTest, IsReadyOnlyWhileEveryCheckHolds) {
  bool writable = true;
  health_.add_ready("log", [&] { return CheckResult{writable, writable ? "" : "disk full"}; });
  health_.add_ready("projections", [] { return CheckResult{}; });
  EXPECT_TRUE(health_.ready().ok);
  writable = false;
  EXPECT_FALSE(health_.ready().ok);
  EXPECT_TRUE(health_.live().ok) << "health asks no dependency";
}

TEST_F(HealthTest, ALoopThatDoesNotTurnIsNotAlive) {
  const auto beat = health_.watch_loop("sequencer", seconds(5));
  clock_.advance(seconds(5));
  EXPECT_TRUE(health_.live().ok);
  clock_.advance(seconds(1));
  EXPECT_FALSE(health_.live().ok);
  EXPECT_FALSE(health_.ready().ok);
  beat.now(clock_.steady());
  EXPECT_TRUE(health_.live().ok);
}

TEST_F(HealthTest, DetailsAreForThoseWhoMayKnow) {
  health_.add_ready("log", [] { return CheckResult{false, "3 MiB left on /data"}; });
  EXPECT_EQ(health_.ready().json(false),
            R"({"status":"failing","checks":[{"name":"log","status":"failing"}]})");
  EXPECT_EQ(health_.ready().json(true), R"({"status":"failing","checks":[{"name":"log",)"
                                        R"("status":"failing","detail":"3 MiB left on /data"}]})");
}

}  // namespace
}  // namespace slipway::metrics
