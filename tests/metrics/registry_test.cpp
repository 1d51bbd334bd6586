#include "metrics/registry.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

namespace slipway::metrics {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::array kBounds{0.1, 1.0};

TEST(Registry, WritesHelpTypeLabelsAndValues) {
  Registry registry;
  Counters<2> calls{
      registry, {.name = "calls_total", .help = "Calls.", .max_series = 9}, {{"who"}, {"what"}}};
  calls.with("a\"b", "c").add(3);
  EXPECT_EQ(registry.scrape(),
            "# HELP calls_total Calls.\n"
            "# TYPE calls_total counter\n"
            "calls_total{who=\"a\\\"b\",what=\"c\"} 3\n");
}

TEST(Registry, BucketsAreCumulativeAndIncludeTheirBound) {
  Registry registry;
  Histograms<> took{registry, {.name = "took_seconds", .help = "Took.", .bounds = kBounds}};
  took->observe(std::chrono::milliseconds(100));
  took->observe(0.5);
  took->observe(7.0);
  EXPECT_THAT(registry.scrape(), HasSubstr("took_seconds_count 3\n"
                                           "took_seconds_sum 7.6\n"
                                           "took_seconds_bucket{le=\"0.1\"} 1\n"
                                           "took_seconds_bucket{le=\"1\"} 2\n"
                                           "took_seconds_bucket{le=\"+Inf\"} 3\n"));
}

TEST(Registry, WhatCannotBeMeasuredCountsAsZero) {
  Histogram h(kBounds);
  h.observe(-1.0);
  h.observe(std::numeric_limits<double>::quiet_NaN());
  h.observe(base::Duration(-5));
  EXPECT_EQ(h.in_bucket(0), 3U);
  EXPECT_EQ(h.sum(), 0);
}

TEST(Registry, SecondsAreShownFromMicroseconds) {
  Registry registry;
  SecondsCounters<> busy{registry, {.name = "busy_seconds_total", .help = "Busy."}};
  busy->add(std::chrono::milliseconds(1500));
  EXPECT_THAT(registry.scrape(), HasSubstr("busy_seconds_total 1.5\n"));
}

TEST(Registry, AHookRunsBeforeEachScrapeUntilItIsGone) {
  Registry registry;
  Gauges<> lag{registry, {.name = "lag", .help = "Lag."}};
  double source = 5;
  auto hook = registry.before_scrape([&] { lag->set(source); });
  EXPECT_THAT(registry.scrape(), HasSubstr("lag 5\n"));
  source = 6;
  auto moved = std::move(hook);
  EXPECT_THAT(registry.scrape(), HasSubstr("lag 6\n"));
  source = 7;
  moved.reset();
  EXPECT_THAT(registry.scrape(), HasSubstr("lag 6\n"));
}

TEST(Registry, ACounterGoesOnFromThePersistedTotalAndNeverBack) {
  Registry registry;
  Counters<> created{registry, {.name = "created_total", .help = "Created."}};
  created->raise_to(1000);
  created->add();
  created->raise_to(900);
  EXPECT_EQ(created->value(), 1001U);
}

TEST(Registry, OnlyTheLeaderShowsWhatIsOfTheWholeService) {
  Registry registry;
  Gauges<> own{registry, {.name = "own", .help = "Own."}};
  Gauges<> all{registry, {.name = "everyones", .help = "All.", .scope = Scope::Service}};
  EXPECT_THAT(registry.scrape(), HasSubstr("everyones 0"));
  registry.set_leading(false);
  EXPECT_THAT(registry.scrape(), Not(HasSubstr("everyones")));
  EXPECT_THAT(registry.scrape(), HasSubstr("own 0"));
}

TEST(RegistryDeathTest, FamiliesThatCouldGrowPastTheLimitDoNotStart) {
  Registry registry;
  EXPECT_DEATH(
      (Counters<1>{
          registry, {.name = "big_total", .help = "Big.", .max_series = kMaxSeries + 1}, {{"x"}}}),
      "big_total makes 5001 series possible");
}

TEST(Family, KnownCombinationsStartAtZeroAndOthersOnFirstUse) {
  Registry registry;
  Counters<2> hits{
      registry, {.name = "hits_total", .help = "Hits."}, {{"a", {"x", "y"}}, {"b", {"1", "2"}}}};
  Counters<1> free{registry, {.name = "free_total", .help = "F.", .max_series = 3}, {{"a"}}};
  const auto text = registry.scrape();
  for (const auto* line : {"{a=\"x\",b=\"1\"} 0", "{a=\"x\",b=\"2\"} 0", "{a=\"y\",b=\"1\"} 0",
                           "{a=\"y\",b=\"2\"} 0"}) {
    EXPECT_THAT(text, HasSubstr(std::string("hits_total") + line));
  }
  EXPECT_THAT(text, Not(HasSubstr("free_total")));
}

TEST(Family, TheSameValuesAreTheSameSeries) {
  Registry registry;
  Gauges<2> g{registry, {.name = "g", .help = "G.", .max_series = 100}, {{"a"}, {"b"}}};
  auto& first = g.with("ab", "c");
  for (int i = 0; i < 50; ++i) g.with(std::to_string(i), "x");
  EXPECT_EQ(&g.with("ab", "c"), &first);
  EXPECT_NE(&g.with("a", "bc"), &first);
}

TEST(Family, PastItsMaximumEverythingSharesOther) {
  Registry registry;
  Counters<1> c{registry, {.name = "c_total", .help = "C.", .max_series = 3}, {{"a"}}};
  for (int i = 0; i < 100; ++i) c.with("v" + std::to_string(i)).add();
  EXPECT_EQ(registry.scrape(),
            "# HELP c_total C.\n# TYPE c_total counter\n"
            "c_total{a=\"v0\"} 1\nc_total{a=\"v1\"} 1\nc_total{a=\"other\"} 98\n");
}

TEST(Family, ThreadsThatMeetOnANewSeriesLoseNoCount) {
  Registry registry;
  Counters<1> c{registry, {.name = "c_total", .help = "C.", .max_series = 40}, {{"a"}}};
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&c] {
        for (int i = 0; i < 2000; ++i) c.with(std::to_string(i % 50)).add();
      });
    }
    for (int i = 0; i < 20; ++i) registry.scrape();
  }
  std::uint64_t sum = 0;
  std::size_t series = 0;
  c.for_each([&](const auto& s) {
    sum += s.instrument.value();
    ++series;
  });
  EXPECT_EQ(sum, 8000U);
  EXPECT_EQ(series, 40U);
}

}  // namespace
}  // namespace slipway::metrics
