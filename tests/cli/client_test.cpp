// How the command line talks: identity, keys, repeats, failures and what it exits with.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "app/cli/json.hpp"
#include "tests/cli/harness.hpp"
#include "tests/support/scripted_server.hpp"

namespace slipway::app::cli {
namespace {

using test::CliHarness;
using test::kOther;
using test::kTask;
using test::Reply;
using test::ScriptedServer;
using testing::HasSubstr;
using testing::Not;
using namespace std::chrono_literals;

std::string problem(int status, const std::string& code, const std::string& more = "") {
  return R"({"type":"/problems/)" + code + R"(","title":"T","status":)" + std::to_string(status) +
         R"(,"code":")" + code + R"(","detail":"it went wrong","request_id":"req-7")" + more + "}";
}

class Talk : public testing::Test {
 protected:
  Talk() {
    cli_.use(server_.url());
    server_.on("POST", "/core/v1/commands",
               {{202, test::task_json(kTask, "ACCEPTED", 1), {{"X-Task-Id", kTask}}}});
  }
  ScriptedServer server_;
  CliHarness cli_;
};

TEST_F(Talk, SubmittingPrintsTheTaskIdAndReturns) {
  const auto ran = cli_.run({"task", "submit", "vm.stop", "-a", "vm=web", "-a", "n=1", "-a",
                             "deep={\"a\":true}", "--priority", "7", "--not-before", "10m"});
  EXPECT_EQ(ran.exit, 0) << ran.err;
  EXPECT_EQ(ran.out, kTask + "\n");
  EXPECT_EQ(ran.err, "");
  const auto seen = server_.requests().at(0);
  EXPECT_EQ(Json::parse(seen.body),
            Json::parse(R"({"command":"vm.stop","args":{"vm":"web","n":1,"deep":{"a":true}},)"
                        R"("priority":7,"not_before":"2026-03-01T12:10:00.000000Z"})"));
  EXPECT_EQ(seen.header("content-type"), "application/json");
  EXPECT_EQ(seen.header("idempotency-key").size(), 36U);
}

TEST_F(Talk, EachCommandHasItsOwnKeyUnlessOneIsGiven) {
  cli_.run({"task", "submit", "x"});
  cli_.run({"task", "submit", "x"});
  cli_.run({"task", "submit", "x", "--idempotency-key", "mine"});
  const auto seen = server_.requests();
  EXPECT_NE(seen.at(0).header("idempotency-key"), seen.at(1).header("idempotency-key"));
  EXPECT_EQ(seen.at(2).header("idempotency-key"), "mine");
}

TEST_F(Talk, AnUnknownOutcomeIsRepeatedWithTheSameKey) {
  server_.on("POST", "/core/v1/commands",
             {{.hang_up = true}, {500, "oops"}, {202, test::task_json(kTask, "ACCEPTED", 1)}});
  const auto ran = cli_.run({"task", "submit", "vm.stop"});
  EXPECT_EQ(ran.exit, 0) << ran.err;
  EXPECT_EQ(ran.out, kTask + "\n");
  const auto seen = server_.requests();
  ASSERT_EQ(seen.size(), 3U);
  EXPECT_EQ(seen[0].header("idempotency-key"), seen[1].header("idempotency-key"));
  EXPECT_EQ(seen[0].header("idempotency-key"), seen[2].header("idempotency-key"));
}

TEST_F(Talk, AnOutcomeThatStaysUnknownNamesTheKey) {
  server_.on("POST", "/core/v1/commands", {{.hang_up = true}});
  const auto ran = cli_.run({"task", "submit", "vm.stop"});
  EXPECT_EQ(ran.exit, 6);
  EXPECT_EQ(server_.requests().size(), 5U);
  EXPECT_THAT(ran.err, HasSubstr("may or may not have been accepted"));
  EXPECT_THAT(ran.err,
              HasSubstr("--idempotency-key " + server_.requests()[0].header("idempotency-key")));
}

TEST_F(Talk, RetryAfterIsHonouredABoundedNumberOfTimes) {
  server_.on("POST", "/core/v1/commands",
             {{503, problem(503, "queue-full", R"(,"retryable":true)"), {{"Retry-After", "3"}}},
              {429, problem(429, "rate-limited"), {{"Retry-After", "2"}}},
              {202, test::task_json(kTask, "ACCEPTED", 1)}});
  auto ran = cli_.run({"task", "submit", "vm.stop"});
  EXPECT_EQ(ran.exit, 0) << ran.err;
  EXPECT_EQ(cli_.slept, 5s);
  EXPECT_THAT(ran.err, HasSubstr("trying again in 3.0 s (2 of 5)"));
  server_.on("POST", "/core/v1/commands",
             {{429, problem(429, "rate-limited"), {{"Retry-After", "1"}}}});
  ran = cli_.run({"task", "submit", "vm.stop", "-q"});
  EXPECT_EQ(ran.exit, 7);
  EXPECT_EQ(server_.requests().size(), 3U + 5U);
  EXPECT_THAT(ran.err, Not(HasSubstr("trying again")));
}

TEST_F(Talk, WhatIsFinalIsNotTriedAgain) {
  server_.on("POST", "/core/v1/commands",
             {{429, problem(429, "quota-exceeded", R"(,"retryable":false)")}});
  EXPECT_EQ(cli_.run({"task", "submit", "vm.stop"}).exit, 7);
  EXPECT_EQ(server_.requests().size(), 1U);
}

TEST_F(Talk, AServerThatIsNotThereIsSaidAtOnce) {
  server_.stop();
  const auto ran = cli_.run({"task", "submit", "vm.stop"});
  EXPECT_EQ(ran.exit, 6);
  EXPECT_EQ(ran.out, "");
  EXPECT_THAT(ran.err, HasSubstr("cannot reach " + server_.url() + ": connection refused"));
  EXPECT_THAT(ran.err, Not(HasSubstr("may or may not")));
  EXPECT_EQ(cli_.slept, 0ms);
}

struct ExitRow {
  int status;
  const char* code;
  int exit;
};
class ExitCodes : public Talk, public testing::WithParamInterface<ExitRow> {};
TEST_P(ExitCodes, FollowTheProblem) {
  const auto& row = GetParam();
  server_.on("GET", "/core/v1/tasks/x",
             {{row.status, problem(row.status, row.code, R"(,"retryable":false)")}});
  const auto ran = cli_.run({"task", "get", "x"});
  EXPECT_EQ(ran.exit, row.exit);
  EXPECT_EQ(ran.out, "");
  EXPECT_THAT(ran.err, HasSubstr("error: it went wrong (" + std::string(row.code) + ")"));
  EXPECT_THAT(ran.err, HasSubstr("request: req-7"));
}
INSTANTIATE_TEST_SUITE_P(
    Table, ExitCodes,
    testing::Values(ExitRow{400, "invalid-argument", 2}, ExitRow{422, "invalid-argument", 2},
                    ExitRow{404, "not-found", 3}, ExitRow{410, "history-truncated", 3},
                    ExitRow{401, "unauthenticated", 4}, ExitRow{403, "forbidden", 4},
                    ExitRow{409, "illegal-transition", 5}, ExitRow{412, "version-mismatch", 5},
                    ExitRow{422, "idempotency-key-reused", 5},
                    ExitRow{428, "precondition-required", 5}, ExitRow{502, "internal", 6},
                    ExitRow{429, "rate-limited", 7}, ExitRow{503, "queue-full", 7},
                    ExitRow{500, "internal", 1}));

TEST_F(Talk, FieldErrorsAreAllShownWithWhatToTry) {
  server_.on("POST", "/core/v1/vms",
             {{422, problem(422, "invalid-argument",
                            R"(,"errors":[{"pointer":"/flavor","code":"unknown-flavor","detail":)"
                            R"("no flavor 'm1.hug'; did you mean 'm1.huge'?"}])")}});
  const auto ran = cli_.run({"vm", "create", "web", "--image", "i", "--flavor", "m1.hug"});
  EXPECT_EQ(ran.exit, 2);
  EXPECT_THAT(ran.err, HasSubstr("/flavor: no flavor 'm1.hug'; did you mean 'm1.huge'?"));
  EXPECT_THAT(ran.err, HasSubstr("try: slipway flavor list"));
}

TEST_F(Talk, WithJsonTheProblemIsPrintedAsItCame) {
  const auto body = problem(404, "not-found", R"(,"extra":[1])");
  server_.on("GET", "/core/v1/tasks/x", {{404, body}});
  const auto ran = cli_.run({"task", "get", "x", "-o", "json"});
  EXPECT_EQ(ran.exit, 3);
  EXPECT_EQ(ran.out, "");
  EXPECT_EQ(Json::parse(ran.err), Json::parse(body));
}

TEST_F(Talk, VerboseShowsRequestsWithSecretsMasked) {
  const auto file = testing::TempDir() + "slipway.token";
  std::ofstream(file) << "s3cr3t-token\n";
  ::chmod(file.c_str(), 0600);
  server_.on("POST", "/core/v1/vms", {{202, R"({"id":"t","admin_password":"hunter2"})"}});
  const auto ran = cli_.run({"vm", "create", "web", "--image", "i", "--flavor", "f", "-v",
                             "--token-file", file, "--user-data", "hunter3"});
  EXPECT_EQ(ran.exit, 0) << ran.err;
  EXPECT_EQ(server_.requests().at(0).header("authorization"), "Bearer s3cr3t-token");
  EXPECT_EQ(Json::parse(server_.requests().at(0).body)["user_data"], "hunter3");
  EXPECT_THAT(ran.err, HasSubstr("> POST " + server_.url() + "/core/v1/vms"));
  EXPECT_THAT(ran.err, HasSubstr("> Authorization: ****"));
  EXPECT_THAT(ran.err, HasSubstr("< 202"));
  for (const char* secret : {"s3cr3t", "hunter2", "hunter3"})
    EXPECT_THAT(ran.err, Not(HasSubstr(secret)));
}

TEST_F(Talk, DestroyingNeedsAYes) {
  server_.on("DELETE", "/core/v1/vms/" + kTask, {{202, test::task_json(kOther, "ACCEPTED", 1)}});
  const std::vector<std::string> words{"vm", "delete", kTask};
  auto ran = cli_.run(words);
  EXPECT_EQ(ran.exit, 2);
  EXPECT_THAT(ran.err, HasSubstr("--yes"));
  cli_.in_tty = cli_.err_tty = true;
  cli_.input = "n\n";
  EXPECT_EQ(cli_.run(words).exit, 1);
  EXPECT_TRUE(server_.requests().empty());
  cli_.input = "y\n";
  ran = cli_.run(words);
  EXPECT_EQ(ran.exit, 0) << ran.err;
  EXPECT_EQ(ran.out, kOther + "\n");
  cli_.in_tty = cli_.err_tty = false;
  EXPECT_EQ(cli_.run({"vm", "delete", kTask, "--yes"}).exit, 0);
  EXPECT_EQ(server_.requests().size(), 2U);
}

TEST_F(Talk, ADryRunShowsThePlanAndDestroysNothing) {
  server_.on("POST", "/core/v1/commands", {{200, R"({"plan":[{"step":"delete"}]})"}});
  const auto ran = cli_.run({"vm", "delete", kTask, "--dry-run", "-o", "json"});
  EXPECT_EQ(ran.exit, 0) << ran.err;
  EXPECT_EQ(Json::parse(ran.out)["plan"][0]["step"], "delete");
  EXPECT_EQ(
      Json::parse(server_.requests().at(0).body),
      Json::parse(R"({"command":"vm.delete","args":{"vm":")" + kTask + R"("},"dry_run":true})"));
}

TEST_F(Talk, VmsAreFoundByNameIfOnlyOneHasIt) {
  const std::string one = R"({"id":")" + kOther + R"(","name":"web"})";
  server_.on("GET", "/core/v1/vms",
             {{200, R"({"items":[)" + one + "]}"},
              {200, R"({"items":[]})"},
              {200, R"({"items":[)" + one + "," + one + "]}"}});
  server_.on("POST", "/core/v1/vms/" + kOther + "/reboot",
             {{202, test::task_json(kTask, "ACCEPTED", 1)}});
  EXPECT_EQ(cli_.run({"vm", "reboot", "web", "--hard"}).exit, 0);
  EXPECT_EQ(server_.requests().back().body, R"({"hard":true})");
  EXPECT_EQ(cli_.run({"vm", "reboot", "web"}).exit, 3);
  EXPECT_EQ(cli_.run({"vm", "reboot", "web"}).exit, 2);
}

TEST_F(Talk, OneRefusalDoesNotStopTheOthers) {
  server_.on("POST", "/core/v1/vms/" + kOther + "/stop",
             {{202, test::task_json(kTask, "ACCEPTED", 1)}});
  const auto ran = cli_.run({"vm", "stop", "0197a0b0-0000-7000-8000-0000000000ff", kOther});
  EXPECT_EQ(ran.exit, 3);
  EXPECT_EQ(ran.out, kTask + "\n");
}

TEST_F(Talk, VersionsBecomeIfMatch) {
  server_.on("POST", "/core/v1/tasks/" + kTask + "/cancel", {{202, "{}"}});
  cli_.run({"task", "cancel", kTask, "--if-version", "4"});
  EXPECT_EQ(server_.requests().at(0).header("if-match"), "\"4\"");
}

TEST_F(Talk, BulkCancelNamesTheMatchItWasAskedFor) {
  server_.on("GET", "/core/v1/tasks", {{200, R"({"items":[],"total":41})"}});
  server_.on("POST", "/core/v1/tasks/cancel", {{202, test::task_json(kTask, "RUNNING", 1)}});
  EXPECT_EQ(cli_.run({"task", "cancel", "--state", "READY"}).exit, 2);
  EXPECT_EQ(cli_.run({"task", "cancel", "--state", "READY", "--yes"}).exit, 0);
  EXPECT_EQ(Json::parse(server_.requests().back().body),
            Json::parse(R"({"filter":{"state":"READY"},"expected_total":41})"));
  EXPECT_EQ(cli_.run({"task", "cancel"}).exit, 2);
}

TEST_F(Talk, BatchesComeFromFilesLinesAndCounts) {
  server_.on("POST", "/core/v1/batches", {{202, test::task_json(kTask, "RUNNING", 1)}});
  cli_.input = "{\"command\":\"vm.stop\",\"args\":{}}\n\n{\"command\":\"vm.start\",\"args\":{}}\n";
  EXPECT_EQ(cli_.run({"batch", "submit", "-"}).out, kTask + "\n");
  EXPECT_EQ(Json::parse(server_.requests().back().body)["commands"].size(), 2U);
  cli_.run({"vm", "create", "w-{n}", "--image", "i", "--flavor", "f", "--count", "20"});
  const auto body = Json::parse(server_.requests().back().body);
  EXPECT_EQ(body["count"], 20);
  EXPECT_EQ(body["template"]["name"], "w-{n}");
  cli_.input = "not json";
  EXPECT_EQ(cli_.run({"batch", "submit", "-"}).exit, 2);
}

TEST_F(Talk, ATokenIsAloneOnStdout) {
  server_.on("POST", "/core/v1/commands", {{202, R"({"id":"t","result":{"token":"abc"}})"}});
  const auto ran = cli_.run({"token", "create", "ci", "--role", "viewer"});
  EXPECT_EQ(ran.out, "abc\n");
  EXPECT_THAT(ran.err, HasSubstr("shown once"));
}

class ContextFile : public Talk {
 protected:
  ContextFile() {
    cli_.env.erase("SLIPWAY_SERVER");
    home_ = testing::TempDir() + "slipway-home-" + std::to_string(::getpid());
    std::filesystem::remove_all(home_);
    cli_.env["HOME"] = home_;
    server_.on("GET", "/core/v1/hosts", {{200, R"({"items":[]})"}});
  }
  ~ContextFile() override { std::filesystem::remove_all(home_); }
  void write(const std::string& path, const std::string& text, mode_t mode) {
    std::filesystem::create_directories(std::filesystem::path(path).parent_path());
    std::ofstream(path) << text;
    ::chmod(path.c_str(), mode);
  }
  std::string home_;
};

TEST_F(ContextFile, NamesServerAndTokenUntilSomethingElseDoes) {
  write(home_ + "/a.token", "aaa\n", 0600);
  EXPECT_EQ(cli_.run({"config", "context", "set", "a", "--server", server_.url() + "/",
                      "--token-file", home_ + "/a.token"})
                .exit,
            0);
  EXPECT_EQ(cli_.run({"config", "context", "set", "b", "--server", "http://127.0.0.1:1"}).exit, 0);
  EXPECT_EQ(cli_.run({"host", "list"}).exit, 0);
  EXPECT_EQ(server_.requests().at(0).header("authorization"), "Bearer aaa");
  EXPECT_EQ(cli_.run({"host", "list", "--context", "b"}).exit, 6);
  EXPECT_EQ(cli_.run({"config", "context", "use", "b"}).exit, 0);
  EXPECT_EQ(cli_.run({"host", "list"}).exit, 6);
  EXPECT_EQ(cli_.run({"host", "list", "--context", "c"}).exit, 2);
  EXPECT_EQ(cli_.run({"config", "context", "list", "-o", "name"}).out, "a\nb\n");
  EXPECT_EQ(cli_.run({"config", "context", "list", "--query", "/current"}).out, "false\ntrue\n");
  EXPECT_EQ(cli_.run({"config", "context", "delete", "b"}).exit, 0);
  EXPECT_EQ(cli_.run({"config", "context", "use", "b"}).exit, 2);
}

TEST_F(ContextFile, ItsTokenIsNotSentToAnotherServer) {
  write(home_ + "/a.token", "aaa\n", 0600);
  cli_.run({"config", "context", "set", "a", "--server", "http://127.0.0.1:1", "--token-file",
            home_ + "/a.token"});
  EXPECT_EQ(cli_.run({"host", "list", "--server", server_.url()}).exit, 0);
  EXPECT_FALSE(server_.requests().at(0).headers.contains("authorization"));
}

TEST_F(ContextFile, ATokenThatOthersCanReadIsRefused) {
  write(home_ + "/t", "aaa\n", 0644);
  cli_.use(server_.url());
  cli_.env["SLIPWAY_TOKEN_FILE"] = home_ + "/t";
  const auto ran = cli_.run({"host", "list"});
  EXPECT_EQ(ran.exit, 2);
  EXPECT_THAT(ran.err, HasSubstr("chmod 600"));
  EXPECT_TRUE(server_.requests().empty());
}

TEST_F(ContextFile, MistakesNameLineAndColumn) {
  const auto path = home_ + "/.config/slipway/config.toml";
  write(path, "[contexts.a]\nsever = 'x'\n", 0600);
  auto ran = cli_.run({"host", "list"});
  EXPECT_EQ(ran.exit, 2);
  EXPECT_THAT(ran.err, HasSubstr(path + ":2:"));
  EXPECT_THAT(ran.err, HasSubstr("did you mean 'server'?"));
  write(path, "[contexts.a\n", 0600);
  ran = cli_.run({"host", "list"});
  EXPECT_EQ(ran.exit, 2);
  EXPECT_THAT(ran.err, HasSubstr(path + ":1:"));
}

}  // namespace
}  // namespace slipway::app::cli
