// Hostile queries: each ends within its limit, says which, and leaves the engine fit for the next.
#include <chrono>

#include "eventstore/sql/memory_budget.hpp"
#include "sql_fixture.hpp"

namespace slipway::eventstore::sql::testing {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;

std::string repeated(std::string_view piece, std::size_t times) {
  std::string out;
  for (std::size_t i = 0; i < times; ++i) out += piece;
  return out;
}

TEST(SqlLimits, OfTheTextAreRefusedAsAWhole) {
  SqlCloud cloud;
  EXPECT_THAT(cloud.refusal("select '" + std::string(17000, 'x') + "'"),
              HasSubstr("sql.max_text_bytes"));
  EXPECT_THAT(cloud.refusal("select 1" + repeated("+1", 1500)), HasSubstr("sql.max_tokens"));
  EXPECT_THAT(cloud.refusal(repeated("select 1;", 11)), HasSubstr("sql.max_statements"));
  EXPECT_THAT(cloud.refusal("select " + repeated("(", 40) + "1" + repeated(")", 40)),
              HasSubstr("sql.max_depth"));
  EXPECT_THAT(cloud.refusal("select " + repeated("- ", 400) + "1"), HasSubstr("sql.max_depth"));
  EXPECT_THAT(cloud.refusal("select " + repeated("not ", 400) + "1"), HasSubstr("sql.max_depth"));
  EXPECT_THAT(cloud.refusal("select 1 from " + repeated("(", 40) + "clouds" + repeated(")", 40)),
              HasSubstr("sql.max_depth"));
  EXPECT_THAT(cloud.refusal("select 1 from clouds a, clouds b, clouds c, clouds d, clouds e, "
                            "clouds f"),
              HasSubstr("sql.max_joins"));
  EXPECT_EQ(cloud.value("1"), "1");
}

TEST(SqlLimits, WhatIsJustInsideWorks) {
  SqlCloud cloud;
  EXPECT_EQ(cloud.value(repeated("(", 30) + "1" + repeated(")", 30)), "1");
  EXPECT_EQ(cloud.value("1" + repeated("+1", 900)), "901");
  EXPECT_EQ(cloud.value("1" + repeated(" or 0", 900)), "1");
  EXPECT_EQ(cloud.value("1" + repeated(" and 1", 900)), "1");
  EXPECT_EQ(cloud.value("7 in (1" + repeated(",2", 900) + ",7)"), "1");
  EXPECT_EQ(cloud.rows("select count(*) from clouds a, clouds b, clouds c, clouds d, clouds e"),
            (Rows{{"1"}}));
}

TEST(SqlLimits, DeepNestingIsAnErrorAtWorst) {
  SqlCloud cloud;
  for (const std::string& text :
       {"select " + repeated("abs(", 31) + "1" + repeated(")", 31),
        "select 1" + repeated(" xor 1", 900), "select 1" + repeated(" / 1", 900),
        "select 1" + repeated(" = 1", 900), "select 1" + repeated(" like 1", 900)}) {
    const StatementResult result = cloud.one(text);
    EXPECT_THAT(result.outcome, AnyOf(Outcome::Success, Outcome::EvaluationError));
    EXPECT_THAT(result.message, AnyOf("", HasSubstr("nests too deep"))) << text.substr(0, 40);
  }
  EXPECT_EQ(cloud.value("1"), "1");
}

TEST(SqlLimits, ACrossJoinEndsAtItsRows) {
  Limits limits;
  limits.rows_scanned = 20000;
  limits.time = std::chrono::seconds(20);
  SqlCloud cloud(limits);
  EXPECT_THAT(cloud.evaluation_error("select count(*) from flavors a, flavors b, flavors c, "
                                     "flavors d, flavors e"),
              AnyOf(HasSubstr("sql.max_rows_scanned"), HasSubstr("sql.timeout")));
  EXPECT_THAT(cloud.evaluation_error("select count(*) from events a, events b, events c"),
              HasSubstr("sql.max_rows_scanned"));
  EXPECT_EQ(cloud.rows("select count(*) from instances"), (Rows{{"3"}}));
}

TEST(SqlLimits, ALongQueryEndsInTime) {
  Limits limits;
  limits.time = std::chrono::milliseconds(200);
  limits.rows_scanned = 1'000'000'000;
  SqlCloud cloud(limits);
  cloud.value("1");  // the connection is open
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_THAT(cloud.evaluation_error("select count(*) from functions() a, functions() b, "
                                     "functions() c, functions() d, functions() e"),
              HasSubstr("sql.timeout"));
  EXPECT_THAT(cloud.evaluation_error("select count(*) from functions() a, functions() b, "
                                     "functions() c, functions() d where concat(a.name, b.name, "
                                     "c.name, d.name) regexp '(a*)*(b*)*(c|d|e)*x$'"),
              HasSubstr("sql.timeout"));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5));
  EXPECT_EQ(cloud.value("1"), "1");
}

