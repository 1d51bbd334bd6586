// Following tasks: what is asked of the server, what is shown, how it ends.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "app/cli/event_stream.hpp"
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
using test::task_json;
using testing::HasSubstr;
using testing::Not;
using namespace std::chrono_literals;

Reply at(const std::string& id, const std::string& state, int version,
         const std::string& more = "") {
  const auto body = task_json(id, state, version, more);
  const bool ended = body.find("\"terminal\":true") != std::string::npos;
  return {ended ? 200 : 202, body, {{"ETag", "\"" + std::to_string(version) + "\""}}};
}

std::string percent(int n) {
  return R"("progress":{"percent":)" + std::to_string(n) + R"(,"step":"spawn","message":null})";
}

class Following : public testing::Test {
 protected:
  Following() {
    cli_.use(server_.url());
    server_.on(
        "POST", "/core/v1/commands",
        {{202, task_json(kTask, "ACCEPTED", 1), {{"X-Task-Id", kTask}, {"Slipway-Seq", "77"}}}});
  }
  void script(const std::string& id, std::vector<Reply> replies) {
    server_.on("GET", "/core/v1/tasks/" + id, std::move(replies));
  }
  std::vector<test::Seen> polls(const std::string& id = kTask) {
    return server_.requests("GET", "/core/v1/tasks/" + id);
  }
  ScriptedServer server_;
  CliHarness cli_;
};

TEST_F(Following, UsesLongPollsFromTheVersionItKnows) {
  script(kTask, {at(kTask, "RUNNING", 2, percent(10)),
                 {304},
                 at(kTask, "RUNNING", 3, percent(80)),
                 at(kTask, "SUCCEEDED", 4)});
  const auto ran = cli_.run({"task", "submit", "vm.create", "--wait"});
  EXPECT_EQ(ran.exit, 0) << ran.err;
  EXPECT_EQ(ran.out, kTask + "\n");
  const auto seen = polls();
  ASSERT_EQ(seen.size(), 4U);
  EXPECT_EQ(seen[0].header("slipway-min-seq"), "77");
  EXPECT_EQ(seen[0].query, "");
  EXPECT_EQ(seen[1].query, "wait=30s");
  EXPECT_EQ(seen[1].header("if-none-match"), "\"2\"");
  EXPECT_EQ(seen[3].header("if-none-match"), "\"3\"");
}

TEST_F(Following, PrintsOnePlainLineAChangeWithoutATerminal) {
  script(kTask, {at(kTask, "RUNNING", 2, percent(10)), at(kTask, "RUNNING", 3, percent(10)),
                 at(kTask, "RUNNING", 4, percent(80)), at(kTask, "SUCCEEDED", 5)});
  const auto ran = cli_.run({"task", "wait", kTask});
  test::expect_golden("wait-plain.txt", ran.err);
  EXPECT_EQ(ran.out, kTask + " SUCCEEDED\n");
  EXPECT_THAT(ran.err, Not(HasSubstr("\x1b")));
}

TEST_F(Following, SaysNothingWithQuiet) {
  script(kTask, {at(kTask, "RUNNING", 2), at(kTask, "SUCCEEDED", 5)});
  EXPECT_EQ(cli_.run({"task", "wait", kTask, "-q"}).err, "");
}

TEST_F(Following, DoesNotHammerAServerThatDoesNotHoldWaits) {
  script(
      kTask,
      {at(kTask, "RUNNING", 2), {304}, {304}, at(kTask, "RUNNING", 2), at(kTask, "SUCCEEDED", 3)});
  EXPECT_EQ(cli_.run({"task", "wait", kTask}).exit, 0);
  EXPECT_EQ(cli_.slept, 1500ms);
}

