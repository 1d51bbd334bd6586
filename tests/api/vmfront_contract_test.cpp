// Dialect 000 against its own specification: each of its requests is taken from the text and sent
// as it stands, and the answer is compared with the sample beside it.
#include <gmock/gmock.h>

#include <fstream>
#include <regex>
#include <sstream>

#include "tests/api/test_server.hpp"

namespace slipway::api::test {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;

constexpr std::string_view kDemo = "user: demo\r\npassword: test\r\nproject_name: demo\r\n";

std::string specification() {
  std::ifstream file(SLIPWAY_SOURCE_DIR "/tests/contract/samples/vmfront.txt");
  std::stringstream text;
  text << file.rdbuf();
  std::string all = text.str();
  // A backslash at the end of a line goes on with the next.
  for (std::size_t at = 0; (at = all.find("\\\n", at)) != std::string::npos;) all.erase(at, 2);
  return all;
}

struct Sample {
  std::string request;
  int status = 0;
  std::string content_type;
  std::string body;
};

std::string between(const std::string& text, const std::string& from, const std::string& to) {
  const std::size_t begin = text.find(from);
  if (begin == std::string::npos) return "";
  const std::size_t start = begin + from.size();
  return text.substr(start, text.find(to, start) - start);
}

// The section with that title: its curl line as a request, its answer as sent.
Sample sample_of(const std::string& title) {
  static const std::string kAll = specification();
  const std::string section = kAll.substr(kAll.find("\n" + title + "\n"));
  const std::string curl = between(section, "curl -i ", " ; echo");
  Sample sample;
  std::string headers = "Host: api.example:8081\r\n";
  for (std::size_t at = 0; (at = curl.find("-H \"", at)) != std::string::npos; ++at) {
    headers += curl.substr(at + 4, curl.find('"', at + 4) - at - 4) + "\r\n";
  }
  const std::string data = between(curl, "-d '", "'");
  const std::string path = between(curl, "http://<API_HOST>:8081", "\"");
  sample.request = (data.empty() ? "GET " : "POST ") + path + " HTTP/1.1\r\n" + headers;
  if (!data.empty()) sample.request += "Content-Length: " + std::to_string(data.size()) + "\r\n";
  sample.request += "\r\n" + data;
  const std::string answer = section.substr(section.find("HTTP/1.0 "));
  sample.status = std::stoi(answer.substr(9, 3));
  sample.content_type = between(answer, "Content-Type: ", "\n");
  const std::size_t body = answer.find("\n\n") + 2;
  sample.body = answer.substr(body, answer.find('\n', body) - body);
  sample.body =
      std::regex_replace(sample.body, std::regex("<(REST_)?API_HOST>"), "api.example:8081");
  return sample;
}

// The same members in the same order, and the same kinds of value; ours may not lack or add one.
void expect_same_shape(const Json& sample, const Json& ours, const std::string& where) {
  ASSERT_EQ(sample.type(), ours.type()) << where << ": " << ours.dump();
  if (sample.is_array() && !sample.empty()) {
    ASSERT_FALSE(ours.empty()) << where;
    for (const auto& item : ours) expect_same_shape(sample[0], item, where + "[]");
  }
  if (!sample.is_object()) return;
  std::vector<std::string> wanted, found;
  for (const auto& [key, value] : sample.items()) wanted.push_back(key);
  for (const auto& [key, value] : ours.items()) found.push_back(key);
  ASSERT_EQ(wanted, found) << where;
  for (const auto& [key, value] : sample.items()) {
    expect_same_shape(value, ours[key], where + "." + key);
  }
}

// Times of day are when the test runs.
std::string without_times(const std::string& text) {
  return std::regex_replace(text, std::regex(R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)"), "<time>");
}

TEST(VmfrontContract, FlavorsAreTheSampleByteForByte) {
  TestServer server;
  const Sample sample = sample_of("list of flavors");
  const Answer answer = server.ask(sample.request);
  EXPECT_EQ(answer.status, sample.status);
  EXPECT_EQ(answer.header("Content-Type"), sample.content_type);
  EXPECT_EQ(answer.body, sample.body);
}

TEST(VmfrontContract, NetworksAreTheSampleButForTheTimes) {
  TestServer server;
  const Sample sample = sample_of("list of networks");
  const Answer answer = server.ask(sample.request);
  EXPECT_EQ(answer.status, sample.status);
  EXPECT_EQ(without_times(answer.body), without_times(sample.body));
}

TEST(VmfrontContract, ImagesAreTheSampleButForTheTimes) {
  TestServer server;
  const Sample sample = sample_of("list of images");
  const Answer answer = server.ask(sample.request);
  EXPECT_EQ(answer.status, sample.status);
  EXPECT_EQ(without_times(answer.body), without_times(sample.body));
}

TEST(VmfrontContract, CreateAnswersAtOnceWithIdAndPassword) {
  TestServer server;
  server.worker().hold();
  const Sample sample = sample_of("create virtual machine");
  const Answer answer = server.ask(sample.request);
  ASSERT_EQ(answer.status, sample.status) << answer.body;
  EXPECT_EQ(answer.header("Content-Type"), sample.content_type);
  expect_same_shape(Json::parse(sample.body), json_of(answer), "");
  const Json made = json_of(answer)["server"];
  EXPECT_THAT(made["adminPass"].get<std::string>(), MatchesRegex("[A-Za-z0-9]{12}"));
  const std::string id = made["id"];
  EXPECT_EQ(made["links"][0]["href"], "http://api.example:8081/compute/v2.1/servers/" + id);
  EXPECT_EQ(answer.body.size(), sample.body.size());
  EXPECT_TRUE(answer.has("X-Task-Id"));
  EXPECT_EQ(answer.header("Location"), "/core/v1/tasks/" + answer.header("X-Task-Id"));
  const std::string log = server.get("/core/v1/events?from=0").body;
  EXPECT_THAT(log, Not(HasSubstr(made["adminPass"].get<std::string>())));
}

TEST(VmfrontContract, TheListHasTheSamplesShape) {
  TestServer server;
  const Answer made = server.ask(sample_of("create virtual machine").request);
  const Answer done = server.get(made.header("Location") + "?wait=20s");
  ASSERT_EQ(json_of(done)["state"], "SUCCEEDED") << done.body;
  const Sample sample = sample_of("list of virtual machines");
  const Answer answer = server.ask(sample.request);
  EXPECT_EQ(answer.status, sample.status);
  EXPECT_EQ(answer.header("Content-Type"), sample.content_type);
  const Json wanted = Json::parse(sample.body);
  const Json ours = json_of(answer);
  expect_same_shape(wanted, ours, "");
  const Json& vm = ours["servers"][0];
  const Json& theirs = wanted["servers"][0];
  for (const char* same :
       {"status", "tenant_id", "user_id", "metadata", "image", "flavor", "accessIPv4",
        "OS-DCF:diskConfig", "progress", "OS-EXT-AZ:availability_zone", "key_name",
        "OS-SRV-USG:terminated_at", "OS-EXT-STS:task_state", "OS-EXT-STS:vm_state",
        "OS-EXT-STS:power_state", "security_groups"}) {
    EXPECT_EQ(vm[same], theirs[same]) << same;
  }
  EXPECT_EQ(vm["name"], "test_13");
  EXPECT_EQ(vm["id"], json_of(made)["server"]["id"]);
  EXPECT_THAT(vm["created"].get<std::string>(), MatchesRegex("[0-9-]{10}T[0-9:]{8}Z"));
  EXPECT_THAT(vm["OS-SRV-USG:launched_at"].get<std::string>(),
              MatchesRegex("[0-9-]{10}T[0-9:]{8}\\.[0-9]{6}"));
  EXPECT_EQ(vm["hostId"].get<std::string>().size(), 56U);
}

TEST(VmfrontContract, TheStatisticIsPythonsOwnNotation) {
  TestServer server;
  server.ask(sample_of("create virtual machine").request);
  const Sample sample = sample_of("get statistics (virtual machines in every hour for 1 day)");
  const Answer answer = server.ask(sample.request);
  EXPECT_EQ(answer.status, sample.status);
  EXPECT_EQ(answer.header("Content-Type"), sample.content_type);
  EXPECT_THAT(answer.body, MatchesRegex(R"(\[.*\{'timestamp': '[0-9-]{10} [0-9]{2}:00:00', )"
                                        R"('virtual_machines_number': 1\}\])"));
  const std::string json = std::string(kDemo) + "Accept: application/json\r\n";
  const Answer as_json = server.get("/api/statistics/virtual_machines/number/per_day", json);
  EXPECT_EQ(as_json.header("Content-Type"), "application/json");
  EXPECT_EQ(json_of(as_json).back()["virtual_machines_number"], 1);
}

TEST(VmfrontContract, TheListIsNewestFirstAndLongOnesComeInPieces) {
  TestServer server;
  for (int i = 0; i < 3; ++i) {
    const Answer batch = server.post(
        "/core/v1/batches",
        R"({"template":{"name":"n-{n}","flavor":"42","image":"cirros-0.5.1-x86_64-disk"},"count":100})",
        "Prefer: wait=60\r\n");
    ASSERT_EQ(batch.status, 200) << batch.body.substr(0, 300);
  }
  const Answer answer = server.get("/api/virtual_machines", kDemo);
  EXPECT_EQ(answer.header("Transfer-Encoding"), "chunked");
  const Json servers = json_of(answer)["servers"];
  ASSERT_EQ(servers.size(), 300U);
  EXPECT_EQ(servers.front()["name"], "n-100");
  EXPECT_EQ(servers.back()["name"], "n-1");
}

TEST(VmfrontContract, ErrorsAreItsOwn) {
  TestServer server;
  const auto error = [](const Answer& a) { return json_of(a)["error"].get<std::string>(); };
  const Answer nobody = server.get("/api/flavors");
  EXPECT_EQ(nobody.status, 400);
  EXPECT_EQ(nobody.body, R"({"error": "user was not provided"})");
  EXPECT_EQ(error(server.get("/api/flavors", "user: demo\r\n")), "password was not provided");
  EXPECT_EQ(server.get("/api/flavors", "user: demo\r\npassword: no\r\n").status, 503);
  EXPECT_EQ(server.get("/api/flavors", "user: nobody\r\npassword: test\r\n").status, 503);
  const Answer missing =
      server.post("/api/virtual_machines", R"({"flavor_name":"m1.nano"})", kDemo);
  EXPECT_EQ(missing.status, 400);
  EXPECT_EQ(error(missing),
            "the following fields were not provided: "
            "['image_name', 'network_id', 'virtual_machine_name']");
  const Answer unknown = server.post(
      "/api/virtual_machines",
      R"({"flavor_name":"m1.hug","image_name":"cirros-0.5.1-x86_64-disk","network_id":"shared","virtual_machine_name":"a"})",
      kDemo);
  EXPECT_EQ(unknown.status, 404);
  EXPECT_EQ(error(unknown), "resource m1.hug not found");
  EXPECT_EQ(server.send("DELETE", "/api/flavors", kDemo).status, 405);
  EXPECT_EQ(server.get("/api/nonsense", kDemo).status, 404);
}

TEST(VmfrontContract, UnknownFieldsAndContentTypesAreIgnored) {
  TestServer server;
  const Answer made = server.post(
      "/d/vmfront/virtual_machines/",
      R"({"flavor_name":"42","image_name":"cirros-0.5.1-x86_64-disk","network_id":"shared","virtual_machine_name":"a","more":1})",
      std::string(kDemo) + "Content-Type: application/x-www-form-urlencoded\r\n");
  EXPECT_EQ(made.status, 202) << made.body;
}

TEST(VmfrontContract, ARepeatUnderTheSameKeyShowsTheSamePassword) {
  TestServer server;
  const std::string body =
      R"({"flavor_name":"42","image_name":"cirros-0.5.1-x86_64-disk","network_id":"shared","virtual_machine_name":"a"})";
  const std::string headers = std::string(kDemo) + "Idempotency-Key: one\r\n";
  const Answer first = server.post("/api/virtual_machines", body, headers);
  const Answer again = server.post("/api/virtual_machines", body, headers);
  EXPECT_EQ(first.status, 202);
  EXPECT_EQ(again.body, first.body);
  EXPECT_EQ(again.header("Idempotency-Replayed"), "true");
}

}  // namespace
}  // namespace slipway::api::test
