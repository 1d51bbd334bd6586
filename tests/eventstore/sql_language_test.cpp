// The language of the SQL dialect as docs/SQL.md tells it: what the words mean, and what a mistake
// is answered with.
#include "sql_fixture.hpp"

namespace slipway::eventstore::sql::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

struct Case {
  const char* expression;
  const char* value;
};
void expect(SqlCloud& cloud, std::initializer_list<Case> cases) {
  for (const Case& c : cases) EXPECT_EQ(cloud.value(c.expression), c.value) << c.expression;
}

TEST(SqlOperators, MeanWhatTheLanguageSaysNotWhatSqliteSays) {
  SqlCloud cloud;
  expect(cloud, {{"1 || 0", "1"},
                 {"0 || 0", "0"},
                 {"1 && 0", "0"},
                 {"'a' || 'b'", "0"},
                 {"1 xor 1", "0"},
                 {"1 XOR 0", "1"},
                 {"null xor 1", "NULL"},
                 {"!0", "1"},
                 {"not 1", "0"},
                 {"!1 + 1", "1"},
                 {"not 1 + 1", "0"},
                 {"7 / 2", "3.5"},
                 {"1 / 0", "NULL"},
                 {"7 div 2", "3"},
                 {"-7 div 2", "-3"},
                 {"7.9 div 2", "3"},
                 {"7 % 3", "1"},
                 {"-7 mod 3", "-1"},
                 {"7.5 mod 2", "1.5"},
                 {"7 mod 0", "NULL"},
                 {"6 & 3", "2"},
                 {"6 | 3", "7"},
                 {"6 ^ 3", "5"},
                 {"~0", "-1"},
                 {"1 << 4", "16"},
                 {"256 >> 4", "16"},
                 {"2 + 3 * 4", "14"},
                 {"(2 + 3) * 4", "20"},
                 {"10 - 4 - 3", "3"},
                 {"2 * 3 div 4", "1"},
                 {"1 + 2 = 3 and 2 > 1", "1"},
                 {"1 or 0 and 0", "1"},
                 {"- - 3", "3"},
                 {"1 = 1 = 1", "1"}});
}

TEST(SqlComparison, ReadsAStringAsANumberWhereItIsOne) {
  SqlCloud cloud;
  expect(cloud, {{"'5' > 10", "0"},
                 {"'5' = 5", "1"},
                 {"'abc' = 0", "0"},
                 {"'a' < 'b'", "1"},
                 {"'B' < 'a'", "1"},
                 {"'a' = 'A'", "0"},
                 {"null = null", "NULL"},
                 {"null is null", "1"},
                 {"1 is not null", "1"},
                 {"2 between 1 and 3", "1"},
                 {"2 not between 1 and 3", "0"},
                 {"'2' between 1 and 3", "1"},
                 {"2 in (1, 2)", "1"},
                 {"2 in (1, '2')", "1"},
                 {"2 not in (1, 2)", "0"},
                 {"3 not in (1, null)", "NULL"},
                 {"lower('X') in ('x', 'y')", "1"},
                 {"lower('7') = 7", "1"}});
}

TEST(SqlLike, KnowsPercentAndUnderscore) {
  SqlCloud cloud;
  expect(cloud, {{"'web-1' like 'web%'", "1"},
                 {"'web-1' like 'WEB-_'", "1"},
                 {"'web-1' not like '%2'", "1"},
                 {"'web-1' like 'web'", "0"},
                 {"'aXbXc' like 'a%b%c'", "1"},
                 {"'' like '%'", "1"},
                 {"'\xC3\xA4' like '_'", "1"},
                 {"null like 'a'", "NULL"},
                 {"12 like '1%'", "1"}});
}

TEST(SqlRegexp, FindsAPlaceInTheText) {
  SqlCloud cloud;
  expect(cloud, {{"'web-12' regexp '[0-9]+'", "1"},
                 {"'web-12' regexp '^[0-9]+$'", "0"},
                 {"'WEB' regexp 'web'", "0"},
                 {"'WEB' regexp '(?i)web'", "1"},
                 {"'a' not regexp 'b'", "1"},
                 {"null regexp 'b'", "NULL"}});
  EXPECT_THAT(cloud.evaluation_error("select 'a' regexp '(b'"), HasSubstr("missing"));
  EXPECT_THAT(cloud.evaluation_error("select 'a' regexp '" + std::string(300, 'b') + "'"),
              HasSubstr("256 bytes"));
  // Within 256 bytes, and yet too large a program.
  EXPECT_THAT(cloud.evaluation_error("select 'a' regexp '((a{100}){100}){100}'"),
              HasSubstr("REGEXP"));
}

