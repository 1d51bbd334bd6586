// Dialect 002 against its specification: its own requests over a real socket, with the dates moved
// to when the test runs and without the comma before a bracket that makes one of them no JSON, and
// the answers compared member by member with the samples beside them.
#include <gmock/gmock.h>

#include "api/dialects/reservation/dates.hpp"
#include "tests/api/test_server.hpp"

namespace slipway::api::test {
namespace {

using namespace std::chrono_literals;  // NOLINT: tests
using reservation::date;
using reservation::minute;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;

constexpr std::string_view kUuid = "[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}";
constexpr std::string_view kStamp = "[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}";

// The specification's lease, as its answers show it.
const Json kSample = Json::parse(R"({
  "status": null, "user_id": null, "name": "lease_foo",
  "end_date": "2017-02-24T20:00:00.000000",
  "reservations": [{
    "status": "pending", "lease_id": "6ee55c78-ac52-41a6-99af-2d2d73bcc466", "min": 1, "max": 1,
    "resource_id": "5", "created_at": "2017-02-21 14:50:38", "updated_at": null,
    "hypervisor_properties": "[\"==\", \"$hypervisor_hostname\", \"compute\"]",
    "resource_properties": "", "id": "087bc740-6d2d-410b-9d47-c7b2b55a9d36",
    "resource_type": "physical:host", "before_end": "default"}],
  "created_at": "2017-02-21 14:50:38", "updated_at": null,
  "events": [{
    "status": "UNDONE", "lease_id": "6ee55c78-ac52-41a6-99af-2d2d73bcc466",
    "event_type": "start_lease", "created_at": "2017-02-21 14:50:38", "updated_at": null,
    "time": "2017-02-21T20:00:00.000000", "id": "188a8584-f832-4df9-9a4a-51e6364420ff"}],
  "id": "6ee55c78-ac52-41a6-99af-2d2d73bcc466", "action": null,
  "project_id": "aa45f56901ef45ee95e3d211097c0ea3", "status_reason": null,
  "start_date": "2017-02-21T20:00:00.000000", "trust_id": "b442a580b9504ababf305bf2b4c49512"})");

const std::vector<std::string> kHostKeys = {"status",
                                            "hypervisor_type",
                                            "created_at",
                                            "updated_at",
                                            "hypervisor_hostname",
                                            "memory_mb",
                                            "cpu_info",
                                            "vcpus",
                                            "service_name",
                                            "hypervisor_version",
                                            "local_gb",
                                            "id",
                                            "trust_id"};

std::vector<std::string> keys(const Json& object) {
  std::vector<std::string> out;
  for (const auto& [key, value] : object.items()) out.push_back(key);
  return out;
}

std::string text(const Json& value) { return value.is_string() ? value.get<std::string>() : ""; }

class Api {
 public:
  explicit Api(TestServer::Options options = {}) : server(std::move(options)) {}

  Answer ask(std::string_view method, std::string_view path, const std::string& body = "",
             std::string headers = "") {
    if (!body.empty() && headers.find("Content-Type") == std::string::npos) headers += kJsonType;
    std::string request = std::string(method) + " " + prefix + std::string(path) +
                          " HTTP/1.1\r\nHost: test\r\n" + headers;
    if (!body.empty()) request += "Content-Length: " + std::to_string(body.size()) + "\r\n";
    return server.ask(request + "\r\n" + body, method == "HEAD");
  }
  Json get(std::string_view path) {
    const Answer answer = ask("GET", path);
    EXPECT_EQ(answer.status, 200) << path << answer.body;
    return json_of(answer);
  }
  // The refusal's triple.
  void refuses(const Answer& answer, int status, const std::string& message) {
    const Json wanted{{"error_code", status}, {"error_message", message}, {"error_name", status}};
    EXPECT_EQ(answer.status, status);
    EXPECT_EQ(json_of(answer), wanted) << answer.body;
    EXPECT_EQ(answer.header("OpenStack-API-Version"), "reservation 1.0");
    EXPECT_EQ(answer.header("Vary"), "OpenStack-API-Version");
  }
  void enroll(int host, const std::string& more = "") {
    const Answer answer = ask("POST", "/v1/os-hosts",
                              R"({"name": "sim-host-)" + std::to_string(host) + "\"" + more + "}");
    EXPECT_LT(answer.status, 300) << answer.body;
  }
  // From the specification, with these dates.
  std::string request(base::Time from, base::Time to, const std::string& host = "sim-host-1") {
    return R"({
      "name": "lease_foo",
      "start_date": ")" +
           minute(from) + R"(",
      "end_date": ")" +
           minute(to) + R"(",
      "before_end_date": ")" +
           minute(to - 1h) + R"(",
      "reservations": [
        {
          "hypervisor_properties": "[\"==\", \"$hypervisor_hostname\", \")" +
           host + R"(\"]",
          "max": 1,
          "min": 1,
          "resource_type": "physical:host",
          "resource_properties": "",
          "before_end": "default"
        }
      ],
      "events": []
    })";
  }
  Json create(base::Time from, base::Time to) {
    const Answer answer = ask("POST", "/v1/leases", request(from, to));
    EXPECT_LT(answer.status, 300) << answer.body;
    return json_of(answer)["lease"];
  }
  base::Time in(base::Duration d) {
    return std::chrono::floor<std::chrono::minutes>(server.now()) + d;
  }
  static std::string lease_path(const Json& lease) { return "/v1/leases/" + text(lease["id"]); }

  TestServer server;
  std::string prefix = "/d/reservation";
};

