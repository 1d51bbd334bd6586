// What every route does alike, the pages for people, and rates.
#include <gmock/gmock.h>

#include <algorithm>
#include <set>

#include "tests/api/test_server.hpp"

namespace slipway::api::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// A path that the pattern matches.
std::string path_of(std::string pattern) {
  for (std::size_t at = 0; (at = pattern.find('{')) != std::string::npos;) {
    const std::size_t end = pattern.find('}', at);
    const bool is_id = pattern.compare(at, 4, "{id}") == 0;
    pattern.replace(at, end + 1 - at, is_id ? "0197f3a0-0000-7000-8000-000000000000" : "x");
  }
  return pattern;
}

constexpr std::string_view kDemo = "user: demo\r\npassword: test\r\n";

std::map<std::string, std::set<std::string>> methods_by_pattern(const Router& router) {
  std::map<std::string, std::set<std::string>> out;
  for (const Router::Entry& entry : router.entries()) {
    out[entry.pattern].emplace(method_name(entry.method));
    if (entry.method == Method::Get) out[entry.pattern].emplace("HEAD");
  }
  return out;
}

bool matches(std::string_view pattern, std::string_view path) {
  while (!pattern.empty() && !path.empty()) {
    pattern.remove_prefix(1);
    path.remove_prefix(1);
    const auto wanted = pattern.substr(0, pattern.find('/'));
    const auto segment = path.substr(0, path.find('/'));
    if (!wanted.starts_with('{') && wanted != segment) return false;
    pattern.remove_prefix(wanted.size());
    path.remove_prefix(segment.size());
  }
  return pattern.empty() && path.empty();
}

TEST(Routes, HeadIsGetWithoutTheBody) {
  TestServer server;
  for (const auto& [pattern, methods] : methods_by_pattern(server.router())) {
    if (!methods.contains("GET")) continue;
    const std::string path = path_of(pattern);
    const Answer get = server.send("GET", path, kDemo);
    const Answer head = server.send("HEAD", path, kDemo);
    EXPECT_EQ(head.status, get.status) << path;
    EXPECT_EQ(head.header("Content-Type"), get.header("Content-Type")) << path;
    EXPECT_TRUE(head.has("X-Request-Id")) << path;
    EXPECT_EQ(head.body, "") << path;
  }
}

