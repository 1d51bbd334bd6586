// Who is let in to dialect 004, what each sees, how much SQL runs at once, and its mail.
#include <gmock/gmock.h>

#include <thread>

#include "tests/api/test_server.hpp"

namespace slipway::api::test {
namespace {

using ::testing::HasSubstr;

std::string query_body(const std::string& sql) { return Json::array({{{"sql", sql}}}).dump(); }

std::string first_value(const Answer& answer) {
  const Json result = json_of(answer);
  EXPECT_EQ(result[0]["status"], "success") << answer.body;
  return result[0]["data"]["row"][0]["value"][0].dump();
}

constexpr std::string_view kInstance =
    R"([{"name":"mine","flavor":"m1.nano","image":"cirros-0.5.1-x86_64-disk"}])";

TEST(PerspectiveTenants, AnotherTenantSeesAndTouchesNothing) {
  TestServer server;
  const std::string other = bearer(server.make_token("other", "operator"));
  const Answer made = server.post("/d/perspective/instances", kInstance);
  server.get("/core/v1/tasks/" + made.header("X-Task-Id") + "?wait=20s");
  const Answer ids = server.post("/d/perspective/query", query_body("select id from instances"));
  const std::string id = json_of(ids)[0]["data"]["row"][0]["value"][0];

  for (const char* table : {"instances", "tasks", "events", "task_events", "batch_items",
                            "instance_metadata", "keypairs", "stats_hourly"}) {
    const Answer count = server.post(
        "/d/perspective/query",
        query_body("select count(*) from " + std::string(table) + " where 1 = 1 || 1 = 1"), other);
    // The token itself is an event of whoever made it.
    EXPECT_EQ(first_value(count), "0") << table;
  }
  EXPECT_EQ(server.get("/d/perspective/instances/" + id, other).status, 404);
  for (const char* path : {"/instances/start", "/instances/shutdown", "/instances/reboot"}) {
    const Answer answer = server.ask("PUT /d/perspective" + std::string(path) +
                                     " HTTP/1.1\r\nHost: t\r\nContent-Length: 40\r\n" + other +
                                     "\r\n[\"" + id + "\"]");
    EXPECT_EQ(answer.status, 200);
    EXPECT_FALSE(answer.has("X-Task-Id")) << path;
  }
  EXPECT_FALSE(
      server.post("/d/perspective/instances/delete", "[\"" + id + "\"]", other).has("X-Task-Id"));
  EXPECT_EQ(first_value(
                server.post("/d/perspective/query", query_body("select count(*) from instances"))),
            "1");
}

TEST(PerspectiveAccess, OutsideOfDemoModeTheMainListenerWantsAToken) {
  TestServer server({.demo = false});
  EXPECT_EQ(server.post("/d/perspective/query", query_body("select 1")).status, 401);
  EXPECT_EQ(server.get("/d/perspective/ping").status, 200);
  RawClient own(server.perspective_port());
  const auto answer = own.ask(post("/query", query_body("select 1")));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 200);
}

TEST(PerspectiveAccess, ASettingAsksForATokenEverywhere) {
  TestServer::Options options;
  options.perspective.require_token = true;
  TestServer server(std::move(options));
  const Answer none = server.post("/d/perspective/query", query_body("select 1"));
  EXPECT_EQ(none.status, 401);
  EXPECT_THAT(none.header("Content-Type"), HasSubstr("text/plain"));
  RawClient own(server.perspective_port());
  EXPECT_EQ(own.ask(post("/query", query_body("select 1")))->status, 401);
  const std::string token = bearer(server.make_token("demo", "viewer"));
  EXPECT_EQ(server.post("/d/perspective/query", query_body("select 1"), token).status, 200);
  EXPECT_EQ(server.post("/d/perspective/instances", kInstance, token).status, 403);
}

TEST(PerspectiveAccess, AReadOnlyServerAnswersQueriesAndRefusesTheRest) {
  TestServer server({.read_only = true});
  EXPECT_EQ(server.post("/d/perspective/query", query_body("select 1")).status, 200);
  EXPECT_EQ(server.post("/d/perspective/instances", kInstance).status, 403);
}

TEST(PerspectiveSql, TwoAtOnceForATenantAndThenNoMore) {
  TestServer::Options options;
  options.sql.limits.time = std::chrono::seconds(4);
  options.sql.limits.rows_scanned = 1'000'000'000;
  TestServer server(std::move(options));
  const std::string slow = query_body(
      "select count(*) from functions() a, functions() b, functions() c, functions() d, "
      "functions() e where concat(a.name, b.name, c.name, d.name, e.name) regexp '(a*)*(b*)*x$'");
  RawClient one(server.port());
  RawClient two(server.port());
  ASSERT_TRUE(one.send(post("/d/perspective/query", slow)));
  ASSERT_TRUE(two.send(post("/d/perspective/query", slow)));
  const auto until = Clock::now() + kPatience;
  while (server.sql().busy() < 2 && Clock::now() < until) std::this_thread::yield();
  const Answer third = server.post("/d/perspective/query", query_body("select 1"));
  EXPECT_EQ(third.status, 429);
  EXPECT_TRUE(third.has("Retry-After"));
  EXPECT_THAT(third.body, HasSubstr("sql.max_per_tenant"));
  // Others, and everything that is no SQL, go on.
  const std::string other = bearer(server.make_token("other", "viewer"));
  EXPECT_EQ(server.post("/d/perspective/query", query_body("select 1"), other).status, 200);
  EXPECT_EQ(server.get("/d/perspective/operations").status, 200);
  for (RawClient* client : {&one, &two}) {
    const auto answer = client->read();
    ASSERT_TRUE(answer);
    EXPECT_EQ(json_of(*answer)[0]["status"], "evaluation_error") << answer->body;
  }
  EXPECT_EQ(server.post("/d/perspective/query", query_body("select 1")).status, 200);
}

// ---- mail

std::string handshake(std::string_view more = "") {
  return get("/d/perspective/mail",
             "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
             "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
                 std::string(more));
}

// The text of the next frame; only such as the server writes.
std::string next_letter(RawClient& client) {
  if (!client.wait_for("\x81")) return "";
  std::string& in = client.received();
  in.erase(0, in.find('\x81'));
  for (int i = 0; i < 200; ++i) {
    if (in.size() > 1) {
      const auto first = static_cast<unsigned char>(in[1]);
      const std::size_t head = first == 126 ? 4 : 2;
      if (in.size() >= head) {
        const std::size_t size =
            first == 126 ? (static_cast<std::size_t>(static_cast<unsigned char>(in[2])) << 8U) |
                               static_cast<unsigned char>(in[3])
                         : first;
        if (in.size() >= head + size) {
          std::string text = in.substr(head, size);
          in.erase(0, head + size);
          return text;
        }
      }
    }
    if (!client.wait_for("}")) return "";
  }
  return "";
}

TEST(PerspectiveMail, TellsOfTheEndOfABulkCall) {
  TestServer server;
  RawClient client(server.port());
  const auto head = client.ask(handshake());
  ASSERT_TRUE(head);
  EXPECT_EQ(head->status, 101);
  EXPECT_EQ(head->header("Sec-WebSocket-Accept"), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  EXPECT_EQ(head->header("Upgrade"), "websocket");
  const Answer made = server.post("/d/perspective/instances", kInstance);
  const Json letter = Json::parse(next_letter(client));
  EXPECT_EQ(letter["id"], made.header("X-Task-Id"));
  EXPECT_EQ(letter["type"], "info");
  EXPECT_EQ(letter["title"], "batch.vm.create");
  EXPECT_EQ(letter["text"], "1 of 1 done");
  EXPECT_EQ(letter["state"], "SUCCEEDED");
}

TEST(PerspectiveMail, IsKeptWhileNobodyListensAndSaysWhatWentWrong) {
  TestServer server;
  const Answer made = server.post("/d/perspective/instances", R"([{"name":"x","flavor":"none"}])");
  server.get("/core/v1/tasks/" + made.header("X-Task-Id") + "?wait=20s");
  // Another tenant's listener hears nothing of it.
  const std::string other = bearer(server.make_token("other", "viewer"));
  RawClient stranger(server.port());
  ASSERT_EQ(stranger.ask(handshake(other))->status, 101);
  RawClient client(server.port());
  ASSERT_EQ(client.ask(handshake())->status, 101);
  const Json letter = Json::parse(next_letter(client));
  EXPECT_EQ(letter["type"], "error");
  EXPECT_THAT(letter["text"].get<std::string>(),
              HasSubstr("0 of 1 done; item 0: no flavor 'none'"));
  EXPECT_EQ(stranger.received(), "");
}

TEST(PerspectiveMail, PingsAreAnsweredAndClosingIsPolite) {
  TestServer server;
  RawClient client(server.port());
  ASSERT_EQ(client.ask(handshake())->status, 101);
  ASSERT_TRUE(client.send(std::string("\x89\x82\0\0\0\0hi", 8)));
  ASSERT_TRUE(client.wait_for(std::string("\x8A\x02hi")));
  ASSERT_TRUE(client.send(std::string("\x88\x82\0\0\0\0\x03\xE8", 8)));
  const auto rest = client.read_to_end();
  ASSERT_TRUE(rest);
  EXPECT_THAT(*rest, HasSubstr(std::string("\x88\x02\x03\xE8")));
}

TEST(PerspectiveMail, WhatIsNoHandshakeIsRefused) {
  TestServer server;
  EXPECT_EQ(server.get("/d/perspective/mail").status, 426);
  EXPECT_EQ(server
                .get("/d/perspective/mail",
                     "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                     "Sec-WebSocket-Key: short\r\n")
                .status,
            400);
  RawClient client(server.port());
  ASSERT_EQ(client.ask(handshake())->status, 101);
  ASSERT_TRUE(client.send(std::string("\x81\x02no")));  // not masked
  const auto rest = client.read_to_end();
  ASSERT_TRUE(rest);
  EXPECT_THAT(*rest, HasSubstr(std::string("\x03\xEA")));  // 1002
}

}  // namespace
}  // namespace slipway::api::test
