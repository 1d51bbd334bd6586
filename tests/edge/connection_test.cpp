// What one connection does, over real sockets: keep-alive, pipelining, limits in time and size,
// clients that leave, do not read or say nothing.
#include "api/edge/connection.hpp"

#include "core/base/bounded_queue.hpp"
#include "tests/edge/edge_fixture.hpp"

namespace slipway::api::test {
namespace {

using Connections = EdgeTest;

TEST_F(Connections, AnswersAndKeepsTheConnection) {
  start();
  RawClient c = client();
  for (int i = 0; i < 3; ++i) {
    const auto answer = c.ask(get("/a"));
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, 200);
    EXPECT_EQ(answer->body, "GET /a []");
    EXPECT_EQ(answer->header("Connection"), "");
    EXPECT_EQ(answer->header("Content-Length"), "9");
    EXPECT_EQ(answer->header("Content-Type"), "text/plain; charset=utf-8");
    EXPECT_EQ(answer->header("Date").size(), 29U);
    EXPECT_EQ(answer->header("X-Request-Id").size(), 36U);
  }
  EXPECT_EQ(counters().accepted, 1U);
}

TEST_F(Connections, ConnectionHeaderFollowsTheRequest) {
  start();
  RawClient close = client();
  const auto closed = close.ask(get("/", "Connection: close\r\n"));
  ASSERT_TRUE(closed);
  EXPECT_EQ(closed->header("Connection"), "close");
  EXPECT_TRUE(close.closed_by_server());

  RawClient old = client();
  const auto ten = old.ask("GET / HTTP/1.0\r\n\r\n");
  ASSERT_TRUE(ten);
  EXPECT_EQ(ten->header("Connection"), "close");
  EXPECT_TRUE(old.closed_by_server());

  RawClient kept = client();
  for (int i = 0; i < 2; ++i) {
    const auto again = kept.ask("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n");
    ASSERT_TRUE(again);
    EXPECT_EQ(again->header("Connection"), "keep-alive");
  }
}

TEST_F(Connections, EchoesTheRequestIdOfTheClient) {
  start();
  RawClient c = client();
  EXPECT_EQ(c.ask(get("/", "X-Request-Id: mine.1\r\n"))->header("X-Request-Id"), "mine.1");
  EXPECT_NE(c.ask(get("/", "X-Request-Id: no good\r\n"))->header("X-Request-Id"), "no good");
}

TEST_F(Connections, HeadHasTheLengthButNotTheBody) {
  start();
  RawClient c = client();
  const auto head = c.ask("HEAD /abc HTTP/1.1\r\nHost: x\r\n\r\n", true);
  ASSERT_TRUE(head);
  EXPECT_EQ(head->header("Content-Length"), "12");
  const auto next = c.ask(get("/next"));  // nothing of a body is in the way
  ASSERT_TRUE(next);
  EXPECT_EQ(next->body, "GET /next []");
}

TEST_F(Connections, BodylessStatusesHaveNoLength) {
  handler->respond = [](Request request, Responder reply) {
    reply.send(Response(request.path() == "/204" ? 204 : 304, "ignored"));
  };
  start();
  RawClient c = client();
  for (const char* path : {"/204", "/304"}) {
    const auto answer = c.ask(get(path));
    ASSERT_TRUE(answer);
    EXPECT_FALSE(answer->has("Content-Length"));
  }
}

TEST_F(Connections, PipelinedRequestsAreAnsweredInOrder) {
  Held held;
  handler->respond = [&](Request request, Responder reply) {
    if (request.path() == "/later") {
      held.put(std::move(reply));
    } else {
      echo(std::move(request), std::move(reply));
    }
  };
  start();
  RawClient c = client();
  ASSERT_TRUE(c.send(get("/1") + get("/later") + post("/3", "body") + get("/4")));
  EXPECT_EQ(c.read()->body, "GET /1 []");
  held.at(0).send(Response(200, "late"));
  EXPECT_EQ(c.read()->body, "late");
  EXPECT_EQ(c.read()->body, "POST /3 [body]");
  EXPECT_EQ(c.read()->body, "GET /4 []");
}

TEST_F(Connections, OneRequestAtATimeIsInFlight) {
  Held held;
  handler->respond = [&](Request, Responder reply) { held.put(std::move(reply)); };
  start();
  RawClient c = client();
  ASSERT_TRUE(c.send(get("/1") + get("/2")));
  held.at(0);
  RawClient other = client();
  ASSERT_TRUE(other.send(get("/3")));
  held.at(1);
  EXPECT_EQ(counters().in_flight, 2);
  held.at(0).send(Response(200));
  held.at(2).send(Response(200));
  ASSERT_TRUE(c.read() && c.read());
  held.at(1).send(Response(200));
  EXPECT_TRUE(other.read());
}

TEST_F(Connections, ByteByByteAndSplitChunksWork) {
  start();
  RawClient c = client();
  const std::string chunked =
      "POST /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
      "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n";
  for (const char byte : get("/a") + chunked + post("/b", "body")) {
    ASSERT_TRUE(c.send(std::string(1, byte)));
  }
  EXPECT_EQ(c.read()->body, "GET /a []");
  EXPECT_EQ(c.read()->body, "POST /x [hello world]");
  EXPECT_EQ(c.read()->body, "POST /b [body]");
}

TEST_F(Connections, ThousandsOfSlashesAreOneMorePath) {
  start();
  RawClient c = client();
  EXPECT_EQ(c.ask(get(std::string(8000, '/')))->status, 200);
  EXPECT_EQ(c.ask(get(std::string(16000, '/')))->status, 414);
  EXPECT_TRUE(c.closed_by_server());
}

TEST_F(Connections, Expect100IsAnsweredBeforeTheBody) {
  start();
  RawClient c = client();
  ASSERT_TRUE(
      c.send("POST /u HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n"));
  EXPECT_EQ(c.read()->status, 100);
  EXPECT_EQ(c.ask("body")->body, "POST /u [body]");
  EXPECT_EQ(c.ask(get("/next"))->status, 200);
}

TEST_F(Connections, ATooLargeBodyIsRefusedUnreadAndNothingFollows) {
  start();
  RawClient c = client();
  ASSERT_TRUE(c.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3000000\r\n\r\n"));
  const auto answer = c.read();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 413);
  EXPECT_EQ(answer->header("Connection"), "close");
  EXPECT_EQ(answer->header("Content-Type"), "application/problem+json");
  EXPECT_NE(answer->body.find("\"code\":\"body-too-large\""), std::string::npos) << answer->body;
  c.send(get("/smuggled") + get("/smuggled"));
  const auto rest = c.read_to_end();
  ASSERT_TRUE(rest);
  EXPECT_EQ(*rest, "") << "leftovers were taken for requests";
  EXPECT_EQ(counters().of(Refusal::BodyBytes), 1U);
}

TEST_F(Connections, A413SurvivesAClientThatGoesOnSending) {
  start();
  RawClient c = client();
  ASSERT_TRUE(c.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3000000\r\n\r\n"));
  c.send(std::string(3000000, 'x'));
  const auto answer = c.read();
  ASSERT_TRUE(answer) << "a reset took the answer away";
  EXPECT_EQ(answer->status, 413);
}

TEST_F(Connections, UnparseableIsRefusedAtOnceAndClosed) {
  start();
  for (const std::string bytes : {"GET / HTTP/1.1\nHost: x\n", "\x16\x03\x01", "{\"a\":1}"}) {
    RawClient c = client();
    ASSERT_TRUE(c.send(bytes));
    const auto answer = c.read();
    ASSERT_TRUE(answer) << bytes;
    EXPECT_EQ(answer->status, 400);
    EXPECT_EQ(answer->header("Connection"), "close");
    EXPECT_TRUE(answer->has("X-Request-Id"));
    EXPECT_TRUE(c.closed_by_server());
  }
  EXPECT_EQ(counters().of(Refusal::Malformed), 3U);
}

// Each is too short for the parser's own look at it, and no more will come.
TEST_F(Connections, ABadChunkLineIsRefusedWithoutWaitingForMore) {
  start();
  for (const char* line : {"zz\r\n", "\r\n", "-1\r\n", "g", "5x", "5\rx", "5\n", "0x5"}) {
    RawClient c = client();
    const auto began = Clock::now();
    const auto answer = c.ask("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" +
                              std::string(line));
    ASSERT_TRUE(answer) << line;
    EXPECT_EQ(answer->status, 400) << line;
    EXPECT_TRUE(c.closed_by_server());
    EXPECT_LT(Clock::now() - began, 5s) << line;
  }
}

TEST_F(Connections, ABadLineAfterAChunkIsRefusedToo) {
  start();
  for (const char* line : {"x", "\rx", "\r\nz", "\r\n5\n"}) {
    RawClient c = client();
    const auto answer =
        c.ask("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc" +
              std::string(line));
    ASSERT_TRUE(answer) << line;
    EXPECT_EQ(answer->status, 400) << line;
  }
}

TEST_F(Connections, GoodChunksMayComeByteByByte) {
  start();
  RawClient c = client();
  for (const char byte :
       std::string_view("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                        "3;a=b\r\nabc\r\nA\r\n0123456789\r\n0\r\nT: x\r\n\r\n")) {
    ASSERT_TRUE(c.send({&byte, 1}));
  }
  EXPECT_EQ(c.read()->body, "POST / [abc0123456789]");
}

TEST_F(Connections, ASlowHeadIsCut) {
  options.limits.header_time = 200ms;
  start();
  RawClient dripping = client();
  ASSERT_TRUE(dripping.send("GET / HT"));
  const auto answer = dripping.read();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 408);
  EXPECT_TRUE(dripping.closed_by_server());
  RawClient silent = client();
  EXPECT_EQ(silent.read_to_end(), "");
  EXPECT_EQ(counters().of(Refusal::HeaderTime), 2U);
  EXPECT_TRUE(idle_within_patience()) << "a timeout leaked its connection";
}

TEST_F(Connections, DrippingDoesNotExtendTheTimeForAHead) {
  options.limits.header_time = 300ms;
  start();
  RawClient c = client();
  const auto began = Clock::now();
  c.send("GET / HTTP/1.1\r\nHost: x\r\nX: ");
  while (c.send("a") && Clock::now() - began < kPatience) {
    if (c.received().empty() && ::poll(nullptr, 0, 10) != 0) break;
    pollfd entry{c.fd(), POLLIN, 0};
    if (::poll(&entry, 1, 0) == 1) break;
  }
  EXPECT_EQ(c.read()->status, 408);
  EXPECT_LT(Clock::now() - began, 5s);
}

TEST_F(Connections, ASlowBodyIsCut) {
  options.limits.body_time = 300ms;
  start();
  RawClient c = client();
  ASSERT_TRUE(c.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc"));
  EXPECT_EQ(c.read()->status, 408);
  EXPECT_TRUE(c.closed_by_server());
  EXPECT_EQ(counters().of(Refusal::BodyTime), 1U);
}

TEST_F(Connections, ABodyBelowTheLeastRateIsCut) {
  options.limits.body_rate_window = 200ms;
  start();
  RawClient c = client();
  ASSERT_TRUE(c.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10000\r\n\r\nabc"));
  EXPECT_EQ(c.read()->status, 408);
  EXPECT_EQ(counters().of(Refusal::BodyRate), 1U);
}

TEST_F(Connections, AnIdleConnectionIsClosedWithoutAWord) {
  options.limits.idle_time = 200ms;
  start();
  RawClient c = client();
  ASSERT_TRUE(c.ask(get("/")));
  EXPECT_EQ(c.read_to_end(), "");
  EXPECT_EQ(counters().of(Refusal::IdleTime), 1U);
  EXPECT_TRUE(idle_within_patience());
}

TEST_F(Connections, AnAnswerMayTakeLongerThanAnyTimeLimit) {
  options.limits.header_time = options.limits.body_time = options.limits.idle_time = 100ms;
  options.limits.body_rate_window = 50ms;
  Held held;
  handler->respond = [&](Request, Responder reply) { held.put(std::move(reply)); };
  start();
  RawClient c = client();
  ASSERT_TRUE(c.send(post("/", "body")));
  const Responder reply = held.at(0);
  // Long past every limit: as many ticks as ten of them last.
  const auto until = Clock::now() + 1s;
  ASSERT_TRUE(eventually([&] { return Clock::now() > until; }));
  EXPECT_TRUE(reply.alive());
  reply.send(Response(200, "late"));
  EXPECT_EQ(c.read()->body, "late");
}

TEST_F(Connections, AClientThatReadsNothingHoldsUpNobody) {
  options.limits.stall_time = 1500ms;
  handler->respond = [](Request request, Responder reply) {
    reply.send(Response(200, std::string(request.path() == "/big" ? 30 << 20 : 10, 'x')));
  };
  start();
  RawClient stalled = client(4096);
  ASSERT_TRUE(stalled.send(get("/big")));
  std::vector<RawClient> neighbours;
  for (int i = 0; i < 8; ++i) neighbours.push_back(client());  // some on the same thread
  auto slowest = Clock::duration(0);
  while (counters().of(Refusal::StalledReader) == 0) {
    for (RawClient& neighbour : neighbours) {
      const auto began = Clock::now();
      ASSERT_TRUE(neighbour.ask(get("/")));
      slowest = std::max(slowest, Clock::now() - began);
    }
  }
  EXPECT_LT(slowest, 500ms);  // a worker that spins would take all of the 1500
}

TEST_F(Connections, ThousandsOfUnreadAnswersStayBounded) {
  std::atomic<int> asked = 0;
  handler->respond = [&](Request, Responder reply) {
    ++asked;
    reply.send(Response(200, std::string(1000, 'x')));
  };
  start();
  RawClient c = client(4096);
  std::string many;
  for (int i = 0; i < 1000; ++i) many += get("/");
  std::size_t sent = 0;
  for (int idle = 0; idle < 50;) {  // until the server stops reading
    const std::size_t n = c.send_some(std::string_view(many).substr(sent % many.size()));
    sent += n;
    idle = n == 0 ? idle + 1 : 0;
    if (n == 0) ::poll(nullptr, 0, 2);
    ASSERT_LT(sent, 64U << 20);
  }
  const int answered_by_then = asked;
  EXPECT_LT(answered_by_then, 5000) << "answers pile up for a reader that reads none";
  RawClient neighbour = client();
  EXPECT_TRUE(neighbour.ask(get("/")));
  EXPECT_LE(asked, answered_by_then + 1);
  for (int i = 0; i < answered_by_then; ++i) ASSERT_TRUE(c.read()) << "but all that fit arrive";
}

TEST_F(Connections, AClientThatLeavesIsNoticedAndCounted) {
  Held held;
  std::atomic<int> statuses = 0;
  handler->respond = [&](Request, Responder reply) { held.put(std::move(reply)); };
  start([&](const RequestRecord& record) { statuses = record.status; });
  RawClient c = client();
  ASSERT_TRUE(c.send(get("/wait")));
  const Responder reply = held.at(0);
  std::atomic<bool> told = false;
  reply.on_gone([&] { told = true; });
  EXPECT_TRUE(reply.alive());
  c.reset();
  EXPECT_TRUE(eventually([&] { return told.load(); }));
  EXPECT_FALSE(reply.alive());
  EXPECT_TRUE(reply.send(Response(200, "to nobody")));
  bool told_late = false;
  reply.on_gone([&] { told_late = true; });
  EXPECT_TRUE(told_late);
  EXPECT_TRUE(idle_within_patience());
  EXPECT_TRUE(eventually([&] { return statuses == 499; }));
}

TEST_F(Connections, AClientThatClosedItsSideIsStillAnswered) {
  Held held;
  handler->respond = [&](Request, Responder reply) { held.put(std::move(reply)); };
  start();
  RawClient c = client();
  ASSERT_TRUE(c.send(get("/wait")));
  const Responder reply = held.at(0);
  c.shut_down_sending();
  EXPECT_TRUE(eventually([&] { return !reply.alive(); }));
  reply.send(Response(200, "still here"));
  EXPECT_EQ(c.read()->body, "still here");
  EXPECT_TRUE(c.closed_by_server());
}

TEST_F(Connections, AnAnswerNeverReachesAStrangerWithTheSameDescriptor) {
  Held held;
  handler->respond = [&](Request request, Responder reply) {
    if (request.path() == "/wait") {
      held.put(std::move(reply));
    } else {
      echo(std::move(request), std::move(reply));
    }
  };
  start();
  for (std::size_t i = 0; i < 200; ++i) {
    RawClient leaving = client();
    ASSERT_TRUE(leaving.send(get("/wait")));
    const Responder reply = held.at(i);
    std::thread answering([&] { reply.send(Response(200, "not for you")); });
    leaving.reset();
    RawClient stranger = client();  // gets the number just freed
    const auto answer = stranger.ask(get("/mine"));
    answering.join();
    ASSERT_TRUE(answer);
    ASSERT_EQ(answer->body, "GET /mine []");
  }
}

TEST_F(Connections, ResetsWhileAnsweringDoNoHarm) {
  handler->respond = [](Request, Responder reply) {
    reply.send(Response(200, std::string(1 << 20, 'x')));
  };
  start();
  for (int i = 0; i < 100; ++i) {
    RawClient c = client();
    ASSERT_TRUE(c.send(get("/") + get("/")));
    if (i % 2 == 0) c.read_some(1000);
    c.reset();
  }
  EXPECT_TRUE(idle_within_patience());
  EXPECT_TRUE(client().ask(get("/")));
}

TEST_F(Connections, ADroppedResponderIsA500NotAHang) {
  std::string failure;
  handler->respond = [](Request, Responder) {};
  start([&](const RequestRecord& record) { failure = record.failure; });
  RawClient c = client();
  const auto answer = c.ask(get("/"));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 500);
  EXPECT_EQ(counters().of(Refusal::HandlerFailed), 1U);
  stop();
  EXPECT_EQ(failure, "dropped without an answer");
}

TEST_F(Connections, AnExceptionTellsTheClientNothing) {
  handler->respond = [](Request, Responder) -> void { throw std::runtime_error("secret inside"); };
  start();
  RawClient c = client();
  const auto answer = c.ask(get("/"));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 500);
  EXPECT_EQ(answer->body.find("secret"), std::string::npos);
  EXPECT_EQ(c.ask(get("/"))->status, 500) << "the connection goes on";
}

TEST_F(Connections, OnlyTheFirstAnswerCounts) {
  handler->respond = [](Request, Responder reply) {
    EXPECT_TRUE(reply.send(Response(200, "first")));
    EXPECT_FALSE(reply.send(Response(200, "second")));
  };
  start();
  RawClient c = client();
  EXPECT_EQ(c.ask(get("/"))->body, "first");
  EXPECT_EQ(c.ask(get("/"))->body, "first");
}

TEST_F(Connections, AnswersFromManyThreadsAllArrive) {
  base::BoundedQueue<Responder> queue(4096);
  std::vector<std::jthread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] {
      std::vector<Responder> batch;
      while (queue.take_all(batch, 1s)) {
        for (const Responder& reply : batch) reply.send(Response(202, "ok"));
      }
    });
  }
  handler->respond = [&](Request, Responder reply) { (void)queue.try_push(std::move(reply)); };
  start();
  std::vector<std::jthread> clients;
  std::atomic<int> good = 0;
  for (int i = 0; i < 4; ++i) {
    clients.emplace_back([&] {
      RawClient c = client();
      for (int n = 0; n < 300; ++n) {
        const auto answer = c.ask(post("/", "x"));
        if (answer && answer->status == 202) ++good;
      }
    });
  }
  clients.clear();
  queue.close();
  EXPECT_EQ(good, 1200);
}

}  // namespace
}  // namespace slipway::api::test
