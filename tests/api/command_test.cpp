// POST /core/v1/commands and its relatives, over a socket.
#include <gmock/gmock.h>

#include "tests/api/test_server.hpp"

namespace slipway::api::test {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string create_command(std::string_view name = "web-1") {
  return R"({"command":"vm.create","args":{"name":")" + std::string(name) +
         R"(","flavor":"m1.nano","image":"cirros-0.5.1-x86_64-disk"}})";
}

TEST(Commands, AcceptedIsA202WithTheTaskAndWhereToFindIt) {
  TestServer server;
  server.worker().hold();
  const Answer answer = server.post("/core/v1/commands", create_command());
  ASSERT_EQ(answer.status, 202) << answer.body;
  const Json task = json_of(answer);
  EXPECT_EQ(task["state"], "READY");
  EXPECT_EQ(task["terminal"], false);
  EXPECT_EQ(task["command"], "vm.create");
  EXPECT_EQ(task["resources"][0]["kind"], "vm");
  const std::string id = task["id"];
  EXPECT_EQ(answer.header("X-Task-Id"), id);
  EXPECT_EQ(answer.header("Location"), "/core/v1/tasks/" + id);
  EXPECT_GE(std::atoi(answer.header("Retry-After").c_str()), 1);
  EXPECT_EQ(answer.header("Slipway-Seq"), std::to_string(task["seq"].get<int>()));
  EXPECT_EQ(answer.header("ETag"), "\"1\"");
}

TEST(Commands, TheAnswerAndAReadRightAfterItAreOneBody) {
  TestServer server;
  server.worker().hold();
  const Answer made = server.post("/core/v1/commands", create_command());
  ASSERT_TRUE(server.worker().wait_for_orders(1));
  const Json task = json_of(made);
  const Answer read = server.get(made.header("Location"));
  EXPECT_EQ(read.status, 202);
  const Json later = json_of(read);
  EXPECT_EQ(later["state"], "RUNNING");
  for (const char* same : {"id", "command", "tenant", "actor", "resources", "deadline", "priority",
                           "created_at", "links", "max_attempts", "backend"}) {
    EXPECT_EQ(task[same], later[same]) << same;
  }
}

TEST(Commands, PreferWaitAnswersTheFinishedTask) {
  TestServer server;
  const Answer answer = server.post("/core/v1/vms", kNano, "Prefer: wait=20\r\n");
  ASSERT_EQ(answer.status, 200) << answer.body;
  const Json task = json_of(answer);
  EXPECT_EQ(task["state"], "SUCCEEDED");
  EXPECT_EQ(task["error"], nullptr);
  EXPECT_EQ(answer.header("Preference-Applied"), "wait=20");
  const Answer vm = server.get(task["resources"][0]["href"].get<std::string>());
  ASSERT_EQ(vm.status, 200) << vm.body;
  EXPECT_EQ(json_of(vm)["state"], "RUNNING");
  EXPECT_THAT(json_of(vm)["addresses"][0]["address"].get<std::string>(), StartsWith("10."));
}

TEST(Commands, AWaitThatRunsOutIsA202) {
  TestServer server;
  server.worker().hold();
  const Answer answer = server.post("/core/v1/vms", kNano, "Prefer: wait=1\r\n");
  EXPECT_EQ(answer.status, 202) << answer.body;
  EXPECT_EQ(answer.header("Preference-Applied"), "wait=1");
}

TEST(Commands, ADryRunShowsThePlanAndChangesNothing) {
  TestServer server;
  std::string body = create_command();
  body.insert(1, R"("dry_run":true,)");
  const Answer answer = server.post("/core/v1/commands", body);
  ASSERT_EQ(answer.status, 200) << answer.body;
  const Json plan = json_of(answer);
  EXPECT_EQ(plan["dry_run"], true);
  EXPECT_FALSE(plan["steps"].empty());
  EXPECT_EQ(json_of(server.get("/core/v1/tasks"))["items"].size(), 0U);
}

TEST(Commands, EveryFieldErrorComesAtOnceWithItsPointer) {
  TestServer server;
  const Answer answer = server.post(
      "/core/v1/commands", R"({"command":"vm.create","args":{"flavr":"x","image":7},"prio":1})");
  ASSERT_EQ(answer.status, 400);
  EXPECT_EQ(answer.header("Content-Type"), "application/problem+json");
  std::vector<std::string> pointers;
  const Json errors_of_answer = json_of(answer)["errors"];
  for (const auto& e : errors_of_answer) pointers.push_back(e["pointer"]);
  EXPECT_THAT(pointers,
              ::testing::UnorderedElementsAre("/args/name", "/args/image", "/args/flavr", "/prio"));
  EXPECT_THAT(answer.body, HasSubstr("did you mean 'flavor'?"));
}

