// Listeners, caps, drain and stop, over real sockets.
#include "api/edge/server.hpp"

#include <fcntl.h>
#include <sys/resource.h>

#include <csignal>
#include <fstream>

#include "tests/edge/edge_fixture.hpp"

namespace slipway::api::test {
namespace {

using Servers = EdgeTest;

int threads() {
  std::ifstream status("/proc/self/status");
  std::string line;
  while (std::getline(status, line) && !line.starts_with("Threads:")) {
  }
  return std::atoi(line.c_str() + 8);
}

TEST_F(Servers, ATakenPortIsAnError) {
  start();
  auto second = Server::open(Options{});
  ASSERT_TRUE(second);
  const auto bound =
      (*second)->listen({.name = "other", .host = "127.0.0.1", .port = port, .handler = handler});
  ASSERT_FALSE(bound);
  EXPECT_EQ(bound.error().code, base::Errc::ResourceBusy);
  EXPECT_NE(bound.error().message.find(std::to_string(port)), std::string::npos);
  const auto nowhere =
      (*second)->listen({.name = "other", .host = "no.such.host.invalid", .handler = handler});
  EXPECT_FALSE(nowhere);
}

TEST_F(Servers, SeveralListenersShareTheThreads) {
  const int before = threads();
  auto opened = Server::open(options);
  ASSERT_TRUE(opened);
  server = std::move(*opened);
  handler->respond = [](Request request, Responder reply) {
    reply.send(
        Response(200, std::string(request.listener()) + " " + request.peer().address, kText));
  };
  std::vector<std::uint16_t> ports;
  for (const char* name : {"one", "two", "three"}) {
    ports.push_back(*server->listen({.name = name, .host = "127.0.0.1", .handler = handler}));
  }
  const auto six = server->listen({.name = "six", .host = "::1", .handler = handler});
  server->start();
  EXPECT_EQ(RawClient(ports[0]).ask(get("/"))->body, "one 127.0.0.1");
  EXPECT_EQ(RawClient(ports[2]).ask(get("/"))->body, "three 127.0.0.1");
  if (six) {  // where there is IPv6
    EXPECT_NE(*six, 0);
  }
  EXPECT_EQ(threads(), before + 2);
}

TEST_F(Servers, MoreThanTheCapAreClosed) {
  options.limits.connections = 5;
  start();
  std::vector<RawClient> open;
  for (int i = 0; i < 5; ++i) {
    open.push_back(client());
    ASSERT_TRUE(open.back().ask(get("/")));
  }
  RawClient sixth = client();
  EXPECT_TRUE(sixth.closed_by_server());
  EXPECT_EQ(counters().of(Refusal::Connections), 1U);
  open.clear();
  ASSERT_TRUE(idle_within_patience());
  EXPECT_TRUE(client().ask(get("/"))) << "room again";
}

TEST_F(Servers, MoreThanTheCapOfOneAddressGet429) {
  options.limits.connections_per_address = 2;
  start();
  RawClient one = client(), two = client();
  ASSERT_TRUE(one.ask(get("/")) && two.ask(get("/")));
  RawClient three = client();
  const auto refused = three.ask(get("/"));
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->status, 429);
  EXPECT_TRUE(refused->has("Retry-After"));
  EXPECT_TRUE(three.closed_by_server());
  EXPECT_TRUE(one.ask(get("/")));
  one.close();
  ASSERT_TRUE(eventually([&] { return counters().connections == 1; }));
  EXPECT_EQ(client().ask(get("/"))->status, 200);
}

TEST_F(Servers, NewLimitsHoldForWhoComesAndWhoIsThere) {
  start();
  RawClient one = client(), two = client();
  ASSERT_TRUE(one.ask(get("/")) && two.ask(get("/")));
  Limits limits = options.limits;
  limits.connections_per_address = 2;
  limits.body_bytes = 3;
  server->set_limits(limits);
  EXPECT_EQ(one.ask(post("/", "long"))->status, 413);
  EXPECT_EQ(two.ask(post("/", "abc"))->status, 200);
  ASSERT_TRUE(eventually([&] { return counters().connections == 1; }));
  RawClient three = client(), four = client();
  EXPECT_EQ(three.ask(get("/"))->status, 200);
  EXPECT_EQ(four.ask(get("/"))->status, 429) << "those that were there before are counted";
}

TEST_F(Servers, EveryThreadSaysThatItTurns) {
  std::array<std::atomic<int>, 2> turns{};
  options.io_threads = 2;
  options.on_tick = [&](unsigned thread) { ++turns.at(thread); };
  start();
  EXPECT_TRUE(eventually([&] { return turns[0] > 2 && turns[1] > 2; }));
  stop();
}

TEST_F(Servers, SurviveWithoutFileDescriptors) {
  start();
  RawClient before = client();
  ASSERT_TRUE(before.ask(get("/")));
  // Every number below the limit taken: the next accept fails with EMFILE.
  rlimit old{};
  ::getrlimit(RLIMIT_NOFILE, &old);
  std::vector<RawClient> waiting;
  for (int i = 0; i < 3; ++i) {  // sockets of our own first, connected while there is none left
    waiting.push_back(client());
    ASSERT_TRUE(waiting.back().ask(get("/")));
  }
  const int probe = ::open("/dev/null", O_RDONLY);
  const rlimit tight{static_cast<rlim_t>(probe) + 1, old.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &tight), 0);
  ::close(probe);
  RawClient refused = client();  // takes the last number for itself
  EXPECT_TRUE(refused.closed_by_server());
  EXPECT_GE(counters().of(Refusal::FileDescriptors), 1U);
  EXPECT_TRUE(before.ask(get("/"))) << "those who are in are served";
  rusage one{}, two{};
  ::getrusage(RUSAGE_SELF, &one);
  ::poll(nullptr, 0, 300);
  ::getrusage(RUSAGE_SELF, &two);
  EXPECT_LT((two.ru_utime.tv_sec - one.ru_utime.tv_sec) * 1000000 + two.ru_utime.tv_usec -
                one.ru_utime.tv_usec,
            100000)
      << "it spins";
  ::setrlimit(RLIMIT_NOFILE, &old);
  EXPECT_TRUE(client().ask(get("/"))) << "room again";
}