TEST(SqlFunctions, Numeric) {
  SqlCloud cloud;
  expect(cloud, {{"abs(-3)", "3"},
                 {"abs(-2.5)", "2.5"},
                 {"ceil(1.2)", "2"},
                 {"floor(-1.2)", "-2"},
                 {"round(2.5)", "3"},
                 {"round(2.345, 2)", "2.35"},
                 {"round(1234, -2)", "1200"},
                 {"truncate(2.789, 2)", "2.78"},
                 {"truncate(-2.9, 0)", "-2"},
                 {"sign(-8)", "-1"},
                 {"sign(0)", "0"},
                 {"sqrt(9)", "3"},
                 {"sqrt(-1)", "NULL"},
                 {"cbrt(27)", "3"},
                 {"power(2, 10)", "1024"},
                 {"mod(7, 3)", "1"},
                 {"exp(0)", "1"},
                 {"ln(1)", "0"},
                 {"ln(0)", "NULL"},
                 {"log(2, 8)", "3"},
                 {"log10(1000)", "3"},
                 {"round(pi(), 4)", "3.1416"},
                 {"round(e(), 4)", "2.7183"},
                 {"round(degrees(pi()), 0)", "180"},
                 {"round(radians(180), 4)", "3.1416"},
                 {"sin(0)", "0"},
                 {"cos(0)", "1"},
                 {"tan(0)", "0"},
                 {"asin(2)", "NULL"},
                 {"acos(1)", "0"},
                 {"atan(0)", "0"},
                 {"cot(0)", "NULL"},
                 {"conv('ff', 16, 2)", "11111111"},
                 {"conv('zz', 36, 10)", "1295"},
                 {"conv('1', 1, 2)", "NULL"},
                 {"rand() < 1", "1"},
                 {"abs(null)", "NULL"}});
}

TEST(SqlFunctions, Text) {
  SqlCloud cloud;
  expect(cloud, {{"base64('slipway')", "c2xpcHdheQ=="},
                 {"base64('')", ""},
                 {"bit_length('\xC3\xA4')", "16"},
                 {"char_length('\xC3\xA4')", "1"},
                 {"char(72, 228, 8364)", "H\xC3\xA4\xE2\x82\xAC"},
                 {"concat('a', 1, 'b')", "a1b"},
                 {"concat('a', null)", "NULL"},
                 {"crc32('123456789')", "3421780262"},
                 {"format(12332.123456, 4)", "12,332.1235"},
                 {"format(-1234567, 0)", "-1,234,567"},
                 {"format(12, 2)", "12.00"},
                 {"join('-', 'a', null, 'b')", "a-b"},
                 {"lower('WEB')", "web"},
                 {"upper('web')", "WEB"},
                 {"replace('banana', 'an', 'o')", "booa"},
                 {"reverse('a\xC3\xA4z')",
                  "z\xC3\xA4"
                  "a"},
                 {"substr('banana', 2)", "anana"},
                 {"substr('banana', 2, 3)", "ana"},
                 {"substr('banana', -3, 2)", "an"},
                 {"substr('banana', 0)", ""},
                 {"substr('banana', 9)", ""},
                 {"trim('  x ')", "x"},
                 {"typeof(1)", "integer"},
                 {"typeof(1.5)", "real"},
                 {"typeof('a')", "text"},
                 {"typeof(null)", "null"}});
}

TEST(SqlSelect, HasNamesAliasesAndPlaces) {
  SqlCloud cloud;
  const auto result = cloud.one(
      "Select i.NAME, ram as Memory, ram * 2 From instances i "
      "join flavors f on 'm1.nano' = f.name order by Memory, 1 desc");
  ASSERT_EQ(result.outcome, Outcome::Success) << result.message;
  EXPECT_THAT(result.columns, ElementsAre("name", "Memory", "ram * 2"));
  EXPECT_EQ(shown(result.rows[0][0]), "web-2");
  EXPECT_EQ(shown(result.rows[2][2]), "256");
}

