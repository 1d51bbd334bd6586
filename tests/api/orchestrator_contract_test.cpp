// Dialect 001 against its specification: every one of its paths over a real socket, its own
// requests, and the answers compared member by member with the samples beside them.
#include <gmock/gmock.h>

#include <fstream>
#include <set>
#include <sstream>

#include "tests/api/test_server.hpp"

namespace slipway::api::test {
namespace {

using namespace std::chrono_literals;  // NOLINT: tests
using ::testing::HasSubstr;

// ---- the specification's samples, word for word ----

const Json kNodes = Json::parse(
    R"({ "nodes": [ { "cloud_type": "Dummy Node Provider", "extra": { "foo": "bar" }, "id": "1",
    "name": "dummy-1", "private_ips": [], "provider": "dummy", "public_ips": [ "127.0.0.1" ],
    "state": 0, "uuid": "2c183c20f71eb5732512d6cfe1f75ebc9d9bb4dd" }, { "cloud_type": 
    "Dummy Node Provider", "extra": { "foo": "bar" }, "id": "2", "name": "dummy-2", "private_ips": [],
    "provider": "dummy", "public_ips": [ "127.0.0.1" ], "state": 0, "uuid":
    "46ff62f5eafc7837de6ec1450b8e0e608db06d7a" } ], "status": "ok" })");
const Json kImages = Json::parse(
    R"({ "images": [ { "cloud_type": "Dummy Node Provider", "id": "1", "name": "Ubuntu 9.10",
    "provider": "dummy" }, { "cloud_type": "Dummy Node Provider", "id": "2", "name":
    "Ubuntu 9.04", "provider": "dummy" }, { "cloud_type": "Dummy Node Provider", "id": "3",
    "name": "Slackware 4", "provider": "dummy" } ], "status": "ok" })");
const Json kSizes = Json::parse(
    R"({ "flavors": [ { "cloud_type": "Dummy Node Provider", "cpu": 0, "disk": 4, "id": "1",
    "name": "Small", "provider": "dummy", "ram": 128 }, { "cloud_type": "Dummy Node Provider",
    "cpu": 0, "disk": 16, "id": "2", "name": "Medium", "provider": "dummy", "ram": 512 },
    { "cloud_type": "Dummy Node Provider", "cpu": 0, "disk": 32, "id": "3", "name": "Big",
    "provider": "dummy", "ram": 4096 }, { "cloud_type": "Dummy Node Provider", "cpu": 0, "disk":
    128, "id": "4", "name": "XXL Big", "provider": "dummy", "ram": 8192 } ], "status": "ok" })");
const Json kWrongCloud = Json::parse(
    R"({ "message": "Cloud not valid or wrong path", "status": "error", "status_code": 500,
    "status_long_message": "Server got itself in trouble", "status_short_message":
    "Internal Server Error" })");
const Json kStarted3 = Json::parse(
    R"({ "nodes": { "cloud_type": "Dummy Node Provider", "extra": { "foo": "bar" }, "id": "3",
    "name": "dummy-3", "private_ips": [], "provider": "dummy", "public_ips": [ "127.0.0.3" ],
    "state": 0, "uuid": "aef321fde331680846014b121ff377dcb8477731" }, "status": "ok" })");
const Json kStarted4 = Json::parse(
    R"({ "nodes": { "cloud_type": "Dummy Node Provider", "extra": { "foo": "bar" }, "id": "4",
    "name": "dummy-4", "private_ips": [], "provider": "dummy", "public_ips": [ "127.0.0.4" ],
    "state": 0, "uuid": "f0f0f81f0a63ccd2c5e0c5244beebeafd0f2429c" }, "status": "ok" })");
const Json kEmulated = Json::parse(
    R"({ "id": 42, "id_vm": "-fake_id-", "result": "Node -fake_id- assigned", "status": "ok" })");

constexpr const char* kStart = R"({ "name": "cloud_test", "image": "1" , "size" : "1" })";

class Api {
 public:
  explicit Api(TestServer::Options options = {}) : server(with_cloud(std::move(options))) {}

