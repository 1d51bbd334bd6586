// Who may do what, and that a tenant never sees or touches what is another's.
#include <gmock/gmock.h>

#include "tests/api/test_server.hpp"

namespace slipway::api::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::string_view kDemo = "user: demo\r\npassword: test\r\nproject_name: demo\r\n";

TEST(Identity, WithoutATokenIsDemoInDemoModeAnd401Otherwise) {
  TestServer demo;
  EXPECT_EQ(demo.get("/core/v1/tasks").status, 200);
  TestServer strict({.demo = false});
  const Answer refused = strict.get("/core/v1/tasks");
  EXPECT_EQ(refused.status, 401);
  EXPECT_EQ(refused.header("WWW-Authenticate"), "Bearer");
  EXPECT_EQ(strict.get("/healthz").status, 200);
}

TEST(Identity, AWrongTokenIs401EvenInDemoMode) {
  TestServer server;
  EXPECT_EQ(server.get("/core/v1/tasks", bearer("slw_wrong")).status, 401);
  EXPECT_EQ(server.get("/core/v1/tasks", "Authorization: Basic x\r\n").status, 401);
}

TEST(Identity, RolesAreKept) {
  TestServer server;
  const std::string viewer = bearer(server.make_token("demo", "viewer"));
  const std::string worker = bearer(server.make_token("demo", "operator"));
  EXPECT_EQ(server.get("/core/v1/tasks", viewer).status, 200);
  EXPECT_EQ(server.post("/core/v1/vms", kNano, viewer).status, 403);
  EXPECT_EQ(server.post("/core/v1/vms", kNano, worker).status, 202);
  EXPECT_EQ(server.get("/core/v1/users", worker).status, 403);
  EXPECT_EQ(
      server
          .post("/core/v1/commands", R"({"command":"user.delete","args":{"name":"demo"}})", worker)
          .status,
      403);
}

TEST(Identity, ADeletedTokenEnds) {
  TestServer server;
  const std::string token = bearer(server.make_token("demo", "viewer"));
  const Json list = json_of(server.get("/core/v1/tokens"));
  const std::string id = list["items"][0]["id"];
  EXPECT_THAT(list.dump(), Not(HasSubstr("slw_")));
  const Answer gone = server.send("DELETE", "/core/v1/tokens/" + id);
  EXPECT_EQ(gone.status, 204);
  server.get("/core/v1/tokens", "Slipway-Min-Seq: " + gone.header("Slipway-Seq") + "\r\n");
  EXPECT_EQ(server.get("/core/v1/tasks", token).status, 401);
}

TEST(Identity, G6_6_ATokenIsShownAgainToARepeatUnderTheSameKeyAndIsNotInTheLog) {
  TestServer server;
  const std::string body = R"({"name":"ci","role":"viewer"})";
  const Answer first = server.post("/core/v1/tokens", body, "Idempotency-Key: t\r\n");
  const Answer again = server.post("/core/v1/tokens", body, "Idempotency-Key: t\r\n");
  ASSERT_EQ(first.status, 201) << first.body;
  EXPECT_EQ(again.body, first.body);
  const std::string token = json_of(first)["token"];
  EXPECT_THAT(server.get("/core/v1/events?from=0").body, Not(HasSubstr(token)));
}

TEST(Identity, AReadOnlyServerReadsAndRefusesCommands) {
  TestServer server({.read_only = true});
  EXPECT_EQ(server.get("/core/v1/vms").status, 200);
  const Answer refused = server.post("/core/v1/vms", kNano);
  EXPECT_EQ(refused.status, 403);
  EXPECT_EQ(json_of(refused)["code"], "read-only");
  EXPECT_EQ(server.post("/api/virtual_machines", "{}", kDemo).status, 403);
}

TEST(Identity, AUserOfTheCoreApiLogsInThroughVmfront) {
  TestServer server;
  const Answer made =
      server.post("/core/v1/users",
                  R"({"name":"ada","tenant":"demo","role":"viewer","password":"secret words"})");
  ASSERT_EQ(made.status, 201) << made.body;
  EXPECT_THAT(made.body, Not(HasSubstr("secret words")));
  server.get("/core/v1/users", "Slipway-Min-Seq: " + made.header("Slipway-Seq") + "\r\n");
  const std::string ada = "user: ada\r\npassword: secret words\r\n";
  EXPECT_EQ(server.get("/api/flavors", ada).status, 200);
  EXPECT_EQ(server.post("/api/virtual_machines", "{}", ada).status, 403);
  const Answer changed = server.ask(
      "PUT /core/v1/users/ada/password HTTP/1.1\r\nHost: t\r\nContent-Type: application/json\r\n"
      "Content-Length: 20\r\n\r\n{\"password\":\"other\"}");
  EXPECT_EQ(changed.status, 204) << changed.body;
  server.get("/core/v1/users", "Slipway-Min-Seq: " + changed.header("Slipway-Seq") + "\r\n");
  EXPECT_EQ(server.get("/api/flavors", ada).status, 503) << "the remembered password must go";
}

TEST(Identity, AVmfrontTokenOpensTheCoreApi) {
  TestServer server({.demo = false});
  const Answer made = server.get("/api/token", kDemo);
  ASSERT_EQ(made.status, 200) << made.body;
  const std::string token = json_of(made)["token"];
  EXPECT_EQ(server.get("/core/v1/tasks", bearer(token)).status, 200);
  EXPECT_EQ(server.get("/core/v1/tasks", bearer(token + "x")).status, 401);
}

TEST(G7_2_TenantMatrix, NoRouteShowsOrChangesWhatIsAnothers) {
  TestServer server;
  const Answer made = server.post("/core/v1/vms", kNano, "Prefer: wait=20\r\n");
  const Json task = json_of(made);
  const std::string task_path = task["links"]["self"];
  const std::string vm_path = task["resources"][0]["href"];
  const std::string vm = task["resources"][0]["id"];
  const std::string stranger = bearer(server.make_token("other", "operator"));

  for (const std::string& path :
       {vm_path, task_path, task_path + "?wait=1s", task_path + "/events", task_path + "/items"}) {
    EXPECT_EQ(server.get(path, stranger).status, 404) << path;
  }
  for (const char* list : {"/core/v1/vms", "/core/v1/tasks", "/core/v1/events?from=0"}) {
    const Answer answer = server.get(list, stranger);
    EXPECT_EQ(answer.status, 200) << list;
    EXPECT_TRUE(json_of(answer)["items"].empty()) << list << ": " << answer.body.substr(0, 300);
  }
  for (const char* action :
       {"start", "stop", "reboot", "pause", "unpause", "suspend", "resume", "migrate"}) {
    EXPECT_EQ(server.post(vm_path + "/" + action, "", stranger).status, 404) << action;
  }
  EXPECT_EQ(server.send("DELETE", vm_path, stranger).status, 404);
  EXPECT_EQ(server.post(task_path + "/retry", "", stranger).status, 404);
  EXPECT_EQ(server.post(task_path + "/cancel", "", stranger).status, 404);
  const Answer batch = server.post(
      "/core/v1/batches", R"({"commands":[{"command":"vm.delete","args":{"vm":")" + vm + R"("}}]})",
      stranger);
  EXPECT_EQ(batch.status, 404) << batch.body;
  const Answer stats = server.get("/core/v1/stats/vms_existing?step=1h", stranger);
  const Json items_of_stats = json_of(stats)["items"];
  for (const auto& point : items_of_stats) EXPECT_EQ(point["value"], 0.0);
  EXPECT_EQ(server.get(vm_path).status, 200);
}

}  // namespace
}  // namespace slipway::api::test
