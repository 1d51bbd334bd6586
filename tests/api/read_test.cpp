// Polling, waiting, lists, streams of events, statistics: everything that only reads.
#include <gmock/gmock.h>

#include <set>
#include <thread>

#include "tests/api/test_server.hpp"

namespace slipway::api::test {
namespace {

using ::testing::HasSubstr;

TEST(GetTask, IsA202UntilItHasEndedAndA200After) {
  TestServer server;
  server.worker().hold();
  const std::string path = server.post("/core/v1/vms", kNano).header("Location");
  const Answer before = server.get(path);
  EXPECT_EQ(before.status, 202);
  EXPECT_TRUE(before.has("Retry-After"));
  EXPECT_EQ(before.header("Cache-Control"), "no-cache");
  server.worker().release();
  const Answer after = server.get(path + "?wait=20s");
  EXPECT_EQ(after.status, 200);
  EXPECT_FALSE(after.has("Retry-After"));
  EXPECT_EQ(json_of(after)["progress"]["percent"], 100);
  EXPECT_EQ(server.get(path, "If-None-Match: " + after.header("ETag") + "\r\n").status, 304);
}

TEST(GetTask, AWaitWithAVersionReturnsAtTheFirstChange) {
  TestServer server;
  server.worker().hold();
  const Answer made = server.post("/core/v1/vms", kNano);
  const std::string path = made.header("Location");
  const Answer leased =
      server.get(path + "?wait=20s", "If-None-Match: " + made.header("ETag") + "\r\n");
  EXPECT_EQ(leased.status, 202);
  EXPECT_EQ(json_of(leased)["state"], "RUNNING");
  const Answer same =
      server.get(path + "?wait=300ms", "If-None-Match: " + leased.header("ETag") + "\r\n");
  EXPECT_EQ(same.status, 304);
}

TEST(GetTask, ShowsProgressThatIsFresherThanTheLog) {
  TestServer server;
  server.worker().hold();
  const std::string path = server.post("/core/v1/vms", kNano).header("Location");
  ASSERT_TRUE(server.worker().report_progress(40, "copying"));
  Json task;
  for (int i = 0; i < 1000 && (task.is_null() || task["progress"]["percent"] != 40); ++i) {
    task = json_of(server.get(path));
  }
  EXPECT_EQ(task["progress"]["message"], "copying") << task;
}

TEST(GetTask, AnUnknownOneIs404) {
  TestServer server;
  EXPECT_EQ(server.get("/core/v1/tasks/00000000-0000-7000-8000-000000000000").status, 404);
  EXPECT_EQ(server.get("/core/v1/tasks/nonsense").status, 404);
  EXPECT_EQ(server.get("/core/v1/tasks/00000000-0000-7000-8000-000000000000?as_of=3").status, 400);
}

TEST(Lists, PagesSeeEveryItemOnce) {
  TestServer server;
  for (int i = 0; i < 25; ++i) server.post("/core/v1/vms", kNano);
  for (const std::string sort : {"created_at", "-created_at"}) {
    std::set<std::string> seen;
    std::string next = "/core/v1/vms?limit=10&count=true&sort=" + sort;
    int pages = 0;
    while (!next.empty()) {
      const Answer page = server.get(next);
      ASSERT_EQ(page.status, 200) << page.body;
      EXPECT_TRUE(page.has("Slipway-Seq"));
      EXPECT_EQ(json_of(page)["total"], 25);
      const Json items_of_page = json_of(page)["items"];
      for (const auto& vm : items_of_page) seen.insert(vm["id"].get<std::string>());
      const std::string link = page.header("Link");
      next = link.empty() ? "" : link.substr(1, link.find('>') - 1);
      ++pages;
      server.post("/core/v1/commands", R"({"command":"nonsense"})");
    }
    EXPECT_EQ(seen.size(), 25U) << sort;
    EXPECT_EQ(pages, 3);
  }
}

TEST(Lists, AnUnknownParameterOrAForgedCursorIs400) {
  TestServer server;
  const Answer typo = server.get("/core/v1/tasks?stat=READY");
  EXPECT_EQ(typo.status, 400);
  EXPECT_THAT(typo.body, HasSubstr("did you mean 'state'?"));
  EXPECT_EQ(server.get("/core/v1/tasks?cursor=abc.def").status, 400);
  EXPECT_EQ(server.get("/core/v1/tasks?limit=501").status, 400);
  EXPECT_EQ(server.get("/core/v1/tasks?state=WRONG").status, 400);
  EXPECT_EQ(server.get("/core/v1/tasks?sort=name").status, 400);
}

TEST(Lists, ACursorOfOneListIsNoneOfAnother) {
  TestServer server;
  for (int i = 0; i < 3; ++i) server.post("/core/v1/vms", kNano);
  const std::string cursor = json_of(server.get("/core/v1/vms?limit=1"))["next_cursor"];
  EXPECT_EQ(server.get("/core/v1/vms?cursor=" + cursor).status, 200);
  EXPECT_EQ(server.get("/core/v1/tasks?cursor=" + cursor).status, 400);
  EXPECT_EQ(server.get("/core/v1/vms?sort=created_at&cursor=" + cursor).status, 400);
}

TEST(Lists, FiltersAreAndOutsideAndOrInside) {
  TestServer server;
  server.post(
      "/core/v1/vms",
      R"({"name":"a","flavor":"42","image":"cirros-0.5.1-x86_64-disk","labels":{"team":"web"}})",
      "Prefer: wait=20\r\n");
  server.worker().hold();
  server.post("/core/v1/vms", kNano);
  EXPECT_EQ(json_of(server.get("/core/v1/vms?label.team=web"))["items"].size(), 1U);
  EXPECT_EQ(json_of(server.get("/core/v1/tasks?state=SUCCEEDED,FAILED"))["items"].size(), 1U);
  EXPECT_EQ(json_of(server.get("/core/v1/tasks?state=SUCCEEDED&command=vm.delete"))["items"].size(),
            0U);
  EXPECT_EQ(json_of(server.get("/core/v1/vms?name=web-1"))["items"].size(), 1U);
}

TEST(MinSeq, G1_6_AReaderSeesItsOwnWriteOr503) {
  TestServer server;
  const Answer made = server.post("/core/v1/vms", kNano);
  const std::string seq = made.header("Slipway-Seq");
  const Answer list = server.get("/core/v1/vms", "Slipway-Min-Seq: " + seq + "\r\n");
  EXPECT_EQ(json_of(list)["items"].size(), 1U);
  EXPECT_GE(std::stoull(list.header("Slipway-Seq")), std::stoull(seq));
  const Answer never = server.get("/core/v1/vms", "Slipway-Min-Seq: 999999999\r\n");
  EXPECT_EQ(never.status, 503);
  EXPECT_EQ(json_of(never)["code"], "projection-behind");
  EXPECT_TRUE(never.has("Retry-After"));
}

TEST(Head, WorksWhereverGetDoes) {
  TestServer server;
  for (const char* path : {"/core/v1/vms", "/core/v1/tasks", "/healthz", "/problems/not-found",
                           "/core/v1/events?from=0", "/core/v1/openapi.json"}) {
    const Answer answer = server.send("HEAD", path);
    EXPECT_EQ(answer.status, 200) << path;
    EXPECT_TRUE(answer.body.empty()) << path;
  }
}

TEST(Events, APageHasEveryEventOfATaskWithItsCause) {
  TestServer server;
  const Answer made =
      server.post("/core/v1/vms", kNano, "Prefer: wait=20\r\nX-Request-Id: r-7\r\n");
  const std::string id = json_of(made)["id"];
  const Answer page = server.get("/core/v1/tasks/" + id + "/events");
  ASSERT_EQ(page.status, 200) << page.body;
  std::vector<std::string> types;
  const Json items_of_page = json_of(page)["items"];
  for (const auto& e : items_of_page) {
    types.push_back(e["type"]);
    EXPECT_EQ(e["request_id"], "r-7");
  }
  EXPECT_THAT(types, ::testing::IsSupersetOf({"CommandAccepted", "TaskQueued", "VmRequested",
                                              "TaskLeased", "TaskSucceeded", "VmLaunched"}));
  const Answer lines =
      server.get("/core/v1/tasks/" + id + "/events", "Accept: application/x-ndjson\r\n");
  EXPECT_EQ(lines.header("Content-Type"), "application/x-ndjson; charset=utf-8");
  EXPECT_EQ(std::count(lines.body.begin(), lines.body.end(), '\n'),
            static_cast<long>(types.size()));
}

TEST(Events, PagesFollowEachOtherByNextSeq) {
  TestServer server;
  for (int i = 0; i < 3; ++i) server.post("/core/v1/vms", kNano, "Prefer: wait=20\r\n");
  const Json all = json_of(server.get("/core/v1/events?from=0"));
  std::vector<std::uint64_t> seqs;
  std::uint64_t from = 0;
  for (int i = 0; i < 1000; ++i) {
    const Json page = json_of(server.get("/core/v1/events?limit=7&from=" + std::to_string(from)));
    if (page["items"].empty()) break;
    for (const auto& e : page["items"]) seqs.push_back(e["seq"]);
    from = page["next_seq"];
  }
  ASSERT_EQ(seqs.size(), all["items"].size());
  for (std::size_t i = 0; i < seqs.size(); ++i) EXPECT_EQ(seqs[i], i + 1);
}

TEST(Events, ALongPollReturnsWhenSomethingHappens) {
  TestServer server;
  const auto from = std::stoull(server.get("/core/v1/vms").header("Slipway-Seq")) + 1;
  RawClient client(server.port());
  ASSERT_TRUE(client.send(get("/core/v1/events?wait=20s&from=" + std::to_string(from))));
  server.post("/core/v1/vms", kNano);
  const auto page = client.read();
  ASSERT_TRUE(page.has_value());
  EXPECT_FALSE(json_of(*page)["items"].empty());
}

TEST(Events, AStreamGoesOnFromLastEventIdAndEndsWithItsTask) {
  TestServer server;
  server.worker().hold();
  const Answer made = server.post("/core/v1/vms", kNano);
  RawClient client(server.port());
  ASSERT_TRUE(
      client.send(get(made.header("Location") + "/events", "Accept: text/event-stream\r\n")));
  ASSERT_TRUE(client.wait_for("event: TaskLeased"));
  server.worker().release();
  const auto whole = client.read();
  ASSERT_TRUE(whole.has_value());
  EXPECT_EQ(whole->header("Content-Type"), "text/event-stream; charset=utf-8");
  EXPECT_THAT(whole->body, ::testing::StartsWith("retry: 250\n\n"));
  EXPECT_THAT(whole->body, HasSubstr("event: TaskSucceeded\ndata: {"));
  const auto at = whole->body.rfind("id: ");
  const std::string last = whole->body.substr(at + 4, whole->body.find('\n', at) - at - 4);
  const Answer over = server.get(made.header("Location") + "/events",
                                 "Accept: text/event-stream\r\nLast-Event-ID: 999999\r\n");
  EXPECT_EQ(over.status, 204) << last;
}

TEST(Events, AnIdleStreamSaysThatItIsThere) {
  TestServer server({.feed = {.comment_interval = std::chrono::milliseconds(10)}});
  RawClient client(server.port());
  ASSERT_TRUE(client.send(get("/core/v1/events", "Accept: text/event-stream\r\n")));
  EXPECT_TRUE(client.wait_for(": still here\n\n"));
}

TEST(Service, ProblemPagesSayCauseAndRemedyInBothForms) {
  TestServer server;
  const Json all = json_of(server.get("/problems"));
  EXPECT_GE(all["items"].size(), 32U);
  for (const auto& item : all["items"]) {
    const std::string path = "/problems/" + item["code"].get<std::string>();
    EXPECT_EQ(json_of(server.get(path))["remedy"], item["remedy"]);
    EXPECT_THAT(server.get(path, "Accept: text/html\r\n").body, HasSubstr("<h2>Remedy</h2>"));
  }
  EXPECT_EQ(server.get("/problems/nonsense").status, 404);
}

TEST(Service, HealthIsPublicAndQueuesAreThere) {
  TestServer server;
  EXPECT_EQ(server.get("/healthz").status, 200);
  EXPECT_EQ(server.get("/readyz").status, 200);
  EXPECT_THAT(server.get("/metrics").header("Content-Type"), HasSubstr("text/plain"));
  server.post("/core/v1/vms", kNano, "Prefer: wait=20\r\n");
  const Json queue = json_of(server.get("/core/v1/queues/default"));
  EXPECT_EQ(queue["ready"], 0);
  EXPECT_EQ(queue["slots"], 100000);
  EXPECT_EQ(json_of(server.get("/core/v1/workers"))["items"][0]["worker"], "toy");
  EXPECT_EQ(server.post("/core/v1/workers/nobody/drain", "").status, 404);
  EXPECT_EQ(server.post("/core/v1/workers/toy/drain", "").status, 202);
}

TEST(Stats, CountWhatExistsNow) {
  TestServer server;
  server.post("/core/v1/vms", kNano, "Prefer: wait=20\r\n");
  const Json body = json_of(server.get("/core/v1/stats/vms_existing?step=1h"));
  ASSERT_FALSE(body["items"].empty()) << body;
  EXPECT_EQ(body["items"].back()["value"], 1.0);
  EXPECT_EQ(server.get("/core/v1/stats/nonsense").status, 404);
  EXPECT_EQ(server.get("/core/v1/stats/vm_hours?step=2h").status, 400);
}

}  // namespace
}  // namespace slipway::api::test
