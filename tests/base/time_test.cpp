#include "core/base/time.hpp"

#include <gtest/gtest.h>

namespace slipway::base {
namespace {

TEST(Rfc3339, RoundTripsMicroseconds) {
  const auto t = parse_rfc3339("2026-02-18T18:37:46.000123Z");
  ASSERT_TRUE(t);
  EXPECT_EQ(rfc3339(*t), "2026-02-18T18:37:46.000123Z");
}

TEST(Rfc3339, AppliesTheOffset) {
  EXPECT_EQ(rfc3339(*parse_rfc3339("2026-02-18T18:37:46+02:30")), "2026-02-18T16:07:46.000000Z");
}

TEST(Rfc3339, RefusesWhatIsNotATime) {
  for (const char* text :
       {"", "2026", "2026-02-30T00:00:00Z", "2026-02-18T24:00:00Z", "2026-02-18T00:00:00",
        "2026-02-18T00:00:00.Z", "2026-02-18T00:00:00Zx"}) {
    EXPECT_FALSE(parse_rfc3339(text)) << text;
  }
}

TEST(Duration, ReadsUnitsAndSums) {
  EXPECT_EQ(parse_duration("1h30m"), std::chrono::minutes(90));
  EXPECT_EQ(parse_duration("250ms"), std::chrono::milliseconds(250));
  EXPECT_EQ(parse_duration("30"), std::chrono::seconds(30));
  for (const char* text : {"", "s", "-1s", "1x", "1s x"})
    EXPECT_FALSE(parse_duration(text)) << text;
}

TEST(HttpDate, IsTheFixedFormat) {
  EXPECT_EQ(http_date(*parse_rfc3339("2021-02-26T17:36:57Z")), "Fri, 26 Feb 2021 17:36:57 GMT");
}

}  // namespace
}  // namespace slipway::base
