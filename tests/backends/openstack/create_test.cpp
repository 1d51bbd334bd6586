#include "tests/backends/openstack/scripted_cloud.hpp"

namespace slipway::workers::openstack::test {
namespace {

using base::Errc;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kServers = "/compute/v2.1/servers";
constexpr const char* kDetail = "/compute/v2.1/servers/detail";
constexpr const char* kPorts = "/network/v2.0/ports";
constexpr const char* kPort1 = "/network/v2.0/ports/port-1";

class CreateTest : public ScriptedCloud {};

TEST_F(CreateTest, ThePortGoesFirstAndCarriesTheKey) {
  list_servers({server_json("vm-1", "ACTIVE")});
  const WorkOrder work = order();
  const BackendAnswer made = calls().run(work);
  ASSERT_EQ(made.kind, Kind::Done) << made.error.detail;
  EXPECT_EQ(made.ref, "vm-1");
  EXPECT_EQ(made.result.text, R"({"host":"h1","ipv4":"10.0.0.5","mac":"fa:16:3e:00:00:05"})");
  const std::string key = domain::correlation_key(work.task, "vm.create");
  const std::string port = server.requests("POST", kPorts).at(0).body;
  EXPECT_THAT(port, HasSubstr(R"("name":")" + key + '"'));
  EXPECT_THAT(port, HasSubstr("slipway installation=installation-1"));
  const std::string body = server.requests("POST", kServers).at(0).body;
  EXPECT_THAT(body, HasSubstr(R"("networks":[{"port":"port-1"}])"));
  EXPECT_THAT(body, HasSubstr(R"("imageRef":"image-1","flavorRef":"1")"));
  EXPECT_THAT(body, HasSubstr(R"("slipway_key":")" + key + '"'));
  EXPECT_THAT(body, HasSubstr(R"("slipway_installation":"installation-1")"));
  EXPECT_THAT(body, HasSubstr(R"("tags":["slipway",")" + key + R"("])"));
}

TEST_F(CreateTest, OneListARoundServesAllWhoWait) {
  std::atomic<int> made{0};
  server.on("POST", kServers, [&](const Seen&) {
    return json(202, R"({"server":{"id":"vm-)" + std::to_string(++made) + R"("}})");
  });
  std::atomic<int> rounds{0};
  server.on("GET", kDetail, [&](const Seen&) {
    const bool ready = ++rounds > 5;
    std::string all;
    for (int i = 1; i <= 20; ++i) {
      all +=
          (i == 1 ? "" : ",") + server_json("vm-" + std::to_string(i), ready ? "ACTIVE" : "BUILD",
                                            ready ? "null" : "spawning");
    }
    return json(200, R"({"servers":[)" + all + "]}");
  });
  int ended = 0;
  for (int i = 1; i <= 20; ++i) {
    calls().start(order(), "vm.await_running", "vm-" + std::to_string(i), [&](BackendAnswer&& a) {
      if (a.kind == Kind::Progress) return;
      EXPECT_EQ(a.kind, Kind::Done) << a.error.detail;
      ++ended;
    });
  }
  EXPECT_TRUE(calls().wait_for([&] { return ended == 20; }, 10s));
  EXPECT_LE(rounds, 8);
  EXPECT_EQ(backend->counters().polled_singly, 0U);
}

TEST_F(CreateTest, CreatesThatBeginAtOnceAskForNamesAndVersionsOnce) {
  int ended = 0;
  for (int i = 0; i < 20; ++i) {
    calls().start(order(), "vm.create", {}, [&](BackendAnswer&& a) {
      EXPECT_EQ(a.kind, Kind::Done) << a.error.detail;
      ++ended;
    });
  }
  ASSERT_TRUE(calls().wait_for([&] { return ended == 20; }, 10s));
  // Token, versions, flavors, image, network; then a port and a server each.
  EXPECT_EQ(backend->counters().requests, 5U + 20U * 2U);
}

TEST_F(CreateTest, ACallThatComesTwiceIsAnsweredAsTheFirst) {
  const WorkOrder work = order();
  ASSERT_EQ(calls().perform(work, "vm.create").ref, "vm-1");
  EXPECT_EQ(calls().perform(work, "vm.create").ref, "vm-1");
  EXPECT_EQ(server.requests("POST", kPorts).size(), 1U);
  EXPECT_EQ(server.requests("POST", kServers).size(), 1U);
}

TEST_F(CreateTest, ALostAnswerIsAnUnknownEffectAndTheRequestIsNotSentAgain) {
  Reply lost = json(202, "{}");
  lost.hang_up = true;
  server.on("POST", kServers, {lost});
  // Kept connections are where a library likes to send again by itself.
  EXPECT_TRUE(calls().lookup(order(), "vm.create").found.empty());
  const BackendAnswer made = calls().perform(order(), "vm.create");
  EXPECT_EQ(made.kind, Kind::Failed);
  EXPECT_TRUE(made.error.retryable);
  EXPECT_FALSE(made.error.without_effect);
  EXPECT_EQ(server.requests("POST", kServers).size(), 1U);
  EXPECT_TRUE(server.requests("DELETE", kPort1).empty());
}

TEST_F(CreateTest, AfterALostAnswerTheServerIsFoundByItsPort) {
  server.on("GET", kPorts, {json(200, R"({"ports":[{"id":"port-1","device_id":"vm-9"}]})")});
  server.on("GET", "/compute/v2.1/servers/vm-9",
            {json(200, R"({"server":)" + server_json("vm-9", "BUILD", "spawning") + "}")});
  const BackendAnswer found = calls().lookup(order(), "vm.create");
  ASSERT_EQ(found.found.size(), 1U) << found.error.detail;
  EXPECT_EQ(found.found[0].ref, "vm-9");
}

TEST_F(CreateTest, AfterALostAnswerTheServerIsFoundByItsTag) {
  const WorkOrder work = order();
  const std::string key = domain::correlation_key(work.task, "vm.create");
  std::string tagged = server_json("vm-9", "ACTIVE");
  tagged.replace(tagged.find(R"("metadata":{})"), 13,
                 R"("metadata":{"slipway_key":")" + key + "\"}");
  server.on("GET", kDetail, [&](const Seen& seen) {
    const bool asked = seen.query.find("tags=" + key) != std::string::npos;
    return json(200, asked ? R"({"servers":[)" + tagged + "]}" : R"({"servers":[]})");
  });
  const BackendAnswer found = calls().lookup(work, "vm.create");
  ASSERT_EQ(found.found.size(), 1U) << found.error.detail;
  EXPECT_EQ(found.found[0].ref, "vm-9");
}

TEST_F(CreateTest, DoublesAreFoundOldestFirst) {
  const WorkOrder work = order();
  const std::string tag =
      R"("metadata":{"slipway_key":")" + domain::correlation_key(work.task, "vm.create") + "\"}";
  const auto tagged = [&](const std::string& id, const std::string& created) {
    std::string text = server_json(id, "ACTIVE", "null", R"(,"created":")" + created + "\"");
    return text.replace(text.find(R"("metadata":{})"), 13, tag);
  };
  list_servers({tagged("young", "2026-01-02T00:00:00Z"), tagged("old", "2026-01-01T00:00:00Z")});
  const BackendAnswer found = calls().lookup(work, "vm.create");
  ASSERT_EQ(found.found.size(), 2U);
  EXPECT_EQ(found.found[0].ref, "old");
}

TEST_F(CreateTest, ALaterAttemptUsesThePortThatIsThere) {
  server.on("GET", kPorts, {json(200, R"({"ports":[{"id":"port-7","device_id":""}]})")});
  WorkOrder work = order();
  work.token = 2;
  EXPECT_EQ(calls().perform(work, "vm.create").ref, "vm-1");
  EXPECT_TRUE(server.requests("POST", kPorts).empty());
  EXPECT_THAT(server.requests("POST", kServers).at(0).body, HasSubstr(R"({"port":"port-7"})"));
}

TEST_F(CreateTest, ARefusalTakesThePortAwayAgain) {
  server.on("POST", kServers, {fault(403, "Quota exceeded for ram: Requested 2048")});
  server.on("DELETE", kPort1, {json(204, "")});
  const BackendAnswer made = calls().perform(order(), "vm.create");
  EXPECT_EQ(made.error.code, Errc::QuotaExceeded);
  EXPECT_EQ(made.error.detail, "Quota exceeded for ram: Requested 2048");
  EXPECT_EQ(made.error.backend_request_id, "req-77");
  EXPECT_TRUE(made.error.without_effect);
  EXPECT_EQ(server.requests("DELETE", kPort1).size(), 1U);
}

TEST_F(CreateTest, APortThatCannotBeTakenAwayIsAnEffect) {
  server.on("POST", kServers, {fault(400, "Can not find requested image")});
  server.on("DELETE", kPort1, {fault(500, "oops")});
  const BackendAnswer made = calls().perform(order(), "vm.create");
  EXPECT_EQ(made.error.code, Errc::BackendRefused);
  EXPECT_FALSE(made.error.without_effect);
}

TEST_F(CreateTest, APortWithoutAServerIsFoundForAnUndoOnly) {
  server.on("GET", kPorts, {json(200, R"({"ports":[{"id":"port-1","device_id":""}]})")});
  server.on("DELETE", kPort1, {json(204, "")});
  EXPECT_TRUE(calls().lookup(order(), "vm.create").found.empty());
  const BackendAnswer found = calls().lookup(order(), "vm.create", true);
  ASSERT_EQ(found.found.size(), 1U);
  const BackendAnswer undone =
      calls().perform(order(), "vm.create", found.found[0].ref, "vm.delete");
  EXPECT_EQ(undone.kind, Kind::Done);
  EXPECT_EQ(server.requests("DELETE", kPort1).size(), 1U);
}

TEST_F(CreateTest, ASizeThatNoFlavorHasIsRefusedClearly) {
  WorkOrder work = order();
  work.spec.size = {"", 3, 777, 5};
  const BackendAnswer made = calls().perform(work, "vm.create");
  EXPECT_EQ(made.error.code, Errc::CapacityExhausted);
  EXPECT_EQ(made.error.detail, "no flavor has 3 vCPU, 777 MB, 5 GB");
  EXPECT_TRUE(made.error.without_effect);
  EXPECT_TRUE(server.requests("POST", kPorts).empty());
}

TEST_F(CreateTest, ASizeThatNoFlavorHasIsMadeAPrivateFlavorWhereAllowed) {
  options.create_flavors = true;
  server.on("POST", "/compute/v2.1/flavors", {json(200, "{}")});
  server.on("POST", "/compute/v2.1/flavors/slipway-3c-777m-5g/action", {json(200, "{}")});
  WorkOrder work = order();
  work.spec.size = {"", 3, 777, 5};
  EXPECT_EQ(calls().perform(work, "vm.create").ref, "vm-1");
  EXPECT_THAT(server.requests("POST", "/compute/v2.1/flavors").at(0).body,
              HasSubstr(R"("os-flavor-access:is_public":false)"));
  EXPECT_THAT(server.requests("POST", kServers).at(0).body, HasSubstr("slipway-3c-777m-5g"));
}

TEST_F(CreateTest, AServerInErrorEndsTheTaskWithNovasFault) {
  list_servers({server_json("vm-1", "ERROR", "null",
                            R"(,"fault":{"code":500,"message":"No valid host was found. "})")});
  server.on("GET", "/compute/v2.1/servers/vm-1/os-instance-actions",
            {json(200, R"({"instanceActions":[{"action":"create","request_id":"req-create"}]})")});
  const BackendAnswer made = calls().run(order());
  EXPECT_EQ(made.error.code, Errc::CapacityExhausted);
  EXPECT_EQ(made.error.detail, "No valid host was found.");
  EXPECT_EQ(made.error.backend_request_id, "req-create");
  EXPECT_FALSE(made.error.retryable);
}

TEST_F(CreateTest, SecretsGoToNovaAndIntoNoError) {
  server.on("POST", kServers, {fault(400, "bad request")});
  server.on("DELETE", kPort1, {json(204, "")});
  WorkOrder work = order();
  work.spec.admin_secret = "secret-1";
  work.spec.user_data = "secret-2";
  calls().secrets.add("secret-1", base::Secret("top-secret"));
  calls().secrets.add("secret-2", base::Secret("#cloud-config"));
  const BackendAnswer made = calls().perform(work, "vm.create");
  const std::string body = server.requests("POST", kServers).at(0).body;
  EXPECT_THAT(body, HasSubstr(R"("adminPass":"top-secret")"));
  EXPECT_THAT(body, HasSubstr(R"("user_data":"I2Nsb3VkLWNvbmZpZw==")"));
  EXPECT_THAT(made.error.detail, Not(HasSubstr("top-secret")));
}

TEST_F(CreateTest, ACallThatRunsOutOfTimeIsAnsweredBeforeTheWorkerGivesUp) {
  list_servers({server_json("vm-1", "BUILD", "spawning")});
  const auto begun = std::chrono::steady_clock::now();
  const BackendAnswer waited = calls().perform(order(), "vm.await_running", "vm-1", {}, 4s);
  EXPECT_EQ(waited.kind, Kind::NotYet);
  EXPECT_LT(std::chrono::steady_clock::now() - begun, 4s);
}

TEST_F(CreateTest, WhoWaitsIsToldInTimeThoughTheCloudHangs) {
  Reply hanging = json(200, R"({"servers":[]})");
  hanging.delay = 10s;
  server.on("GET", kDetail, {hanging});
  const auto begun = std::chrono::steady_clock::now();
  const BackendAnswer waited = calls().perform(order(), "vm.await_running", "vm-1", {}, 4s);
  EXPECT_EQ(waited.kind, Kind::NotYet);
  EXPECT_LT(std::chrono::steady_clock::now() - begun, 4s);
}

class OrphanTest : public ScriptedCloud {
 protected:
  BackendAnswer remove_part(const std::string& kind) {
    WorkOrder work = order(CommandKind::OrphanPartDelete);
    work.args.orphan.emplace() = {kind, "port-1", "slipway-key"};
    return calls().perform(work, "part.delete");
  }
  void port(const std::string& installation, const std::string& device) {
    server.on("GET", kPort1,
              {json(200, R"({"port":{"id":"port-1","name":"slipway-key","device_id":")" + device +
                             R"(","description":"slipway installation=)" + installation +
                             R"( vm=v"}})")});
    server.on("DELETE", kPort1, {json(204, "")});
  }
  std::size_t deletes() { return server.requests("DELETE", kPort1).size(); }
};

TEST_F(OrphanTest, APortOfOursWithoutAServerGoes) {
  port("installation-1", "");
  EXPECT_EQ(remove_part("port").kind, Kind::Done);
  EXPECT_EQ(deletes(), 1U);
}

TEST_F(OrphanTest, WhatHasAServerByNowOrIsAnothersStays) {
  port("installation-1", "vm-1");
  EXPECT_EQ(remove_part("port").error.code, Errc::BackendRefused);
  port("installation-2", "");
  EXPECT_EQ(remove_part("port").error.code, Errc::BackendRefused);
  EXPECT_EQ(deletes(), 0U);
}

TEST_F(OrphanTest, WhatIsGoneIsDoneAndAnotherKindIsRefused) {
  EXPECT_EQ(remove_part("image").kind, Kind::Done);  // the cloud knows no image of that id
  EXPECT_EQ(remove_part("volume").error.code, Errc::BackendRefused);
}

}  // namespace
}  // namespace slipway::workers::openstack::test