  Answer ask(std::string_view method, std::string_view path, std::string_view body = "",
             std::string headers = "") const {
    std::string request = std::string(method) + " " + prefix + "/api/v1" + std::string(path) +
                          " HTTP/1.1\r\nHost: test\r\n" + headers;
    if (!body.empty()) request += "Content-Length: " + std::to_string(body.size()) + "\r\n";
    return server.ask(request + "\r\n" + std::string(body), method == "HEAD");
  }
  Json good(std::string_view method, std::string_view path, std::string_view body = "",
            const std::string& headers = "") const {
    const Answer answer = ask(method, path, body, headers);
    EXPECT_EQ(answer.status, 200) << method << " " << path << " " << answer.body;
    EXPECT_EQ(answer.header("Content-Type"), "application/json");
    EXPECT_FALSE(answer.header("X-Request-Id").empty());
    return json_of(answer);
  }
  Json get(std::string_view path, const std::string& headers = "") const {
    return good("GET", path, "", headers);
  }
  void refuses(const Answer& answer, int status, const std::string& message) const {
    const Json json = json_of(answer);
    EXPECT_EQ(answer.status, status) << answer.body;
    ASSERT_TRUE(json.is_object()) << answer.body;
    EXPECT_EQ(json.value("message", ""), message);
    EXPECT_EQ(json.value("status", ""), "error");
    EXPECT_EQ(json.value("status_code", 0), status);
    EXPECT_FALSE(json.value("status_short_message", "").empty());
    EXPECT_FALSE(json.value("status_long_message", "").empty());
    EXPECT_EQ(json.size(), 5U) << answer.body;
  }
  std::string token(const std::string& user = "demo", const std::string& password = "test") const {
    const Json body{{"username", user}, {"password", password}};
    return good("POST", "/auth", body.dump()).value("token", "");
  }

  TestServer server;
  std::string prefix = "/d/orchestrator";

 private:
  static TestServer::Options with_cloud(TestServer::Options options) {
    options.fake_driver = true;
    return options;
  }
};

std::string x_auth(const std::string& token) { return "X-Auth-Token: " + token + "\r\n"; }

// ---- the samples ----

TEST(OrchestratorContract, TheFirstAnswersAreThoseOfTheSamples) {
  const Api api;
  EXPECT_EQ(api.get("/nodes/fake_driver").dump(), kNodes.dump());
  EXPECT_EQ(api.get("/images/fake_driver").dump(), kImages.dump());
  EXPECT_EQ(api.get("/sizes/fake_driver").dump(), kSizes.dump());
  EXPECT_EQ(api.good("POST", "/vm/start/fake_driver", kStart).dump(), kStarted3.dump());
  EXPECT_EQ(api.good("POST", "/vm/start/fake_driver", kStart).dump(), kStarted4.dump());
  EXPECT_EQ(api.good("PUT", "/vm/stop/fake_driver", R"({ "node": "3" })").dump(),
            R"({"result":"Node 3 deleted","status":"ok"})");
  EXPECT_EQ(api.good("PUT", "/vm/stop/fake_driver", R"({ "node": "4" })").dump(),
            R"({"result":"Node 4 deleted","status":"ok"})");
  EXPECT_EQ(api.get("/nodes/fake_driver").dump(), kNodes.dump());
}

TEST(OrchestratorContract, AWrongCloudIsTheSampleOnEveryPath) {
  const Api api;
  for (const auto& [method, path, body] :
       std::vector<std::tuple<const char*, std::string, std::string>>{
           {"GET", "/nodes", ""},
           {"GET", "/images", ""},
           {"GET", "/sizes", ""},
           {"GET", "/flavors", ""},
           {"GET", "/tenants", ""},
           {"GET", "/vm/status", ""},
           {"POST", "/vm/start", kStart},
           {"PUT", "/vm/stop", R"({"node":"1"})"},
           {"PUT", "/vm/action/assign", R"({"node":"1","user":"u","vm_type":"t"})"},
           {"PUT", "/vm/action/release", R"({"node":"1"})"}}) {
    const Answer answer = api.ask(method, path + "/wrong_driver", body);
    EXPECT_EQ(answer.status, 500) << path;
    EXPECT_EQ(json_of(answer).dump(), kWrongCloud.dump()) << path;
  }
}