TEST_F(Servers, IgnoreSigpipe) {
  start();
  struct sigaction action {};
  ::sigaction(SIGPIPE, nullptr, &action);
  EXPECT_EQ(action.sa_handler, SIG_IGN);
}

TEST_F(Servers, DrainAnswersWhatIsInFlight) {
  Held held;
  handler->respond = [&](Request, Responder reply) { held.put(std::move(reply)); };
  start();
  RawClient idle = client(), busy = client();
  ASSERT_TRUE(busy.send(get("/slow")));
  const Responder reply = held.at(0);
  ASSERT_TRUE(eventually([&] { return counters().connections == 2; }));
  std::atomic<bool> drained = false, done = false;
  std::jthread draining([&] {
    drained = server->drain(kPatience);
    done = true;
  });
  EXPECT_TRUE(idle.closed_by_server());
  EXPECT_FALSE(RawClient(port).ask(get("/"))) << "no new connection is served";
  EXPECT_FALSE(done);
  reply.send(Response(200, "in time"));
  const auto answer = busy.read();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->body, "in time");
  EXPECT_EQ(answer->header("Connection"), "close");
  EXPECT_TRUE(busy.closed_by_server());
  busy.close();
  idle.close();
  draining.join();
  EXPECT_TRUE(drained);
}

TEST_F(Servers, DrainEndsStreams) {
  Held held;
  std::atomic<bool> told = false;
  handler->respond = [&](Request, Responder reply) {
    const Stream stream = reply.start_stream(Response(200, "", kEventStream));
    stream.write("data: 1\n\n");
    stream.on_gone([&] { told = true; });
    held.put(reply);
  };
  start();
  RawClient c = client();
  ASSERT_TRUE(c.send(get("/events")));
  ASSERT_TRUE(c.wait_for("data: 1"));
  std::jthread draining([&] { EXPECT_TRUE(server->drain(kPatience)); });
  const auto answer = c.read();
  ASSERT_TRUE(answer) << "ended in order, not cut";
  EXPECT_EQ(answer->body, "data: 1\n\n");
  EXPECT_TRUE(eventually([&] { return told.load(); }));
}

TEST_F(Servers, DrainGivesUpAtItsDeadline) {
  Held held;
  handler->respond = [&](Request, Responder reply) { held.put(std::move(reply)); };
  start();
  RawClient c = client();
  ASSERT_TRUE(c.send(get("/never")));
  held.at(0);
  EXPECT_FALSE(server->drain(100ms));
  stop();
  EXPECT_TRUE(c.closed_by_server());
}

TEST_F(Servers, RespondersMayOutliveTheServer) {
  Held held;
  handler->respond = [&](Request, Responder reply) { held.put(std::move(reply)); };
  start();
  RawClient c = client();
  ASSERT_TRUE(c.send(get("/1")));
  const Responder reply = held.at(0);
  bool told = false;
  reply.on_gone([&] { told = true; });
  stop();
  EXPECT_TRUE(told);
  EXPECT_FALSE(reply.alive());
  reply.send(Response(200, "nobody"));
  held.clear();
}

TEST_F(Servers, StopWithoutStartOrTwice) {
  auto opened = Server::open(options);
  ASSERT_TRUE(opened);
  ASSERT_TRUE((*opened)->listen({.name = "a", .host = "127.0.0.1", .handler = handler}));
  (*opened)->stop();
  (*opened)->stop();
}

TEST_F(Servers, ObserverSeesEachRequestOnce) {
  std::mutex mu;
  std::vector<std::string> seen;
  handler->respond = [](Request request, Responder reply) {
    reply.set_route("core", "/things/{id}");
    reply.add_wait(std::chrono::hours(1));
    echo(std::move(request), reply);
  };
  start([&](const RequestRecord& record) {
    std::lock_guard lock(mu);
    EXPECT_EQ(record.duration.count() == 0, record.status == 200) << "waits are left out";
    seen.push_back(std::string(record.listener) + " " + std::string(record.method) + " " +
                   std::string(record.route) + " " + std::to_string(record.status));
  });
  RawClient c = client();
  ASSERT_TRUE(c.ask(get("/things/7")));
  ASSERT_TRUE(c.ask("nonsense\r\n\r\n"));
  stop();
  EXPECT_EQ(seen, (std::vector<std::string>{"test GET /things/{id} 200", "test OTHER other 400"}));
}

TEST_F(Servers, ErrorsOfTheEdgeTakeTheFormOfTheListener) {
  auto opened = Server::open(options);
  ASSERT_TRUE(opened);
  server = std::move(*opened);
  const auto own = [](const ErrorInfo& info) {
    return Response(info.status, "oops: " + info.error.message, kText);
  };
  port =
      *server->listen({.name = "d", .host = "127.0.0.1", .handler = handler, .render_error = own});
  server->start();
  RawClient c = client();
  const auto answer = c.ask("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9999999\r\n\r\n");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->body, "oops: body is too large");
}

}  // namespace
}  // namespace slipway::api::test
