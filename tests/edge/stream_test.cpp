// Answers in pieces and raw connections, over real sockets.
#include <sys/resource.h>

#include <atomic>
#include "api/edge/responder.hpp"
#include "tests/edge/edge_fixture.hpp"

namespace slipway::api::test {
namespace {

// Hands the stream of each request to the test.
class Streams : public EdgeTest {
 protected:
  void start_streaming(ContentType type = kEventStream) {
    handler->respond = [this, type](Request, Responder reply) {
      const Stream stream = reply.start_stream(Response(200, "", type));
      std::lock_guard lock(mu_);
      streams_.push_back(stream);
      more_.notify_all();
    };
    start();
  }
  Stream stream_at(std::size_t i) {
    std::unique_lock lock(mu_);
    EXPECT_TRUE(more_.wait_for(lock, kPatience, [&] { return streams_.size() > i; }));
    return streams_.at(i);
  }

 private:
  std::mutex mu_;
  std::condition_variable more_;
  std::vector<Stream> streams_;
};

TEST_F(Streams, AreChunkedAndTheConnectionGoesOn) {
  start_streaming();
  RawClient c = client();
  for (std::size_t i = 0; i < 2; ++i) {
    ASSERT_TRUE(c.send(get("/events")));
    const Stream stream = stream_at(i);
    EXPECT_EQ(stream.write("data: 1\n\n"), Stream::Written::Ok);
    ASSERT_TRUE(c.wait_for("data: 1\n\n")) << "a piece waits for the next";
    EXPECT_EQ(counters().streams, 1);
    stream.write("");
    stream.write("data: 2\n\n");
    stream.finish();
    EXPECT_EQ(stream.write("too late"), Stream::Written::Gone);
    const auto answer = c.read();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->body, "data: 1\n\ndata: 2\n\n");
    EXPECT_EQ(answer->header("Transfer-Encoding"), "chunked");
    EXPECT_EQ(answer->header("Content-Type"), "text/event-stream; charset=utf-8");
    EXPECT_FALSE(answer->has("Content-Length"));
  }
  EXPECT_TRUE(eventually([&] { return counters().streams == 0; }));
}

TEST_F(Streams, EndWithTheConnectionForHttp10) {
  start_streaming();
  RawClient c = client();
  ASSERT_TRUE(c.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"));
  const Stream stream = stream_at(0);
  stream.write("one ");
  stream.write("two");
  stream.finish();
  const auto answer = c.read();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->body, "one two");
  EXPECT_EQ(answer->header("Connection"), "close");
  EXPECT_FALSE(answer->has("Transfer-Encoding"));
}

TEST_F(Streams, HeadGetsNoPieces) {
  start_streaming();
  RawClient c = client();
  const auto head = c.ask("HEAD / HTTP/1.1\r\nHost: x\r\n\r\n", true);
  ASSERT_TRUE(head);
  const Stream stream = stream_at(0);
  EXPECT_TRUE(eventually([&] { return !stream.alive(); }));
  EXPECT_EQ(stream.write("x"), Stream::Written::Gone);
  ASSERT_TRUE(c.send(get("/")));
  stream_at(1).finish();
  EXPECT_EQ(c.read()->body, "");
}

TEST_F(Streams, SurviveEveryTimeLimit) {
  auto& limits = options.limits;
  limits.header_time = limits.body_time = limits.idle_time = limits.stall_time = 100ms;
  start_streaming();
  RawClient c = client();
  ASSERT_TRUE(c.send(get("/events")));
  const Stream stream = stream_at(0);
  const auto until = Clock::now() + 1s;
  int beats = 0;
  while (Clock::now() < until) {
    ASSERT_EQ(stream.write("b"), Stream::Written::Ok);
    ++beats;
    ASSERT_EQ(::poll(nullptr, 0, 150), 0);  // longer than each of the limits
  }
  stream.finish();
  EXPECT_EQ(c.read()->body, std::string(static_cast<std::size_t>(beats), 'b'));
}

TEST_F(Streams, FromOtherThreadsWithResetsDoNoHarm) {
  start_streaming();
  for (std::size_t i = 0; i < 50; ++i) {
    RawClient c = client();
    ASSERT_TRUE(c.send(get("/events")));
    const Stream stream = stream_at(i);
    std::jthread writer([stream] {
      while (stream.write(std::string(1000, 'x')) != Stream::Written::Gone) {
      }
    });
    c.read_some(5000);
    if (i % 2 == 0) {
      c.reset();
    } else {
      c.close();
    }
  }
  EXPECT_TRUE(idle_within_patience());
}

TEST_F(Streams, ALeavingClientIsTold) {
  start_streaming();
  RawClient c = client();
  ASSERT_TRUE(c.send(get("/events")));
  const Stream stream = stream_at(0);
  std::atomic<int> told = 0;
  stream.on_gone([&] { ++told; });
  c.close();
  EXPECT_TRUE(eventually([&] { return told == 1; }));
  EXPECT_FALSE(stream.alive());
  stream.finish();
  EXPECT_TRUE(idle_within_patience());
}

TEST_F(Streams, AReaderFarBehindIsCut) {
  start_streaming();
  RawClient c = client(4096);
  ASSERT_TRUE(c.send(get("/events")));
  const Stream stream = stream_at(0);
  bool behind = false;
  std::size_t written = 0;
  const std::string event(10000, 'x');
  for (;;) {
    const auto result = stream.write(event);
    if (result == Stream::Written::Gone) break;
    written += event.size();
    behind = behind || result == Stream::Written::Behind;
    ASSERT_LT(written, 64U << 20);
  }
  EXPECT_TRUE(behind);
  EXPECT_TRUE(eventually([&] { return counters().of(Refusal::StreamBehind) == 1; }));
  EXPECT_TRUE(idle_within_patience());
}

TEST_F(Streams, PendingCountsWhatTheReaderHasNot) {
  start_streaming();
  RawClient c = client(4096);
  ASSERT_TRUE(c.send(get("/events")));
  const Stream stream = stream_at(0);
  stream.write(std::string(500000, 'x'));
  EXPECT_GT(stream.pending(), 100000U);
  std::size_t read = 0;
  while (read < 500000) read += c.read_some(65536);
  EXPECT_TRUE(eventually([&] { return stream.pending() == 0; }));
}

TEST_F(Streams, AStalledReaderIsClosedAndItsNeighbourIsNot) {
  options.limits.stall_time = 300ms;
  start_streaming();
  RawClient stalled = client(4096);
  RawClient waiting = client();
  ASSERT_TRUE(stalled.send(get("/events")));
  stream_at(0).write(std::string(900000, 'x'));
  ASSERT_TRUE(waiting.send(get("/events")));
  const Stream quiet = stream_at(1);
  EXPECT_TRUE(eventually([&] { return counters().of(Refusal::StalledReader) == 1; }));
  EXPECT_TRUE(quiet.alive()) << "nothing to take is not a stall";
  quiet.finish();
  EXPECT_TRUE(waiting.read());
}

// A list of 64 MiB in pieces of 64 KiB, rendered when there is room.
TEST_F(Streams, ALargeListNeverWaitsInMemoryForASlowReader) {
  constexpr std::size_t kPieces = 1024, kPiece = 64 << 10;
  std::atomic<std::size_t> rendered = 0;
  handler->respond = [&](Request, Responder reply) {
    reply.start_stream(Response(200, "", kJson)).on_writable([&](const Stream& stream) {
      stream.write(std::string(kPiece, 'x'));
      if (++rendered == kPieces) stream.finish();
    });
  };
  start();
  RawClient c = client(16 << 10);
  ASSERT_TRUE(c.send(get("/list")));
  std::size_t read = 0, ahead = 0;
  const std::size_t before = resident_bytes();
  std::size_t peak = before;
  while (read < kPieces * kPiece) {
    const std::size_t n = c.read_some(32 << 10);
    ASSERT_GT(n, 0U);
    read += n;
    const std::size_t made = rendered * kPiece;
    ahead = std::max(ahead, made > read ? made - read : 0);
    peak = std::max(peak, resident_bytes());
    if (read < 1 << 20) ::poll(nullptr, 0, 1);  // slow at first
  }
  EXPECT_EQ(rendered, kPieces);
  EXPECT_LT(ahead, 4U << 20) << "kernel buffers aside, one piece at a time";
  EXPECT_LT(peak - before, 16U << 20);
}

TEST_F(Streams, MoreMayBeWrittenLaterByAnotherThread) {
  std::jthread renderer;
  handler->respond = [&](Request, Responder reply) {
    auto count = std::make_shared<int>(0);
    reply.start_stream(Response(200, "", kJson)).on_writable([&, count](const Stream& stream) {
      renderer = std::jthread([stream, count] {
        const int now = ++*count;  // before the write: the next call may come at once
        if (now > 9) return;       // asked again between the last write and the end
        stream.write(std::to_string(now));
        if (now == 9) stream.finish();
      });
    });
  };
  start();
  RawClient c = client();
  const auto answer = c.ask(get("/"));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->body, "123456789");
}

