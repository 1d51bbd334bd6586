#include "workers/backends/openstack/api.hpp"

#include "tests/backends/openstack/scripted_cloud.hpp"

namespace slipway::workers::openstack::test {
namespace {

using base::Errc;
using testing::HasSubstr;

constexpr const char* kVm = "/compute/v2.1/servers/vm-1";

class ApiTest : public ScriptedCloud {
 protected:
  ApiTest() {
    server.on("GET", kVm, {json(200, R"({"server":)" + server_json("vm-1", "ACTIVE") + "}")});
  }
  BackendAnswer rename_answered(Reply reply) {
    server.on("PUT", kVm, {std::move(reply)});
    return calls().perform(order_on(CommandKind::VmRename), "vm.rename");
  }
};

TEST_F(ApiTest, TheLowerMicroversionOfBothIsSpoken) {
  EXPECT_EQ(rename_answered(json(200, "{}")).kind, Kind::Done);
  EXPECT_EQ(server.requests("PUT", kVm).at(0).header("openstack-api-version"), "compute 2.79");
  EXPECT_EQ(server.requests("GET", "/compute/v2.1/").size(), 1U);
}

TEST_F(ApiTest, AnOlderCloudIsSpokenToInItsOwnMicroversion) {
  server.on("GET", "/compute/v2.1/", {json(200, R"({"version":{"version":"2.60"}})")});
  EXPECT_EQ(rename_answered(json(200, "{}")).kind, Kind::Done);
  EXPECT_EQ(server.requests("PUT", kVm).at(0).header("openstack-api-version"), "compute 2.60");
}

TEST_F(ApiTest, TooManyRequestsAreThrottlingAndSayHowLongToWait) {
  Reply reply = fault(429, "slow down");
  reply.headers.push_back({"Retry-After", "7"});
  const BackendAnswer answer = rename_answered(std::move(reply));
  EXPECT_EQ(answer.error.code, Errc::RateLimited);
  EXPECT_TRUE(answer.error.throttled);
  EXPECT_TRUE(answer.error.without_effect);
  EXPECT_EQ(answer.error.retry_after, base::Duration(7s));
}

TEST_F(ApiTest, AnUnavailableServiceIsRetriedAfterTheTimeItAskedFor) {
  Reply reply = fault(503, "down for maintenance");
  reply.headers.push_back({"Retry-After", "30"});
  const BackendAnswer answer = rename_answered(std::move(reply));
  EXPECT_EQ(answer.error.code, Errc::BackendUnavailable);
  EXPECT_TRUE(answer.error.throttled);
  EXPECT_FALSE(answer.error.without_effect);
  EXPECT_EQ(answer.error.retry_after, base::Duration(30s));
  EXPECT_EQ(answer.error.detail, "down for maintenance");
}

TEST_F(ApiTest, AFaultKeepsTheCloudsWordsAndRequestId) {
  const BackendAnswer answer = rename_answered(fault(400, "Invalid input\\nfor name"));
  EXPECT_EQ(answer.error.code, Errc::BackendRefused);
  EXPECT_EQ(answer.error.detail, "Invalid input for name");
  EXPECT_EQ(answer.error.backend_request_id, "req-77");
  EXPECT_FALSE(answer.error.retryable);
}

TEST_F(ApiTest, FaultsAreMappedByStatusAndWords) {
  const struct {
    int status;
    const char* words;
    Errc code;
    bool retryable;
  } kCases[] = {
      {403, "Quota exceeded for ram: Requested 2048", Errc::QuotaExceeded, false},
      {403, "Policy doesn't allow it", Errc::BackendRefused, false},
      {404, "Instance could not be found.", Errc::NotFound, false},
      {409, "Cannot 'x' instance 1 while it is in vm_state active", Errc::IllegalTransition, false},
      {409, "Instance 1 is locked", Errc::BackendRefused, false},
      {409, "No more IP addresses available", Errc::CapacityExhausted, false},
      {500, "Unexpected API Error", Errc::BackendUnavailable, true},
      {501, "Not offered", Errc::BackendRefused, false},
      {502, "", Errc::BackendUnavailable, true},
  };
  for (const auto& expected : kCases) {
    const BackendAnswer answer = rename_answered(fault(expected.status, expected.words));
    EXPECT_EQ(answer.error.code, expected.code) << expected.status << expected.words;
    EXPECT_EQ(answer.error.retryable, expected.retryable) << expected.status << expected.words;
    EXPECT_FALSE(answer.error.detail.empty());
  }
}

TEST_F(ApiTest, AnAnswerOverEightMebibytesIsAFailureNotMemory) {
  const BackendAnswer answer =
      rename_answered(json(200, '"' + std::string(9 * 1024 * 1024, 'x') + '"'));
  EXPECT_EQ(answer.kind, Kind::Failed);
  EXPECT_THAT(answer.error.detail, HasSubstr("over"));
  EXPECT_EQ(backend->counters().too_large, 1U);
}

TEST_F(ApiTest, AnAnswerNestedTooDeepIsAFailure) {
  const BackendAnswer answer =
      rename_answered(json(200, std::string(80, '[') + std::string(80, ']')));
  EXPECT_EQ(answer.kind, Kind::Failed);
  EXPECT_THAT(answer.error.detail, HasSubstr("not JSON as it should be"));
}

TEST_F(ApiTest, ASlowAnswerTimesOutWithAnUnknownEffect) {
  options.request_timeout = 300ms;
  Reply slow = json(200, "{}");
  slow.delay = 2s;
  const BackendAnswer answer = rename_answered(std::move(slow));
  EXPECT_EQ(answer.kind, Kind::Failed);
  EXPECT_TRUE(answer.error.retryable);
  EXPECT_FALSE(answer.error.without_effect);
  EXPECT_EQ(backend->counters().timeouts, 1U);
}

TEST_F(ApiTest, AllPagesOfAListAreRead) {
  server.on("GET", "/compute/v2.1/servers/detail", [](const Seen& seen) {
    const bool second = seen.query.find("marker=vm-2") != std::string::npos;
    if (second) return json(200, R"({"servers":[)" + server_json("vm-3", "SHUTOFF") + "]}");
    return json(200, R"({"servers":[)" + server_json("vm-1", "ACTIVE") + "," +
                         server_json("vm-2", "ACTIVE") +
                         R"(],"servers_links":[{"rel":"next","href":"x"}]})");
  });
  server.on("GET", "/compute/v2.1/os-hypervisors/detail", {fault(403, "Policy doesn't allow it")});
  const BackendAnswer answer = calls().inventory();
  ASSERT_TRUE(answer.inventory) << answer.error.detail;
  ASSERT_EQ(answer.inventory->vms.size(), 3U);
  EXPECT_EQ(answer.inventory->vms[2].ref, "vm-3");
  EXPECT_EQ(answer.inventory->vms[2].state, domain::VmState::Stopped);
  EXPECT_EQ(answer.inventory->vms[0].size.flavor, "1");
  EXPECT_EQ(answer.inventory->vms[0].network_ref, "net-1");
  EXPECT_TRUE(answer.inventory->hosts.empty());
}

TEST_F(ApiTest, HalfAListIsNoInventory) {
  server.on("GET", "/image/v2/images", {fault(500, "oops")});
  const BackendAnswer answer = calls().inventory();
  EXPECT_EQ(answer.kind, Kind::Failed);
  EXPECT_FALSE(answer.inventory);
}

TEST_F(ApiTest, ConnectionsAreKept) {
  server.on("PUT", kVm, {json(200, "{}")});
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(calls().perform(order_on(CommandKind::VmRename), "vm.rename").kind, Kind::Done);
  }
  const Counters counters = backend->counters();
  EXPECT_GE(counters.requests, 40U);
  EXPECT_LE(counters.connections, 2U);
}

TEST_F(ApiTest, CallsOverTheLimitWaitTheirTurn) {
  options.max_in_flight = 2;
  std::atomic<int> now{0}, most{0};
  server.on("PUT", kVm, [&](const Seen&) {
    most = std::max(most.load(), ++now);
    std::this_thread::sleep_for(20ms);
    --now;
    return json(200, "{}");
  });
  int ended = 0;
  for (int i = 0; i < 10; ++i) {
    calls().start(order_on(CommandKind::VmRename), "vm.rename", "vm-1",
                  [&](BackendAnswer&&) { ++ended; });
  }
  EXPECT_TRUE(calls().wait_for([&] { return ended == 10; }, 10s));
  EXPECT_LE(most, 2);
}

TEST(OpenstackText, AnHttpDateIsRead) {
  EXPECT_EQ(parse_http_date("Mon, 30 Nov 2026 23:08:42 GMT"),
            base::parse_rfc3339("2026-11-30T23:08:42Z"));
  EXPECT_FALSE(parse_http_date("yesterday"));
  EXPECT_FALSE(parse_http_date("Mon, 30 Nox 2026 23:08:42 GMT"));
}

TEST_F(ApiTest, AConsoleAndStatisticsAreReadWithoutATask) {
  server.on("POST", std::string(kVm) + "/remote-consoles",
            {json(200, R"({"remote_console":{"type":"novnc","url":"https://c/?token=t"}})")});
  server.on("GET", std::string(kVm) + "/diagnostics", {json(200, R"({
      "cpu_details":[{"id":0,"time":1500000},{"id":1,"time":500000}],
      "memory_details":{"maximum":512,"used":256},
      "disk_details":[{"read_bytes":10,"write_bytes":20},{"read_bytes":1,"write_bytes":2}],
      "nic_details":[{"rx_octets":7,"tx_octets":8}]})")});
  WorkOrder asked = order_on(CommandKind::VmStart);
  const BackendAnswer console = calls().perform(asked, "vm.console_open");
  EXPECT_EQ(console.result.text, R"({"url":"https://c/?token=t","type":"novnc"})");
  const BackendAnswer stats = calls().perform(asked, "vm.stats");
  EXPECT_EQ(stats.result.text,
            R"({"cpu_time_us":2000,"memory_used_mb":256,"disk_read_bytes":11,)"
            R"("disk_written_bytes":22,"network_received_bytes":7,"network_sent_bytes":8})");
}

}  // namespace
}  // namespace slipway::workers::openstack::test