TEST(SqlLimits, RegexBombsTakeLinearTime) {
  SqlCloud cloud;
  const std::string as(15000, 'a');
  EXPECT_EQ(cloud.value("'" + as + "' regexp '^(a+)+$'"), "1");
  EXPECT_EQ(cloud.value("'" + as + "' regexp '^(a|aa)+b$'"), "0");
  EXPECT_EQ(cloud.value("'" + as + "' like '" + repeated("%a", 100) + "b'"), "0");
}

TEST(SqlLimits, TooManyRowsOutAreRefused) {
  Limits limits;
  limits.rows = 100;
  SqlCloud cloud(limits);
  EXPECT_THAT(cloud.evaluation_error("select a.name from functions() a, functions() b"),
              HasSubstr("sql.max_rows"));
  EXPECT_EQ(cloud.rows("select a.name from functions() a, functions() b limit 100").size(), 100U);
  // The rows are those of the request, not of each statement.
  const auto results = cloud.all(
      "select a.name from functions() a, functions() b limit 60;"
      "select a.name from functions() a, functions() b limit 60");
  EXPECT_EQ(results[0].outcome, Outcome::Success);
  EXPECT_EQ(results[1].outcome, Outcome::EvaluationError);
}

TEST(SqlLimits, MemoryIsCounted) {
  ASSERT_TRUE(memory_is_counted());
  Limits limits;
  limits.memory_bytes = 4U << 20U;
  limits.time = std::chrono::seconds(20);
  SqlCloud cloud(limits);
  const std::string kilobyte(1000, 'x');
  EXPECT_THAT(cloud.evaluation_error("select concat(a.name, b.name, c.name, '" + kilobyte +
                                     "') s from functions() a, functions() b, functions() c "
                                     "order by s desc limit 1 offset 100000"),
              HasSubstr("sql.max_memory_bytes"));
  EXPECT_EQ(cloud.value("1"), "1");
}

TEST(SqlLimits, ValuesDoNotGrowWithoutEnd) {
  SqlCloud cloud;
  const std::string ten(10, 'x');
  std::string expression = "'" + std::string(1000, 'x') + "'";
  for (int i = 0; i < 3; ++i) expression = "replace(" + expression + ",'x','" + ten + "')";
  EXPECT_THAT(cloud.evaluation_error("select char_length(" + expression + ")"),
              HasSubstr("sql.max_value_bytes"));
  const std::string half = "'" + std::string(7000, 'x') + "'";
  EXPECT_THAT(
      cloud.evaluation_error("select join(" + half + ", 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11)"),
      HasSubstr("sql.max_value_bytes"));
}

TEST(SqlLimits, AliasesThatRepeatThemselvesAreBounded) {
  SqlCloud cloud;
  const std::string large = "concat('" + std::string(3000, 'y') + "'" + repeated(",1", 90) + ")";
  const auto result =
      cloud.one("select " + large + " a from clouds order by 'x'" + repeated(", a", 600));
  EXPECT_THAT(result.outcome, AnyOf(Outcome::Success, Outcome::EvaluationError));
}

TEST(SqlGuard, SumsThatOverflowAndBytesThatAreNoTextAreErrors) {
  SqlCloud cloud;
  EXPECT_THAT(cloud.evaluation_error("select sum(9223372036854775807) from flavors"),
              HasSubstr("out of range"));
  EXPECT_EQ(cloud.value("9223372036854775807 + 1 > 0"), "1");
  EXPECT_EQ(cloud.value("abs(-9223372036854775807 - 1) > 0"), "1");
  EXPECT_EQ(cloud.value("(-9223372036854775807 - 1) div -1"), "NULL");
  EXPECT_EQ(cloud.value("(-9223372036854775807 - 1) mod -1"), "0");
}

}  // namespace
}  // namespace slipway::eventstore::sql::testing