TEST(OrchestratorContract, EmulationIsTheSampleAndHasNoEffect) {
  const Api api;
  const std::string assign =
      R"({ "emulate": "True", "node": "fake_id", "user": "fake_user", "vm_type": "app_name" })";
  for (const char* path : {"/vm/action/assign", "/vm/action/assign/fake_driver"}) {
    EXPECT_EQ(api.good("PUT", path, assign).dump(), kEmulated.dump());
  }
  for (const char* path : {"/vm/action/release", "/vm/action/release/fake_driver"}) {
    EXPECT_EQ(api.good("PUT", path, R"({ "emulate": "True", "node": "fake_id" })").dump(),
              kEmulated.dump());
  }
  EXPECT_EQ(api.get("/vm/status")["nodes"], Json::object());
  for (const char* no : {"false", "\"False\"", "0", "\"\"", "null"}) {
    const Answer answer =
        api.ask("PUT", "/vm/action/release", R"({"node":"1","emulate":)" + std::string(no) + "}");
    EXPECT_EQ(answer.status, 400) << no;
  }
}

// ---- every path ----

// A row of the contract's table may have "{/cloud}": two paths.
std::set<std::string> paths_of_the_contract() {
  std::ifstream file(SLIPWAY_SOURCE_DIR "/tests/contract/endpoints.tsv");
  std::set<std::string> out;
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with("001\t") && !line.starts_with("001+\t")) continue;
    std::istringstream columns(line);
    std::string seed;
    std::string method;
    std::string path;
    columns >> seed >> method >> path;
    const auto optional = path.find("{/cloud}");
    out.insert(method + " " + path.substr(0, optional));
    if (optional != std::string::npos)
      out.insert(method + " " + path.substr(0, optional) + "/{cloud}");
  }
  return out;
}

TEST(OrchestratorContract, EveryPathOfTheContractIsServedOnBothListeners) {
  Api api;
  std::set<std::string> mounted;
  const std::string prefix = "/d/orchestrator";
  for (const auto& entry : api.server.router().entries()) {
    if (entry.dialect != "orchestrator") continue;
    ASSERT_TRUE(entry.pattern.starts_with(prefix)) << entry.pattern;
    mounted.insert((entry.method == Method::Get    ? "GET "
                    : entry.method == Method::Post ? "POST "
                                                   : "PUT ") +
                   entry.pattern.substr(prefix.size()));
  }
  const auto contract = paths_of_the_contract();
  EXPECT_GE(contract.size(), 21U);
  for (const std::string& path : contract) EXPECT_TRUE(mounted.contains(path)) << path;
}

TEST(OrchestratorContract, AnswersOnItsOwnListenerWithoutThePrefix) {
  const Api api;
  RawClient client(api.server.orchestrator_port());
  const auto answer = client.ask("GET /api/v1/nodes/fake_driver HTTP/1.1\r\nHost: test\r\n\r\n");
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(json_of(*answer).dump(), kNodes.dump());
}

TEST(OrchestratorContract, APathWithoutACloudMeansTheConfiguredOne) {
  const Api api;
  EXPECT_EQ(api.get("/nodes").dump(), kNodes.dump());
  EXPECT_EQ(api.get("/images").dump(), kImages.dump());
  EXPECT_EQ(api.get("/sizes").dump(), kSizes.dump());
  EXPECT_EQ(api.get("/flavors").dump(), kSizes.dump());
  EXPECT_EQ(api.get("/flavors/fake_driver").dump(), kSizes.dump());
  EXPECT_EQ(api.good("POST", "/vm/start", kStart).dump(), kStarted3.dump());
  EXPECT_EQ(api.good("PUT", "/vm/stop", R"({"node":"1"})")["result"], "Node 1 deleted");
  EXPECT_EQ(api.get("/nodes")["nodes"].size(), 2U);

  TestServer::Options plain;
  plain.orchestrator.default_cloud = "simulated";
  const Api other(std::move(plain));
  EXPECT_EQ(other.get("/nodes")["nodes"], Json::array());
  TestServer::Options none;
  none.orchestrator.default_cloud = "nowhere";
  EXPECT_EQ(json_of(Api(std::move(none)).ask("GET", "/nodes")).dump(), kWrongCloud.dump());
}

