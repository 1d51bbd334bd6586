// Guests of dialect nano over a real socket: the specification's samples, and what they become.
#include <gmock/gmock.h>

#include "tests/api/nano_client.hpp"
#include "tests/edge/edge_fixture.hpp"

namespace slipway::api::test {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;

// The specification's sample, but for the pool: the simulated hosts are in "default".
constexpr std::string_view kGuest = R"({
      "name": "some_instance",
      "owner": "admin",
      "group": "manager",
      "pool": "default",
      "cores": 8,
      "memory": 4048,
      "disks": [4048, 38443],
      "auto_start": true,
      "system": "linux",
      "system_version": "centos7",
      "modules": ["qemu", "cloud-init"],
      "cloud_init":{
        "root_enabled": true,
        "admin_name": "nano",
        "admin_secret": "12345678",
        "data_path": "/opt/data"
      }
    })";
constexpr const char* kUuid = "[0-9a-f-]{36}";
constexpr const char* kTime = "[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}";

class NanoGuests : public testing::Test {
 protected:
  // A guest that runs; its id.
  std::string make(std::string_view body = kGuest) {
    const NanoAnswer made = client.post("/guests/", body);
    EXPECT_EQ(made.status, 202) << made.text;
    const std::string id = made.data.value("id", "");
    EXPECT_TRUE(eventually([&] { return client.get("/guests/" + id).status == 200; }));
    return id;
  }
  Json guest(const std::string& id) { return client.get("/guests/" + id).data; }
  void expect_done(const NanoAnswer& answer) {
    EXPECT_TRUE(answer.ok()) << answer.text;
    EXPECT_EQ(answer.data, "") << answer.text;
  }

  TestServer server;
  NanoClient client{server};
};

TEST_F(NanoGuests, ACreateAnswers202WithAnIdAnd201WhileItIsMade) {
  server.worker().hold();
  const NanoAnswer made = client.post("/guests/", kGuest);
  EXPECT_EQ(made.status, 202);
  EXPECT_EQ(made.code, 0);
  ASSERT_THAT(made.data.value("id", ""), MatchesRegex(kUuid));
  const std::string path = "/guests/" + made.data.value("id", "");
  ASSERT_TRUE(server.worker().report_progress(57, "spawning"));
  ASSERT_TRUE(eventually([&] { return client.get(path).data.value("progress", 0) == 57; }));
  const NanoAnswer making = client.get(path);
  EXPECT_EQ(making.status, 201);
  EXPECT_EQ(making.data, Json::parse(R"({"name":"some_instance","created":false,"progress":57})"));
  server.worker().release();
  ASSERT_TRUE(eventually([&] { return client.get(path).status == 200; }));
}

TEST_F(NanoGuests, AreShownAsTheSampleShowsThem) {
  const std::string id = make();
  const Json data = guest(id);
  EXPECT_EQ(data["name"], "some_instance");
  EXPECT_EQ(data["created"], true);
  EXPECT_EQ(data["running"], true);
  EXPECT_EQ(data["owner"], "admin");
  EXPECT_EQ(data["group"], "manager");
  EXPECT_EQ(data["pool"], "default");
  EXPECT_FALSE(data["cell"].get<std::string>().empty());
  EXPECT_EQ(data["cores"], 8);
  EXPECT_EQ(data["memory"], 4048);
  EXPECT_EQ(data["total_disk"], 4048 + 38443);
  EXPECT_EQ(data["disks"], Json::parse("[4048, 38443]"));
  EXPECT_EQ(data["auto_start"], true);
  EXPECT_EQ(data["system"], "linux");
  EXPECT_THAT(data.value("ethernet_address", ""), MatchesRegex("[0-9a-f:]{17}"));
  EXPECT_EQ(data["display_protocol"], "vnc");
  EXPECT_FALSE(data["monitor_secret"].get<std::string>().empty());
  EXPECT_FALSE(data["internal"]["network_address"].get<std::string>().empty());
  EXPECT_EQ(data["internal"]["allocated_address"], data["internal"]["network_address"]);
  EXPECT_TRUE(data["internal"].contains("display_address"));
  EXPECT_TRUE(data["external"].contains("network_address"));
  EXPECT_TRUE(data["external"].contains("display_address"));
  EXPECT_THAT(data.value("create_time", ""), MatchesRegex(kTime));
}

