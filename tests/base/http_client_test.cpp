#include "core/base/http_client.hpp"

#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/support/scripted_server.hpp"

namespace slipway::base {
namespace {

using namespace std::chrono_literals;
using test::ScriptedServer;
using Kind = HttpError::Kind;

HttpRequest get(const std::string& url) {
  HttpRequest request;
  request.url = url;
  request.timeout = 5s;
  return request;
}

TEST(HttpClient, SendsMethodHeadersAndBodyAndReadsTheAnswer) {
  ScriptedServer server;
  server.on("PATCH", "/x", {{201, "made", {{"X-Task-Id", "t1"}}}});
  auto request = get(server.url() + "/x?a=1");
  request.method = "PATCH";
  request.body = R"({"a":1})";
  request.headers = {{"Content-Type", "application/json"}, {"X-Empty", ""}};
  const auto answer = HttpClient().send(request);
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->status, 201);
  EXPECT_EQ(answer->body, "made");
  EXPECT_EQ(answer->header("x-task-id"), "t1");
  const auto seen = server.requests().at(0);
  EXPECT_EQ(seen.query, "a=1");
  EXPECT_EQ(seen.body, request.body);
  EXPECT_EQ(seen.header("content-type"), "application/json");
  EXPECT_EQ(seen.header("content-length"), "7");
  EXPECT_TRUE(seen.headers.contains("x-empty"));
  EXPECT_FALSE(seen.headers.contains("expect"));
}

TEST(HttpClient, AnEmptyPostHasALengthAndNoContentType) {
  ScriptedServer server;
  server.on("POST", "/x", {{202}});
  auto request = get(server.url() + "/x");
  request.method = "POST";
  ASSERT_TRUE(HttpClient().send(request));
  EXPECT_EQ(server.requests().at(0).header("content-length"), "0");
  EXPECT_FALSE(server.requests().at(0).headers.contains("content-type"));
}

TEST(HttpClient, KeepsItsConnectionUnlessToldOtherwise) {
  ScriptedServer server;
  server.on("GET", "/", {{200, "x"}});
  HttpClient client;
  auto request = get(server.url() + "/");
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(client.send(request));
  request.fresh_connection = true;
  ASSERT_TRUE(client.send(request));
  EXPECT_EQ(server.requests().at(2).connection, 1);
  EXPECT_EQ(server.requests().at(3).connection, 2);
}

TEST(HttpClient, ReadsHeadAnswersWithoutWaitingForABody) {
  ScriptedServer server;
  server.on("HEAD", "/", {{200, "twelve bytes"}});
  auto request = get(server.url() + "/");
  request.method = "HEAD";
  const auto answer = HttpClient().send(request);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->header("content-length"), "12");
}

TEST(HttpClient, FollowsNoRedirect) {
  ScriptedServer server;
  server.on("GET", "/", {{302, "", {{"Location", server.url() + "/other"}}}});
  const auto answer = HttpClient().send(get(server.url() + "/"));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 302);
  EXPECT_EQ(server.requests().size(), 1U);
}

TEST(HttpClient, IgnoresProxiesOfTheEnvironment) {
  ScriptedServer server;
  server.on("GET", "/", {{200}});
  ::setenv("http_proxy", "http://127.0.0.1:1", 1);
  ::setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
  const auto answer = HttpClient().send(get(server.url() + "/"));
  ::unsetenv("http_proxy");
  ::unsetenv("ALL_PROXY");
  EXPECT_TRUE(answer) << answer.error().message;
}

TEST(HttpClient, StopsReadingAtTheCap) {
  ScriptedServer server;
  server.on("GET", "/", {{200, std::string(100'000, 'x')}});
  auto request = get(server.url() + "/");
  request.max_body_bytes = 99'999;
  const auto answer = HttpClient().send(request);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, Kind::TooLarge);
  request.max_body_bytes = 100'000;
  EXPECT_TRUE(HttpClient().send(request));
}

TEST(HttpClient, TellsRefusedFromUnknown) {
  ScriptedServer server;
  server.on("GET", "/slow", {{200, "", {}, 5s}});
  server.on("GET", "/gone", {{200, "", {}, 0ms, true}});
  auto request = get(server.url() + "/slow");
  request.timeout = 100ms;
  const auto slow = HttpClient().send(request);
  ASSERT_FALSE(slow);
  EXPECT_EQ(slow.error().kind, Kind::Timeout);
  EXPECT_TRUE(slow.error().may_have_been_sent());
  const auto gone = HttpClient().send(get(server.url() + "/gone"));
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().kind, Kind::Broken);
  const auto url = server.url();
  server.stop();
  const auto refused = HttpClient().send(get(url));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, Kind::Connect);
  EXPECT_FALSE(refused.error().may_have_been_sent());
}

TEST(HttpClient, RefusesWhatWouldSplitARequest) {
  auto request = get("http://127.0.0.1:1/");
  request.headers = {{"X-A", "b\r\nX-C: d"}};
  const auto header = HttpClient().send(request);
  ASSERT_FALSE(header);
  EXPECT_EQ(header.error().kind, Kind::Invalid);
  const auto file = HttpClient().send(get("file:///etc/passwd"));
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().kind, Kind::Invalid);
}

