// Dialect 004 against its specification: every line of 004 and 004+ in endpoints.tsv over a real
// socket, with the specification's own samples.
#include <gmock/gmock.h>

#include <fstream>
#include <set>

#include "tests/api/test_server.hpp"

namespace slipway::api::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;

// curl's --data without a type of its own.
constexpr std::string_view kForm =
    "Content-Type: application/x-www-form-urlencoded\r\n"
    "Accept: application/json\r\n";
constexpr std::string_view kImage = "e892c826-c836-48bf-bb28-bdb0c2e382cf";

class PerspectiveContract : public ::testing::Test {
 protected:
  Answer call(std::string_view method, std::string_view path, const std::string& body,
              std::string_view headers = kForm) {
    return server.ask(std::string(method) + " /d/perspective" + std::string(path) +
                      " HTTP/1.1\r\nHost: test\r\nContent-Length: " + std::to_string(body.size()) +
                      "\r\n" + std::string(headers) + "\r\n" + body);
  }
  Answer get(std::string_view path, std::string_view headers = "") {
    return server.get("/d/perspective" + std::string(path), headers);
  }
  // The batch of a bulk call at its end.
  Json done(const Answer& answer) {
    expect_empty(answer);
    EXPECT_TRUE(answer.has("X-Task-Id"));
    return json_of(server.get("/core/v1/tasks/" + answer.header("X-Task-Id") + "?wait=20s"));
  }
  // As the specification shows every bulk answer.
  static void expect_empty(const Answer& answer) {
    EXPECT_EQ(answer.status, 200) << answer.body;
    EXPECT_EQ(answer.header("Content-Type"), "application/json");
    EXPECT_EQ(answer.header("Content-Length"), "0");
    EXPECT_EQ(answer.body, "");
  }
  std::string make_instance(const std::string& name) {
    const Answer answer =
        call("POST", "/instances",
             R"([{"name":")" + name + R"(","flavor":{"id":"42"},"image":{"id":")" +
                 std::string(kImage) + R"("}}])");
    EXPECT_EQ(done(answer)["state"], "SUCCEEDED");
    return column("select id from instances where name = '" + name + "'");
  }
  Json query(const std::string& sql, const Json& parameters = Json::array()) {
    const Json body = Json::array({{{"sql", sql}, {"parameters", parameters}}});
    const Answer answer = call("POST", "/query", body.dump(), kJsonType);
    EXPECT_EQ(answer.status, 200) << answer.body;
    return json_of(answer);
  }
  // The first value of the first row.
  std::string column(const std::string& sql) {
    const Json result = query(sql)[0];
    EXPECT_EQ(result["status"], "success") << result.dump();
    if (result["count"] == 0) return "";
    const Json& value = result["data"]["row"][0]["value"][0];
    return value.is_string() ? value.get<std::string>() : value.dump();
  }
  std::string state(const std::string& id) {
    return column("select state from instances where id = '" + id + "'");
  }
  static std::string list(const std::vector<std::string>& ids) { return Json(ids).dump(); }

  TestServer server;
};

TEST_F(PerspectiveContract, EveryLineOfTheChecklistIsServed) {
  std::ifstream file(SLIPWAY_SOURCE_DIR "/tests/contract/endpoints.tsv");
  std::set<std::string> served;
  for (const auto& entry : server.router().entries()) {
    if (entry.dialect == "perspective") {
      served.insert(std::string(method_name(entry.method)) + " " + entry.pattern);
    }
  }
  std::size_t lines = 0;
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with("004")) continue;
    ++lines;
    const auto tab = line.find('\t');
    const auto second = line.find('\t', tab + 1);
    std::string path = line.substr(second + 1, line.find('\t', second + 1) - second - 1);
    if (const auto at = path.find("{ID}"); at != path.npos) path.replace(at, 4, "{id}");
    const std::string wanted = line.substr(tab + 1, second - tab - 1) + " /d/perspective" + path;
    EXPECT_TRUE(served.contains(wanted)) << wanted;
  }
  EXPECT_EQ(lines, 21U);
}

