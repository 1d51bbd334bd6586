// api/openapi.json and the routes say the same, and its examples work.
#include <gmock/gmock.h>

#include <set>

#include "api/core_api/openapi.hpp"
#include "tests/api/test_server.hpp"

namespace slipway::api::test {
namespace {

const Json& document() {
  static const Json kDocument = Json::parse(openapi_json());
  return kDocument;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(std::tolower(c));
  return out;
}

TEST(OpenApi, EveryRouteIsInItAndNothingElse) {
  TestServer server;
  std::set<std::string> routes, documented;
  for (const Router::Entry& entry : server.router().entries()) {
    if (entry.pattern.starts_with("/d/")) continue;  // the same again below its prefix
    routes.insert(lower(method_name(entry.method)) + " " + entry.pattern);
  }
  for (const auto& [path, methods] : document()["paths"].items()) {
    for (const auto& [method, operation] : methods.items()) documented.insert(method + " " + path);
  }
  EXPECT_EQ(routes, documented);
}

TEST(OpenApi, RolesAreThoseOfTheRoutes) {
  TestServer server;
  const std::map<Right, std::string> names = {
      {Right::View, "viewer"}, {Right::Operate, "operator"}, {Right::Administer, "admin"}};
  for (const Router::Entry& entry : server.router().entries()) {
    if (entry.pattern.starts_with("/d/")) continue;
    const Json& operation = document()["paths"][entry.pattern][lower(method_name(entry.method))];
    const Right right = right_of(entry.permission);
    const std::string wanted = right == Right::Public ? "" : names.at(right);
    EXPECT_EQ(operation.value("x-role", ""), wanted) << entry.pattern;
  }
}

TEST(OpenApi, OperationIdsAreUniqueAndReferencesResolve) {
  std::set<std::string> ids;
  for (const auto& [path, methods] : document()["paths"].items()) {
    for (const auto& [method, operation] : methods.items()) {
      EXPECT_TRUE(ids.insert(operation["operationId"]).second) << operation["operationId"];
    }
  }
  const std::string text(openapi_json());
  constexpr std::string_view kRef = "\"#/components/schemas/";
  for (std::size_t at = 0; (at = text.find(kRef, at)) != std::string::npos; ++at) {
    const std::size_t begin = at + kRef.size();
    const std::string name = text.substr(begin, text.find('"', begin) - begin);
    EXPECT_TRUE(document()["components"]["schemas"].contains(name)) << name;
  }
}

TEST(OpenApi, ItsExamplesAreAccepted) {
  TestServer server;
  const Answer made = server.post("/core/v1/vms", kNano, "Prefer: wait=20\r\n");
  const std::string vm = json_of(made)["resources"][0]["id"];
  const std::string demo = "user: demo\r\npassword: test\r\n";
  for (const auto& [path, methods] : document()["paths"].items()) {
    for (const auto& [method, operation] : methods.items()) {
      const Json body = operation.value(
          Json::json_pointer("/requestBody/content/application~1json/example"), Json());
      if (body.is_null() || path.find("/tasks/{id}") != std::string::npos) continue;
      std::string target = path;
      if (const auto at = target.find("{id}"); at != std::string::npos) target.replace(at, 4, vm);
      if (const auto at = target.find("{name}"); at != std::string::npos) {
        target.replace(at, 6, "ada");  // whom an earlier example made
      }
      const std::string text = body.dump();
      const Answer answer = server.ask(
          std::string(method == "put" ? "PUT " : "POST ") + target +
          " HTTP/1.1\r\nHost: t\r\nContent-Type: application/json\r\nPrefer: wait=20\r\n" +
          (path.starts_with("/api/") ? demo : "") +
          "Content-Length: " + std::to_string(text.size()) + "\r\n\r\n" + text);
      EXPECT_GE(answer.status, 200) << path << ": " << answer.body;
      EXPECT_LT(answer.status, 300) << path << ": " << answer.body;
    }
  }
}

}  // namespace
}  // namespace slipway::api::test
