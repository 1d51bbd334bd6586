// Bodies that do not fit into memory: refused by plan, or streamed to a sink that sets the pace.
#include "api/edge/handler.hpp"
#include "core/base/bounded_queue.hpp"
#include "tests/edge/edge_fixture.hpp"

namespace slipway::api::test {
namespace {

// Counts what comes in on a thread of its own, as one that writes to disk would.
class CountingSink final : public BodySink {
 public:
  explicit CountingSink(Responder reply) : reply_(std::move(reply)) {}
  void on_piece(std::string_view piece) override {
    given += piece.size();
    std::string copy(piece);
    EXPECT_TRUE(queue_.try_push(std::move(copy)));
  }
  void on_abort() override { aborted = true; }
  // The writing thread: takes one round of pieces.
  void write_some() {
    std::vector<std::string> pieces;
    queue_.take_all(pieces, std::chrono::milliseconds(50));
    for (const std::string& piece : pieces) {
      written += piece.size();
      reply_.consumed(piece.size());
    }
  }
  const Responder& reply() const { return reply_; }
  std::atomic<std::size_t> given = 0;
  std::atomic<std::size_t> written = 0;
  std::atomic<bool> aborted = false;

 private:
  Responder reply_;
  base::BoundedQueue<std::string> queue_{100000};
};

class Uploads : public EdgeTest {
 protected:
  Uploads() {
    handler->plan = [this](const Request& head, const Responder& reply) {
      BodyPlan plan;
      if (head.path() == "/upload") {
        plan.sink = set_sink(std::make_shared<CountingSink>(reply));
        plan.limit = limit;
      }
      return plan;
    };
    handler->respond = [this](Request request, Responder reply) {
      if (request.path() != "/upload") return echo(std::move(request), std::move(reply));
      EXPECT_EQ(request.sink(), sink());
      reply.send(Response(201, std::to_string(sink()->given.load())));
      set_sink(nullptr);
    };
  }
  std::string head(std::uint64_t length) const {
    return "PUT /upload HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(length) +
           "\r\n\r\n";
  }
  std::shared_ptr<CountingSink> sink() {
    std::lock_guard lock(mu_);
    return sink_;
  }
  std::shared_ptr<CountingSink> set_sink(std::shared_ptr<CountingSink> sink) {
    std::lock_guard lock(mu_);
    return sink_ = std::move(sink);
  }
  // The sink of the upload under way, once it has had more than `bytes`.
  std::shared_ptr<CountingSink> sink_past(std::size_t bytes) {
    EXPECT_TRUE(eventually([&] { return sink() != nullptr && sink()->given > bytes; }));
    return sink();
  }
  std::uint64_t limit = std::uint64_t{64} << 30;

