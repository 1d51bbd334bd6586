// Pools, cells, storage, addresses, their status, templates and security of nano, over a real
// socket. Requests are the specification's samples where it has one.
#include <gmock/gmock.h>

#include "tests/api/nano_client.hpp"
#include "tests/edge/edge_fixture.hpp"

namespace slipway::api::test {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;

// Until the task has ended.
constexpr std::string_view kWait = "Prefer: wait=20\r\n";

Json names_of(const Json& list) {
  Json names = Json::array();
  for (const Json& item : list) names.push_back(item["name"]);
  return names;
}

TEST(NanoPools, ADefaultPoolHasTheCellsAndOthersAreMadeAndDeleted) {
  TestServer server;
  const NanoClient nano(server);
  EXPECT_EQ(nano.get("/compute_pools/").data,
            Json::parse(R"([{"name":"default","enabled":true,"cells":4,"storage":"",
              "network":"","failover":false}])"));
  ASSERT_TRUE(nano.remove("/compute_pool_cells/default/sim-host-3").ok());
  ASSERT_TRUE(nano.remove("/compute_pool_cells/default/sim-host-4").ok());
  ASSERT_TRUE(nano.post("/storage_pools/some_ceph_cluster", R"({"type":"ceph"})").ok());
  ASSERT_TRUE(nano.post("/address_pools/nat_address_pool_1", R"({"gateway":"172.16.3.254"})").ok());
  const NanoAnswer made = nano.post("/compute_pools/fast_instance", R"([
    {
      "cells":["sim-host-3", "sim-host-4"],
      "network_mode": "share",
      "storage": "some_ceph_cluster",
      "network": "nat_address_pool_1",
      "failover": true
    }
  ])");
  ASSERT_TRUE(made.ok()) << made.text;
  EXPECT_EQ(made.data, "");
  EXPECT_EQ(nano.get("/compute_pools/fast_instance").data,
            Json::parse(R"({"name":"fast_instance","enabled":true,"cells":2,
              "storage":"some_ceph_cluster","network":"nat_address_pool_1","failover":true})"));
  EXPECT_TRUE(nano.put("/compute_pools/fast_instance", R"([{"failover":false}])").ok());
  EXPECT_EQ(nano.get("/compute_pools/fast_instance/").data["failover"], false);
  EXPECT_FALSE(nano.put("/compute_pools/fast_instance", R"({"network_mode":"odd"})").ok());
  EXPECT_FALSE(nano.put("/compute_pools/fast_instance", R"({"storage":"none"})").ok());
  EXPECT_FALSE(nano.remove("/compute_pools/fast_instance").ok());
  ASSERT_TRUE(nano.remove("/compute_pool_cells/fast_instance/sim-host-3").ok());
  ASSERT_TRUE(nano.remove("/compute_pool_cells/fast_instance/sim-host-4").ok());
  EXPECT_TRUE(nano.remove("/compute_pools/fast_instance").ok());
  EXPECT_FALSE(nano.remove("/compute_pools/default").ok());
  EXPECT_EQ(nano.get("/compute_pools/fast_instance").message, "invalid pool 'fast_instance'");
  EXPECT_TRUE(nano.post("/compute_pools/empty").ok());  // without a body
}

TEST(NanoCells, AreAttachedDetachedEnabledAndShown) {
  TestServer server;
  const NanoClient nano(server);
  ASSERT_EQ(nano.get("/compute_pool_cells/").data, Json::array());
  EXPECT_EQ(nano.get("/compute_pool_cells/default").data[0],
            Json::parse(R"({"name":"sim-host-1","address":"192.0.2.11","enabled":true,
              "alive":true})"));
  ASSERT_TRUE(nano.remove("/compute_pool_cells/default/sim-host-2").ok());
  EXPECT_EQ(names_of(nano.get("/compute_pool_cells/").data), Json::array({"sim-host-2"}));
  EXPECT_FALSE(nano.get("/compute_pool_cells/default/sim-host-2").ok());
  ASSERT_TRUE(nano.post("/compute_pool_cells/default/sim-host-2").ok());
  EXPECT_FALSE(nano.post("/compute_pool_cells/default/sim-host-2").ok());
  ASSERT_TRUE(nano.put("/compute_pool_cells/default/sim-host-2", R"([{"enable": false}])").ok());
  ASSERT_TRUE(nano.post("/storage_pools/nfspool1", R"({"type":"nfs"})").ok());
  ASSERT_TRUE(nano.put("/compute_pools/default", R"({"storage":"nfspool1"})").ok());
  EXPECT_EQ(nano.get("/compute_pool_cells/default/sim-host-2").data,
            Json::parse(R"({"name":"sim-host-2","address":"192.0.2.12","enabled":false,
              "alive":true,"storage":[{"name":"nfspool1","attached":true}]})"));
  EXPECT_FALSE(nano.put("/compute_pool_cells/default/sim-host-2", "{}").ok());
  EXPECT_FALSE(nano.put("/compute_pool_cells/other/sim-host-2", R"({"enable":true})").ok());
}