TEST_F(PerspectiveContract, TheQuerySampleWithItsWordWhere) {
  const Answer answer = call("POST", "/query",
                             R"([ {
  "sql" : "select id, name from projects where name regexp :name: order by name asc",
  "parameters" : [ {
    "name" : "name",
    "value" : "dem"
  } ]
} ])",
                             "Content-Type:application/json\r\nAccept:application/json\r\n");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.header("Content-Type"), "application/json");
  const Json results = json_of(answer);
  ASSERT_EQ(results.size(), 1U) << answer.body;
  EXPECT_EQ(results[0]["status"], "success");
  EXPECT_EQ(results[0]["count"], 1);
  EXPECT_EQ(results[0]["data"]["columnName"], (Json::array({"id", "name"})));
  EXPECT_EQ(results[0]["data"]["row"],
            (Json::array({{{"value", {"dd692832-dba1-4016-853a-5e7582387a1d", "demo"}}}})));
  EXPECT_EQ(results[0]["message"], "");
  std::vector<std::string> keys;
  for (const auto& [key, value] : results[0].items()) keys.push_back(key);
  EXPECT_THAT(keys, ElementsAre("status", "count", "data", "message"));
}

TEST_F(PerspectiveContract, TheQuerySampleAsPrintedLacksAWord) {
  const Json results = query("select id, name from projects name regexp :name: order by name asc",
                             Json::array({{{"name", "name"}, {"value", "selenium"}}}));
  EXPECT_EQ(results[0]["status"], "syntax_error");
  EXPECT_EQ(results[0]["count"], 0);
  EXPECT_THAT(results[0]["message"].get<std::string>(), HasSubstr("line 1, column 36"));
}

TEST_F(PerspectiveContract, EachStatusOfAQuery) {
  const Json results =
      query("select 1; select nonsense; select * from projects as of seq 999999999");
  ASSERT_EQ(results.size(), 3U);
  EXPECT_EQ(results[0]["status"], "success");
  EXPECT_EQ(results[1]["status"], "syntax_error");
  EXPECT_EQ(results[2]["status"], "evaluation_error");
  const Json missing = query("select ?, :who:", Json::array({{{"index", 1}, {"value", "5"}}}));
  EXPECT_EQ(missing[0]["status"], "missing_parameters");
  const Json given =
      query("select ? + 1, :who:",
            Json::array({{{"index", 1}, {"value", "5"}}, {{"name", "who"}, {"value", nullptr}}}));
  EXPECT_EQ(given[0]["data"]["row"][0]["value"], (Json::array({6, nullptr})));
  // One object is a list of one.
  EXPECT_EQ(
      json_of(call("POST", "/query", R"({"sql":"select 2.5"})"))[0]["data"]["row"][0]["value"][0],
      2.5);
}

TEST_F(PerspectiveContract, BadQueriesAre400InText) {
  for (const char* body :
       {"", "[", "[1]", R"([{"sql":5}])", R"([{"sql":"select 1","parameters":5}])",
        R"([{"sql":"select ?","parameters":[{"value":"1"}]}])"}) {
    const Answer answer = call("POST", "/query", body);
    EXPECT_EQ(answer.status, 400) << body;
    EXPECT_EQ(answer.header("Content-Type"), "text/plain; charset=utf-8");
  }
  const Answer large =
      call("POST", "/query",
           Json::array({{{"sql", "select '" + std::string(20000, 'x') + "'"}}}).dump());
  EXPECT_EQ(large.status, 400);
  EXPECT_THAT(large.body, HasSubstr("sql.max_text_bytes"));
}

TEST_F(PerspectiveContract, InstancesAreLaunchedFromAList) {
  server.worker().hold();
  const Answer answer =
      call("POST", "/instances",
           R"([{"name":"one","cloudId":"simulated","cloudType":"simulated","projectId":"x",
           "flavor":{"id":"42","name":"m1.nano"},"image":{"id":")" +
               std::string(kImage) + R"("},
           "keypair":{"name":"mine"},"networks":[{"id":"828603ef-f784-423b-a5c5-2f19a2cd8eba"}],
           "metadata":{"entry":[{"key":"region","value":"test-region"}]},"unknown":1},
          {"name":"two","flavorId":"m1.tiny","imageId":"cirros-0.5.1-x86_64-disk"}])");
  expect_empty(answer);
  EXPECT_EQ(column("select count(*) from instances where state in ('queued', 'launching')"), "2");
  server.worker().release();
  EXPECT_EQ(done(answer)["state"], "SUCCEEDED");
  EXPECT_EQ(column("select value from instance_metadata where key = 'region'"), "test-region");
  EXPECT_EQ(column("select name from keypairs"), "mine");
  EXPECT_EQ(column("select dialect from tasks where id = '" + answer.header("X-Task-Id") + "'"),
            "perspective");
}

