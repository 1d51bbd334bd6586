#include "tests/bench/load/histogram.hpp"

#include <gtest/gtest.h>

#include <random>

namespace slipway::bench {
namespace {

TEST(Histogram, PercentilesAreThoseOfTheSortedValuesWithinABucket) {
  std::mt19937_64 random(7);
  std::lognormal_distribution<double> latency(6, 2);
  Histogram histogram;
  std::vector<std::uint64_t> all;
  for (int i = 0; i < 50'000; ++i) {
    all.push_back(static_cast<std::uint64_t>(latency(random)));
    histogram.add(static_cast<std::int64_t>(all.back()));
  }
  std::sort(all.begin(), all.end());
  for (const double share : {0.01, 0.5, 0.9, 0.99, 0.999}) {
    const double exact = static_cast<double>(all[static_cast<std::size_t>(share * 50'000) - 1]);
    const double found = static_cast<double>(histogram.at(share));
    EXPECT_GE(found, exact) << share;
    EXPECT_LE(found, exact * 1.016 + 1) << share;
  }
  EXPECT_EQ(histogram.at(1), all.back());
  EXPECT_EQ(histogram.max(), all.back());
}

TEST(Histogram, SmallValuesAreExactAndHugeOnesAreKept) {
  Histogram histogram;
  for (int value = 0; value < 128; ++value) {
    histogram.clear();
    histogram.add(value);
    EXPECT_EQ(histogram.at(0.5), static_cast<std::uint64_t>(value));
  }
  histogram.add(-5);  // clocks of two processors may differ by a little
  histogram.add(INT64_MAX);
  EXPECT_EQ(histogram.total(), 3U);
  EXPECT_EQ(histogram.at(0), 0U);
  EXPECT_EQ(histogram.max(), static_cast<std::uint64_t>(INT64_MAX));
}

TEST(Histogram, IsEmptyAtFirstAndAfterClear) {
  Histogram histogram;
  EXPECT_EQ(histogram.at(0.99), 0U);
  histogram.add(1000);
  histogram.clear();
  EXPECT_EQ(histogram.total(), 0U);
  EXPECT_EQ(histogram.at(0.99), 0U);
}

}  // namespace
}  // namespace slipway::bench
