// What lists and single things look like, in each format.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/cli/yaml.hpp"
#include "tests/cli/harness.hpp"
#include "tests/support/scripted_server.hpp"

namespace slipway::app::cli {
namespace {

using test::CliHarness;
using test::kOther;
using test::kTask;
using test::ScriptedServer;
using testing::HasSubstr;
using testing::Not;

const std::string kTasks =
    R"({"items":[)" +
    test::task_json(kTask, "RUNNING", 3,
                    R"("actor":"demo","dialect":"core","priority":5,"attempt":1,"progress":)"
                    R"({"percent":42,"step":"spawn","message":null},"resources":)"
                    R"([{"kind":"vm","id":"0197a0b0-0000-7000-8000-00000000000a","href":"/x"}])") +
    "," +
    test::task_json(kOther, "FAILED", 9,
                    R"("error":{"code":"capacity-exhausted","detail":"no host has room"})") +
    R"(],"next_cursor":null})";

const std::string kVms =
    R"({"items":[{"id":"0197a0b0-0000-7000-8000-00000000000a","name":"wéb-1","state":"RUNNING",)"
    R"("flavor":"m1.small","vcpus":1,"memory_mb":2048,"disk_gb":20,"image":"ubuntu-22.04",)"
    R"("network":"private","addresses":[{"network":"private","address":"10.0.0.5","mac":"fa:16"},)"
    R"({"network":"private","address":"fd00::5","mac":"fa:16"}],"host":"host-1","labels":)"
    R"({"team":"web"},"created_at":"2026-02-28T12:00:00.000000Z","version":4,"links":{}},)"
    R"({"id":"0197a0b0-0000-7000-8000-00000000000b","name":"db","state":"STOPPED","flavor":null,)"
    R"("vcpus":2,"memory_mb":1536,"addresses":[],"created_at":"2026-03-01T11:59:30.000000Z"}],)"
    R"("next_cursor":null})";

class Output : public testing::Test {
 protected:
  Output() {
    server_.on("GET", "/core/v1/tasks", {{200, kTasks}});
    server_.on("GET", "/core/v1/vms", {{200, kVms}});
    cli_.use(server_.url());
  }
  std::string out(const std::vector<std::string>& words) {
    const auto ran = cli_.run(words);
    EXPECT_EQ(ran.exit, 0) << ran.err;
    return ran.out;
  }
  ScriptedServer server_;
  CliHarness cli_;
};

TEST_F(Output, HasGoldenFormats) {
  for (const char* format : {"table", "wide", "json", "jsonl", "yaml", "name"}) {
    test::expect_golden(std::string("task-list.") + format, out({"task", "list", "-o", format}));
    test::expect_golden(std::string("vm-list.") + format, out({"vm", "list", "-o", format}));
  }
  EXPECT_EQ(out({"task", "list"}), out({"task", "list", "-o", "table"}));
}

TEST_F(Output, OfOneThingHasGoldenFormats) {
  server_.on("GET", "/core/v1/tasks/" + kTask,
             {{202, test::task_json(kTask, "RUNNING", 3, R"("progress":{"percent":42})")}});
  for (const char* format : {"table", "json", "yaml"})
    test::expect_golden(std::string("task-get.") + format,
                        out({"task", "get", kTask, "-o", format}));
  EXPECT_EQ(out({"task", "get", kTask, "-o", "name"}), kTask + "\n");
}

TEST_F(Output, JsonIsTheServersBodyWithItsOrderKept) {
  const auto body = R"({"zeta":1,"alpha":{"n":18446744073709551615,"f":0.1,"t":"é\u0001"}})";
  server_.on("GET", "/core/v1/tasks/x", {{200, body}});
  EXPECT_EQ(Json::parse(out({"task", "get", "x", "-o", "json"})).dump(), Json::parse(body).dump());
}

TEST_F(Output, AnEmptyListIsAnEmptyArray) {
  server_.on("GET", "/core/v1/hosts", {{200, R"({"items":[],"next_cursor":null})"}});
  EXPECT_EQ(out({"host", "list", "-o", "json"}), "[]\n");
  EXPECT_EQ(out({"host", "list", "-o", "jsonl"}), "");
  EXPECT_EQ(out({"host", "list", "-o", "yaml"}), "[]\n");
}

TEST_F(Output, QueryPicksFromEachResult) {
  EXPECT_EQ(out({"task", "list", "--query", "/state"}), "RUNNING\nFAILED\n");
  EXPECT_EQ(out({"task", "list", "--query", "/progress/percent", "-o", "json"}), "42\nnull\n");
  EXPECT_EQ(cli_.run({"task", "list", "--query", "state"}).exit, 2);
}

TEST_F(Output, ListsPageByThemselvesUpToTheLimit) {
  server_.on("GET", "/core/v1/images", [](const test::Seen& seen) {
    const bool second = seen.query.find("cursor=c%3D1") != std::string::npos;
    return test::Reply{200, second ? R"({"items":[{"id":"c"},{"id":"d"}],"next_cursor":"c2"})"
                                   : R"({"items":[{"id":"a"},{"id":"b"}],"next_cursor":"c=1"})"};
  });
  const auto ran = cli_.run({"image", "list", "-o", "name", "--limit", "3"});
  EXPECT_EQ(ran.out, "a\nb\nc\n");
  EXPECT_THAT(ran.err, HasSubstr("the first 3; there are more"));
  const auto seen = server_.requests("GET", "/core/v1/images");
  ASSERT_EQ(seen.size(), 2U);
  EXPECT_THAT(seen[0].query, HasSubstr("limit=3"));
  EXPECT_THAT(seen[1].query, HasSubstr("limit=1&"));
  EXPECT_EQ(cli_.run({"image", "list", "--limit", "many"}).exit, 2);
}

TEST_F(Output, FiltersReachTheServerEncoded) {
  out({"vm", "list", "--state", "RUNNING,ERROR", "--label", "team=a&b", "--sort", "-created_at"});
  EXPECT_EQ(server_.requests().back().query,
            "state=RUNNING%2CERROR&label.team=a%26b&sort=-created_at&limit=100");
}

TEST_F(Output, ColoursOnlyOnATerminalThatWantsThem) {
  cli_.out_tty = true;
  EXPECT_THAT(out({"task", "list"}), HasSubstr("\x1b[31mFAILED"));
  for (const char* variable : {"NO_COLOR", "CI"}) {
    cli_.env[variable] = "1";
    EXPECT_THAT(out({"task", "list"}), Not(HasSubstr("\x1b"))) << variable;
    cli_.env.erase(variable);
  }
  EXPECT_THAT(out({"task", "list", "--quiet"}), Not(HasSubstr("\x1b")));
  cli_.out_tty = false;
  EXPECT_THAT(out({"task", "list"}), Not(HasSubstr("\x1b")));
}

TEST_F(Output, NamesCannotDriveTheTerminal) {
  server_.on("GET", "/core/v1/vms",
             {{200, R"({"items":[{"id":"1","name":"a\u001b[2J\nb\u009b"}],"next_cursor":null})"}});
  const auto text = out({"vm", "list"});
  EXPECT_THAT(text, HasSubstr("a?[2J?b?"));
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
}

TEST_F(Output, StatsAreATableWithTheirGroups) {
  server_.on("GET", "/core/v1/stats/vms_existing",
             {{200, R"({"series":"vms_existing","step":"1d","items":[)"
                    R"({"time":"2026-02-28T00:00:00Z","backend":"simulated","value":7},)"
                    R"({"time":"2026-03-01T00:00:00Z","backend":"simulated","value":14}]})"}});
  test::expect_golden("stats-vms.table", out({"stats", "vms", "--series", "vms_existing", "--step",
                                              "1d", "--group-by", "backend"}));
  EXPECT_EQ(server_.requests().back().query, "step=1d&group_by=backend");
  cli_.out_tty = true;
  cli_.env["LANG"] = "C";
  EXPECT_THAT(out({"stats", "vms", "--series", "vms_existing"}), HasSubstr("##############"));
}

TEST(Yaml, QuotesWhatWouldBeMisread) {
  const auto json = Json::parse(
      R"({"a":"no","b":"1.5","c":"x: y","d":"plain-text","e":["",{"k":[1,[2]]}],"f":{},"g":null})");
  EXPECT_EQ(to_yaml(json),
            "a: \"no\"\nb: \"1.5\"\nc: \"x: y\"\nd: plain-text\ne:\n  - \"\"\n  - k:\n      - 1\n"
            "      - - 2\nf: {}\ng: null\n");
}

}  // namespace
}  // namespace slipway::app::cli