struct EndRow {
  const char* state;
  int exit;
};
class Ends : public Following, public testing::WithParamInterface<EndRow> {};
TEST_P(Ends, GiveTheirExitCode) {
  script(kTask, {at(kTask, GetParam().state, 2,
                    R"("error":{"code":"capacity-exhausted","detail":"no host has room"})")});
  const auto ran = cli_.run({"task", "wait", kTask});
  EXPECT_EQ(ran.exit, GetParam().exit);
  EXPECT_EQ(ran.out, kTask + " " + GetParam().state + "\n");
  if (GetParam().exit == 10) {
    EXPECT_THAT(ran.err, HasSubstr("no host has room (capacity-exhausted)"));
    EXPECT_THAT(ran.err, HasSubstr("slipway task retry " + kTask));
  }
}
INSTANTIATE_TEST_SUITE_P(Table, Ends,
                         testing::Values(EndRow{"SUCCEEDED", 0}, EndRow{"FAILED", 10},
                                         EndRow{"DEAD", 10}, EndRow{"TIMED_OUT", 10},
                                         EndRow{"CANCELLED", 11}, EndRow{"PARTIAL", 12}));

TEST_F(Following, ManyExitsWithTheWorst) {
  script(kTask, {at(kTask, "RUNNING", 2), at(kTask, "CANCELLED", 3)});
  script(kOther, {at(kOther, "RUNNING", 2), {304}, {304}, at(kOther, "FAILED", 3)});
  const auto ran = cli_.run({"task", "wait", kTask, kOther, "-o", "json"});
  EXPECT_EQ(ran.exit, 10);
  EXPECT_EQ(Json::parse(ran.out).size(), 2U);
  EXPECT_EQ(polls(kOther)[1].query, "");  // while two are open nobody is waited for
  EXPECT_EQ(polls(kOther)[2].query, "wait=30s");
}

TEST_F(Following, TimeUpLeavesTheTaskAlone) {
  script(kTask, {at(kTask, "RUNNING", 2), {304}});
  const auto ran = cli_.run({"task", "submit", "vm.create", "--wait=10s"});
  EXPECT_EQ(ran.exit, 8);
  EXPECT_EQ(ran.out, kTask + "\n");
  EXPECT_THAT(ran.err, HasSubstr("time is up"));
  EXPECT_THAT(ran.err, HasSubstr("slipway task wait " + kTask));
  EXPECT_GE(cli_.slept, 10s);
  EXPECT_LT(cli_.slept, 11s);
  EXPECT_EQ(server_.requests("POST", "/core/v1/tasks/" + kTask + "/cancel").size(), 0U);
  EXPECT_EQ(cli_.run({"task", "submit", "x", "--wait=soon"}).exit, 2);
}

TEST_F(Following, CtrlCStopsFollowingAndCancelsNothing) {
  script(kTask, {at(kTask, "RUNNING", 2), {304}});
  cli_.on_sleep = [this] { cli_.interrupted = true; };
  const auto ran = cli_.run({"task", "wait", kTask, "-q"});
  EXPECT_EQ(ran.exit, 8);
  EXPECT_THAT(ran.err, HasSubstr("stopped following; nothing was cancelled"));
  EXPECT_THAT(ran.err, HasSubstr("follow again: slipway task wait " + kTask));
  for (const auto& seen : server_.requests()) EXPECT_EQ(seen.method, "GET");
}

TEST_F(Following, OutlivesAServerThatAnswersNothingForAWhile) {
  script(kTask, {at(kTask, "RUNNING", 2),
                 {.hang_up = true},
                 {.hang_up = true},
                 {.hang_up = true},
                 {.hang_up = true},
                 {.hang_up = true},
                 {.hang_up = true},
                 at(kTask, "SUCCEEDED", 3)});
  EXPECT_EQ(cli_.run({"task", "wait", kTask}).exit, 0);
  server_.stop();
  cli_.slept = 0ms;
  EXPECT_EQ(cli_.run({"task", "wait", kTask}).exit, 6);
  EXPECT_GE(cli_.slept, 55s);
}

TEST_F(Following, AMissingTaskDoesNotStopTheOthers) {
  script(kTask, {at(kTask, "SUCCEEDED", 2)});
  const auto ran = cli_.run({"task", "wait", "gone", kTask});
  EXPECT_EQ(ran.exit, 3);
  EXPECT_EQ(ran.out, kTask + " SUCCEEDED\n");
}