TEST(Commands, WhatCanNeverWorkIs422AndNamesTheField) {
  TestServer server;
  const Answer nested =
      server.post("/core/v1/commands",
                  R"({"command":"vm.create","args":{"name":"a","flavor":"m1.hug","image":"x"}})");
  EXPECT_EQ(nested.status, 422);
  EXPECT_EQ(json_of(nested)["errors"][0]["pointer"], "/args/flavor");
  const Answer flat = server.post("/core/v1/vms", R"({"name":"a","flavor":"m1.hug","image":"x"})");
  EXPECT_EQ(json_of(flat)["errors"][0]["pointer"], "/flavor");
  const Answer unknown = server.post("/core/v1/commands", R"({"command":"vm.creat"})");
  EXPECT_EQ(unknown.status, 400);
  EXPECT_EQ(json_of(unknown)["code"], "unknown-command");
  EXPECT_THAT(unknown.body, HasSubstr("vm.create"));
}

TEST(Commands, ABodyOfAnotherTypeIs415) {
  TestServer server;
  EXPECT_EQ(server.post("/core/v1/vms", kNano, "Content-Type: text/plain\r\n").status, 415);
}

TEST(Idempotency, G1_3_TheSameKeyGivesTheFirstAnswerAgain) {
  TestServer server;
  server.worker().hold();
  const std::string key = "Idempotency-Key: k-1\r\n";
  const Answer first = server.post("/core/v1/vms", kNano, key);
  // The same JSON in another order is the same request.
  const Answer again = server.post(
      "/core/v1/vms", R"({"image":"cirros-0.5.1-x86_64-disk","name":"web-1", "flavor":"m1.nano"})",
      key);
  EXPECT_EQ(again.status, 202);
  EXPECT_EQ(again.body, first.body);
  EXPECT_EQ(again.header("Location"), first.header("Location"));
  EXPECT_EQ(again.header("Idempotency-Replayed"), "true");
  EXPECT_FALSE(first.has("Idempotency-Replayed"));
  EXPECT_EQ(json_of(server.get("/core/v1/vms"))["items"].size(), 1U);
}

TEST(Idempotency, AKeyUsedForAnotherRequestIs422) {
  TestServer server;
  const std::string key = "Idempotency-Key: k-1\r\n";
  server.post("/core/v1/vms", kNano, key);
  const Answer other =
      server.post("/core/v1/vms", R"({"name":"b","flavor":"42","image":"x"})", key);
  EXPECT_EQ(other.status, 422);
  EXPECT_EQ(json_of(other)["code"], "idempotency-key-reused");
}

TEST(Idempotency, AReplayWaitsAnewOnTheSameTask) {
  TestServer server;
  const std::string key = "Idempotency-Key: k-1\r\nPrefer: wait=20\r\n";
  const Answer first = server.post("/core/v1/vms", kNano, key);
  ASSERT_EQ(first.status, 200) << first.body;
  const Answer again = server.post("/core/v1/vms", kNano, key);
  EXPECT_EQ(again.status, 200);
  EXPECT_EQ(json_of(again)["id"], json_of(first)["id"]);
  EXPECT_EQ(again.header("Idempotency-Replayed"), "true");
}

TEST(VmActions, EachKnownActionIsAccepted) {
  TestServer server;
  const Answer made = server.post("/core/v1/vms", kNano, "Prefer: wait=20\r\n");
  const std::string vm = json_of(made)["resources"][0]["href"];
  struct Row {
    const char* action;
    const char* body;
    const char* state_after;
  };
  const Row rows[] = {
      {"stop", "", "STOPPED"},
      {"start", "", "RUNNING"},
      {"reboot", R"({"hard":true})", "RUNNING"},
      {"pause", "", "PAUSED"},
      {"resume", "", "RUNNING"},
      {"suspend", "", "SUSPENDED"},
      {"resume", "", "RUNNING"},
      {"resize", R"({"flavor":"m1.small"})", "RUNNING"},
      {"rebuild", "{}", "RUNNING"},
      {"rename", R"({"name":"web-2"})", "RUNNING"},
      {"migrate", "", "RUNNING"},
      {"snapshot", R"({"name":"one"})", "RUNNING"},
      {"snapshots/one/restore", "", "RUNNING"},
      {"capture", R"({"name":"golden"})", "RUNNING"},
  };
  for (const Row& row : rows) {
    const Answer answer = server.post(vm + "/" + row.action, row.body, "Prefer: wait=20\r\n");
    ASSERT_EQ(answer.status, 200) << row.action << ": " << answer.body;
    ASSERT_EQ(json_of(answer)["state"], "SUCCEEDED") << row.action << ": " << answer.body;
    ASSERT_EQ(json_of(server.get(vm))["state"], row.state_after) << row.action;
  }
  const Json shown = json_of(server.get(vm));
  EXPECT_EQ(shown["name"], "web-2");
  EXPECT_EQ(shown["flavor"], "2");
  EXPECT_EQ(shown["snapshots"][0]["name"], "one");
  EXPECT_EQ(server.send("DELETE", vm + "/snapshots/one", "Prefer: wait=20\r\n").status, 200);
  EXPECT_EQ(server.send("DELETE", vm, "Prefer: wait=20\r\n").status, 200);
  EXPECT_EQ(json_of(server.get(vm))["state"], "DELETED");
}