TEST(OrchestratorContract, TheRestOfThePaths) {
  const Api api;
  EXPECT_EQ(api.get("/").dump(), R"({"status":"ok"})");
  EXPECT_EQ(api.get("").dump(), R"({"status":"ok"})");
  EXPECT_EQ(api.get("/cloud").dump(),
            R"({"served_cloud":[{"host":"localhost","name":"simulated","type":"simulated"},)"
            R"({"host":"localhost","name":"fake_driver","type":"dummy"}],"status":"ok"})");
  const Json tenants = api.get("/tenants");
  EXPECT_EQ(tenants.dump(),
            R"({"tenants":[{"cloud_type":"Dummy Node Provider",)"
            R"("id":"dd692832dba14016853a5e7582387a1d","name":"demo","provider":"dummy"}],)"
            R"("status":"ok"})");
  EXPECT_EQ(api.get("/tenants/simulated")["tenants"][0]["cloud_type"], "Simulated Cloud");
}

// ---- another cloud ----

TEST(OrchestratorContract, APlainCloudHasTheSharedCatalogueAndUuids) {
  const Api api;
  const Json images = api.get("/images/simulated")["images"];
  ASSERT_EQ(images.size(), 1U);
  EXPECT_EQ(images[0]["name"], "cirros-0.5.1-x86_64-disk");
  EXPECT_EQ(images[0]["provider"], "simulated");
  const Json sizes = api.get("/sizes/simulated")["flavors"];
  EXPECT_EQ(sizes.size(), 12U);
  EXPECT_EQ(sizes[0].dump(), R"({"cloud_type":"Simulated Cloud","cpu":1,"disk":1,"id":"1",)"
                             R"("name":"m1.tiny","provider":"simulated","ram":512})");

  const Json body{{"name", "web"},
                  {"image", images[0]["id"]},
                  {"size", "42"},
                  {"keyname", "key"},
                  {"metadata", {{"team", "a"}}}};
  const Json made = api.good("POST", "/vm/start/simulated", body.dump())["nodes"];
  EXPECT_EQ(made["name"], "web");
  EXPECT_EQ(made["state"], 0);
  EXPECT_EQ(made["id"].get<std::string>().size(), 36U);
  EXPECT_EQ(made["uuid"].get<std::string>().size(), 40U);
  EXPECT_EQ(made["private_ips"], Json::array({"10.0.0.10"}));
  EXPECT_EQ(made["public_ips"], Json::array());
  EXPECT_EQ(made["extra"]["metadata"], (Json{{"team", "a"}}));
  EXPECT_EQ(made["extra"]["key_name"], "key");
  EXPECT_EQ(api.get("/nodes/simulated")["nodes"], Json::array({made}));
  EXPECT_EQ(api.get("/nodes/fake_driver").dump(), kNodes.dump());

  const std::string id = made["id"];
  EXPECT_EQ(api.good("PUT", "/vm/stop/simulated", R"({"hostname":"web"})")["result"],
            "Node " + id + " deleted");
  EXPECT_EQ(api.get("/nodes/simulated")["nodes"], Json::array());
}

TEST(OrchestratorContract, WhatItMakesIsSeenInTheOtherDialectsAndItsSamplesAreNot) {
  const Api api;
  const std::string demo = "user: demo\r\npassword: test\r\nproject_name: demo\r\n";
  const auto servers = [&] {
    return json_of(api.server.get("/api/virtual_machines", demo))["servers"];
  };
  EXPECT_EQ(servers(), Json::array());
  api.good("POST", "/vm/start/fake_driver", kStart);
  const Json seen = servers();
  ASSERT_EQ(seen.size(), 1U);
  EXPECT_EQ(seen[0]["name"], "dummy-3");
  EXPECT_EQ(seen[0]["status"], "ACTIVE");
  EXPECT_EQ(seen[0]["image"], "");
  EXPECT_EQ(json_of(api.server.get("/api/images", demo))["images"].size(), 1U);
  EXPECT_EQ(json_of(api.server.get("/api/flavors", demo))["flavors"].size(), 12U);
}

TEST(OrchestratorContract, AStoppedOneIsShownAsSuch) {
  const Api api;
  api.good("POST", "/vm/start", kStart);
  const Json vms = json_of(api.server.get("/core/v1/vms?name=dummy-3"));
  const std::string id = vms["items"][0]["id"];
  const Answer off = api.server.post("/core/v1/vms/" + id + "/stop", "{}", "Prefer: wait=20\r\n");
  EXPECT_EQ(off.status, 200) << off.body;
  EXPECT_EQ(api.get("/nodes")["nodes"][2]["state"], 5);
}

// ---- assign and release ----