TEST_F(NanoGuests, HaveAPrivateFlavorForTheOtherDialects) {
  const std::string id = make();
  const Json vm = json_of(server.get("/core/v1/vms/" + id));
  EXPECT_EQ(vm["name"], "some_instance");
  EXPECT_THAT(vm.dump(), HasSubstr("c8m4048d42"));
}

TEST_F(NanoGuests, ABodyThatIsWrongSaysWhat) {
  const auto message = [&](const Json& change) {
    Json body = Json::parse(kGuest);
    body.merge_patch(change);
    const NanoAnswer answer = client.post("/guests/", body.dump());
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.code, 500);
    EXPECT_EQ(answer.data, Json::object());
    return answer.message;
  };
  EXPECT_EQ(message({{"name", "no spaces"}}), "only '0~9a~Z_-' allowed in name");
  EXPECT_THAT(message({{"owner", nullptr}}), HasSubstr("owner"));
  EXPECT_THAT(message({{"disks", Json::array()}}), HasSubstr("disks"));
  EXPECT_THAT(message({{"pool", "nowhere"}}), HasSubstr("nowhere"));
  EXPECT_THAT(message({{"network_address", "1.2.3"}}), HasSubstr("network address"));
  EXPECT_THAT(message({{"from_image", "0123456789-abcdef"}}), HasSubstr("0123456789-abcdef"));
}

TEST_F(NanoGuests, AreFoundByPoolCellOwnerGroupAndStatus) {
  const std::string id = make();
  const auto found = [&](const std::string& query) {
    const NanoAnswer answer = client.get("/guest_search/?" + query);
    EXPECT_TRUE(answer.ok()) << answer.text;
    return answer.data.size();
  };
  const std::string cell = guest(id)["cell"];
  EXPECT_EQ(found("pool=default"), 1U);
  EXPECT_EQ(found("pool=default&cell=" + cell), 1U);
  EXPECT_EQ(found("pool=default&owner=admin&group=manager&status=1&created=true"), 1U);
  EXPECT_EQ(found("pool=default&owner=nobody"), 0U);
  EXPECT_EQ(found("pool=default&status=0"), 0U);
  EXPECT_EQ(client.get("/guest_search/").message, "pool required");
  EXPECT_EQ(client.get("/guest_search/?pool=default&cell=none").code, 500);
  EXPECT_EQ(client.get("/instance_status/default/").data.size(), 1U);
  EXPECT_EQ(client.get("/instance_status/default").data.size(), 1U);
  EXPECT_EQ(client.get("/instance_status/default/" + cell).data[0]["id"], id);
}

TEST_F(NanoGuests, ASearchHasPages) {
  for (int n = 0; n < 3; ++n) make();
  const NanoAnswer page =
      client.post("/search/guests/", R"({"pool":"default","offset":1,"limit":1})");
  ASSERT_TRUE(page.ok()) << page.text;
  EXPECT_EQ(page.data["total"], 3);
  EXPECT_EQ(page.data["offset"], 1);
  EXPECT_EQ(page.data["limit"], 1);
  EXPECT_EQ(page.data["result"].size(), 1U);
}

TEST_F(NanoGuests, ALongListComesWhole) {
  const NanoAnswer made = client.post(
      "/batch/create_guest/",
      R"({"name_rule":"order","name_prefix":"many","owner":"o","group":"g","pool":"default",
          "count":150,"cores":1,"memory":64,"disks":[1024],"auto_start":false})");
  ASSERT_EQ(made.status, 202) << made.text;
  const std::string path = "/batch/create_guest/" + made.data.value("id", "");
  ASSERT_TRUE(eventually([&] { return client.get(path).status == 200; }));
  const NanoAnswer all = client.get("/guest_search/?pool=default");
  ASSERT_EQ(all.data.size(), 150U) << all.text.size();
  EXPECT_GT(all.text.size(), 64U << 10U);
  EXPECT_THAT(all.text, HasSubstr("\n    {\n      \"name\": \"many_149\""));
}