TEST_F(Following, ABatchShowsItsItems) {
  const std::string items =
      R"("items":{"total":10,"succeeded":4,"failed":1,"cancelled":0,"running":5})";
  script(kTask, {at(kTask, "RUNNING", 2, items), at(kTask, "PARTIAL", 3, items)});
  const auto ran = cli_.run({"task", "wait", kTask});
  EXPECT_THAT(ran.err, HasSubstr("50% 4 of 10 done, 1 failed"));
  EXPECT_THAT(ran.err, HasSubstr("slipway task list --batch " + kTask));
}

TEST_F(Following, WatchFindsWhatIsUnderWay) {
  server_.on("GET", "/core/v1/tasks",
             {{200, R"({"items":[)" + task_json(kTask, "RUNNING", 2) + "]}"}});
  script(kTask, {at(kTask, "SUCCEEDED", 3)});
  EXPECT_EQ(cli_.run({"task", "watch", "--command", "vm.create"}).exit, 0);
  EXPECT_THAT(server_.requests().at(0).query, HasSubstr("state=ACCEPTED%2CBLOCKED"));
  EXPECT_EQ(polls().size(), 1U);
}

TEST_F(Following, EventsComeInPages) {
  const auto path = "/core/v1/tasks/" + kTask + "/events";
  server_.on("GET", path, [](const test::Seen& seen) {
    if (seen.query == "from=0")
      return Reply{200, R"({"items":[{"seq":1,"type":"TaskAccepted"}],"next_seq":2})"};
    if (seen.query == "from=2")
      return Reply{200, R"({"items":[{"seq":5,"type":"TaskLeased"}],"next_seq":6})"};
    return Reply{200, R"({"items":[],"next_seq":6})"};
  });
  EXPECT_EQ(cli_.run({"task", "events", kTask, "--query", "/type"}).out,
            "TaskAccepted\nTaskLeased\n");
}

TEST_F(Following, AnEventStreamGoesOnWhereItBroke) {
  const auto path = "/core/v1/tasks/" + kTask + "/events";
  const auto event = [](int seq) {
    return "id: " + std::to_string(seq) + "\nevent: T\ndata: {\"seq\":" + std::to_string(seq) +
           "}\n\n";
  };
  const std::vector<std::pair<std::string, std::string>> sse{{"Content-Type", "text/event-stream"}};
  server_.on(
      "GET", path,
      {{200, "", sse, 0ms, false, {": hello\n\nretry: 250\n\nid: 3\nda", "ta: {\"seq\":3}\n\n"}},
       {200, "", sse, 0ms, false, {event(4) + event(5)}},
       {204}});
  const auto ran = cli_.run({"task", "events", kTask, "--follow", "-o", "jsonl"});
  EXPECT_EQ(ran.exit, 0) << ran.err;
  EXPECT_EQ(ran.out, "{\"seq\":3}\n{\"seq\":4}\n{\"seq\":5}\n");
  const auto seen = server_.requests("GET", path);
  ASSERT_EQ(seen.size(), 3U);
  EXPECT_EQ(seen[0].header("accept"), "text/event-stream");
  EXPECT_EQ(seen[0].query, "from=0");
  EXPECT_EQ(seen[1].header("last-event-id"), "3");
  EXPECT_EQ(seen[2].header("last-event-id"), "5");
}

TEST(EventParser, JoinsDataLinesAndTakesAnyCut) {
  const std::string text = "id: 1\r\nevent: A\r\ndata: x\r\ndata: y\r\n\r\n: note\n\ndata\n\n";
  for (std::size_t cut = 1; cut < text.size(); ++cut) {
    EventParser parser;
    std::vector<std::string> seen;
    const auto on_event = [&](const ServerEvent& e) { seen.push_back(e.id + e.type + e.data); };
    parser.feed(std::string_view(text).substr(0, cut), on_event);
    parser.feed(std::string_view(text).substr(cut), on_event);
    EXPECT_EQ(seen, (std::vector<std::string>{"1Ax\ny", ""})) << cut;
  }
}