TEST_F(PerspectiveContract, AnInstanceThatCannotBeIsSeenInItsTask) {
  const Json task =
      done(call("POST", "/instances", R"([{"name":"x","flavor":{"id":"no"},"image":"no"}])"));
  EXPECT_EQ(task["state"], "FAILED");
  EXPECT_THAT(column("select error from batch_items where batch_id = '" +
                     task["id"].get<std::string>() + "'"),
              HasSubstr("no flavor 'no'"));
}

TEST_F(PerspectiveContract, EachActionOnInstancesChangesTheirState) {
  const std::string id = make_instance("actor");
  // The specification's ids are none here, and are passed over.
  const std::string ids = list({"id-one", "id-two", id, id});
  const auto act = [&](std::string_view path, const std::string& wanted) {
    const Json task = done(call("PUT", path, ids));
    EXPECT_EQ(task["state"], "SUCCEEDED") << path;
    EXPECT_EQ(task["items"]["total"], 1) << task.dump();
    EXPECT_EQ(state(id), wanted) << path;
  };
  act("/instances/shutdown", "shutoff");
  act("/instances/start", "launched");
  act("/instances/reboot", "launched");
  act("/instances/hard-reboot", "launched");
  act("/instances/pause", "paused");
  act("/instances/resume", "launched");
  act("/instances/suspend", "suspended");
  act("/instances/resume", "launched");
  act("/instances/resize/m1.tiny", "launched");
  EXPECT_EQ(column("select flavor_id from instances where id = '" + id + "'"), "1");
  act("/instances/rebuild/" + std::string(kImage), "launched");
  EXPECT_EQ(column("select count(*) from tasks where command = 'vm.unpause'"), "1");
  const Answer deleted = call("POST", "/instances/delete", ids);
  EXPECT_EQ(done(deleted)["command"], "batch.vm.delete");
  EXPECT_EQ(column("select count(*) from instances"), "0");
}

TEST_F(PerspectiveContract, HardRebootIsHard) {
  const std::string id = make_instance("hard");
  server.worker().hold();
  expect_empty(call("PUT", "/instances/hard-reboot", list({id})));
  EXPECT_EQ(state(id), "hard_rebooting");
  server.worker().release();
}

TEST_F(PerspectiveContract, TheSpecificationsIdsAreSkippedSilently) {
  for (const char* path :
       {"/instances/reboot", "/instances/hard-reboot", "/instances/start", "/instances/shutdown",
        "/instances/pause", "/instances/resume", "/instances/suspend"}) {
    expect_empty(call("PUT", path, R"([ "id-one", "id-two" ])"));
  }
  expect_empty(call("POST", "/instances/delete", R"([ "id-one", "id-two" ])"));
  expect_empty(call("POST", "/images/delete", R"([ "id-one", "id-two" ])"));
  expect_empty(call("PUT", "/instances/rename",
                    R"({ "id-one": "one-new-name", "id-two": "two-new-name" })"));
  expect_empty(call("PUT", "/instances/start", ""));
  expect_empty(call("POST", "/instances", "[]"));
  EXPECT_EQ(column("select count(*) from tasks where dialect = 'perspective'"), "0");
}

TEST_F(PerspectiveContract, UnknownFlavorAndImageAre404) {
  const Answer flavor = call("PUT", "/instances/resize/flavor-one", R"([ "id-one", "id-two" ])");
  EXPECT_EQ(flavor.status, 404);
  EXPECT_EQ(flavor.body, "Flavor with id = flavor-one not found");
  const Answer image = call("PUT", "/instances/rebuild/some-image", R"([ "id-one", "id-two" ])");
  EXPECT_EQ(image.status, 404);
  EXPECT_EQ(image.body, "Image with id = some-image not found");
}

TEST_F(PerspectiveContract, RenameTakesAMap) {
  const std::string id = make_instance("before");
  const Json task =
      done(call("PUT", "/instances/rename", Json{{id, "after"}, {"id-two", "x"}}.dump()));
  EXPECT_EQ(task["state"], "SUCCEEDED");
  EXPECT_EQ(column("select name from instances where id = '" + id + "'"), "after");
  EXPECT_EQ(call("PUT", "/instances/rename", R"(["x"])").status, 400);
  EXPECT_EQ(call("PUT", "/instances/rename", Json{{id, ""}}.dump()).status, 400);
}