TEST(HttpClient, GivesUpWhenAsked) {
  ScriptedServer server;
  server.on("GET", "/", {{200, "", {}, 5s}});
  auto request = get(server.url() + "/");
  int asked = 0;
  request.keep_going = [&] { return ++asked < 3; };
  const auto answer = HttpClient().send(request);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, Kind::Stopped);
  EXPECT_EQ(asked, 3);
}

TEST(HttpStream, HandsOverPiecesAsTheyCome) {
  ScriptedServer server;
  server.on("GET", "/", {{200, "", {}, 0ms, false, {"one", "two"}, 30ms}});
  std::vector<std::string> pieces;
  auto request = get(server.url() + "/");
  request.max_body_bytes = 4;  // of a piece, not of the stream
  const auto end =
      HttpClient().stream(request, [&](const HttpResponse& head, std::string_view piece) {
        EXPECT_EQ(head.status, 200);
        pieces.emplace_back(piece);
        return true;
      });
  ASSERT_TRUE(end) << end.error().message;
  EXPECT_EQ(pieces, (std::vector<std::string>{"one", "two"}));
}

TEST(HttpStream, EndsWhenTheSinkHasEnough) {
  ScriptedServer server;
  server.on("GET", "/", {{200, "", {}, 0ms, false, {"one", "two"}, 30ms}});
  const auto end = HttpClient().stream(get(server.url() + "/"),
                                       [](const HttpResponse&, std::string_view) { return false; });
  ASSERT_FALSE(end);
  EXPECT_EQ(end.error().kind, Kind::Stopped);
}

TEST(HttpStream, EndsAfterTooLongASilence) {
  ScriptedServer server;
  server.on("GET", "/", {{200, "", {}, 0ms, false, {"one", "two"}, 5s}});
  auto request = get(server.url() + "/");
  request.idle_timeout = 150ms;
  const auto end =
      HttpClient().stream(request, [](const HttpResponse&, std::string_view) { return true; });
  ASSERT_FALSE(end);
  EXPECT_EQ(end.error().kind, Kind::Timeout);
}

TEST(CheckHttpTarget, TakesOnlyAllowedSchemesAndPorts) {
  const Resolver good = [](const std::string&) { return std::vector{*parse_ip("1.1.1.1")}; };
  TargetPolicy policy;
  EXPECT_EQ(check_http_target("https://a.example/x", policy, good).value(), "1.1.1.1");
  EXPECT_TRUE(check_http_target("https://a.example:8443", policy, good));
  for (const char* bad :
       {"http://a.example", "https://a.example:22", "ftp://a.example", "a.example",
        "https://user:pw@a.example", "https://", "gopher://a.example:443", ""})
    EXPECT_FALSE(check_http_target(bad, policy, good)) << bad;
  policy.allow_http = true;
  EXPECT_TRUE(check_http_target("http://a.example", policy, good));
  EXPECT_FALSE(check_http_target("http://a.example:6379", policy, good));
}

TEST(CheckHttpTarget, SeesThroughOddSpellingsOfLoopback) {
  for (const char* bad :
       {"https://127.0.0.1", "https://127.1", "https://0x7f.1", "https://2130706433",
        "https://0177.0.0.1", "https://[::1]", "https://[::ffff:127.0.0.1]", "https://localhost",
        "https://[64:ff9b::7f00:1]", "https://0"})
    EXPECT_FALSE(check_http_target(bad, {})) << bad;
}

TEST(CheckHttpTarget, TheCallGoesToTheCheckedAddressWhateverTheNameSays) {
  ScriptedServer server;
  server.on("GET", "/hook", {{200, "here"}});
  auto request = get("http://pinned.invalid:" + std::to_string(server.port()) + "/hook");
  request.address = "127.0.0.1";
  const auto answer = HttpClient().send(request);
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->body, "here");
  EXPECT_EQ(server.requests().at(0).header("host"),
            "pinned.invalid:" + std::to_string(server.port()));
}

}  // namespace
}  // namespace slipway::base