TEST(Routes, AWrongVerbIs405WithWhatIsAllowed) {
  TestServer server;
  std::size_t tried = 0;
  const auto all = methods_by_pattern(server.router());
  for (const auto& [pattern, own] : all) {
    const std::string path = path_of(pattern);
    // "/tasks/retry" is a task's place too, to those verbs that the shorter list does not take.
    std::set<std::string> methods;
    for (const auto& [other, more] : all) {
      if (matches(other, path)) methods.insert(more.begin(), more.end());
    }
    ASSERT_TRUE(std::includes(methods.begin(), methods.end(), own.begin(), own.end()));
    for (const char* verb : {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"}) {
      if (methods.contains(verb)) continue;
      const Answer answer = server.send(verb, path, kDemo);
      // Dialect 001 has its own word for it.
      const int refused = pattern.starts_with("/d/orchestrator/") ? 501 : 405;
      EXPECT_EQ(answer.status, refused) << verb << " " << pattern;
      std::set<std::string> allowed;
      std::istringstream list(answer.header("Allow"));
      for (std::string word; std::getline(list >> std::ws, word, ',');) allowed.insert(word);
      EXPECT_EQ(allowed, methods) << verb << " " << pattern;
      ++tried;
    }
  }
  EXPECT_GT(tried, 100U);
}

TEST(Routes, AnUnknownPathIs404InItsOwnForm) {
  TestServer server;
  const Answer answer = server.get("/core/v1/nothing");
  EXPECT_EQ(answer.status, 404);
  EXPECT_EQ(answer.header("Content-Type"), "application/problem+json");
}

TEST(Pages, TheDescriptionIsAPageThatAsksNoOtherHost) {
  TestServer server;
  const Answer page = server.get("/docs");
  EXPECT_EQ(page.status, 200);
  EXPECT_EQ(page.header("Content-Type"), "text/html; charset=utf-8");
  EXPECT_EQ(page.header("Content-Security-Policy"),
            "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:");
  EXPECT_EQ(page.header("X-Content-Type-Options"), "nosniff");
  EXPECT_THAT(page.body, HasSubstr("POST /core/v1/commands"));
  EXPECT_THAT(page.body, HasSubstr("id=\"schema-Task\""));
  EXPECT_THAT(page.body, Not(HasSubstr("<script")));
  for (const char* elsewhere : {"src=\"http", "href=\"http", "url(", "@import"}) {
    EXPECT_THAT(page.body, Not(HasSubstr(elsewhere)));
  }
}

TEST(Pages, EveryLinkOfTheDescriptionLeadsSomewhere) {
  TestServer server;
  const std::string page = server.get("/docs").body;
  std::size_t links = 0;
  constexpr std::string_view kLink = "href=\"#";
  for (std::size_t at = 0; (at = page.find(kLink, at)) != std::string::npos; ++links) {
    at += kLink.size();
    const std::string id = page.substr(at, page.find('"', at) - at);
    EXPECT_NE(page.find("id=\"" + id + "\""), std::string::npos) << id;
  }
  EXPECT_GT(links, 50U);
}

TEST(Pages, AProblemIsHtmlForPeopleAndJsonForPrograms) {
  TestServer server;
  const Answer json = server.get("/problems/queue-full");
  EXPECT_EQ(json_of(json)["status"], 503);
  const Answer page = server.get("/problems/queue-full", "Accept: text/html\r\n");
  EXPECT_EQ(page.header("Content-Type"), "text/html; charset=utf-8");
  EXPECT_TRUE(page.has("Content-Security-Policy"));
  EXPECT_THAT(page.body, HasSubstr("Remedy"));
  EXPECT_EQ(server.get("/problems/no-such").status, 404);
}

TEST(Rate, BeyondItIs429ThatSaysWhenToComeAgain) {
  TestServer server;
  server.core().guard().rates().set({.per_second = {0, 1, 0}, .burst = 2});
  EXPECT_EQ(server.get("/core/v1/tasks").status, 200);
  EXPECT_EQ(server.get("/core/v1/tasks").status, 200);
  const Answer refused = server.get("/core/v1/tasks");
  EXPECT_EQ(refused.status, 429);
  EXPECT_EQ(json_of(refused)["code"], "rate-limited");
  EXPECT_EQ(refused.header("Retry-After"), "1");
  EXPECT_EQ(refused.header("RateLimit-Policy"), "\"tenant\";q=2;w=2");
  EXPECT_EQ(refused.header("RateLimit"), "\"tenant\";r=0;t=1");
  EXPECT_EQ(server.get("/healthz").status, 200) << "whoever watches is not counted";
  EXPECT_EQ(server.core().guard().rates().refused(), 1U);
}

TEST(Rate, OfAnAddressHoldsBeforeAnybodyIsKnown) {
  TestServer server;
  server.core().guard().rates().set({.per_second = {0, 0, 1}, .burst = 1});
  EXPECT_EQ(server.get("/core/v1/tasks", "Authorization: Bearer wrong\r\n").status, 401);
  EXPECT_EQ(server.get("/core/v1/tasks", "Authorization: Bearer wrong\r\n").status, 429);
}

TEST(Rate, OfADialectIsAnsweredInItsForm) {
  TestServer server;
  server.core().guard().rates().set({.per_second = {1, 0, 0}, .burst = 1});
  EXPECT_EQ(server.get("/api/flavors", kDemo).status, 200);
  const Answer refused = server.get("/api/flavors", kDemo);
  EXPECT_EQ(refused.status, 429);
  EXPECT_NE(refused.header("Content-Type"), "application/problem+json");
  EXPECT_TRUE(refused.has("Retry-After"));
  EXPECT_TRUE(refused.has("RateLimit"));
}

TEST(AdminToken, IsAnAdminsUntilAnotherIsSet) {
  TestServer server({.demo = false});
  const std::string first = bearer("first-admin-token");
  EXPECT_EQ(server.get("/core/v1/workers", first).status, 401);
  server.core().authenticator().set_admin_token(base::Secret("first-admin-token"));
  EXPECT_EQ(server.get("/core/v1/workers", first).status, 200);
  server.core().authenticator().set_admin_token(base::Secret("second"));
  EXPECT_EQ(server.get("/core/v1/workers", first).status, 401);
  EXPECT_EQ(server.get("/core/v1/workers", bearer("second")).status, 200);
  server.core().authenticator().set_admin_token(base::Secret());
  EXPECT_EQ(server.get("/core/v1/workers", bearer("")).status, 401);
}

TEST(Parts, G7_9_ApartEachHasWhatTheOtherHasNot) {
  TestServer server;
  const auto patterns = [&](CoreApi::Part part) {
    Router router(server.core().guard().guard());
    server.core().mount(router, part);
    std::set<std::string> out;
    for (const Router::Entry& entry : router.entries()) {
      out.insert(std::string(method_name(entry.method)) + entry.pattern);
    }
    return out;
  };
  const auto all = patterns(CoreApi::Part::All);
  const auto open = patterns(CoreApi::Part::Public);
  const auto admin = patterns(CoreApi::Part::Admin);
  EXPECT_EQ(open.size() + admin.size(), all.size());
  EXPECT_TRUE(admin.contains("GET/metrics") && admin.contains("POST/core/v1/admin/backup"));
  EXPECT_FALSE(open.contains("GET/metrics") || open.contains("GET/healthz"));
}

}  // namespace
}  // namespace slipway::api::test