TEST_F(NanoGuests, CoresMemoryAndDisksAreChanged) {
  const std::string id = make();
  expect_done(client.put("/guest/" + id + "/cores", R"({"cores": 4, "immediate": false})"));
  expect_done(
      client.put("/guests/" + id + "/memory", R"({"memory": 4294967296, "immediate": false})"));
  expect_done(client.put("/guest/" + id + "/disks/resize/0",
                         R"({"size": 42949672960, "immediate": false})"));
  expect_done(client.put("/guest/" + id + "/disks/shrink/1", R"({"immediate": false})"));
  const Json data = guest(id);
  EXPECT_EQ(data["cores"], 4);
  EXPECT_EQ(data["memory"], 4294967296);
  EXPECT_EQ(data["disks"], Json::parse("[42949672960, 38443]"));
  EXPECT_EQ(client.put("/guest/" + id + "/disks/resize/9", R"({"size": 42949672960})").code, 500);
  EXPECT_EQ(client.put("/guest/" + id + "/disks/resize/x", R"({"size": 1})").code, 500);
  EXPECT_EQ(client.put("/guest/" + id + "/cores", "{}").code, 500);
}

TEST_F(NanoGuests, NameSystemAutoStartAndLimitsAreChanged) {
  const std::string id = make();
  expect_done(client.put("/guest/" + id + "/name/", R"({"name": "some_instance2"})"));
  expect_done(client.put("/guests/" + id + "/auto_start", R"({"enable": false})"));
  expect_done(client.put("/guests/" + id + "/qos/cpu", R"({"priority": "high"})"));
  expect_done(client.put("/guests/" + id + "/qos/disk", R"({"read_speed": 1, "read_iops": 2})"));
  expect_done(client.put("/guests/" + id + "/qos/network", R"({"receive_speed": 3})"));
  const Json data = guest(id);
  EXPECT_EQ(data["name"], "some_instance2");
  EXPECT_EQ(data["auto_start"], false);
  EXPECT_EQ(data["qos"]["cpu_priority"], "high");
  EXPECT_EQ(data["qos"]["read_iops"], 2);
  EXPECT_EQ(data["qos"]["receive_speed"], 3);
  EXPECT_EQ(client.put("/guests/" + id + "/qos/cpu", R"({"priority": "huge"})").code, 500);
  const Json images = json_of(server.get("/core/v1/images"));
  const std::string image = images["items"][0]["id"];
  expect_done(client.put("/guest/" + id + "/system/", Json{{"from_image", image}}.dump()));
  EXPECT_EQ(guest(id)["created"], true);
}

TEST_F(NanoGuests, G6_5_ThePasswordIsToldAndCanBeAskedFor) {
  const std::string id = make();
  const NanoAnswer first = client.get("/guest/" + id + "/auth");
  EXPECT_EQ(first.data, Json::parse(R"({"password":"12345678","user":"nano"})"));
  const NanoAnswer set =
      client.put("/guest/" + id + "/auth", R"({"password": "asdb12356", "user": "root"})");
  EXPECT_EQ(set.data, Json::parse(R"({"password":"asdb12356","user":"root"})"));
  EXPECT_EQ(client.get("/guests/" + id + "/auth").data, set.data);
  const NanoAnswer made = client.put("/guest/" + id + "/auth", "{}");
  EXPECT_EQ(made.data["user"], "root");
  EXPECT_EQ(made.data["password"].get<std::string>().size(), 10U);
}

TEST_F(NanoGuests, TheMonitorSecretIsMadeAnew) {
  const std::string id = make();
  const std::string before = guest(id)["monitor_secret"];
  const NanoAnswer reset = client.put("/guests/" + id + "/monitor/secret");
  ASSERT_TRUE(reset.ok()) << reset.text;
  EXPECT_NE(guest(id)["monitor_secret"], before);
  EXPECT_EQ(guest(id)["monitor_secret"], reset.data["secret"]);
}