TEST(NanoStorage, PoolsAreMadeShownChangedAndDeleted) {
  TestServer server;
  const NanoClient nano(server);
  ASSERT_TRUE(nano.post("/storage_pools/nfspool1", R"([{"type": "nfs",
    "host": "nfs.nano.com", "target": "/var/nano/pool1"}])")
                  .ok());
  EXPECT_EQ(nano.get("/storage_pools/").data,
            Json::parse(R"([{"name":"nfspool1","type":"nfs","host":"nfs.nano.com",
              "target":"/var/nano/pool1"}])"));
  ASSERT_TRUE(nano.put("/storage_pools/nfspool1", R"([{"type": "nfs",
    "host": "another_nfs.nano.com", "target": "/var/nano/new_location"}])")
                  .ok());
  EXPECT_EQ(nano.get("/storage_pools/nfspool1").data,
            Json::parse(R"({"type":"nfs","host":"another_nfs.nano.com",
              "target":"/var/nano/new_location"})"));
  const std::string storages = "/compute_cell_status/default/sim-host-1/storages/";
  EXPECT_EQ(nano.get(storages).data, Json::parse(R"({"mode":"local","system":[],"data":[]})"));
  ASSERT_TRUE(nano.put(storages, R"({"default":"/var/nano/new_location"})").ok());
  EXPECT_EQ(nano.get(storages).data,
            Json::parse(R"({"mode":"nfs","system":[],"data":["/var/nano/new_location"]})"));
  EXPECT_FALSE(nano.put(storages, R"({"default":"/nowhere"})").ok());
  EXPECT_FALSE(nano.remove("/storage_pools/nfspool1").ok());
  ASSERT_TRUE(nano.put("/compute_pools/default", R"({"storage":""})").ok());
  EXPECT_TRUE(nano.remove("/storage_pools/nfspool1").ok());
  EXPECT_FALSE(nano.get("/storage_pools/nfspool1").ok());
}

