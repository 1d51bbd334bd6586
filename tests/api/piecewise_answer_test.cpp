#include "api/piecewise_answer.hpp"

#include <stdexcept>
#include <utility>

#include "eventstore/projector_core.hpp"
#include "tests/edge/edge_fixture.hpp"
#include "tests/eventstore/temp_dir.hpp"

namespace slipway::api::test {
namespace {

// Every request is answered in pieces that the test makes.
class PiecewiseAnswers : public EdgeTest {
 protected:
  void answer_with(NextPiece next, QueryPool::Options pool = {}) {
    auto made = eventstore::ProjectorCore::open({.directory = dir_.path()}, "log");
    ASSERT_TRUE(made) << made.error().message;
    queries_ = std::make_unique<QueryPool>(models_, pool);
    handler->respond = [this, next = std::move(next)](Request, Responder reply) {
      answer_in_pieces(*queries_, Client{std::move(reply)}, Response(200, "", kText), next);
    };
    start();
  }
  ~PiecewiseAnswers() override {
    if (queries_) queries_->stop();
    stop();
  }

  eventstore::testing::TempDir dir_;
  eventstore::ReadModels models_{{.directory = dir_.path()}};
  std::unique_ptr<QueryPool> queries_;
};

NextPiece pieces(std::size_t n) {
  return [at = std::size_t{0}, n](eventstore::Reader&, std::string& piece) mutable {
    piece = "piece " + std::to_string(++at) + ";";
    return at < n;
  };
}

TEST_F(PiecewiseAnswers, AreOneMessageWhenShort) {
  answer_with(pieces(1));
  const auto answer = client().ask(get("/"));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->header("Content-Length"), "8");
  EXPECT_EQ(answer->body, "piece 1;");
}

TEST_F(PiecewiseAnswers, AreAStreamWhenLong) {
  answer_with(pieces(3));
  RawClient c = client();
  for (int i = 0; i < 2; ++i) {
    const auto answer = c.ask(get("/"));
    ASSERT_TRUE(answer) << "the connection goes on";
    EXPECT_EQ(answer->header("Transfer-Encoding"), "chunked");
    EXPECT_EQ(answer->body, "piece 1;piece 2;piece 3;");
  }
}

TEST_F(PiecewiseAnswers, SayWhatIsWrongBeforeTheFirstPiece) {
  answer_with([](eventstore::Reader&, std::string&) -> base::Result<bool> {
    return base::fail(base::Errc::NotFound, "no such list");
  });
  const auto answer = client().ask(get("/"));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 404);
}

// Broken off: the last chunk is missing and the connection closed.
void expect_broken_off(RawClient c) {
  ASSERT_TRUE(c.send(get("/")));
  const auto all = c.read_to_end();
  ASSERT_TRUE(all) << "nobody goes on with it, and nobody says so";
  EXPECT_TRUE(all->find("piece 1;") != std::string::npos) << *all;
  EXPECT_FALSE(all->ends_with("0\r\n\r\n")) << *all;
}

TEST_F(PiecewiseAnswers, AreBrokenOffByAnError) {
  answer_with(
      [first = true](eventstore::Reader&, std::string& piece) mutable -> base::Result<bool> {
        if (!std::exchange(first, false))
          return base::fail(base::Errc::Internal, "the disk is gone");
        piece = "piece 1;";
        return true;
      });
  expect_broken_off(client());
}

TEST_F(PiecewiseAnswers, AreBrokenOffByAnException) {
  answer_with(
      [first = true](eventstore::Reader&, std::string& piece) mutable -> base::Result<bool> {
        if (!std::exchange(first, false)) throw std::runtime_error("no memory");
        piece = "piece 1;";
        return true;
      });
  expect_broken_off(client());
}

TEST_F(PiecewiseAnswers, AreBrokenOffWhenThereIsNoRoomForTheNextQuestion) {
  answer_with(pieces(2), {.max_queries = 0});
  auto reader = models_.open_reader();
  ASSERT_TRUE(reader);
  handler->respond = [&](Request, Responder reply) {
    answer_in_pieces(*queries_, Client{std::move(reply)}, Response(200, "", kText), pieces(2),
                     **reader);
  };
  expect_broken_off(client());
}

}  // namespace
}  // namespace slipway::api::test