TEST(OrchestratorContract, AssignStatusAndRelease) {
  const Api api;
  const std::string body = R"({"node":"1","user":"ada","vm_type":"app_name"})";
  const Answer assigned = api.ask("PUT", "/vm/action/assign/fake_driver", body);
  EXPECT_EQ(assigned.body, R"({"id":1,"id_vm":"1","result":"Node 1 assigned","status":"ok"})");
  EXPECT_EQ(assigned.header("X-Task-Id").size(), 36U);
  api.refuses(api.ask("PUT", "/vm/action/assign/fake_driver", body), 400,
              "the VM is assigned to ada");
  const Json second =
      api.good("PUT", "/vm/action/assign", R"({"hostname":"dummy-2","user":"bob","vm_type":"db"})");
  EXPECT_EQ(second["id"], 2);
  EXPECT_EQ(second["id_vm"], "2");

  const Json status = api.get("/vm/status/fake_driver");
  EXPECT_EQ(status["nodes"].dump(),
            R"([{"cloud":"fake_driver","hostname":"dummy-1","id":1,"id_vm":"1",)"
            R"("recipe":"app_name","recipe_id":"app_name","status":0,"status_desc":"running",)"
            R"("user":"ada"},{"cloud":"fake_driver","hostname":"dummy-2","id":2,"id_vm":"2",)"
            R"("recipe":"db","recipe_id":"db","status":0,"status_desc":"running","user":"bob"}])");
  EXPECT_EQ(api.get("/vm/status/simulated").dump(), R"({"nodes":{},"status":"ok"})");

  const Answer released = api.ask("PUT", "/vm/action/release/fake_driver", R"({"node":"1"})");
  EXPECT_EQ(released.body, R"({"id":1,"id_vm":"1","result":"Node 1 released","status":"ok"})");
  EXPECT_EQ(released.header("X-Task-Id").size(), 36U);
  api.refuses(api.ask("PUT", "/vm/action/release/fake_driver", R"({"node":"1"})"), 400,
              "the node is assigned to nobody");
  EXPECT_EQ(api.get("/vm/status")["nodes"].size(), 1U);
  EXPECT_EQ(api.get("/nodes").dump(), kNodes.dump());
  EXPECT_EQ(api.good("PUT", "/vm/action/assign", body)["id"], 3);

  // A node that goes takes its assignment along.
  api.good("PUT", "/vm/stop", R"({"node":"2"})");
  EXPECT_EQ(api.get("/vm/status")["nodes"].size(), 1U);
}

TEST(OrchestratorContract, AReleaseMayDestroyTheNodeToo) {
  TestServer::Options options;
  options.orchestrator.release_destroys = true;
  const Api api(std::move(options));
  api.good("PUT", "/vm/action/assign", R"({"node":"2","user":"ada","vm_type":"app"})");
  EXPECT_EQ(api.good("PUT", "/vm/action/release", R"({"node":"2"})").dump(),
            R"({"id":1,"id_vm":"2","result":"Node 2 released and deleted","status":"ok"})");
  EXPECT_EQ(api.get("/nodes")["nodes"].size(), 1U);
  EXPECT_EQ(api.get("/vm/status")["nodes"], Json::object());
}

// ---- refusals ----