TEST(SqlSelect, GroupsSortsAndCuts) {
  SqlCloud cloud;
  EXPECT_EQ(cloud.rows("select substr(name, 1, 2) as kind, count(*) n from instances "
                       "group by kind having n >= 1 order by n desc"),
            (Rows{{"we", "2"}, {"db", "1"}}));
  EXPECT_EQ(cloud.rows("select count(*), count(fqdn), min(name), max(name) from instances"),
            (Rows{{"3", "0", "db-1", "web-2"}}));
  EXPECT_EQ(cloud.rows("select name from instances order by name limit 1"), (Rows{{"db-1"}}));
  EXPECT_EQ(cloud.rows("select name from instances order by name limit 1, 1"), (Rows{{"web-1"}}));
  EXPECT_EQ(cloud.rows("select name from instances order by name desc limit 1 offset 2"),
            (Rows{{"db-1"}}));
  EXPECT_EQ(cloud.rows("select name n from instances having n like 'db%'"), (Rows{{"db-1"}}));
  EXPECT_EQ(cloud.rows("select distinct substr(name, 1, 1) c from instances order by c"),
            (Rows{{"d"}, {"w"}}));
  EXPECT_EQ(cloud.rows("select sum(ram), avg(vcpus) from flavors where name in "
                       "('m1.tiny', 'm1.small')"),
            (Rows{{"2560", "1"}}));
}

TEST(SqlJoins, OfEveryKind) {
  SqlCloud cloud;
  EXPECT_EQ(cloud.rows("select a.name, b.name from flavors a, flavors b "
                       "where a.name = 'm1.tiny' and b.name = 'm1.nano'"),
            (Rows{{"m1.tiny", "m1.nano"}}));
  EXPECT_EQ(cloud.rows("select count(*) from hosts cross join flavors"), (Rows{{"48"}}));
  EXPECT_EQ(cloud.rows("select i.name, f.id from instances i left join flavors f on "
                       "f.name = concat('m1.', i.name) order by i.name limit 1"),
            (Rows{{"db-1", "NULL"}}));
  EXPECT_EQ(cloud.rows("select i.name, p.name from instances i right outer join projects p on "
                       "p.id = i.name"),
            (Rows{{"NULL", "demo"}}));
  EXPECT_EQ(cloud.rows("select p.name, m.instance_id is null from projects p left join "
                       "(instances i join instance_metadata m on m.instance_id = 'none') "
                       "on i.project_id = p.id"),
            (Rows{{"demo", "1"}}));
  EXPECT_EQ(cloud.rows("select name, count(*) from hosts h inner join clouds c on "
                       "h.cloud_id = c.id join availability_zones z using (name) group by 1"),
            Rows{});
  EXPECT_EQ(cloud.rows("select project_id = id from projects natural join project_images p "
                       "limit 1"),
            (Rows{{"1"}}));
}

TEST(SqlJoins, NaturalAndUsingShowACommonColumnOnce) {
  SqlCloud cloud;
  const auto natural = cloud.one("select * from clouds natural join tables() limit 1");
  EXPECT_THAT(natural.columns, ElementsAre("id", "type", "name"));
  const auto joined =
      cloud.one("select * from instance_metadata join instance_networks using (instance_id)");
  ASSERT_EQ(joined.outcome, Outcome::Success) << joined.message;
  EXPECT_THAT(joined.columns, ElementsAre("instance_id", "key", "value", "network_id"));
  EXPECT_EQ(cloud
                .rows("select instance_id from instance_metadata natural join instance_networks "
                      "order by instance_id limit 1")
                .size(),
            joined.rows.empty() ? 0U : 1U);
}

TEST(SqlStatements, EndAtSemicolonsAndLines) {
  SqlCloud cloud;
  const auto results = cloud.all("select 1; select 'a;b'\n\n select nonsense( \r\nselect 2;");
  ASSERT_EQ(results.size(), 4U);
  EXPECT_EQ(results[0].outcome, Outcome::Success);
  EXPECT_EQ(shown(results[1].rows[0][0]), "a;b");
  EXPECT_EQ(results[2].outcome, Outcome::SyntaxError);
  EXPECT_THAT(results[2].message, StartsWith("line 3, column 20"));
  EXPECT_EQ(shown(results[3].rows[0][0]), "2");
}

TEST(SqlPlaceholders, AreValuesNeverText) {
  SqlCloud cloud;
  Placeholders p;
  p.named = {{"name", placeholder_value("web")}, {"n", placeholder_value("2")}};
  EXPECT_EQ(cloud.rows("select name from instances where name regexp :name: order by name "
                       "limit :n:",
                       p),
            (Rows{{"web-1"}, {"web-2"}}));
  p.named["name"] = placeholder_value("' or 1=1 or name = '");
  EXPECT_EQ(cloud.rows("select name from instances where name = :name:", p), Rows{});
  Placeholders numbered;
  numbered.numbered = {{1, placeholder_value("7")}, {2, placeholder_value("007a")}};
  EXPECT_EQ(cloud.rows("select typeof(?), typeof(?)", numbered), (Rows{{"integer", "text"}}));
  EXPECT_EQ(cloud.value("typeof(:x:)", {{{"x", placeholder_value("99999999999999999999")}}, {}}),
            "text");
}