void expect_lease_like_the_sample(const Json& ours) {
  EXPECT_EQ(keys(ours), keys(kSample));
  for (const Json& r : ours["reservations"]) EXPECT_EQ(keys(r), keys(kSample["reservations"][0]));
  for (const Json& e : ours["events"]) EXPECT_EQ(keys(e), keys(kSample["events"][0]));
}

// ---- leases ----

TEST(ReservationContract, CreatesTheLeaseOfTheSample) {
  Api api;
  api.enroll(1);
  const base::Time from = api.in(24h);
  const base::Time to = api.in(96h);
  const Answer answer = api.ask("POST", "/v1/leases", api.request(from, to));
  ASSERT_EQ(answer.status, 202) << answer.body;
  EXPECT_EQ(answer.header("Content-Type"), "application/json");
  EXPECT_EQ(answer.header("Location"), "/core/v1/tasks/" + answer.header("X-Task-Id"));
  EXPECT_TRUE(answer.has("Retry-After"));
  EXPECT_EQ(answer.header("OpenStack-API-Version"), "reservation 1.0");
  const Json lease = json_of(answer)["lease"];
  expect_lease_like_the_sample(lease);
  EXPECT_TRUE(lease["status"].is_null());
  EXPECT_EQ(lease["name"], "lease_foo");
  EXPECT_EQ(lease["start_date"], date(from));
  EXPECT_EQ(lease["end_date"], date(to));
  EXPECT_TRUE(lease["updated_at"].is_null());
  EXPECT_TRUE(lease["action"].is_null());
  EXPECT_THAT(text(lease["id"]), MatchesRegex(std::string(kUuid)));
  EXPECT_THAT(text(lease["created_at"]), MatchesRegex(std::string(kStamp)));
  EXPECT_THAT(text(lease["project_id"]), MatchesRegex("[0-9a-f]{32}"));
  EXPECT_THAT(text(lease["trust_id"]), MatchesRegex("[0-9a-f]{32}"));

  const Json reservation = lease["reservations"][0];
  EXPECT_EQ(reservation["status"], "pending");
  EXPECT_EQ(reservation["lease_id"], lease["id"]);
  EXPECT_EQ(reservation["min"], 1);
  EXPECT_EQ(reservation["max"], 1);
  EXPECT_EQ(reservation["resource_id"], "1");
  EXPECT_TRUE(reservation["updated_at"].is_null());
  EXPECT_EQ(reservation["hypervisor_properties"],
            R"(["==", "$hypervisor_hostname", "sim-host-1"])");
  EXPECT_EQ(reservation["resource_properties"], "");
  EXPECT_EQ(reservation["resource_type"], "physical:host");
  EXPECT_EQ(reservation["before_end"], "default");

  std::vector<std::pair<std::string, std::string>> events;
  for (const Json& e : lease["events"]) {
    EXPECT_EQ(e["status"], "UNDONE");
    EXPECT_EQ(e["lease_id"], lease["id"]);
    events.emplace_back(text(e["event_type"]), text(e["time"]));
  }
  EXPECT_THAT(events,
              ElementsAre(std::pair("start_lease", date(from)), std::pair("end_lease", date(to)),
                          std::pair("before_end_lease", date(to - 1h))));
  EXPECT_EQ(json_of(api.server.get(answer.header("Location"), ""))["state"], "SUCCEEDED");
}

