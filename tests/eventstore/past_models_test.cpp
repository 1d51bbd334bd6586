// The tables of the past: what they show, how long they are kept, and that time bounds their
// making.
#include "eventstore/past_models.hpp"

#include <filesystem>

#include "sql_fixture.hpp"

namespace slipway::eventstore::sql::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

const base::SteadyTime kNoEnd = base::SteadyTime::max();
const base::SteadyTime kOver = base::SteadyTime::min();
const base::Time kNow = eventstore::testing::kStart + std::chrono::hours(1000);

std::uint64_t vms(const ReadModels& models) {
  auto reader = models.open_reader();
  EXPECT_TRUE(reader);
  const auto page = (*reader)->list_vms(Scope::admin(), {}, {.count = true});
  EXPECT_TRUE(page);
  return page->total.value_or(999);
}

TEST(SqlAsOf, ShowsTheTablesOfThatSeq) {
  SqlCloud cloud;
  const domain::Seq before = cloud.recorder.next_seq() - 1;
  cloud.add_vms("demo", {"new-1"});
  cloud.follow();
  const std::string of = fmt::format(" as of seq {}", before);
  EXPECT_EQ(cloud.rows("select count(*) from instances"), (Rows{{"4"}}));
  EXPECT_EQ(cloud.rows("select count(*) from instances" + of), (Rows{{"3"}}));
  EXPECT_EQ(cloud.rows("select name from instances" + of + " where name like 'new%'"), Rows{});
  EXPECT_EQ(cloud.rows("select max(seq) from events" + of, {}, Scope::admin()),
            (Rows{{std::to_string(before)}}));
  EXPECT_EQ(cloud.rows("select count(*) from instances as of seq 0"), (Rows{{"0"}}));
  EXPECT_EQ(
      cloud.rows("select name from instances as of seq :n:", {{{"n", Value(std::int64_t{1})}}, {}}),
      Rows{});
}

TEST(SqlAsOf, TakesARecordAsAWhole) {
  SqlCloud cloud;
  const auto& last = cloud.recorder.records().back();
  ASSERT_GT(last.events.size(), 1U);
  const auto at = [&](domain::Seq seq) {
    return cloud.rows(fmt::format("select max(seq) from events as of seq {}", seq), {},
                      Scope::admin());
  };
  const domain::Seq end = last.envelope.seq + last.events.size() - 1;
  EXPECT_EQ(at(last.envelope.seq), (Rows{{std::to_string(end)}}));
  EXPECT_EQ(at(last.envelope.seq - 1), (Rows{{std::to_string(last.envelope.seq - 1)}}));
}

TEST(SqlAsOf, ShowsTheTablesOfThatTime) {
  SqlCloud cloud;
  cloud.recorder.wait(std::chrono::hours(1));
  cloud.add_vms("demo", {"new-1"});
  cloud.follow();
  EXPECT_EQ(cloud.rows("select count(*) from instances as of system time '2026-01-01T00:30:00Z'"),
            (Rows{{"3"}}));
  EXPECT_EQ(cloud.rows("select count(*) from instances as of system time "
                       "'2026-01-01T00:30:00+00:00[UTC]'"),
            (Rows{{"3"}}));
  EXPECT_EQ(cloud.rows("select count(*) from instances as of system time '2025-12-31T00:00:00Z'"),
            (Rows{{"0"}}));
  EXPECT_THAT(cloud.syntax_error("select 1 from instances as of system time 'yesterday'"),
              HasSubstr("a time in quotes"));
}

TEST(SqlAsOf, TheFutureIsRefused) {
  SqlCloud cloud;
  EXPECT_THAT(cloud.evaluation_error("select name from instances as of seq 1000000"),
              StartsWith("AS OF: the last seq is "));
  EXPECT_THAT(
      cloud.evaluation_error("select name from instances as of system time '2999-01-01T00:00:00Z'"),
      StartsWith("AS OF: that time has not come yet"));
}

TEST(SqlAsOf, ThePastHasTenantsAndLimitsToo) {
  Limits limits;
  limits.rows = 2;
  SqlCloud cloud(limits);
  const std::string of = fmt::format(" as of seq {}", cloud.recorder.next_seq() - 1);
  EXPECT_EQ(cloud.rows("select count(*) from instances" + of + " where name like 'secret%'"),
            (Rows{{"0"}}));
  EXPECT_EQ(cloud.rows("select count(*) from instances" + of, {}, Scope::admin()), (Rows{{"5"}}));
  EXPECT_THAT(cloud.evaluation_error("select name from instances" + of), HasSubstr("sql.max_rows"));
}

TEST(PastModels, WhatTimeDidNotSufficeForIsGoneOnWith) {
  SqlCloud cloud;
  PastModels past(cloud.models(), cloud.log, {.events_a_lot = 20});
  const Moment moment = cloud.recorder.next_seq() - 1;
  int asked = 1;
  auto models = past.at(moment, kNow, kOver);
  while (!models) {
    ASSERT_EQ(models.error().code, base::Errc::DeadlineExceeded) << models.error().message;
    ASSERT_LT(++asked, 100);
    models = past.at(moment, kNow, kOver);
  }
  EXPECT_GT(asked, 2);
  EXPECT_EQ(vms(**models), 5U);
  EXPECT_EQ(*past.at(moment, kNow, kOver), *models) << "it is there now";
}

TEST(PastModels, AFewMomentsAreKeptAndReadersKeepTheirs) {
  SqlCloud cloud;
  PastModels past(cloud.models(), cloud.log, {.kept = 2});
  const domain::Seq last = cloud.recorder.next_seq() - 1;
  auto first = *past.at(Moment(last), kNow, kNoEnd);
  const std::string file = first->serving_file();
  for (domain::Seq seq = 1; seq < 4; ++seq) ASSERT_TRUE(past.at(Moment(seq), kNow, kNoEnd));
  EXPECT_EQ(vms(*first), 5U);
  EXPECT_TRUE(std::filesystem::exists(file));
  first.reset();
  EXPECT_FALSE(std::filesystem::exists(file));
}

}  // namespace
}  // namespace slipway::eventstore::sql::testing