TEST(OrchestratorContract, BodiesAreHeldToTheirSchema) {
  const Api api;
  const std::string schema = "Some key doesn't validate the schema - ";
  struct Row {
    const char* method;
    const char* path;
    const char* body;
    std::string message;
  };
  for (const Row& row : {
           Row{"POST", "/vm/start", "{", "Malformed JSON stream"},
           Row{"PUT", "/vm/stop", "nonsense", "Malformed JSON stream"},
           Row{"PUT", "/vm/action/assign", "{\"a\":1,}", "Malformed JSON stream"},
           Row{"PUT", "/vm/stop", "[]", schema + "the body must be an object"},
           Row{"POST", "/vm/start", R"({"name":"a","image":"1"})",
               schema + "size: 'size' is required"},
           Row{"PUT", "/vm/stop", "", "no valid node id nor hostname here"},
           Row{"PUT", "/vm/action/release", "{}", "no valid node id nor hostname here"},
           Row{"PUT", "/vm/action/assign", R"({"user":"u","vm_type":"t"})",
               "no valid node id nor hostname here"},
           Row{"PUT", "/vm/stop", R"({"node":"77"})", "no useful node id here"},
           Row{"PUT", "/vm/stop", R"({"node":"01"})", "no useful node id here"},
           Row{"PUT", "/vm/stop/simulated", R"({"node":"1"})", "no useful node id here"},
           Row{"PUT", "/vm/stop", R"({"hostname":"dummy-9"})", "no useful node id here"},
           Row{"PUT", "/vm/action/assign", R"({"node":"9","user":"u","vm_type":"t"})",
               "no useful node id here"},
           Row{"POST", "/vm/start", R"({"name":"a","image":"9","size":"1"})",
               "no useful image id here"},
           Row{"POST", "/vm/start", R"({"name":"a","image":"1","size":"9"})",
               "no useful size id here"},
       }) {
    const Answer answer = api.ask(row.method, row.path, row.body);
    SCOPED_TRACE(std::string(row.path) + " " + row.body);
    api.refuses(answer, 400, row.message);
    EXPECT_EQ(json_of(answer)["status_short_message"], "Bad Request");
  }
  // What of a schema does not hold is said, in whatever words.
  for (const auto& [path, body] : std::vector<std::pair<const char*, const char*>>{
           {"/vm/start", R"({"name":1,"image":"1","size":"1"})"},
           {"/vm/start", R"({"name":"","image":"1","size":"1"})"},
           {"/vm/start", R"({"name":"a","image":"1","size":"1","colour":"red"})"},
           {"/vm/start", R"({"name":"a","image":"1","size":"1","metadata":[]})"},
           {"/vm/start", R"({"name":"a","image":"1","size":"1","keyname":""})"}}) {
    const Answer answer = api.ask("POST", path, body);
    EXPECT_EQ(answer.status, 400) << body;
    EXPECT_THAT(json_of(answer).value("message", ""), ::testing::StartsWith(schema)) << body;
  }
  EXPECT_EQ(api.ask("PUT", "/vm/stop", R"({"node":1})").status, 400);
  EXPECT_EQ(api.get("/nodes").dump(), kNodes.dump());
}

TEST(OrchestratorContract, WrongVerbsActionsAndPaths) {
  const Api api;
  for (const auto& [method, path] :
       std::vector<std::pair<const char*, const char*>>{{"POST", "/nodes"},
                                                        {"DELETE", "/nodes/fake_driver"},
                                                        {"PUT", "/vm/start"},
                                                        {"GET", "/vm/start"},
                                                        {"GET", "/vm/stop/fake_driver"},
                                                        {"POST", "/vm/status"},
                                                        {"GET", "/auth"},
                                                        {"POST", "/vm/action/assign"},
                                                        {"GET", "/test/start"}}) {
    SCOPED_TRACE(std::string(method) + path);
    const Answer answer = api.ask(method, path);
    api.refuses(answer, 501, "Not implemented");
    EXPECT_EQ(json_of(answer)["status_long_message"], "Server does not support this operation");
  }
  for (const auto& [method, path] :
       std::vector<std::pair<const char*, const char*>>{{"GET", "/wrong"},
                                                        {"GET", "/wrong/fake_driver"},
                                                        {"PUT", "/vm/action/wrong"},
                                                        {"PUT", "/vm/action/wrong/fake_driver"}}) {
    SCOPED_TRACE(path);
    api.refuses(api.ask(method, path), 400, "Unrecognized action found");
  }
  api.refuses(api.ask("GET", "/a/b/c/d/e"), 404, "Page not found");
}

TEST(OrchestratorContract, ATwiceUsedHostnameIsNoName) {
  const Api api;
  const Json image = api.get("/images/simulated")["images"][0]["id"];
  const Json body{{"name", "twin"}, {"image", image}, {"size", "42"}};
  api.good("POST", "/vm/start/simulated", body.dump());
  api.good("POST", "/vm/start/simulated", body.dump());
  api.refuses(api.ask("PUT", "/vm/stop/simulated", R"({"hostname":"twin"})"), 400,
              "several nodes have this hostname: name one by its id");
}

// ---- who asks ----