TEST_F(PerspectiveContract, BodiesOfAnotherShapeAre400) {
  EXPECT_EQ(call("PUT", "/instances/start", R"({"a":1})").status, 400);
  EXPECT_EQ(call("PUT", "/instances/start", "[1]").status, 400);
  EXPECT_EQ(call("PUT", "/instances/start", "[").status, 400);
  EXPECT_EQ(call("POST", "/instances", R"([{"flavor":"42"}])").status, 400);
  EXPECT_EQ(call("POST", "/instances", R"(["x"])").status, 400);
  EXPECT_EQ(call("POST", "/images", R"([{"name":"x"}])").status, 400);
  EXPECT_EQ(
      call("PUT", "/instances/start", Json(std::vector<std::string>(1001, "x")).dump()).status,
      422);
  EXPECT_EQ(call("POST", "/instances/reboot", "[]").status, 405);
}

// The same members in the same order, and the same kinds of value.
void expect_same_shape(const Json& sample, const Json& ours, const std::string& where) {
  ASSERT_EQ(sample.type() == Json::value_t::number_unsigned,
            ours.type() == Json::value_t::number_unsigned)
      << where;
  if (sample.is_number()) return;
  ASSERT_EQ(sample.type(), ours.type()) << where << ": " << ours.dump();
  if (sample.is_array() && !sample.empty() && !ours.empty()) {
    expect_same_shape(sample[0], ours[0], where + "[]");
  }
  if (!sample.is_object()) return;
  for (const auto& [key, value] : sample.items()) {
    ASSERT_TRUE(ours.contains(key)) << where << "." << key;
    expect_same_shape(value, ours[key], where + "." + key);
  }
}

// The specification's, with the brackets that its page has lost.
const Json& instance_sample() {
  static const Json kSample = Json::parse(R"({
  "id" : "5653608a-117c-3ba8-80b0-36af42961fdb",
  "realId" : "dec960ca-7507-445b-b993-e194f5eeec22",
  "timestamp" : "2016-12-20T16:58:56+03:00[Europe/Moscow]",
  "created" : "2016-09-16T15:37:33+03:00[Europe/Moscow]",
  "cloudId" : "test-cloud",
  "cloudType" : "openstack",
  "projectId" : "71609a7f-0641-36cc-b704-db3b5b76c78e",
  "name" : "test-instance",
  "flavor" : {
    "id" : "c0a70fa5-8c4c-4274-bbb0-b7590ad9e9a3",
    "name" : "test-flavor",
    "ram" : 4092,
    "vcpus" : 2,
    "rootDisk" : 100,
    "ephemeralDisk" : 0,
    "hasSwap" : false,
    "isPublic" : true
  },
  "image" : {
    "id" : "3efc2dc8-4c35-3c11-862a-c08b58d6f9d9",
    "realId" : "28dc791c-9aa5-461f-a347-5a2107736229",
    "timestamp" : "2016-11-24T14:59:42+03:00[Europe/Moscow]",
    "created" : "2016-09-15T18:16:09+03:00[Europe/Moscow]",
    "cloudId" : "test-cloud",
    "cloudType" : "openstack",
    "name" : "test-image",
    "state" : "saved",
    "metadata" : { "entry" : [ { "key" : "region", "value" : "test-region" } ] },
    "projectId" : [ "3d6f17b9-584b-3169-819b-9241526a4b89" ]
  },
  "keypair" : { },
  "state" : "launched",
  "isLocked" : false,
  "metadata" : { "entry" : [ { "key" : "region", "value" : "test-region" } ] },
  "address" : [ "" ],
  "networks" : [ {
    "id" : "3bc8e8b7-eabc-4e4b-a678-dac251be4625",
    "name" : "TESTNETS",
    "state" : "ACTIVE",
    "isShared" : false,
    "subnets" : [ ]
  } ]
})");
  return kSample;
}