TEST_F(NanoGuests, InstancesStopStartAndReboot) {
  const std::string id = make();
  const std::string path = "/instances/" + id;
  expect_done(client.remove(path, R"({"reboot": true, "force": true})"));
  EXPECT_EQ(client.get(path).data["running"], true);
  expect_done(client.remove(path, R"({"reboot": false, "force": true})"));
  EXPECT_EQ(client.get(path).data["running"], false);
  expect_done(client.post(path));
  EXPECT_EQ(client.get(path).data["running"], true);
  const Json data = client.get(path).data;
  for (const char* name : {"cpu_usage", "memory_available", "disk_available", "bytes_read",
                           "bytes_written", "bytes_received", "bytes_sent", "media_attached"}) {
    EXPECT_TRUE(data.contains(name)) << name;
  }
  EXPECT_EQ(client.post(path).code, 500);  // it runs
}

TEST_F(NanoGuests, SnapshotsAreATree) {
  const std::string id = make();
  const std::string path = "/instances/" + id + "/snapshots/";
  EXPECT_EQ(client.get(path).data, Json::object());
  expect_done(
      client.post(path, R"({"name": "origin", "description": "this is a snapshot example"})"));
  expect_done(client.post(path, R"({"name": "snapshot1"})"));
  expect_done(client.put(path, R"({"target": "origin"})"));
  expect_done(client.post(path, R"({"name": "another_branch"})"));
  EXPECT_EQ(client.get(path).data, Json::parse(R"({
      "origin": {"is_root": true},
      "snapshot1": {"backing": "origin"},
      "another_branch": {"backing": "origin", "is_current": true}})"));
  const Json one = client.get(path + "origin").data;
  EXPECT_EQ(one["running"], true);
  EXPECT_EQ(one["description"], "this is a snapshot example");
  EXPECT_THAT(one.value("create_time", ""), MatchesRegex(kTime));
  expect_done(client.remove(path + "snapshot1"));
  EXPECT_EQ(client.get(path + "snapshot1").code, 500);
  EXPECT_EQ(client.post(path, R"({"name": "no spaces"})").code, 500);
  EXPECT_EQ(client.put(path, R"({"target": "none"})").code, 500);
}

TEST_F(NanoGuests, ADeleteOfARunningOneMustBeForced) {
  const std::string id = make();
  const NanoAnswer refused = client.remove("/guests/" + id, R"({"force": false})");
  EXPECT_EQ(refused.status, 200);
  EXPECT_EQ(refused.code, 500);
  EXPECT_EQ(refused.message, "instance '" + id + "' is still running");
  expect_done(client.remove("/guests/" + id, R"({"force": true})"));
  EXPECT_EQ(client.get("/guests/" + id).code, 500);
  EXPECT_EQ(client.get("/guests/" + id).message, "invalid guest '" + id + "'");
}

TEST_F(NanoGuests, AFailureOfTheBackendIsToldInTheEnvelope) {
  const std::string id = make();
  server.worker().fail_all(true);
  const NanoAnswer failed = client.put("/guest/" + id + "/auth", "{}");
  EXPECT_EQ(failed.status, 200);
  EXPECT_EQ(failed.code, 500);
  EXPECT_EQ(failed.message, "the toy cloud refuses");
}

TEST_F(NanoGuests, AnotherTenantsAreNotSeen) {
  const std::string token = server.make_token("other", "operator");
  const Answer made = server.post("/core/v1/vms", kNano, bearer(token));
  ASSERT_EQ(made.status, 202) << made.body;
  const std::string id = json_of(made)["resources"][0]["id"];
  EXPECT_EQ(client.get("/guests/" + id).code, 500);
  EXPECT_EQ(client.remove("/guests/" + id, R"({"force":true})").code, 500);
  EXPECT_EQ(client.put("/guests/" + id + "/name/", R"({"name":"mine"})").code, 500);
  EXPECT_EQ(client.get("/guest_search/?pool=default").data, Json::array());
}

}  // namespace
}  // namespace slipway::api::test
