// Who gets into nano, and the form of its answers.
#include <gmock/gmock.h>

#include "tests/api/nano_client.hpp"

namespace slipway::api::test {
namespace {

TEST(NanoDoor, TheDemoUserGetsASession) {
  TestServer server;
  const NanoClient client(server);
  ASSERT_TRUE(client.login().ok()) << client.login().text;
  EXPECT_EQ(client.login().data["timeout"], 120);
  EXPECT_GE(client.session().size(), 40U);
}

TEST(NanoDoor, AWrongPasswordIsA200WithCode500AndEmptyData) {
  TestServer server;
  const NanoClient client(server, "demo", "wrong");
  EXPECT_EQ(client.login().status, 200);
  EXPECT_EQ(client.login().text,
            "{\n  \"error_code\": 500,\n  \"message\": \"invalid user or password\",\n"
            "  \"data\": {}\n}");
}

TEST(NanoDoor, ABodyInAListOfOneIsTakenAndUnknownFieldsAreIgnored) {
  TestServer server;
  const Answer answer = server.post(
      "/d/nano/api/v1/sessions",
      R"([{"user":"demo","password":"test","nonce":"1","colour":"red"}])", "Content-Type: x/y\r\n");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(json_of(answer)["error_code"], 0) << answer.body;
}

// ---- the signed core side, computed here from the specification's words

std::string digest_text(const base::Digest& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

struct Signing {
  std::string id = "portal";
  std::string secret = "s3cret";
  std::string date = base::rfc3339(base::SystemClock().now());
  std::string scope = "20261122/zone1/nano_request";
};

// `path` needs no escapes but of '/', `query` is sorted and needs none.
Answer ask_signed(const TestServer& server, const Signing& by, std::string_view method,
                  std::string_view path, std::string_view query, std::string_view body) {
  std::string escaped;
  for (const char c : path) escaped += c == '/' ? std::string("%252F") : std::string(1, c);
  const auto hash = [](std::string_view text) { return base::hex(base::sha256(text)); };
  const std::string names = "host;nano-date;nano-scope";
  const std::string request = escaped + "\n" + std::string(query) +
                              "\nhost:test\nnano-date:" + by.date + "\nnano-scope:" + by.scope +
                              "\n\n" + names + "\n" + hash(method == "GET" ? "" : body);
  const std::string text = "Nano-HMAC-SHA256\n" + by.date + "\n" + by.scope + "\n" + hash(request);
  const std::string key = digest_text(base::hmac_sha256("nano" + by.secret, by.scope));
  const std::string target = std::string(path) + (query.empty() ? "" : "?" + std::string(query));
  return server.ask(
      std::string(method) + " " + target + " HTTP/1.1\r\nHost: test\r\n" + "Nano-Date: " + by.date +
      "\r\nNano-Scope: " + by.scope +
      "\r\nNano-Authorization: Nano-HMAC-SHA256 Credential=" + by.id + "/" + by.scope +
      ", SignedHeaders=" + names + ", Signature=" + base::hex(base::hmac_sha256(key, text)) +
      "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body));
}

TestServer::Options with_key() {
  TestServer::Options options;
  options.nano.core_keys.push_back({"portal", base::Secret("s3cret"), "demo"});
  return options;
}

int code_of(const Answer& answer) { return json_of(answer).value("error_code", -1); }

TEST(NanoSignature, OpensEveryDoorForItsGroup) {
  TestServer server(with_key());
  const Answer made =
      ask_signed(server, {}, "POST", "/d/nano/compute_pools/fast", "", R"({"failover":true})");
  EXPECT_EQ(code_of(made), 0) << made.body;
  EXPECT_EQ(code_of(ask_signed(server, {}, "GET", "/d/nano/logs/", "limit=5&start=0", "")), 0);
}

TEST(NanoSignature, IsRefusedWhenAnythingSignedWasChanged) {
  TestServer server(with_key());
  const auto refused = [&](const Signing& by) {
    const Answer answer = ask_signed(server, by, "GET", "/d/nano/roles/", "", "");
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(json_of(answer).value("message", ""), "unauthenticated request") << answer.body;
  };
  refused({.id = "other"});
  refused({.secret = "guess"});
  refused({.date = "2020-01-01T00:00:00Z"});
  refused({.date = "today"});
  refused({.scope = "20261122/zone1/other_request"});
  EXPECT_EQ(code_of(ask_signed(server, {}, "GET", "/d/nano/roles/", "", "")), 0);
}

TEST(NanoDoor, AnUnknownPathIs404AndAWrongVerb405InTheSameForm) {
  TestServer server;
  const Answer unknown = server.get("/d/nano/no/such/path");
  EXPECT_EQ(unknown.status, 404);
  EXPECT_EQ(json_of(unknown)["error_code"], 500);
  const Answer verb = server.send("PATCH", "/d/nano/sessions/");
  EXPECT_EQ(verb.status, 405);
  EXPECT_EQ(json_of(verb)["data"], Json::object());
}

}  // namespace
}  // namespace slipway::api::test