TEST(ReservationContract, ShowsTheLeaseAsItWasAnswered) {
  Api api;
  api.enroll(1);
  const Json lease = api.create(api.in(24h), api.in(96h));
  EXPECT_EQ(api.get(Api::lease_path(lease))["lease"], lease);
  EXPECT_EQ(api.get("/v1/leases")["leases"], Json::array({lease}));
  EXPECT_EQ(api.get(Api::lease_path(lease) + ".json")["lease"], lease);
  EXPECT_EQ(api.get("/v1/leases.json?sort=ignored")["leases"].size(), 1U);
  EXPECT_EQ(api.ask("HEAD", "/v1/leases").status, 200);
  for (const char* id : {"6ee55c78-ac52-41a6-99af-2d2d73bcc466", "nonsense"}) {
    api.refuses(api.ask("GET", std::string("/v1/leases/") + id), 404,
                "Object with {'lease_id': '" + std::string(id) + "'} not found");
  }
}

TEST(ReservationContract, UpdatesTheLeaseOfTheSample) {
  Api api;
  api.enroll(1);
  const Json lease = api.create(api.in(24h), api.in(96h));
  const base::Time to = api.in(480h);
  const std::string body = R"({"name": "lease_new_foo", "end_date": ")" + minute(to) + R"("})";
  const Answer answer = api.ask("PUT", Api::lease_path(lease), body);
  ASSERT_EQ(answer.status, 202) << answer.body;
  const Json changed = json_of(answer)["lease"];
  expect_lease_like_the_sample(changed);
  EXPECT_EQ(changed["name"], "lease_new_foo");
  EXPECT_EQ(changed["end_date"], date(to));
  EXPECT_EQ(changed["start_date"], lease["start_date"]);
  EXPECT_THAT(text(changed["updated_at"]), MatchesRegex(std::string(kStamp)));
  EXPECT_TRUE(changed["events"][0]["updated_at"].is_null());
  EXPECT_FALSE(changed["events"][1]["updated_at"].is_null());
  EXPECT_EQ(changed["events"][1]["time"], date(to));
  EXPECT_EQ(changed["events"][2]["time"], date(to - 48h));  // as the sample has it
  EXPECT_EQ(changed["events"][1]["id"], lease["events"][1]["id"]);
  EXPECT_EQ(api.get(Api::lease_path(lease))["lease"], changed);
  // The sample as it is printed is no JSON.
  api.refuses(api.ask("PUT", Api::lease_path(lease), R"({"name": "x", "end_date": "now",})"), 400,
              "the body is not valid JSON");
}

TEST(ReservationContract, DeletesTheLease) {
  Api api;
  api.enroll(1);
  const Json lease = api.create(api.in(24h), api.in(96h));
  const Answer answer = api.ask("DELETE", Api::lease_path(lease));
  EXPECT_EQ(answer.status, 204);
  EXPECT_EQ(answer.body, "");
  EXPECT_TRUE(answer.has("X-Task-Id"));
  EXPECT_EQ(api.ask("GET", Api::lease_path(lease)).status, 404);
  EXPECT_EQ(api.ask("DELETE", Api::lease_path(lease)).status, 404);
  EXPECT_EQ(api.get("/v1/leases")["leases"], Json::array());
  EXPECT_EQ(text(api.create(api.in(24h), api.in(96h))["name"]), "lease_foo");
}