TEST(OrchestratorContract, ATokenIsGivenForAPasswordAndTakenInBothPlaces) {
  const Api api;
  const Answer in = api.ask("POST", "/auth", R"({"username":"demo","password":"test"})");
  EXPECT_EQ(in.status, 200);
  EXPECT_EQ(json_of(in).value("status", ""), "ok");
  EXPECT_EQ(json_of(in).value("status_code", 0), 200);
  const std::string token = json_of(in).value("token", "");
  ASSERT_FALSE(token.empty());

  const std::string passed = R"({"authenticated":"yes","status":"ok","test":"passed"})";
  EXPECT_EQ(api.good("PUT", "/test/start", "", x_auth(token)).dump(), passed);
  EXPECT_EQ(api.good("PUT", "/test/start", Json{{"auth_token", token}}.dump()).dump(), passed);
  EXPECT_EQ(api.get("/nodes", x_auth(token)).dump(), kNodes.dump());
  const Json start{{"name", "a"}, {"image", "1"}, {"size", "1"}, {"auth_token", token}};
  EXPECT_EQ(api.good("POST", "/vm/start", start.dump()).dump(), kStarted3.dump());

  api.refuses(api.ask("PUT", "/test/start"), 403, "Forbidden");
  api.refuses(api.ask("PUT", "/test/start", "", x_auth("wrong")), 403, "Forbidden");
  api.refuses(api.ask("GET", "/nodes", "", x_auth("wrong")), 403, "Forbidden");
  api.refuses(api.ask("PUT", "/vm/stop", R"({"node":"1","auth_token":"wrong"})"), 403, "Forbidden");
  api.refuses(api.ask("POST", "/auth", R"({"username":"demo","password":"no"})"), 403, "Forbidden");
  api.refuses(api.ask("POST", "/auth", R"({"username":"nobody","password":"no"})"), 403,
              "Forbidden");
  EXPECT_EQ(api.ask("POST", "/auth", "{}").status, 400);
}

TEST(OrchestratorContract, GuessingIsSlowedDownAsEverywhere) {
  const Api api;
  const std::string body = R"({"username":"demo","password":"x"})";
  // The sixth answer is held back for 1 s, the seventh for 2, the eighth for 4.
  for (int i = 0; i < 7; ++i) api.ask("POST", "/auth", body);
  RawClient held(api.server.port());
  held.send(test::post("/d/orchestrator/api/v1/auth", body, kJsonType));
  // While it is, once its password has been looked at, a further one is refused unseen.
  std::this_thread::sleep_for(std::chrono::seconds(2));
  const Answer answer = api.ask("POST", "/auth", body);
  EXPECT_EQ(answer.status, 429);
  EXPECT_FALSE(answer.header("Retry-After").empty());
}

TEST(OrchestratorContract, WithoutDemoModeOnlyItsOwnListenerTakesStrangers) {
  TestServer::Options options;
  options.demo = false;
  const Api api(std::move(options));
  api.refuses(api.ask("GET", "/nodes"), 403, "Forbidden");
  EXPECT_EQ(api.get("/nodes", x_auth(api.token())).dump(), kNodes.dump());
  RawClient own(api.server.orchestrator_port());
  EXPECT_EQ(own.ask("GET /api/v1/nodes HTTP/1.1\r\nHost: t\r\n\r\n")->status, 200);

  TestServer::Options closed_doors;
  closed_doors.orchestrator.require_token = true;
  const Api strict(std::move(closed_doors));
  RawClient closed(strict.server.orchestrator_port());
  EXPECT_EQ(closed.ask("GET /api/v1/nodes HTTP/1.1\r\nHost: t\r\n\r\n")->status, 403);
}

TEST(OrchestratorContract, AReadOnlyServerRefusesCommandsInTheEnvelope) {
  TestServer::Options options;
  options.read_only = true;
  const Api api(std::move(options));
  EXPECT_EQ(api.get("/nodes").dump(), kNodes.dump());
  EXPECT_EQ(api.ask("POST", "/vm/start", kStart).status, 403);
  EXPECT_EQ(json_of(api.ask("PUT", "/vm/stop", R"({"node":"1"})")).value("status", ""), "error");
}

