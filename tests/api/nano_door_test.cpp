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