TEST_F(Streams, AbortShowsTheClientABrokenAnswer) {
  start_streaming();
  RawClient c = client();
  ASSERT_TRUE(c.send(get("/events")));
  stream_at(0).write("half");
  ASSERT_TRUE(c.wait_for("half"));
  stream_at(0).abort();
  EXPECT_FALSE(c.read());
  EXPECT_TRUE(c.closed_by_server());
}

TEST_F(Streams, CallbacksDoNotKeepAnEndedStreamAlive) {
  auto token = std::make_shared<int>(1);
  handler->respond = [&](Request, Responder reply) {
    const Stream stream = reply.start_stream(Response(200));
    stream.on_gone([stream, token] {});
    stream.on_writable([stream, token](const Stream&) { stream.finish(); });
  };
  start();
  RawClient c = client();
  ASSERT_TRUE(c.ask(get("/")));
  EXPECT_TRUE(eventually([&] { return token.use_count() == 1; }));
}

TEST_F(Streams, AnUpgradedConnectionIsRawBothWays) {
  handler->respond = [](Request request, Responder reply) {
    if (!request.wants_upgrade()) return;
    auto stream = std::make_shared<Stream>();
    *stream = reply.upgrade(Response(101).add("Upgrade", "echo"), [stream](std::string_view bytes) {
      stream->write("<" + std::string(bytes) + ">");
      if (bytes.ends_with("bye")) stream->finish();
    });
  };
  start();
  RawClient c = client();
  ASSERT_TRUE(c.send(get("/", "Connection: Upgrade\r\nUpgrade: echo\r\n") + "early"));
  const auto head = c.read();
  ASSERT_TRUE(head);
  EXPECT_EQ(head->status, 101);
  EXPECT_EQ(head->header("Connection"), "Upgrade");
  EXPECT_EQ(head->header("Upgrade"), "echo");
  EXPECT_FALSE(head->has("Content-Length"));
  ASSERT_TRUE(c.wait_for("<early>"));
  c.received().clear();
  ASSERT_TRUE(c.send(std::string("\x81\0\r\n", 4)));
  ASSERT_TRUE(c.wait_for(std::string("<\x81\0\r\n>", 6)));
  ASSERT_TRUE(c.send("bye"));
  EXPECT_TRUE(c.closed_by_server());
  EXPECT_TRUE(idle_within_patience());
}

}  // namespace
}  // namespace slipway::api::test