 private:
  std::mutex mu_;
  std::shared_ptr<CountingSink> sink_;
};

TEST_F(Uploads, ASmallOneGoesThroughTheSink) {
  start();
  RawClient c = client();
  EXPECT_EQ(c.ask(head(5) + "hello")->body, "5");
  EXPECT_EQ(c.ask("PUT /upload HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                  "3\r\nabc\r\n0\r\n\r\n")
                ->body,
            "3");
}

TEST_F(Uploads, ASlowSinkHoldsUpTheSocketNotMemory) {
  constexpr std::size_t kBytes = 300 << 20;
  start();
  RawClient c = client();
  const std::size_t before = resident_bytes();
  std::atomic<bool> done = false;
  std::jthread sending([&] {
    ASSERT_TRUE(c.send(head(kBytes)));
    const std::string block(1 << 20, 'x');
    for (std::size_t sent = 0; sent < kBytes; sent += block.size()) ASSERT_TRUE(c.send(block));
    done = true;
  });
  ASSERT_TRUE(eventually([&] { return counters().in_flight == 1; }));
  const auto mine = sink_past(0);
  // Nothing is consumed: the edge must stop at the window.
  const std::size_t window = options.limits.sink_window_bytes;
  ASSERT_TRUE(eventually([&] { return mine->given > window; }));
  ASSERT_EQ(::poll(nullptr, 0, 100), 0);
  EXPECT_LE(mine->given, window + (128 << 10));
  EXPECT_FALSE(done);
  RawClient neighbour = client();
  EXPECT_TRUE(neighbour.ask(get("/")));
  std::size_t peak = 0, most = 0;
  while (mine->written < kBytes) {
    most = std::max(most, mine->given - mine->written);
    mine->write_some();
    peak = std::max(peak, resident_bytes());
  }
  sending.join();
  EXPECT_EQ(c.read()->body, std::to_string(kBytes));
  EXPECT_LE(most, window + (128 << 10));
  EXPECT_LT(peak, before + (32 << 20)) << "memory grows with the upload";
}

TEST_F(Uploads, TooLongByItsOwnWordIsRefusedBeforeReading) {
  limit = 1000;
  start();
  RawClient c = client();
  EXPECT_EQ(c.ask(head(1001))->status, 413);
  EXPECT_TRUE(c.closed_by_server());
  EXPECT_EQ(sink()->given, 0U);
  EXPECT_TRUE(sink()->aborted);
}

TEST_F(Uploads, TooLongInChunksIsRefusedWhenItShows) {
  limit = 1000;
  start();
  RawClient c = client();
  ASSERT_TRUE(c.send("PUT /upload HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"));
  const std::string chunk = "1f4\r\n" + std::string(500, 'x') + "\r\n";
  c.send(chunk + chunk + chunk);
  EXPECT_EQ(c.read()->status, 413);
  EXPECT_TRUE(eventually([&] { return sink()->aborted.load(); }));
}

TEST_F(Uploads, AnAnswerAtTheHeadRefusesTheBody) {
  handler->plan = [](const Request&, const Responder& reply) {
    reply.send(Response(401, "who are you?", kText));
    return BodyPlan{};
  };
  handler->respond = [](Request, Responder) { ADD_FAILURE() << "the body was read"; };
  start();
  RawClient c = client();
  const auto answer =
      c.ask("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\nExpect: 100-continue\r\n\r\n");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 401) << "and not 100";
  EXPECT_EQ(answer->header("Connection"), "close");
  EXPECT_TRUE(c.closed_by_server());
}

TEST_F(Uploads, TheWritingThreadMayRefuseHalfWay) {
  start();
  RawClient c = client();
  ASSERT_TRUE(c.send(head(100 << 20) + std::string(100000, 'x')));
  const auto mine = sink_past(0);
  mine->reply().send(Response(507, "disk is full", kText));
  const auto answer = c.read();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 507);
  EXPECT_EQ(answer->header("Connection"), "close");
  EXPECT_TRUE(mine->aborted);
}

TEST_F(Uploads, AClientThatLeavesAbortsTheSink) {
  start();
  RawClient c = client();
  ASSERT_TRUE(c.send(head(1000) + "abc"));
  const auto mine = sink_past(2);
  c.reset();
  EXPECT_TRUE(eventually([&] { return mine->aborted.load(); }));
  EXPECT_TRUE(idle_within_patience());
}

TEST_F(Uploads, ASlowSinkIsNotASlowClient) {
  options.limits.body_time = 100ms;
  options.limits.body_rate_window = 100ms;
  start();
  RawClient c = client();
  constexpr std::size_t kBytes = 3 << 20;
  std::jthread sending([&] { c.send(head(kBytes) + std::string(kBytes, 'x')); });
  const auto mine = sink_past(1 << 20);
  ASSERT_EQ(::poll(nullptr, 0, 500), 0);  // several windows long nothing moves
  while (mine->written < kBytes) mine->write_some();
  sending.join();
  EXPECT_EQ(c.read()->status, 201);
}

TEST_F(Uploads, ATricklingUploadIsCut) {
  options.limits.body_rate_window = 150ms;
  start();
  RawClient c = client();
  ASSERT_TRUE(c.send(head(1000000) + "abc"));
  EXPECT_EQ(c.read()->status, 408);
  EXPECT_EQ(counters().of(Refusal::BodyRate), 1U);
  EXPECT_TRUE(sink()->aborted);
}

}  // namespace
}  // namespace slipway::api::test
