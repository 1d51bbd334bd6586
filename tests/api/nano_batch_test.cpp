// Many guests with one request, and moves between cells and pools.
#include <gmock/gmock.h>

#include <set>

#include "tests/api/nano_client.hpp"
#include "tests/edge/edge_fixture.hpp"

namespace slipway::api::test {
namespace {

using testing::MatchesRegex;

Json order(std::uint64_t count, std::string_view rule = "order") {
  return Json{{"name_rule", rule},  {"name_prefix", "test"}, {"owner", "admin"},
              {"group", "manager"}, {"pool", "default"},     {"count", count},
              {"cores", 1},         {"memory", 512},         {"disks", {1024}},
              {"auto_start", true}, {"system", "linux"}};
}

class NanoBatches : public testing::Test {
 protected:
  std::string start(const std::string& path, const Json& body) {
    const NanoAnswer made = client.post(path, body.dump());
    EXPECT_EQ(made.status, 202) << made.text;
    return path + made.data.value("id", "");
  }
  Json ended(const std::string& path) {
    EXPECT_TRUE(eventually([&] { return client.get(path).status == 200; }));
    return client.get(path).data;
  }
  std::vector<std::string> make(std::uint64_t count) {
    std::vector<std::string> ids;
    for (const Json& item : ended(start("/batch/create_guest/", order(count)))) {
      EXPECT_EQ(item["status"], "created") << item;
      ids.push_back(item["id"]);
    }
    return ids;
  }
  TestServer server;
  NanoClient client{server};
};

TEST_F(NanoBatches, ACreateIsFollowedItemByItem) {
  server.worker().hold();
  const std::string path = start("/batch/create_guest/", order(3));
  ASSERT_TRUE(server.worker().report_progress(45, "spawning"));
  const NanoAnswer making = client.get(path);
  EXPECT_EQ(making.status, 202);
  ASSERT_EQ(making.data.size(), 3U);
  EXPECT_EQ(making.data[0]["name"], "test_0");
  EXPECT_EQ(making.data[2]["name"], "test_2");
  EXPECT_EQ(making.data[1]["status"], "creating");
  EXPECT_TRUE(making.data[1].contains("progress"));
  server.worker().release();
  const Json all = ended(path);
  EXPECT_EQ(all[0]["status"], "created");
  EXPECT_EQ(client.get("/guests/" + all[0]["id"].get<std::string>()).data["name"], "test_0");
}

TEST_F(NanoBatches, NamesFollowTheirRule) {
  const Json by_mac = ended(start("/batch/create_guest/", order(2, "MAC")));
  EXPECT_THAT(by_mac[0].value("name", ""), MatchesRegex("test_[0-9a-f]{12}"));
  EXPECT_NE(by_mac[0]["name"], by_mac[1]["name"]);
  const Json by_address = ended(start("/batch/create_guest/", order(1, "address")));
  EXPECT_THAT(by_address[0].value("name", ""), MatchesRegex("test_[0-9]+-[0-9]+-[0-9]+-[0-9]+"));
  const std::string id = by_address[0]["id"];
  EXPECT_EQ(client.get("/guests/" + id).data["name"], by_address[0]["name"]);
}

TEST_F(NanoBatches, WhatIsWrongIsRefusedWhole) {
  Json bad = order(1);
  bad["name_prefix"] = "no spaces";
  EXPECT_EQ(client.post("/batch/create_guest/", bad.dump()).message,
            "only '0~9a~Z_-' allowed in prefix");
  EXPECT_EQ(client.post("/batch/create_guest/", order(0).dump()).message, "guest count required");
  bad = order(1, "colour");
  EXPECT_EQ(client.post("/batch/create_guest/", bad.dump()).code, 500);
  EXPECT_EQ(client.post("/batch/delete_guest/", R"({"guest":[]})").message, "guest id required");
  EXPECT_EQ(client.get("/batch/create_guest/none").code, 500);
}

TEST_F(NanoBatches, AnItemThatCannotBeFailsAlone) {
  Json body = order(2);
  body["pool"] = "nowhere";
  const Json items = ended(start("/batch/create_guest/", body));
  ASSERT_EQ(items.size(), 2U);
  EXPECT_EQ(items[0]["status"], "fail");
  EXPECT_EQ(items[0]["name"], "test_0");
  EXPECT_FALSE(items[0]["error"].get<std::string>().empty());
}

TEST_F(NanoBatches, StopAndDeleteTellUnknownGuests) {
  const auto ids = make(2);
  Json guests = Json::array({ids[0], "0123456789-abcdef-2"});
  const Json refused = ended(start("/batch/delete_guest/", {{"guest", guests}, {"force", false}}));
  EXPECT_EQ(refused[0]["status"], "fail");
  EXPECT_EQ(refused[0]["name"], "test_0");
  EXPECT_EQ(refused[0]["error"], "instance '" + ids[0] + "' is still running");
  EXPECT_EQ(refused[1], Json::parse(
                            R"({"id":"0123456789-abcdef-2","status":"fail",
                                "error":"invalid guest"})"));
  const Json stopped = ended(start("/batch/stop_guest/", {{"guest", {ids[0]}}, {"force", true}}));
  EXPECT_EQ(stopped[0]["status"], "stopped");
  EXPECT_EQ(client.get("/instances/" + ids[0]).data["running"], false);
  const Json deleted =
      ended(start("/batch/delete_guest/", {{"guest", {ids[0], ids[1]}}, {"force", true}}));
  EXPECT_EQ(deleted[0]["status"], "deleted");
  EXPECT_EQ(deleted[1]["status"], "deleted");
  EXPECT_EQ(client.get("/guest_search/?pool=default").data, Json::array());
}

TEST_F(NanoBatches, AnotherTenantsBatchIsNotSeen) {
  const std::string token = server.make_token("other", "operator");
  const Answer made = server.post(
      "/core/v1/batches", R"({"template":)" + std::string(kNano) + R"(,"count":1})", bearer(token));
  ASSERT_EQ(made.status, 202) << made.body;
  const std::string id = json_of(made)["id"];
  EXPECT_EQ(client.get("/batch/create_guest/" + id).code, 500);
}

TEST_F(NanoBatches, AMigrationMovesACellsGuests) {
  const auto ids = make(1);
  const std::string cell = client.get("/guests/" + ids[0]).data["cell"];
  const Json body{{"source_pool", "default"}, {"source_cell", cell}};
  server.worker().hold();
  const std::string path = start("/migrations/", body);
  const NanoAnswer moving = client.get(path);
  EXPECT_EQ(moving.status, 201);
  EXPECT_EQ(moving.data["finished"], false);
  EXPECT_TRUE(moving.data.contains("progress"));
  EXPECT_EQ(client.get("/migrations/").data[0]["finished"], false);
  server.worker().release();
  EXPECT_EQ(ended(path), Json::parse(R"({"finished":true})"));
  EXPECT_NE(client.get("/guests/" + ids[0]).data["cell"], cell);
  EXPECT_EQ(client.get("/migrations/").data[0]["finished"], true);
}

TEST_F(NanoBatches, AMigrationThatCannotBeIsRefused) {
  const auto ids = make(1);
  const std::string cell = client.get("/guests/" + ids[0]).data["cell"];
  const auto code = [&](Json body) { return client.post("/migrations/", body.dump()).code; };
  EXPECT_EQ(code({{"source_pool", "none"}, {"source_cell", cell}}), 500);
  EXPECT_EQ(code({{"source_pool", "default"}, {"source_cell", "none"}}), 500);
  EXPECT_EQ(code({{"source_pool", "default"}, {"source_cell", cell}, {"target_cell", cell}}), 500);
  EXPECT_EQ(code({{"source_pool", "default"},
                  {"source_cell", cell},
                  {"instances", {"jhfguf85-34uyf-4t4tghjh"}}}),
            500);
  EXPECT_EQ(code({{"source_cell", cell}}), 500);
}

}  // namespace
}  // namespace slipway::api::test
