// Random queries in the part of the language that means the same to SQLite, answered by us (lexer,
// parser, names, compiler, catalog, tenant filter) and by SQLite itself on a plain copy of the
// rows.
#include <sqlite3.h>

#include <algorithm>
#include <random>

#include "sql_fixture.hpp"

namespace slipway::eventstore::sql::testing {
namespace {

constexpr unsigned kSeed = 20260101;
constexpr int kQueries = 1000;

class PlainSqlite {
 public:
  PlainSqlite() {
    EXPECT_EQ(sqlite3_open(":memory:", &db_), SQLITE_OK);
    exec(
        "create table flavors(id text, name text, ram integer, vcpus integer, root_disk integer, "
        "notes text)");
    exec("create table instances(name text, flavor_id text, state text)");
  }
  ~PlainSqlite() { sqlite3_close(db_); }
  PlainSqlite(const PlainSqlite&) = delete;
  PlainSqlite& operator=(const PlainSqlite&) = delete;

  void exec(const std::string& sql) {
    ASSERT_EQ(sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK) << sql;
  }
  void copy(const std::string& table, const Rows& rows) {
    for (const auto& row : rows) {
      std::string values;
      for (const std::string& value : row) {
        values += (values.empty() ? "" : ",") + (value == "NULL" ? value : "'" + value + "'");
      }
      exec("insert into " + table + " values(" + values + ")");
    }
  }
  Rows rows(std::string sql) {
    Rows out;
    // SQLite hides the alias of a table that stands in parentheses alone.
    constexpr std::string_view kAlone = "(instances i)";
    const auto at = sql.find(kAlone);
    if (at != std::string::npos) sql.replace(at, kAlone.size(), "instances i");
    sqlite3_stmt* statement = nullptr;
    EXPECT_EQ(sqlite3_prepare_v2(db_, sql.c_str(), -1, &statement, nullptr), SQLITE_OK)
        << sql << sqlite3_errmsg(db_);
    while (sqlite3_step(statement) == SQLITE_ROW) {
      auto& row = out.emplace_back();
      for (int i = 0; i < sqlite3_column_count(statement); ++i) {
        Value value;
        switch (sqlite3_column_type(statement, i)) {
          case SQLITE_INTEGER:
            value = static_cast<std::int64_t>(sqlite3_column_int64(statement, i));
            break;
          case SQLITE_FLOAT:
            value = sqlite3_column_double(statement, i);
            break;
          case SQLITE_TEXT:
            value = std::string(reinterpret_cast<const char*>(sqlite3_column_text(statement, i)));
            break;
          default:
            break;
        }
        row.push_back(shown(value));
      }
    }
    sqlite3_finalize(statement);
    return out;
  }

 private:
  sqlite3* db_ = nullptr;
};

// Texts that both read alike.
class Author {
 public:
  explicit Author(unsigned seed) : random_(seed) {}

  std::string query() {
    const bool join = one_in(3);
    const std::string t = join ? "f." : "";
    std::string from = join ? " from flavors f " + joined() : " from flavors";
    std::string where = one_in(4) ? "" : " where " + condition(t, 3);
    if (one_in(4)) {
      return "select " + t + "vcpus, count(*), min(" + number_column(t) + "), max(" +
             text_column(t) + "), sum(" + number(t, 2) + "), count(distinct " + text_column(t) +
             "), avg(" + number_column(t) + ")" + from + where + " group by " + t +
             "vcpus having count(*) > " + pick({"0", "1"}) + " order by 1";
    }
    if (one_in(6)) {
      const std::string column = number_column(t);
      return "select distinct " + column + " c, " + condition(t, 1) + " d" + from + where +
             " order by 1, 2";
    }
    std::string sql = "select " + t + "id, " + number(t, 3) + ", " + text_column(t) + ", " +
                      condition(t, 2) + (join ? ", i.name" : "") + from + where + " order by " + t +
                      "id, " + number_column(t) + (join ? ", i.name" : "");
    if (one_in(3)) {
      sql += one_in(2) ? " limit " + pick({"0", "1", "3"}) + " offset " + pick({"0", "2"})
                       : " limit " + pick({"0", "2"}) + ", " + pick({"0", "1", "3"});
    }
    return sql;
  }