TEST(NanoAddresses, AVmTakesOneFromItsPoolsRangesAndGivesItBack) {
  TestServer server;
  const NanoClient nano(server);
  ASSERT_TRUE(nano.post("/address_pools/address1",
                        R"({"gateway": "172.16.3.254", "dns": ["8.8.8.8", "10.10.10.10"]})")
                  .ok());
  const std::string range = "/address_pools/address1/internal/ranges/172.16.3.1";
  ASSERT_TRUE(nano.post(range, R"({"end": "172.16.3.18", "netmask": "255.255.255.0"})").ok());
  EXPECT_THAT(nano.post("/address_pools/address1/internal/ranges/172.16.3.10",
                        R"({"end": "172.16.3.30", "netmask": "255.255.255.0"})")
                  .message,
              HasSubstr("overlaps"));
  ASSERT_TRUE(nano.post("/address_pools/address1/external/ranges/172.16.3.100",
                        R"({"end": "172.16.3.101", "netmask": "255.255.255.0"})")
                  .ok());
  EXPECT_FALSE(nano.post("/address_pools/address1/odd/ranges/1.2.3.4", "{}").ok());
  ASSERT_TRUE(nano.put("/compute_pools/default", R"({"network":"address1"})").ok());

  const Json vm = json_of(server.post("/core/v1/vms", kNano, kWait));
  const std::string id = vm["resources"][0]["id"];
  EXPECT_EQ(nano.get("/address_pools/").data,
            Json::parse(R"([{"name":"address1","gateway":"172.16.3.254","addresses":18,
              "allocated":1}])"));
  const Json allocated = Json::array({{{"address", "172.16.3.1"}, {"instance", id}}});
  const Json shown = nano.get("/address_pools/address1").data;
  EXPECT_EQ(shown["gateway"], "172.16.3.254");
  EXPECT_EQ(shown["dns"], Json::array({"8.8.8.8", "10.10.10.10"}));
  EXPECT_EQ(shown["ranges"].size(), 2U);
  EXPECT_EQ(shown["allocated"], allocated);
  EXPECT_EQ(nano.get(range).data, (Json{{"start", "172.16.3.1"},
                                        {"end", "172.16.3.18"},
                                        {"netmask", "255.255.255.0"},
                                        {"allocated", allocated}}));
  EXPECT_EQ(nano.get("/address_pools/address1/external/ranges/").data.size(), 1U);
  EXPECT_FALSE(nano.remove(range).ok());
  EXPECT_FALSE(nano.remove("/address_pools/address1").ok());

  ASSERT_EQ(server.send("DELETE", "/core/v1/vms/" + id, kWait).status, 200);
  EXPECT_EQ(nano.get("/address_pools/address1").data["allocated"], Json::array());
  EXPECT_TRUE(nano.remove(range).ok());
  ASSERT_TRUE(nano.put("/address_pools/address1", R"({"gateway":"172.16.3.253"})").ok());
  EXPECT_EQ(nano.get("/address_pools/address1").data["gateway"], "172.16.3.253");
  ASSERT_TRUE(nano.put("/compute_pools/default", R"({"network":""})").ok());
  EXPECT_TRUE(nano.remove("/address_pools/address1").ok());
}

TEST(NanoAddresses, OthersAreNotToldWhichVmHasWhich) {
  TestServer server;
  const NanoClient admin(server);
  ASSERT_TRUE(admin.post("/address_pools/a", R"({"gateway":"10.9.0.254"})").ok());
  ASSERT_TRUE(admin
                  .post("/address_pools/a/internal/ranges/10.9.0.1",
                        R"({"end":"10.9.0.9","netmask":"255.255.255.0"})")
                  .ok());
  ASSERT_TRUE(admin.put("/compute_pools/default", R"({"network":"a"})").ok());
  ASSERT_EQ(server.post("/core/v1/vms", kNano, kWait).status, 200);
  ASSERT_TRUE(admin.post("/user_groups/others", R"({"display":"O"})").ok());
  ASSERT_TRUE(admin.post("/users/eve", R"({"password":"abcdefg"})").ok());
  ASSERT_TRUE(admin.post("/user_groups/others/members/eve").ok());
  ASSERT_TRUE(admin.get("/users/eve").ok());
  const NanoClient eve(server, "eve", "abcdefg");
  ASSERT_TRUE(eve.login().ok()) << eve.login().text;
  EXPECT_EQ(admin.get("/address_pools/a").data["allocated"].size(), 1U);
  EXPECT_EQ(eve.get("/address_pools/a").data["allocated"], Json::array());
  EXPECT_EQ(admin.get("/compute_zone_status/").data["instances"][1], 1);
  EXPECT_EQ(eve.get("/compute_zone_status/").data["instances"], Json::array({0, 0, 0, 0}));
}