TEST(ReservationContract, RefusesWithTheTextsThatClientsKnow) {
  Api api;
  api.enroll(1);
  const std::string from = minute(api.in(24h));
  const std::string to = minute(api.in(48h));
  const auto lease = [&](const std::string& dates, const std::string& reservation = "") {
    return R"({"name": "a", )" + dates + R"(, "reservations": [)" + reservation + "]}";
  };
  const std::string good = R"("start_date": ")" + from + R"(", "end_date": ")" + to + R"(")";
  const std::string host = R"({"resource_type": "physical:host", "min": 1, "max": 1)";
  struct Row {
    std::string body;
    int status;
    std::string message;
  };
  for (const Row& row : std::vector<Row>{
           {R"({"start_date": "now"})", 400, "Missing parameter name"},
           {R"({"name": "a"})", 400, "Missing parameter start_date"},
           {R"({"name": "a", "start_date": "now", "end_date": null})", 400,
            "Missing parameter end_date"},
           {R"({"name": "a", "start_date": "2017-13-21 20:00", "end_date": "now"})", 400,
            "2017-13-21 20:00 is an invalid date. Required format: %Y-%m-%d %H:%M"},
           {R"({"name": "a", "start_date": "2017-2-21 20:00", "end_date": "2017-2-24 20:00"})", 400,
            "Start date must be later than current date"},
           {lease(R"("start_date": ")" + to + R"(", "end_date": ")" + from + R"(")"), 400,
            "End date must be later than start date."},
           {lease(good, R"({"min": 1})"), 400, "Missing parameter resource_type"},
           {lease(good, R"({"resource_type": "virtual:instance"})"), 400,
            "The virtual:instance resource type is not supported"},
           {lease(good, R"({"resource_type": "physical:host", "max": 1})"), 400,
            "Missing parameter min"},
           {lease(good, R"({"resource_type": "physical:host", "min": "x", "max": 1})"), 400,
            "Malformed parameter min"},
           {lease(good, host + R"(, "resource_properties": "[\"~\"]"})"), 400,
            R"(Malformed requirements ["~"])"},
           {lease(good, host + R"(, "before_end": "explode"})"), 400,
            "Malformed parameter before_end"},
           {lease(good, host + R"(, "resource_properties": "[\"==\", \"$rack\", \"9\"]"})"), 409,
            "Not enough hosts available"},
       }) {
    SCOPED_TRACE(row.body);
    api.refuses(api.ask("POST", "/v1/leases", row.body), row.status, row.message);
  }
  api.create(api.in(24h), api.in(48h));
  api.refuses(api.ask("POST", "/v1/leases", api.request(api.in(48h), api.in(72h))), 409,
              "The lease with name: lease_foo already exists");
}

TEST(ReservationContract, ALeaseRunsItsLife) {
  Api api;
  api.enroll(1);
  const Json lease = api.create(api.in(10min), api.in(3h));
  const auto now = [&] { return api.get(Api::lease_path(lease))["lease"]; };
  api.server.pass(10min);
  EXPECT_EQ(now()["status"], "ACTIVE");
  EXPECT_EQ(now()["reservations"][0]["status"], "active");
  EXPECT_EQ(now()["events"][0]["status"], "DONE");
  const Json vm{{"name", "web"},
                {"flavor", "m1.nano"},
                {"image", "cirros-0.5.1-x86_64-disk"},
                {"host", "sim-host-1"}};
  const Answer made = api.server.post("/core/v1/vms", vm.dump(), "Prefer: wait=10\r\n");
  ASSERT_EQ(made.status, 200) << made.body;
  api.server.pass(2h);
  EXPECT_EQ(now()["events"][2]["status"], "DONE");
  api.server.pass(1h);
  EXPECT_EQ(now()["status"], "TERMINATED");
  EXPECT_EQ(now()["reservations"][0]["status"], "deleted");
  EXPECT_EQ(now()["events"][1]["status"], "DONE");
  // Its VM is deleted by a task of its own.
  const Json tasks = json_of(api.server.get("/core/v1/tasks?command=vm.delete"));
  ASSERT_EQ(tasks["items"].size(), 1U);
  EXPECT_EQ(tasks["items"][0]["dialect"], "reservation");
  api.refuses(
      api.ask("PUT", Api::lease_path(lease), R"({"end_date": ")" + minute(api.in(9h)) + "\"}"), 400,
      "Terminated leases can only be renamed");
  EXPECT_EQ(api.ask("PUT", Api::lease_path(lease), R"({"name": "past"})").status, 202);
}

TEST(ReservationContract, AStartOfNowIsActiveAtOnce) {
  Api api;
  api.enroll(1);
  const Answer answer =
      api.ask("POST", "/v1/leases",
              R"({"name": "n", "start_date": "now", "end_date": ")" + minute(api.in(2h)) +
                  R"(", "before_end_date": null, "reservations": [{"resource_type":
                  "physical:host", "min": 1, "max": 1, "hypervisor_properties": "",
                  "resource_properties": ""}], "events": []})");
  ASSERT_EQ(answer.status, 202) << answer.body;
  EXPECT_EQ(api.get("/v1/leases")["leases"][0]["status"], "ACTIVE");
}

// ---- hosts ----