 private:
  std::string joined() {
    if (one_in(4)) return pick({"cross join", ","}) + " (instances i)";
    if (one_in(8)) return pick({"join", "left join"}) + " instances i using (name)";
    return pick({"join", "left join", "inner join", "right join"}) +
           " instances i on i.flavor_id " + pick({"=", "!="}) + " f.id" +
           (one_in(3) ? " and " + condition("f.", 1) : "");
  }
  bool one_in(int n) { return std::uniform_int_distribution<int>(1, n)(random_) == 1; }
  std::string pick(const std::vector<std::string>& all) {
    return all[std::uniform_int_distribution<std::size_t>(0, all.size() - 1)(random_)];
  }
  std::string number_column(const std::string& t) {
    return t + pick({"ram", "vcpus", "root_disk"});
  }
  std::string text_column(const std::string& t) { return t + pick({"id", "name", "notes"}); }
  // A text that each reads alike: ASCII.
  std::string text(const std::string& t) {
    if (one_in(2)) return text_column(t);
    return pick({"lower(", "upper(", "trim("}) + text_column(t) + ")";
  }
  std::string number(const std::string& t, int depth) {
    if (depth == 0 || one_in(3)) {
      return one_in(2) ? number_column(t) : pick({"0", "1", "7", "512", "2.5", "null"});
    }
    switch (std::uniform_int_distribution<int>(0, 5)(random_)) {
      case 0:
        return "(" + number(t, depth - 1) + pick({" + ", " - ", " * "}) + number(t, depth - 1) +
               ")";
      case 1:
        return number(t, depth - 1) + pick({" + ", " - ", " * "}) + number(t, depth - 1);
      case 2:
        return "- " + number(t, depth - 1);
      case 3:
        return "(" + number(t, depth - 1) + pick({" & ", " | "}) + number(t, depth - 1) + ")";
      case 4:
        return "abs(" + number(t, depth - 1) + ")";
      default:
        return "(" + number(t, depth - 1) + pick({" << ", " >> "}) + pick({"1", "3"}) + ")";
    }
  }
  std::string condition(const std::string& t, int depth) {
    if (depth > 0 && !one_in(3)) {
      const std::string left = condition(t, depth - 1);
      if (one_in(4)) return "(not " + left + ")";
      return "(" + left + pick({" and ", " or "}) + condition(t, depth - 1) + ")";
    }
    switch (std::uniform_int_distribution<int>(0, 6)(random_)) {
      case 0:
        return "(" + text(t) + pick({" = ", " != ", " < ", " >= "}) +
               pick({"'m1.nano'", "'42'", "'d'", "''"}) + ")";
      case 1:
        return "(" + text(t) + pick({" like ", " not like "}) +
               pick({"'m1%'", "'%small'", "'__'", "'%1_%'"}) + ")";
      case 2:
        return "(" + text_column(t) + pick({" is null", " is not null"}) + ")";
      case 3:
        return "(" + number(t, 1) + pick({" between ", " not between "}) + number(t, 1) + " and " +
               number(t, 1) + ")";
      case 4:
        return "(" + number_column(t) + pick({" in ", " not in "}) + "(1, 2, 512, null))";
      case 5:
        return "(" + text_column(t) + pick({" in ", " not in "}) + "('42', 'm1.tiny', 'd1'))";
      default:
        return "(" + number(t, 2) + pick({" = ", " != ", " < ", " <= ", " > ", " >= "}) +
               number(t, 2) + ")";
    }
  }

  std::mt19937 random_;
};

TEST(SqlDifferential, AnswersAsSqliteDoesWhereBothMeanTheSame) {
  Limits limits;
  limits.time = std::chrono::seconds(60);
  SqlCloud cloud(limits);
  PlainSqlite plain;
  plain.copy("flavors", cloud.rows("select id, name, ram, vcpus, root_disk, notes from flavors"));
  plain.copy("instances", cloud.rows("select name, flavor_id, state from instances"));
  Author author(kSeed);
  std::size_t with_rows = 0;
  for (int i = 0; i < kQueries; ++i) {
    const std::string sql = author.query();
    const Rows ours = cloud.rows(sql);
    ASSERT_EQ(ours, plain.rows(sql)) << "seed " << kSeed << ", query " << i << ": " << sql;
    with_rows += ours.empty() ? 0 : 1;
  }
  EXPECT_GT(with_rows, static_cast<std::size_t>(kQueries / 3)) << "the queries prove too little";
}

}  // namespace
}  // namespace slipway::eventstore::sql::testing
