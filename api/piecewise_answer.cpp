#include "api/piecewise_answer.hpp"

#include <memory>
#include <utility>

namespace slipway::api {
namespace {

class PiecewiseAnswer : public std::enable_shared_from_this<PiecewiseAnswer> {
 public:
  PiecewiseAnswer(QueryPool& queries, const Client& client, NextPiece next)
      : queries_(queries), client_(client), next_(std::move(next)) {}

  void send_first(eventstore::Reader& reader, Response head) {
    std::string piece;
    const auto more = next_(reader, piece);
    if (!more) return client_.fail(more.error());
    if (!*more) {
      head.body = std::move(piece);
      return client_.send(std::move(head));
    }
    stream_ = client_.reply.start_stream(std::move(head));
    stream_.write(piece);
    stream_.on_writable([self = shared_from_this()](const Stream&) {
      self->queries_.ask(self->client_, [turn = std::make_shared<Turn>(self)](
                                            eventstore::Reader& next) { turn->take(next); });
    });
  }

 private:
  // To send the next piece. One that is dropped unused - no room in the pool, no read model, an
  // exception, the server stops - breaks the answer off: nobody waits for what will not come.
  class Turn {
   public:
    explicit Turn(std::shared_ptr<PiecewiseAnswer> answer) : answer_(std::move(answer)) {}
    ~Turn() {
      if (!taken_) answer_->stream_.abort();
    }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;
    void take(eventstore::Reader& reader) { taken_ = answer_->send_next(reader); }

   private:
    const std::shared_ptr<PiecewiseAnswer> answer_;  // shared: with the stream's callback
    bool taken_ = false;
  };

  // False when the answer cannot go on.
  bool send_next(eventstore::Reader& reader) {
    if (done_ || !stream_.alive()) return true;
    std::string piece;
    const auto more = next_(reader, piece);
    if (!more) return false;
    done_ = !*more;
    // Once it is written the next piece may be asked for, on another thread: nothing of ours is
    // touched after that.
    const bool last = done_;
    const Stream stream = stream_;
    stream.write(piece);
    if (last) stream.finish();
    return true;
  }

  QueryPool& queries_;
  const Client client_;
  NextPiece next_;
  bool done_ = false;
  Stream stream_;
};

}  // namespace

void answer_in_pieces(QueryPool& queries, const Client& client, Response head, NextPiece next) {
  queries.ask(client, [&queries, client, head = std::move(head),
                       next = std::move(next)](eventstore::Reader& reader) {
    answer_in_pieces(queries, client, head, next, reader);
  });
}

void answer_in_pieces(QueryPool& queries, const Client& client, Response head, NextPiece next,
                      eventstore::Reader& reader) {
  std::make_shared<PiecewiseAnswer>(queries, client, std::move(next))
      ->send_first(reader, std::move(head));
}

}  // namespace slipway::api
