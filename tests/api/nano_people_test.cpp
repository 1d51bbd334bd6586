// Roles, groups, users, sessions and logs of nano, over a real socket.
#include <gmock/gmock.h>

#include "tests/api/nano_client.hpp"

namespace slipway::api::test {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;

constexpr std::string_view kMenus =
    R"({"menu": ["dashboard", "compute_pool", "address_pool", "instance"]})";

// nano in the group "clerks", which sees the dashboard alone.
void add_clerk(const NanoClient& admin) {
  ASSERT_TRUE(admin.post("/roles/clerk", R"({"menu":["dashboard"]})").ok());
  ASSERT_TRUE(admin.post("/user_groups/clerks", R"({"display":"C","role":["clerk"]})").ok());
  ASSERT_TRUE(admin.post("/users/nano", R"({"password":"abcdefg"})").ok());
  ASSERT_TRUE(admin.post("/user_groups/clerks/members/nano").ok());
}

TEST(NanoRoles, AreMadeShownChangedAndKeptWhileAGroupHasThem) {
  TestServer server;
  const NanoClient nano(server);
  ASSERT_TRUE(nano.post("/roles/manager", kMenus).ok());
  EXPECT_EQ(nano.get("/roles/").data, Json::parse(R"(["manager","super"])"));
  EXPECT_EQ(
      nano.get("/roles/manager").data,
      Json::parse(
          R"({"menu":["dashboard","compute_pool","address_pool","instance"],"resource":[]})"));
  EXPECT_TRUE(nano.put("/roles/manager/", R"([{"menu":["dashboard"]}])").ok());
  EXPECT_EQ(nano.get("/roles/manager").data["menu"], Json::array({"dashboard"}));
  EXPECT_EQ(nano.post("/roles/manager", kMenus).message, "role 'manager' already exists");
  ASSERT_TRUE(
      nano.post("/user_groups/g", R"({"display":"Group of Manager","role":["manager"]})").ok());
  EXPECT_FALSE(nano.remove("/roles/manager").ok());
  ASSERT_TRUE(nano.put("/user_groups/g", R"({"role":[]})").ok());
  EXPECT_TRUE(nano.remove("/roles/manager").ok());
  EXPECT_EQ(nano.get("/roles/manager").message, "invalid role 'manager'");
}

TEST(NanoGroups, HaveMembersAndStayWhileTheyDo) {
  TestServer server;
  const NanoClient nano(server);
  ASSERT_TRUE(nano.post("/user_groups/manager_group",
                        R"({"display": "Group of Manager", "role": ["super"]})")
                  .ok());
  ASSERT_TRUE(
      nano.post("/users/ak", R"({"nick": "AK", "mail": "a@b.com", "password": "abcdefg"})").ok());
  ASSERT_TRUE(nano.post("/user_groups/manager_group/members/ak").ok());
  EXPECT_EQ(nano.get("/user_groups/").data,
            Json::parse(R"([{"name":"demo","display":"Demo","member":1},
              {"name":"manager_group","display":"Group of Manager","member":1}])"));
  EXPECT_EQ(nano.get("/user_groups/manager_group").data,
            Json::parse(R"({"name":"manager_group","display":"Group of Manager",
              "role":["super"],"member":["ak"]})"));
  EXPECT_EQ(nano.get("/user_groups/manager_group/members/").data, Json::array({"ak"}));
  EXPECT_EQ(nano.get("/user_search/?group=manager_group").data, Json::array({"ak"}));
  EXPECT_THAT(nano.post("/user_groups/demo/members/ak").message, HasSubstr("already belongs"));
  EXPECT_FALSE(nano.remove("/user_groups/manager_group").ok());
  EXPECT_TRUE(nano.remove("/user_groups/manager_group/members/ak").ok());
  EXPECT_EQ(nano.remove("/user_groups/manager_group").data, "");
}

TEST(NanoUsers, AreMadeShownChangedAndDeleted) {
  TestServer server;
  const NanoClient nano(server);
  ASSERT_TRUE(
      nano.post("/users/alex", R"({"nick": "AK", "mail": "a@b.com", "password": "abcdefg"})").ok());
  EXPECT_EQ(nano.get("/users/").data, Json::parse(R"(["alex","demo"])"));
  const Json shown = nano.get("/users/alex").data;
  EXPECT_EQ(shown["nick"], "AK");
  EXPECT_EQ(shown["mail"], "a@b.com");
  ASSERT_TRUE(nano.put("/users/alex", R"({"nick":"Al"})").ok());
  EXPECT_EQ(nano.get("/users/alex").data["nick"], "Al");
  EXPECT_EQ(nano.get("/users/alex").data["mail"], "a@b.com");
  EXPECT_FALSE(nano.post("/users/a%20b", R"({"password":"abcdefg"})").ok());
  EXPECT_FALSE(nano.post("/users/x", "{}").ok());
  EXPECT_TRUE(nano.remove("/users/alex").ok());
  EXPECT_FALSE(nano.get("/users/alex").ok());
}

TEST(NanoUsers, APasswordChangeNeedsTheOldOneAndEndsSessions) {
  TestServer server;
  const NanoClient admin(server);
  add_clerk(admin);
  const NanoClient nano(server, "nano", "abcdefg");
  ASSERT_TRUE(nano.login().ok()) << nano.login().text;
  EXPECT_EQ(nano.put("/users/nano/password/", R"({"old":"wrong","new":"x"})").message,
            "invalid user or password");
  ASSERT_TRUE(nano.put("/users/nano/password/", R"({"old":"abcdefg","new":"hijk"})").ok());
  // Once a read has seen the change, so has the door.
  EXPECT_TRUE(admin.get("/users/nano").ok());
  EXPECT_EQ(nano.get("/users/").message, "unauthenticated request");
  EXPECT_FALSE(NanoClient(server, "nano", "abcdefg").login().ok());
  EXPECT_TRUE(NanoClient(server, "nano", "hijk").login().ok());
}

TEST(NanoUsers, AStrictPolicyAsksForThreeKinds) {
  TestServer server({.nano = {.strict_passwords = true}});
  const NanoClient nano(server);
  EXPECT_FALSE(nano.post("/users/a", R"({"password":"abcdefgh"})").ok());
  EXPECT_FALSE(nano.post("/users/a", R"({"password":"Abcdef1"})").ok());
  EXPECT_TRUE(nano.post("/users/a", R"({"password":"Abcdefg1"})").ok());
}

TEST(NanoSessions, NeedAGroup) {
  TestServer server;
  const NanoClient admin(server);
  ASSERT_TRUE(admin.post("/users/lone", R"({"password":"abcdefg"})").ok());
  EXPECT_TRUE(admin.get("/users/lone").ok());
  EXPECT_THAT(NanoClient(server, "lone", "abcdefg").login().message,
              HasSubstr("not belongs to any group"));
}

TEST(NanoSessions, AreShownRenewedAndListedWithoutTheTokensOfOthers) {
  TestServer server;
  const NanoClient first(server);
  const NanoClient second(server);
  const std::string path = "/sessions/" + first.session();
  const NanoAnswer shown = first.get(path);
  ASSERT_TRUE(shown.ok()) << shown.text;
  EXPECT_EQ(shown.data["user"], "demo");
  EXPECT_EQ(shown.data["resource"], Json::array());
  EXPECT_THAT(shown.data["menu"].dump(), HasSubstr("compute_pool"));
  EXPECT_EQ(first.put(path).data, "");
  EXPECT_EQ(first.put("/sessions/none").message, "invalid session 'none'");
  const NanoAnswer list = first.get("/sessions/");
  ASSERT_EQ(list.data.size(), 2U) << list.text;
  EXPECT_THAT(list.text, HasSubstr(first.session()));
  EXPECT_THAT(list.text, ::testing::Not(HasSubstr(second.session())));
}

TEST(NanoSessions, EndWhenNobodyUsesThem) {
  TestServer server({.nano = {.session_timeout = std::chrono::milliseconds(1)}});
  const NanoClient nano(server);
  ASSERT_TRUE(nano.login().ok());
  // Each question slides it, so the time between two of them must be longer.
  const auto next = std::chrono::steady_clock::now() + std::chrono::milliseconds(5);
  while (std::chrono::steady_clock::now() < next) std::this_thread::yield();
  const NanoAnswer answer = nano.get("/users/");
  EXPECT_EQ(answer.message, "unauthenticated request");
  EXPECT_EQ(answer.status, 200);
}

TEST(NanoPeople, WhoHasNotTheMenuMayNotAndOtherGroupsAreNotSeen) {
  TestServer server;
  const NanoClient admin(server);
  add_clerk(admin);
  const NanoClient clerk(server, "nano", "abcdefg");
  ASSERT_TRUE(clerk.login().ok()) << clerk.login().text;
  EXPECT_EQ(clerk.get("/users/").data, Json::array({"nano"}));
  EXPECT_EQ(clerk.get("/user_groups/").data.size(), 1U);
  EXPECT_FALSE(clerk.get("/users/demo").ok());
  EXPECT_FALSE(clerk.get("/user_groups/demo").ok());
  EXPECT_FALSE(clerk.post("/users/eve", R"({"password":"abcdefg"})").ok());
  EXPECT_FALSE(clerk.put("/users/demo", R"({"nick":"x"})").ok());
  EXPECT_TRUE(clerk.put("/users/nano", R"({"nick":"x"})").ok());
  EXPECT_FALSE(clerk.post("/compute_pools/p").ok());
  EXPECT_FALSE(clerk.post("/address_pools/p", R"({"gateway":"10.0.0.1"})").ok());
  EXPECT_FALSE(clerk.put("/resource_visibilities/", R"({"instance_visible":true})").ok());
}

TEST(NanoPeople, VisibilityIsThatOfTheOwnGroup) {
  TestServer server;
  const NanoClient nano(server);
  EXPECT_EQ(nano.get("/resource_visibilities/").data["instance_visible"], true);
  ASSERT_TRUE(
      nano.put("/resource_visibilities/", R"({"instance_visible":false,"disk_image_visible":true})")
          .ok());
  EXPECT_EQ(nano.get("/resource_visibilities/").data,
            Json::parse(R"({"instance_visible":false,"disk_image_visible":true,
              "media_image_visible":false})"));
}

TEST(NanoLogs, AreListedNewestFirstHiddenAndOfTheOwnGroup) {
  TestServer server;
  NanoClient nano(server);
  ASSERT_TRUE(
      nano.post("/logs/", R"({"format": "string", "content": "admin create new user example"})")
          .ok());
  ASSERT_TRUE(nano.post("/logs/", R"({"content":"second"})").ok());
  const NanoAnswer plain = nano.get("/logs/?limit=10");
  ASSERT_EQ(plain.data.size(), 2U) << plain.text;
  EXPECT_EQ(plain.data[0]["content"], "second");
  EXPECT_EQ(plain.data[1]["content"], "admin create new user example");
  EXPECT_THAT(plain.data[0]["time"].get<std::string>(),
              MatchesRegex("[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}"));
  EXPECT_EQ(nano.get("/logs/?limit=1&start=1").data[0]["content"], "admin create new user example");
  EXPECT_TRUE(nano.get("/logs/?limit=5&before=2001-01-01%2000:00:00").data.empty());
  EXPECT_EQ(nano.get("/logs/?limit=5&after=2001-01-01%2000:00:00").data.size(), 2U);
  EXPECT_FALSE(nano.get("/logs/").ok());
  EXPECT_FALSE(nano.get("/logs/?limit=5&after=yesterday").ok());

  nano.at("/d/nano/api/v1");
  const NanoAnswer later = nano.get("/logs/?limit=10");
  EXPECT_EQ(later.data["total"], 2);
  const std::string id = later.data["logs"][0]["id"];
  add_clerk(nano);
  const NanoClient clerk(server, "nano", "abcdefg");
  EXPECT_TRUE(clerk.get("/logs/?limit=10").data.empty());
  ASSERT_TRUE(nano.remove("/logs/", R"({"entries":[")" + id + R"("]})").ok());
  EXPECT_EQ(nano.get("/logs/?limit=10").data["total"], 1);
}

TEST(NanoSystem, IsReadyOnceThereIsAGroupAndIsFoundedOnce) {
  TestServer server;
  const NanoAnswer status = NanoClient(server, "nobody", "x").get("/system/");
  EXPECT_EQ(status.data["ready"], true);
  EXPECT_GT(status.data["max_cores"], 0);
  EXPECT_EQ(NanoClient(server)
                .post("/system/", R"({"user":"root","password":"abc","menu":["user"]})")
                .message,
            "system already initialed");
}

}  // namespace
}  // namespace slipway::api::test