TEST(ReservationContract, EnrollsShowsChangesAndWithdrawsAHost) {
  Api api;
  Answer answer = api.ask("POST", "/v1/os-hosts", R"({"name": "sim-host-2"})");
  ASSERT_EQ(answer.status, 202) << answer.body;
  const Json host = json_of(answer)["host"];
  EXPECT_EQ(keys(host), kHostKeys);
  EXPECT_EQ(host["hypervisor_hostname"], "sim-host-2");
  EXPECT_EQ(host["hypervisor_type"], "QEMU");
  EXPECT_EQ(host["hypervisor_version"], 2005000);
  EXPECT_EQ(host["id"], "2");
  EXPECT_TRUE(host["status"].is_null());
  EXPECT_TRUE(host["updated_at"].is_null());
  EXPECT_GT(host["vcpus"], 0);
  EXPECT_GT(host["memory_mb"], 0);
  EXPECT_GT(host["local_gb"], 0);
  EXPECT_EQ(api.get("/v1/os-hosts")["hosts"], Json::array({host}));
  EXPECT_EQ(api.get("/v1/os-hosts/2")["host"], host);
  EXPECT_EQ(api.get("/v1/os-hosts/sim-host-2.json")["host"], host);

  answer = api.ask("PUT", "/v1/os-hosts/2", R"({"values": {"banana": "false"}})");
  ASSERT_EQ(answer.status, 202) << answer.body;
  EXPECT_EQ(json_of(answer)["banana"], "false");
  EXPECT_EQ(json_of(answer)["hypervisor_hostname"], "sim-host-2");
  EXPECT_EQ(json_of(answer)["host"]["banana"], "false");
  answer = api.ask("PUT", "/v1/os-hosts/2", R"({"gpus": 4})");
  EXPECT_EQ(json_of(answer)["host"]["gpus"], "4");
  EXPECT_EQ(api.get("/v1/os-hosts/2")["host"]["banana"], "false");

  answer = api.ask("DELETE", "/v1/os-hosts/2");
  EXPECT_EQ(answer.status, 204);
  EXPECT_EQ(answer.body, "");
  api.refuses(api.ask("GET", "/v1/os-hosts/2"), 404, "Object with {'host_id': '2'} not found");
}

TEST(ReservationContract, RefusesHosts) {
  Api api;
  api.refuses(api.ask("POST", "/v1/os-hosts", R"({"name": "none"})"), 404,
              "Object with {'host_id': 'none'} not found");
  api.refuses(api.ask("POST", "/v1/os-hosts", R"({"rack": "1"})"), 400, "Missing parameter name");
  api.refuses(api.ask("POST", "/v1/os-hosts",
                      R"({"name": "sim-host-1", ")" + std::string(65, 'k') + R"(": "v"})"),
              400, "Extra capability key too long");
  api.enroll(1, R"(, "rack": "7")");
  api.refuses(api.ask("POST", "/v1/os-hosts", R"({"name": "sim-host-1"})"), 409,
              "The host sim-host-1 is enrolled already");
  const Json vm{{"name", "web"},
                {"flavor", "m1.nano"},
                {"image", "cirros-0.5.1-x86_64-disk"},
                {"host", "sim-host-2"}};
  ASSERT_EQ(api.server.post("/core/v1/vms", vm.dump()).status, 202);
  api.refuses(api.ask("POST", "/v1/os-hosts", R"({"name": "sim-host-2"})"), 409,
              "Servers found for host sim-host-2");
  api.refuses(api.ask("PUT", "/v1/os-hosts/1", "{}"), 400,
              "the body must be an object that is not empty");
  EXPECT_EQ(api.ask("PUT", "/v1/os-hosts/1").status, 400);
  api.create(api.in(24h), api.in(48h));
  api.refuses(api.ask("DELETE", "/v1/os-hosts/1"), 409,
              "Can't delete host sim-host-1. It is allocated to a reservation");
}

TEST(ReservationContract, ShowsAllocations) {
  Api api;
  api.enroll(1);
  api.enroll(3);
  const Json lease = api.create(api.in(24h), api.in(48h));
  const Json booking{{"id", lease["reservations"][0]["id"]},
                     {"lease_id", lease["id"]},
                     {"start_date", lease["start_date"]},
                     {"end_date", lease["end_date"]}};
  const Json first{{"resource_id", "1"}, {"reservations", Json::array({booking})}};
  const Json third{{"resource_id", "3"}, {"reservations", Json::array()}};
  EXPECT_EQ(api.get("/v1/os-hosts/allocations")["allocations"], Json::array({first, third}));
  EXPECT_EQ(api.get("/v1/os-hosts/1/allocation")["allocation"], first);
  EXPECT_EQ(api.get("/v1/os-hosts/3/allocation")["allocation"], third);
  for (const std::string& filter :
       {"lease_id=" + text(lease["id"]), "reservation_id=" + text(booking["id"])}) {
    EXPECT_EQ(api.get("/v1/os-hosts/allocations?" + filter)["allocations"], Json::array({first}));
  }
  EXPECT_EQ(api.get("/v1/os-hosts/allocations?lease_id=x")["allocations"], Json::array());
  EXPECT_EQ(api.ask("GET", "/v1/os-hosts/9/allocation").status, 404);
}