// The whole of it on a real terminal: the child has one as its stdin, stdout and stderr.
struct OnTerminal {
  int status = -1;
  std::string seen;
};
OnTerminal on_terminal(const std::string& server, const std::vector<std::string>& words,
                       const char* variable, bool interrupt = false) {
  int master = -1;
  winsize size{24, 100, 0, 0};
  const pid_t child = ::forkpty(&master, nullptr, nullptr, &size);
  if (child == 0) {
    ::setenv("SLIPWAY_SERVER", server.c_str(), 1);
    ::setenv("LANG", "C.UTF-8", 1);
    ::setenv("TERM", "xterm", 1);
    for (const char* name : {"CI", "NO_COLOR", "LC_ALL", "LC_CTYPE", "HOME"}) ::unsetenv(name);
    if (variable) ::setenv(variable, "1", 1);
    std::vector<const char*> argv{"slipway"};
    for (const auto& word : words) argv.push_back(word.c_str());
    auto io = process_io();
    ::_exit(run_cli(static_cast<int>(argv.size()), argv.data(), io));
  }
  OnTerminal out;
  char piece[4096];
  for (ssize_t got; (got = ::read(master, piece, sizeof piece)) > 0;) {
    out.seen.append(piece, static_cast<std::size_t>(got));
    if (interrupt && out.seen.find("RUNNING") != std::string::npos) {
      interrupt = false;
      if (::write(master, "\x03", 1) != 1) break;  // Ctrl-C, as the terminal sends it
    }
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  ::close(master);
  out.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return out;
}

TEST_F(Following, OnATerminalABarIsDrawnAndTakenAway) {
  auto half = at(kTask, "RUNNING", 3, percent(50));
  half.delay = 350ms;  // long enough for the spinner to turn
  script(kTask, {at(kTask, "RUNNING", 2, percent(0)), half, at(kTask, "SUCCEEDED", 4)});
  const auto shown = on_terminal(server_.url(), {"task", "wait", kTask}, nullptr);
  EXPECT_EQ(shown.status, 0);
  EXPECT_THAT(shown.seen,
              HasSubstr("⠋ vm.create " + kTask + " RUNNING [░░░░░░░░░░░░░░░░░░░░] 0% spawn"));
  EXPECT_THAT(shown.seen, HasSubstr("[██████████░░░░░░░░░░] 50% spawn"));
  EXPECT_THAT(shown.seen, HasSubstr("⠹"));
  EXPECT_THAT(shown.seen, HasSubstr("\x1b[J"));
  EXPECT_THAT(shown.seen, HasSubstr("\x1b[32mSUCCEEDED\x1b[0m in 2.5s"));
  EXPECT_TRUE(shown.seen.ends_with(kTask + " SUCCEEDED\r\n")) << shown.seen;
}

TEST_F(Following, OnATerminalNothingIsDrawnForThoseWhoDoNotWantIt) {
  script(kTask, {at(kTask, "RUNNING", 2, percent(50)), at(kTask, "SUCCEEDED", 4)});
  for (const char* variable : {"NO_COLOR", "CI"}) {
    const auto shown = on_terminal(server_.url(), {"task", "wait", kTask}, variable);
    EXPECT_THAT(shown.seen, Not(HasSubstr("\x1b"))) << variable;
    EXPECT_THAT(shown.seen, HasSubstr("SUCCEEDED")) << variable;
  }
  const auto quiet = on_terminal(server_.url(), {"task", "wait", kTask, "--quiet"}, nullptr);
  EXPECT_EQ(quiet.seen, kTask + " SUCCEEDED\r\n");
}

TEST_F(Following, ARealCtrlCEndsFollowingWithinTheLongPoll) {
  Reply held{304};
  held.delay = 20s;
  script(kTask, {at(kTask, "RUNNING", 2, percent(50)), held});
  const auto start = std::chrono::steady_clock::now();
  const auto shown = on_terminal(server_.url(), {"task", "wait", kTask}, nullptr, true);
  EXPECT_LT(std::chrono::steady_clock::now() - start, 5s);
  EXPECT_EQ(shown.status, 8);
  EXPECT_THAT(shown.seen, HasSubstr("follow again: slipway task wait " + kTask));
}

}  // namespace
}  // namespace slipway::app::cli
