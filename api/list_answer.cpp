#include "api/list_answer.hpp"

namespace slipway::api {
namespace {

constexpr std::size_t kPieceBytes = 48U << 10U;  // and what the last question brought: about 64 KiB

}  // namespace

void ListAnswer::Rows::add(base::JsonWriter& row) {
  if (!first_) out_ += ',';
  first_ = false;
  out_ += row.view();
  row.clear();
}

ListAnswer::ListAnswer(QueryPool& queries, const Client& client, Form form, Next next)
    : queries_(queries),
      client_(client),
      form_(std::move(form)),
      next_(std::move(next)),
      piece_("{\"" + form_.name + "\":[") {}

void ListAnswer::start(QueryPool& queries, const Client& client, Form form, Next next) {
  queries.ask(client, [&queries, client, form = std::make_shared<Form>(std::move(form)),
                       next = std::move(next)](eventstore::Reader& reader) {
    start(queries, client, std::move(*form), next, reader);
  });
}

void ListAnswer::start(QueryPool& queries, const Client& client, Form form, Next next,
                       eventstore::Reader& reader) {
  // Shared: by the stream's callback and the question under way.
  const std::shared_ptr<ListAnswer> list(
      new ListAnswer(queries, client, std::move(form), std::move(next)));
  list->send_first(reader);
}

base::Status ListAnswer::render(eventstore::Reader& reader) {
  while (!done_ && piece_.size() < kPieceBytes) {
    const auto more = next_(reader, rows_);
    if (!more) return base::fail(more.error());
    done_ = !*more;
  }
  if (done_) piece_ += "]}";
  return {};
}

void ListAnswer::send_first(eventstore::Reader& reader) {
  if (auto status = render(reader); !status) return client_.fail(status.error());
  if (done_) {
    form_.head.body = std::move(piece_);
    return client_.send(std::move(form_.head));
  }
  stream_ = client_.reply.start_stream(std::move(form_.head));
  stream_.write(piece_);
  piece_.clear();
  stream_.on_writable([self = shared_from_this()](const Stream&) {
    self->queries_.ask(self->client_, [self](eventstore::Reader& next) { self->send_next(next); });
  });
}

void ListAnswer::send_next(eventstore::Reader& reader) {
  if (done_ || !stream_.alive()) return;
  if (!render(reader)) return stream_.abort();
  // Once it is written the next piece may be asked for, on another thread: nothing of ours is
  // touched after that.
  std::string piece;
  piece.swap(piece_);
  const bool last = done_;
  const Stream stream = stream_;
  stream.write(piece);
  if (last) stream.finish();
}

}  // namespace slipway::api