TEST(ReservationContract, ShowsAndHidesProperties) {
  Api api;
  api.enroll(1, R"(, "rack": "r1", "gpu": "yes")");
  api.enroll(2, R"(, "rack": "r2")");
  EXPECT_EQ(api.get("/v1/os-hosts/properties")["resource_properties"],
            Json::parse(R"([{"property": "gpu"}, {"property": "rack"}])"));
  Answer answer = api.ask("PATCH", "/v1/os-hosts/properties/gpu", R"({"private": true})");
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(json_of(answer)["resource_property"],
            Json::parse(R"({"property": "gpu", "private": true})"));
  EXPECT_EQ(api.get("/v1/os-hosts/properties?detail=True")["resource_properties"],
            Json::parse(R"([{"property": "rack", "private": false, "values": ["r1", "r2"]}])"));
  EXPECT_EQ(api.get("/v1/os-hosts/properties?detail=True&all=True")["resource_properties"].size(),
            2U);
  api.refuses(api.ask("PATCH", "/v1/os-hosts/properties/none", R"({"private": true})"), 404,
              "Object with {'property_name': 'none'} not found");
  api.refuses(api.ask("PATCH", "/v1/os-hosts/properties/gpu", R"({"private": 1})"), 400,
              "Missing parameter private");
}

TEST(ReservationContract, FloatingIpsComeAndGo) {
  Api api;
  const std::string network = "f88b9acb-ced3-49f1-8522-604be33d8863";
  const Answer answer = api.ask(
      "POST", "/v1/floatingips",
      R"({"floating_network_id": ")" + network + R"(", "floating_ip_address": "172.24.4.2"})");
  ASSERT_EQ(answer.status, 201) << answer.body;
  const Json ip = json_of(answer)["floatingip"];
  EXPECT_EQ(ip["floating_ip_address"], "172.24.4.2");
  EXPECT_EQ(ip["floating_network_id"], network);
  EXPECT_EQ(api.get("/v1/floatingips")["floatingips"], Json::array({ip}));
  EXPECT_EQ(api.get("/v1/floatingips/" + text(ip["id"]))["floatingip"], ip);
  EXPECT_EQ(api.ask("DELETE", "/v1/floatingips/" + text(ip["id"])).status, 204);
  EXPECT_EQ(api.ask("GET", "/v1/floatingips/" + text(ip["id"])).status, 404);
  api.refuses(api.ask("POST", "/v1/floatingips", R"({"floating_network_id": "x"})"), 400,
              "Missing parameter floating_ip_address");
}

TEST(ReservationContract, ALongListComesInPieces) {
  Api api;
  const std::string network = "f88b9acb-ced3-49f1-8522-604be33d8863";
  EXPECT_EQ(api.ask("GET", "/v1/floatingips").header("Transfer-Encoding"), "");
  std::vector<std::string> made;
  for (int i = 0; i < 300; ++i) {  // of some 250 bytes each
    made.push_back("172.24." + std::to_string(i / 200) + "." + std::to_string(i % 200 + 1));
    ASSERT_EQ(api.ask("POST", "/v1/floatingips",
                      R"({"floating_network_id": ")" + network + R"(", "floating_ip_address": ")" +
                          made.back() + R"("})")
                  .status,
              201);
  }
  const Answer answer = api.ask("GET", "/v1/floatingips");
  EXPECT_EQ(answer.header("Transfer-Encoding"), "chunked");
  EXPECT_EQ(answer.header("OpenStack-API-Version"), "reservation 1.0");
  EXPECT_GT(answer.body.size(), 65536U);
  std::vector<std::string> seen;
  const Json body = json_of(answer);
  for (const Json& ip : body["floatingips"]) seen.push_back(text(ip["floating_ip_address"]));
  EXPECT_EQ(seen, made);
}