TEST_F(PerspectiveContract, OneInstanceIsTheSampleFieldByField) {
  done(call("POST", "/instances",
            R"([{"name":"test-instance","flavor":{"id":"42"},"image":{"id":")" +
                std::string(kImage) +
                R"("},"networks":[{"id":"828603ef-f784-423b-a5c5-2f19a2cd8eba"}],
                "metadata":{"entry":[{"key":"region","value":"test-region"}]}}])"));
  const std::string id = column("select id from instances");
  for (const std::string path : {"/instances/", "/instance/"}) {
    const Answer answer = get(path + id, "Accept:application/json\r\n");
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.header("Content-Type"), "application/json");
    const Json ours = json_of(answer);
    expect_same_shape(instance_sample(), ours, "instance");
    std::vector<std::string> wanted, found;
    for (const auto& [key, value] : instance_sample().items()) wanted.push_back(key);
    for (const auto& [key, value] : ours.items()) found.push_back(key);
    EXPECT_EQ(found, wanted);
    EXPECT_EQ(ours["id"], id);
    EXPECT_EQ(ours["name"], "test-instance");
    EXPECT_EQ(ours["state"], "launched");
    EXPECT_EQ(ours["metadata"], instance_sample()["metadata"]);
    EXPECT_EQ(ours["flavor"]["ram"], 128);
    EXPECT_EQ(ours["image"]["id"], std::string(kImage));
    EXPECT_EQ(ours["networks"][0]["name"], "private");
    EXPECT_EQ(ours["projectId"], "dd692832-dba1-4016-853a-5e7582387a1d");
    EXPECT_THAT(ours["timestamp"].get<std::string>(),
                MatchesRegex(R"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\+00:00\[UTC\])"));
    EXPECT_THAT(ours["address"][0].get<std::string>(), MatchesRegex("[0-9.]+"));
  }
  const Answer none = get("/instances/5653608a-117c-3ba8-80b0-36af42961fdb");
  EXPECT_EQ(none.status, 404);
  EXPECT_EQ(none.body, "Instance with id = 5653608a-117c-3ba8-80b0-36af42961fdb not found");
  EXPECT_EQ(get("/instances/nonsense").body, "Instance with id = nonsense not found");
}

TEST_F(PerspectiveContract, ImagesAreMadeShownAndDeleted) {
  const std::string id = make_instance("donor");
  const Json made = done(call("POST", "/images",
                              R"([{"name":"copy","instanceId":")" + id +
                                  R"(","cloudType":"simulated","projectId":"x"},
                                {"name":"of nothing","instanceId":"id-one"}])"));
  EXPECT_EQ(made["state"], "SUCCEEDED") << made.dump();
  const std::string image = column("select id from images where name = 'copy'");
  const Answer shown = get("/images/" + image);
  EXPECT_EQ(shown.status, 200);
  expect_same_shape(instance_sample()["image"], json_of(shown), "image");
  EXPECT_EQ(json_of(shown)["state"], "saved");
  // What belongs to others stays, and the task says why.
  const Json task =
      done(call("POST", "/images/delete", list({image, std::string(kImage), "id-one"})));
  EXPECT_EQ(task["state"], "PARTIAL");
  EXPECT_EQ(column("select count(*) from images"), "1");
  const Answer gone = get("/images/" + image);
  EXPECT_EQ(gone.status, 404);
  EXPECT_EQ(gone.body, "Image with id = " + image + " not found");
}

TEST_F(PerspectiveContract, PingVersionAndOperations) {
  expect_empty(get("/ping", "Accept:application/json\r\n"));
  const Answer version = get("/version", "Accept: text/plain\r\n");
  EXPECT_EQ(version.status, 200);
  EXPECT_THAT(version.header("Content-Type"), HasSubstr("text/plain"));
  EXPECT_EQ(version.body, "0.1.0");
  const Answer operations = get("/operations");
  EXPECT_EQ(operations.header("Content-Type"), "application/json");
  const Json all = json_of(operations);
  ASSERT_TRUE(all.contains("simulated"));
  EXPECT_THAT(
      all["simulated"].get<std::vector<std::string>>(),
      ::testing::IsSupersetOf({"addInstance", "deleteInstance", "resumeInstance", "addImage"}));
}

TEST(Perspective, PingIs503WhenNotReady) {
  TestServer::Options options;
  options.ready = [] { return std::vector<ReadyCheck>{{"log", false, "the disk is nearly full"}}; };
  TestServer server(std::move(options));
  const Answer answer = server.get("/d/perspective/ping");
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.body, "");
  EXPECT_TRUE(answer.has("Retry-After"));
}

TEST_F(PerspectiveContract, TheOwnListenerServesTheSamePathsWithoutPrefix) {
  RawClient client(server.perspective_port());
  const auto answer = client.ask(test::get("/ping"));
  ASSERT_TRUE(answer);
  expect_empty(*answer);
  const auto made = client.ask(test::post("/query", R"([{"sql":"select 1"}])"));
  ASSERT_TRUE(made);
  EXPECT_EQ(json_of(*made)[0]["status"], "success");
}

}  // namespace
}  // namespace slipway::api::test
