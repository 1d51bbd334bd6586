#include "api/dialects/vmfront/server_list.hpp"

namespace slipway::api::vmfront {

void ServerList::start() {
  queries_.ask(client_, [self = shared_from_this()](eventstore::Reader& reader) {
    self->send_first(reader);
  });
}

bool ServerList::read_networks(eventstore::Reader& reader) {
  const auto page = reader.list_networks(scope_, {.limit = 500, .ascending = true});
  if (!page) {
    client_.fail(page.error());
    return false;
  }
  for (const auto& row : page->items) context_.networks[row.network.id] = row.network.name;
  return true;
}

bool ServerList::render(eventstore::Reader& reader) {
  const auto page = reader.list_vms(scope_, {}, {.limit = kRows, .after = after_});
  if (!page) return false;
  for (const auto& row : page->items) write_server(writer_, row, context_);
  after_ = page->next;
  done_ = !page->next;
  if (done_) writer_.close(']').close('}');
  return true;
}

void ServerList::send_first(eventstore::Reader& reader) {
  if (!read_networks(reader)) return;
  writer_.open('{').key("servers").open('[');
  if (!render(reader)) {
    client_.fail(base::Errc::ProjectionBehind, "the read models cannot be asked just now");
    return;
  }
  if (done_) {
    client_.send(Response(200, std::move(piece_), kType));
    return;
  }
  stream_ = client_.reply.start_stream(Response(200, "", kType));
  stream_.write(piece_);
  piece_.clear();
  stream_.on_writable([self = shared_from_this()](const Stream&) {
    self->queries_.ask(self->client_, [self](eventstore::Reader& next) { self->send_next(next); });
  });
}

void ServerList::send_next(eventstore::Reader& reader) {
  if (done_ || !stream_.alive()) return;
  if (!render(reader)) {
    stream_.abort();  // the client sees that it is not the whole list
    return;
  }
  // Once it is written the next piece may be asked for, on another thread: nothing of ours is
  // touched after that.
  std::string piece;
  piece.swap(piece_);
  const bool last = done_;
  const Stream stream = stream_;
  stream.write(piece);
  if (last) stream.finish();
}

}  // namespace slipway::api::vmfront