TEST(ReservationContract, HypervisorsAreTheHostsOfTheCloud) {
  Api api;
  const Json all = api.get("/compute/v2.1/os-hypervisors")["hypervisors"];
  ASSERT_EQ(all.size(), 4U);
  EXPECT_EQ(all[0], Json::parse(R"({"id": 1, "hypervisor_hostname": "sim-host-1", "state": "up",
                                    "status": "enabled"})"));
  const Json detail = api.get("/compute/v2.1/os-hypervisors/detail")["hypervisors"][0];
  EXPECT_EQ(detail["hypervisor_hostname"], "sim-host-1");
  EXPECT_EQ(detail["hypervisor_type"], "QEMU");
  EXPECT_EQ(detail["running_vms"], 0);
  api.enroll(1);
  const Json lost{{"command", "host.set_alive"}, {"args", {{"host", "sim-host-1"}}}};
  ASSERT_LT(api.server.post("/core/v1/commands", lost.dump()).status, 300);
  EXPECT_EQ(api.get("/compute/v2.1/os-hypervisors")["hypervisors"][0]["state"], "down");
}

// ---- the service ----

TEST(ReservationContract, VersionsAreAnsweredWith300) {
  Api api;
  for (const std::string path : {"", "/", "/versions"}) {
    const Answer answer = api.ask("GET", path);
    EXPECT_EQ(answer.status, 300) << path;
    const Json version = json_of(answer)["versions"][0];
    EXPECT_EQ(version["id"], "v1.0");
    EXPECT_EQ(version["status"], "CURRENT");
    EXPECT_EQ(version["links"][0]["href"], "http://test/d/reservation/v1");
    EXPECT_EQ(version["min_version"], "1.0");
    EXPECT_EQ(version["max_version"], "1.0");
  }
}

TEST(ReservationContract, IsServedAtTheRootOfAPortOfItsOwn) {
  Api api;
  for (const std::string path : {"/v1/leases", "/reservation/v1/leases", "/v1/leases.json",
                                 "/v1/leases/", "/compute/v2.1/os-hypervisors"}) {
    RawClient client(api.server.reservation_port());
    const auto answer = client.ask("GET " + path + " HTTP/1.1\r\nHost: test\r\n\r\n");
    ASSERT_TRUE(answer.has_value());
    EXPECT_EQ(answer->status, 200) << path;
  }
  RawClient client(api.server.reservation_port());
  const auto answer = client.ask("GET / HTTP/1.1\r\nHost: blazar:1234\r\n\r\n");
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->status, 300);
  EXPECT_EQ(json_of(*answer)["versions"][0]["links"][0]["href"], "http://blazar:1234/v1");
}

TEST(ReservationContract, AnotherVersionThanItsOwnIs406) {
  Api api;
  for (const char* good : {"reservation 1.0", "reservation latest", "compute 2.90"}) {
    const auto header = "OpenStack-API-Version: " + std::string(good) + "\r\n";
    EXPECT_EQ(api.ask("GET", "/v1/leases", "", header).status, 200) << good;
  }
  api.refuses(api.ask("GET", "/v1/leases", "", "OpenStack-API-Version: reservation 9.9\r\n"), 406,
              "only version reservation 1.0 is served");
}

TEST(ReservationContract, AWrongVerbIs405InItsOwnForm) {
  Api api;
  for (const char* path : {"/v1/leases", "/v1/leases.json", "/v1/floatingips"}) {
    const Answer answer = api.ask("DELETE", path);
    EXPECT_EQ(answer.status, 405) << path;
    EXPECT_EQ(json_of(answer)["error"], 405);
    EXPECT_THAT(text(json_of(answer)["error_message"]), HasSubstr("GET"));
    EXPECT_THAT(answer.header("Allow"), HasSubstr("GET"));
    EXPECT_EQ(answer.header("OpenStack-API-Version"), "reservation 1.0");
  }
  api.refuses(api.ask("GET", "/v1/none"), 404, "no such path");
}

TEST(ReservationContract, ABodyThatIsNotJsonIs400) {
  Api api;
  const std::string body = R"({"name": "sim-host-1"})";
  api.refuses(api.ask("POST", "/v1/os-hosts", body, "Content-Type: text/plain\r\n"), 400,
              "the body must be application/json");
  api.refuses(api.ask("POST", "/v1/os-hosts", "[1]"), 400,
              "the body must be an object that is not empty");
  EXPECT_EQ(api.ask("POST", "/v1/os-hosts.json", body, "Content-Type: text/plain\r\n").status, 202);
}