TEST(OrchestratorContract, TenantsSeeAndTouchTheirOwnOnly) {
  const Api api;
  const std::string other = x_auth(api.server.make_token("other", "operator"));
  api.good("POST", "/vm/start", kStart);
  api.good("PUT", "/vm/action/assign", R"({"node":"3","user":"ada","vm_type":"app"})");
  EXPECT_EQ(api.get("/nodes", other)["nodes"], Json::array());
  EXPECT_EQ(api.get("/vm/status", other)["nodes"], Json::object());
  for (const char* node : {"1", "3"}) {
    const std::string body = R"({"node":")" + std::string(node) + "\"}";
    api.refuses(api.ask("PUT", "/vm/stop", body, other), 400, "no useful node id here");
    api.refuses(api.ask("PUT", "/vm/action/release", body, other), 400, "no useful node id here");
  }
  const Json mine = api.good("POST", "/vm/start", kStart, other);
  EXPECT_EQ(mine["nodes"]["id"], "4");
  EXPECT_EQ(api.get("/nodes", other)["nodes"].size(), 1U);
  EXPECT_EQ(api.get("/nodes")["nodes"].size(), 3U);
  api.refuses(api.ask("PUT", "/vm/stop", R"({"node":"4"})"), 400, "no useful node id here");
  EXPECT_EQ(api.get("/tenants", other)["tenants"], Json::array());

  const std::string viewer = x_auth(api.server.make_token("other", "viewer"));
  EXPECT_EQ(api.ask("PUT", "/vm/stop", R"({"node":"4"})", viewer).status, 403);
}

// ---- waiting ----

TEST(OrchestratorContract, TheWaitLimitNeverCancelsTheTask) {
  TestServer::Options options;
  options.max_wait = 50ms;
  Api api(std::move(options));
  api.server.worker().hold();
  const Answer late = api.ask("POST", "/vm/start/fake_driver", kStart);
  const std::string task = late.header("X-Task-Id");
  ASSERT_EQ(task.size(), 36U) << late.body;
  api.refuses(late, 504, "The wait is over, and task " + task + " goes on");
  EXPECT_EQ(late.header("Location"), "/core/v1/tasks/" + task);
  ASSERT_TRUE(api.server.worker().wait_for_orders(1));
  EXPECT_EQ(api.get("/nodes")["nodes"][2]["state"], 3);
  api.server.worker().release();
  Answer ended;
  const auto until = std::chrono::steady_clock::now() + kPatience;
  while (ended.status != 200 && std::chrono::steady_clock::now() < until) {
    ended = api.server.get("/core/v1/tasks/" + task + "?wait=50ms");
  }
  EXPECT_EQ(json_of(ended).value("state", ""), "SUCCEEDED");
  EXPECT_EQ(api.get("/nodes")["nodes"][2].dump(), kStarted3["nodes"].dump());
}

TEST(OrchestratorContract, ATaskThatFailsIsAnErrorWithItsTask) {
  Api api;
  api.server.worker().fail_all(true);
  const Answer answer = api.ask("POST", "/vm/start/fake_driver", kStart);
  api.refuses(answer, 500, "Something went wrong the toy cloud refuses");
  EXPECT_EQ(answer.header("X-Task-Id").size(), 36U);
  api.server.worker().fail_all(false);
  // Its number is not given again.
  EXPECT_EQ(api.good("POST", "/vm/start/fake_driver", kStart).dump(), kStarted4.dump());
}

TEST(OrchestratorContract, OneIdempotencyKeyMakesOneNode) {
  const Api api;
  const std::string key = "Idempotency-Key: k1\r\n";
  EXPECT_EQ(api.good("POST", "/vm/start", kStart, key).dump(), kStarted3.dump());
  EXPECT_EQ(api.good("POST", "/vm/start", kStart, key).dump(), kStarted3.dump());
  EXPECT_EQ(api.get("/nodes")["nodes"].size(), 3U);
}

TEST(OrchestratorContract, ALongListComesInPieces) {
  Api api;
  constexpr int kMany = 450;
  Json commands = Json::array();
  for (int i = 0; i < kMany; ++i) {
    commands.push_back(
        {{"command", "vm.create"},
         {"args", {{"name", "n"}, {"flavor", "1"}, {"image", "1"}, {"backend", "fake_driver"}}}});
  }
  const Answer batch = api.server.post("/core/v1/batches", Json{{"commands", commands}}.dump());
  ASSERT_EQ(batch.status, 202) << batch.body;
  const Json nodes = api.get("/nodes")["nodes"];
  ASSERT_EQ(nodes.size(), kMany + 2U);
  std::set<std::string> ids;
  for (const Json& node : nodes) ids.insert(node["id"]);
  EXPECT_EQ(ids.size(), nodes.size());
  EXPECT_EQ(nodes[299]["public_ips"], Json::array({"127.0.1.44"}));
}

}  // namespace
}  // namespace slipway::api::test