TEST(VmActions, AnImpossibleTransitionIs409AndAStaleVersion412) {
  TestServer server;
  const Answer made = server.post("/core/v1/vms", kNano, "Prefer: wait=20\r\n");
  const std::string vm = json_of(made)["resources"][0]["href"];
  EXPECT_EQ(json_of(server.post(vm + "/start", ""))["code"], "illegal-transition");
  const Answer stale = server.post(vm + "/stop", "", "If-Match: \"1\"\r\n");
  EXPECT_EQ(stale.status, 412);
  const std::string etag = server.get(vm).header("ETag");
  EXPECT_EQ(server.post(vm + "/stop", "", "If-Match: " + etag + "\r\n").status, 202);
}

TEST(Batches, AThousandCopiesAreOneBatch) {
  TestServer server;
  const Answer answer = server.post(
      "/core/v1/batches",
      R"({"template":{"command":"vm.create","args":{"name":"n-{n}","flavor":"42","image":"cirros-0.5.1-x86_64-disk"}},"count":1000})",
      "Prefer: wait=60\r\n");
  ASSERT_EQ(answer.status, 200) << answer.body.substr(0, 500);
  const Json batch = json_of(answer);
  EXPECT_EQ(batch["state"], "SUCCEEDED");
  EXPECT_EQ(batch["items"]["succeeded"], 1000);
  std::size_t seen = 0;
  std::string next = batch["links"]["items"].get<std::string>() + "?limit=300";
  while (!next.empty()) {
    const Answer page = server.get(next);
    ASSERT_EQ(page.status, 200) << page.body;
    seen += json_of(page)["items"].size();
    const std::string link = page.header("Link");
    next = link.empty() ? "" : link.substr(1, link.find('>') - 1);
  }
  EXPECT_EQ(seen, 1000U);
}

TEST(Batches, G8_OverAThousandIs422) {
  TestServer server;
  const Answer answer = server.post("/core/v1/batches", R"({"template":{},"count":1001})");
  EXPECT_EQ(answer.status, 422) << answer.body;
}

TEST(Tasks, CancelledBeforeItRanIsCancelledAtOnce) {
  TestServer server;
  server.worker().hold();
  const Answer made = server.post(
      "/core/v1/commands",
      R"({"command":"vm.create","args":{"name":"a","flavor":"42","image":"cirros-0.5.1-x86_64-disk"},"not_before":"2199-01-01T00:00:00Z"})");
  ASSERT_EQ(made.status, 202) << made.body;
  EXPECT_EQ(json_of(made)["state"], "BLOCKED");
  const std::string path = made.header("Location");
  const Answer cancelled = server.post(path + "/cancel", "");
  ASSERT_EQ(cancelled.status, 202) << cancelled.body;
  EXPECT_EQ(json_of(cancelled)["state"], "CANCELLED");
  const Answer read = server.get(path + "?wait=20s");
  EXPECT_EQ(read.status, 200);
  EXPECT_EQ(json_of(read)["error"]["code"], "cancelled");
  EXPECT_EQ(json_of(read)["version"], json_of(cancelled)["version"]);
  EXPECT_EQ(server.post(path + "/cancel", "").status, 409);
}

TEST(Tasks, AFailedOneIsRetriedAsANewTask) {
  TestServer server;
  server.worker().fail_all(true);
  const Answer made = server.post("/core/v1/vms", kNano, "Prefer: wait=20\r\n");
  ASSERT_EQ(json_of(made)["state"], "FAILED") << made.body;
  EXPECT_EQ(json_of(made)["error"]["detail"], "the toy cloud refuses");
  server.worker().fail_all(false);
  const std::string old = json_of(made)["id"];
  const Answer again = server.post("/core/v1/tasks/" + old + "/retry", "", "Prefer: wait=20\r\n");
  ASSERT_EQ(again.status, 200) << again.body;
  EXPECT_EQ(json_of(again)["state"], "SUCCEEDED");
  EXPECT_EQ(json_of(again)["parent"], old);
  EXPECT_NE(json_of(again)["id"], old);
}

TEST(Tasks, AFilterCancelsWhatItMatchesAndOnlyAsManyAsExpected) {
  TestServer server;
  server.worker().hold();
  for (int i = 0; i < 5; ++i) server.post("/core/v1/vms", kNano);
  const Answer surprised = server.post("/core/v1/tasks/cancel",
                                       R"({"filter":{"command":"vm.create"},"expected_total":50})");
  EXPECT_EQ(json_of(surprised)["code"], "match-changed") << surprised.body;
  const Answer dry =
      server.post("/core/v1/tasks/cancel", R"({"filter":{"command":"vm.create"},"dry_run":true})");
  EXPECT_EQ(json_of(dry)["total"], 5) << dry.body;
  const Answer done = server.post("/core/v1/tasks/cancel",
                                  R"({"filter":{"command":"vm.create"},"expected_total":5})");
  ASSERT_EQ(done.status, 202) << done.body;
  EXPECT_EQ(json_of(done)["items"]["total"], 5);
}

}  // namespace
}  // namespace slipway::api::test