TEST(ReservationContract, TheModernProfileHasItsOwnCodesAndMembers) {
  Api api({.reservation = {.modern = true, .before_end_lead = base::Duration(60min)}});
  Answer answer = api.ask("POST", "/v1/os-hosts", R"({"name": "sim-host-1"})");
  EXPECT_EQ(answer.status, 201);
  EXPECT_EQ(json_of(answer)["host"]["reservable"], true);
  EXPECT_EQ(api.ask("PUT", "/v1/os-hosts/1", R"({"a": "b"})").status, 200);
  answer = api.ask("POST", "/v1/leases", api.request(api.in(24h), api.in(48h)));
  EXPECT_EQ(answer.status, 201);
  const Json lease = json_of(answer)["lease"];
  EXPECT_EQ(lease["status"], "PENDING");
  EXPECT_EQ(lease["degraded"], false);
  EXPECT_EQ(lease["reservations"][0]["missing_resources"], false);
  EXPECT_EQ(lease["reservations"][0]["resources_changed"], false);
  const std::string end = minute(api.in(72h));
  answer = api.ask("PUT", Api::lease_path(lease), R"({"end_date": ")" + end + "\"}");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(json_of(answer)["lease"]["events"][2]["time"], date(api.in(71h)));
}

TEST(ReservationContract, WhoAsksIsInXAuthToken) {
  TestServer::Options options;
  Api api(std::move(options));
  const std::string token = api.server.make_token("demo", "operator");
  const std::string other = api.server.make_token("other", "operator");
  const auto as = [](const std::string& t) { return "X-Auth-Token: " + t + "\r\n"; };
  api.enroll(1);
  const Json lease = api.create(api.in(24h), api.in(48h));
  EXPECT_EQ(api.ask("GET", Api::lease_path(lease), "", as(token)).status, 200);
  EXPECT_EQ(api.ask("GET", Api::lease_path(lease), "", as("notused")).status, 200);
  EXPECT_EQ(api.ask("GET", "/v1/leases", "", as("wrong")).status, 401);
  // Another tenant's lease is not there.
  EXPECT_EQ(api.ask("GET", Api::lease_path(lease), "", as(other)).status, 404);
  EXPECT_EQ(api.ask("PUT", Api::lease_path(lease), R"({"name": "x"})", as(other)).status, 404);
  EXPECT_EQ(api.ask("DELETE", Api::lease_path(lease), "", as(other)).status, 404);
  EXPECT_EQ(json_of(api.ask("GET", "/v1/leases", "", as(other)))["leases"], Json::array());
  EXPECT_EQ(json_of(api.ask("GET", "/v1/os-hosts/1/allocation", "",
                            as(other)))["allocation"]["reservations"],
            Json::array());
  // Hosts are for administrators.
  EXPECT_EQ(api.ask("DELETE", "/v1/os-hosts/1", "", as(token)).status, 403);
}

TEST(ReservationContract, WithoutDemoModeEverybodyNeedsAToken) {
  TestServer::Options options;
  options.demo = false;
  Api api(std::move(options));
  const Answer answer = api.ask("GET", "/v1/leases");
  EXPECT_EQ(answer.status, 401);
  EXPECT_EQ(json_of(answer)["error_code"], 401);
  EXPECT_EQ(api.ask("GET", "/v1/leases", "", "X-Auth-Token: notused\r\n").status, 401);
  EXPECT_EQ(api.ask("GET", "/versions").status, 300);
}

TEST(ReservationContract, ASettingTakesAnyToken) {
  TestServer::Options options;
  options.demo = false;
  options.reservation.accept_any_token = true;
  Api api(std::move(options));
  EXPECT_EQ(api.ask("GET", "/v1/leases", "", "X-Auth-Token: anything\r\n").status, 200);
  EXPECT_EQ(api.ask("GET", "/v1/leases").status, 401);
}

TEST(ReservationContract, ARepeatUnderTheSameKeyMakesOneLease) {
  Api api;
  api.enroll(1);
  const std::string body = api.request(api.in(24h), api.in(48h));
  const Answer first = api.ask("POST", "/v1/leases", body, "Idempotency-Key: k1\r\n");
  const Answer again = api.ask("POST", "/v1/leases", body, "Idempotency-Key: k1\r\n");
  EXPECT_EQ(again.status, 202);
  EXPECT_EQ(again.body, first.body);
  EXPECT_EQ(again.header("Idempotency-Replayed"), "true");
}

}  // namespace
}  // namespace slipway::api::test