TEST(SqlPlaceholders, AMissingOneFailsTheWholeText) {
  SqlCloud cloud;
  const auto results = cloud.all("select 1; select :who:, ?");
  ASSERT_EQ(results.size(), 1U);
  EXPECT_EQ(results[0].outcome, Outcome::MissingParameters);
  EXPECT_EQ(results[0].message, "no value was given for :who:, ? number 1");
}

TEST(SqlMistakes, NamePlaceAndCause) {
  SqlCloud cloud;
  // As the specification's own sample has it.
  EXPECT_THAT(cloud.syntax_error("select id, name from projects name regexp 'selenium' order by "
                                 "name asc"),
              StartsWith("line 1, column 36: the end of the statement is expected here"));
  EXPECT_EQ(cloud.syntax_error("select x from projects"),
            "line 1, column 8: there is no column 'x'");
  EXPECT_EQ(cloud.syntax_error("select p.x from projects p"),
            "line 1, column 8: there is no column 'p.x'");
  EXPECT_EQ(cloud.syntax_error("select q.id from projects p"),
            "line 1, column 8: there is no table 'q' in this FROM");
  EXPECT_EQ(cloud.syntax_error("select * from users"),
            "line 1, column 15: there is no table 'users'");
  EXPECT_EQ(cloud.syntax_error("select id from projects, flavors"),
            "line 1, column 8: 'id' is a column of 'projects' and of 'flavors'");
  EXPECT_EQ(cloud.syntax_error("select 1 from projects, projects"),
            "line 1, column 25: the name 'projects' stands for two tables");
  EXPECT_THAT(cloud.syntax_error("select nofun(1)"), HasSubstr("there is no function nofun()"));
  EXPECT_THAT(cloud.syntax_error("select abs(1, 2)"), HasSubstr("abs(x) takes other arguments"));
  EXPECT_THAT(cloud.syntax_error("select name from instances where count(*) > 1"),
              HasSubstr("count() has no meaning in WHERE"));
  EXPECT_THAT(cloud.syntax_error("select (select 1)"), HasSubstr("no subqueries"));
  EXPECT_THAT(cloud.syntax_error("select 1 from (select 1)"), HasSubstr("no subqueries"));
  EXPECT_THAT(cloud.syntax_error("delete from instances"), HasSubstr("SELECT is expected here"));
  EXPECT_THAT(cloud.syntax_error("select 'open"), HasSubstr("no closing quote"));
  EXPECT_THAT(cloud.syntax_error(std::string("select 'a\0b'", 12)), HasSubstr("NUL"));
  EXPECT_THAT(cloud.syntax_error(std::string("select \0", 8)), HasSubstr("this byte"));
  EXPECT_THAT(cloud.syntax_error("select 1 # 2"), HasSubstr("'#' has no meaning"));
  EXPECT_THAT(cloud.syntax_error("select \"name\" from projects"), HasSubstr("column 8"));
  EXPECT_THAT(cloud.syntax_error("select 'it''s'"), StartsWith("line 1, column 12"));
  EXPECT_THAT(cloud.syntax_error("select 1 order by 2"), HasSubstr("no column number 2"));
  EXPECT_THAT(cloud.syntax_error("select * "), HasSubstr("* needs a FROM"));
  EXPECT_THAT(cloud.syntax_error(""), HasSubstr("an empty text"));
  EXPECT_THAT(cloud.syntax_error("select 1 limit 'a'"), HasSubstr("a number of rows"));
}

TEST(SqlExplain, ShowsThePlan) {
  SqlCloud cloud;
  const std::string id = cloud.vms["web-1"];
  const Rows plan = cloud.rows(
      "explain select i.name from instances i left join flavors f on "
      "f.id = i.flavor_id where i.id = '" +
      id + "' order by 1 limit 5");
  ASSERT_EQ(plan.size(), 6U);
  EXPECT_THAT(plan[0], ElementsAre("1", "read", HasSubstr("looked up by id, own rows")));
  EXPECT_THAT(plan[1], ElementsAre("2", "left join", HasSubstr("on f.id = i.flavor_id")));
  EXPECT_EQ(plan[4][1], "limit");
}

}  // namespace
}  // namespace slipway::eventstore::sql::testing