TEST(NanoStatus, CountsPoolsCellsInstancesAndRoom) {
  TestServer server;
  NanoClient nano(server);
  ASSERT_EQ(server.post("/core/v1/vms", kNano, kWait).status, 200);
  const Json zone = nano.get("/compute_zone_status/").data;
  EXPECT_EQ(zone["name"], "default");
  EXPECT_EQ(zone["pools"], Json::array({0, 1}));
  EXPECT_EQ(zone["cells"], Json::array({0, 4}));
  EXPECT_EQ(zone["instances"], Json::array({0, 1, 0, 0}));
  EXPECT_EQ(zone["cpu_usage"], 1.0);
  EXPECT_EQ(zone["max_cpu"], 16'000'000);
  EXPECT_EQ(zone["max_memory"], 16'000'000'000);
  EXPECT_EQ(zone["available_memory"], 16'000'000'000 - 128);
  EXPECT_EQ(zone["max_disk"], 160'000'000LL * 1024);
  EXPECT_EQ(zone["available_disk"], 159'999'999LL * 1024);
  for (const char* speed : {"read_speed", "write_speed", "receive_speed", "send_speed"}) {
    EXPECT_EQ(zone[speed], 0) << speed;
  }
  EXPECT_THAT(zone["start_time"].get<std::string>(),
              MatchesRegex("[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}"));
  const Json pool = nano.get("/compute_pool_status/").data[0];
  EXPECT_EQ(pool["name"], "default");
  EXPECT_EQ(pool["instances"], zone["instances"]);
  EXPECT_EQ(nano.get("/compute_pool_status/default").data, pool);
  const NanoAnswer cells = nano.get("/compute_cell_status/default");
  EXPECT_EQ(cells.data, nano.get("/compute_cell_status/default/").data);
  ASSERT_EQ(cells.data.size(), 4U);
  EXPECT_EQ(cells.data[0]["instances"], Json::array({0, 1, 0, 0}));
  EXPECT_FALSE(cells.data[0].contains("cells"));
  EXPECT_EQ(nano.get("/compute_cell_status/default/sim-host-1").data, cells.data[0]);
  EXPECT_FALSE(nano.get("/compute_cell_status/default/none").ok());
  EXPECT_FALSE(nano.get("/compute_pool_status/none").ok());
  nano.at("/d/nano/api/v1");
  EXPECT_EQ(nano.get("/compute_zone_status/").data["max_memory"], 16'000'000'000LL * 1024 * 1024);
}

TEST(NanoTemplates, AreMadeShownChangedAndDeleted) {
  TestServer server;
  const NanoClient nano(server);
  const std::string body =
      R"({"name":"CentOS 7","admin":"root","operating_system":"linux","disk":"scsi",
          "network":"virtio","display":"vga","control":"vnc","usb":"","tablet":"usb"})";
  const NanoAnswer made = nano.post("/templates/", body);
  ASSERT_TRUE(made.ok()) << made.text;
  const std::string path = "/templates/" + made.data["id"].get<std::string>();
  EXPECT_EQ(nano.get("/templates/").data[0]["operating_system"], "linux");
  Json shown = nano.get(path).data;
  for (const char* time : {"created_time", "modified_time"}) {
    EXPECT_THAT(shown[time].get<std::string>(), MatchesRegex("[0-9]{4}-.*"));
    shown.erase(time);
  }
  shown.erase("id");
  EXPECT_EQ(shown, Json::parse(body));
  EXPECT_FALSE(nano.post("/templates/", R"({"name":"x"})").ok());
  Json changed = Json::parse(body);
  changed["name"] = "CentOS 8";
  EXPECT_TRUE(nano.put(path, changed.dump()).ok());
  EXPECT_EQ(nano.get(path).data["name"], "CentOS 8");
  EXPECT_TRUE(nano.remove(path).ok());
  EXPECT_FALSE(nano.get(path).ok());
  EXPECT_FALSE(nano.put(path, changed.dump()).ok());
}

TEST(NanoSecurity, GroupsHaveRulesInOrder) {
  TestServer server;
  const NanoClient nano(server);
  const NanoAnswer made = nano.post(
      "/security_policy_groups/", R"({"name":"web","description":"d","default_action":"reject"})");
  ASSERT_TRUE(made.ok()) << made.text;
  const std::string id = made.data["id"];
  const std::string path = "/security_policy_groups/" + id;
  EXPECT_EQ(nano.get(path).data, (Json{{"id", id},
                                       {"name", "web"},
                                       {"description", "d"},
                                       {"user", "demo"},
                                       {"group", "demo"},
                                       {"enabled", true},
                                       {"global", false},
                                       {"default_action", "reject"}}));
  const std::string rules = path + "/rules/";
  ASSERT_TRUE(nano.post(rules, R"({"action":"accept","protocol":"tcp","to_port":22})").ok());
  ASSERT_TRUE(nano.post(rules, R"({"action":"accept","protocol":"udp","to_port":53})").ok());
  EXPECT_FALSE(nano.post(rules, R"({"action":"maybe","protocol":"udp"})").ok());
  EXPECT_FALSE(nano.post(rules, R"({"action":"accept","protocol":"xyz"})").ok());
  ASSERT_TRUE(nano.put(rules + "1/order", R"({"direction":"up"})").ok());
  EXPECT_EQ(nano.get(rules).data[0]["protocol"], "udp");
  ASSERT_TRUE(
      nano.put(rules + "0", R"({"action":"reject","protocol":"icmp","from_address":"10.0.0.1"})")
          .ok());
  EXPECT_EQ(nano.get(rules).data[0],
            Json::parse(R"({"action":"reject","protocol":"icmp","from_address":"10.0.0.1",
              "to_port":0})"));
  ASSERT_TRUE(nano.remove(rules + "0").ok());
  EXPECT_FALSE(nano.remove(rules + "7").ok());
  EXPECT_FALSE(nano.remove(rules + "x").ok());
  ASSERT_TRUE(nano.put(path, R"({"name":"web2","enabled":false,"default_action":"accept"})").ok());
  EXPECT_EQ(nano.get(rules).data.size(), 1U);
  EXPECT_EQ(nano.get("/search/security_policy_groups/?enabled_only=true").data, Json::array());
  EXPECT_EQ(names_of(nano.get("/search/security_policy_groups/").data), Json::array({"web2"}));
  EXPECT_TRUE(nano.remove(path).ok());
  EXPECT_FALSE(nano.get(path).ok());
}

TEST(NanoSecurity, AGuestHasAPolicyOfItsOwn) {
  TestServer server;
  const NanoClient nano(server);
  const Json vm = json_of(server.post("/core/v1/vms", kNano));
  const std::string id = vm["resources"][0]["id"];
  const std::string path = "/guests/" + id + "/security_policy/";
  EXPECT_EQ(nano.get(path).data, Json::parse(R"({"default_action":"accept","rules":[]})"));
  ASSERT_TRUE(nano.put(path + "default_action", R"({"action":"reject"})").ok());
  ASSERT_TRUE(
      nano.post(path + "rules/", R"({"action":"accept","protocol":"tcp","to_port":22})").ok());
  EXPECT_EQ(nano.get("/guest/" + id + "/security_policy").data,
            Json::parse(R"({"default_action":"reject",
              "rules":[{"action":"accept","protocol":"tcp","to_port":22}]})"));
  ASSERT_TRUE(nano.put(path + "rules/0", R"({"action":"accept","protocol":"udp"})").ok());
  EXPECT_FALSE(nano.put(path + "rules/0/order", R"({"direction":"up"})").ok());
  ASSERT_TRUE(nano.remove(path + "rules/0").ok());
  EXPECT_EQ(nano.get("/guests/none/security_policy/").message, "invalid guest 'none'");
}

TEST(NanoStatus, CountsInstancesAsLostWhoseCellIsNotAlive) {
  TestServer server;
  const NanoClient nano(server);
  ASSERT_EQ(server.post("/core/v1/vms", kNano, kWait).status, 200);
  ASSERT_LT(server.post("/d/reservation/v1/os-hosts", R"({"name":"sim-host-4"})").status, 300);
  const std::string lost = R"({"command":"host.set_alive","args":{"host":"sim-host-4"}})";
  ASSERT_LT(server.post("/core/v1/commands", lost).status, 300);
  EXPECT_EQ(nano.get("/compute_pool_cells/default/sim-host-4").data["alive"], false);
  EXPECT_EQ(nano.get("/compute_zone_status/").data["cells"], Json::array({1, 3}));
  EXPECT_EQ(nano.get("/compute_zone_status/").data["instances"], Json::array({0, 1, 0, 0}));
  server.worker().leave();
  const Json all_lost = Json::array({0, 0, 1, 0});
  EXPECT_TRUE(
      eventually([&] { return nano.get("/compute_zone_status/").data["instances"] == all_lost; }));
  EXPECT_EQ(nano.get("/compute_zone_status/").data["cells"], Json::array({4, 0}));
}

}  // namespace
}  // namespace slipway::api::test
