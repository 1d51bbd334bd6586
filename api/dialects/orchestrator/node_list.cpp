#include "api/dialects/orchestrator/node_list.hpp"

#include <utility>

namespace slipway::api::orchestrator {

bool NodeList::render(eventstore::Reader& reader) {
  eventstore::VmFilter filter{.backend = cloud_.name};
  filter.numbered = cloud_.face != nullptr;
  std::size_t rows = 0;
  while (rows < kRows && at_ < tenants_.size()) {
    const auto status = reader.scan_vms(eventstore::Scope::tenant(tenants_[at_]), filter, scan_,
                                        kRows - rows, [&](const eventstore::VmRow& vm) {
                                          base::JsonWriter w;
                                          write_node(w, cloud_, vm.id, vm.spec, vm.state);
                                          if (!std::exchange(first_, false)) piece_ += ',';
                                          piece_ += w.view();
                                          ++rows;
                                        });
    if (!status) return false;
    if (!scan_.done) continue;
    ++at_;
    scan_ = {};
  }
  done_ = at_ == tenants_.size();
  if (done_) piece_ += R"(],"status":"ok"})";
  return true;
}

void NodeList::start(eventstore::Reader& reader) {
  piece_ = R"({"nodes":[)";
  if (!render(reader)) {
    client_.fail(base::Errc::ProjectionBehind, "the read models cannot be asked just now");
    return;
  }
  if (done_) {
    client_.send(Response(200, std::move(piece_), kType));
    return;
  }
  stream_ = client_.reply.start_stream(Response(200, "", kType));
  stream_.write(std::exchange(piece_, {}));
  stream_.on_writable([self = shared_from_this()](const Stream&) {
    self->queries_.ask(self->client_, [self](eventstore::Reader& next) { self->send_next(next); });
  });
}

void NodeList::send_next(eventstore::Reader& reader) {
  if (done_ || !stream_.alive()) return;
  if (!render(reader)) {
    stream_.abort();  // the client sees that it is not the whole list
    return;
  }
  // Once it is written the next piece may be asked for, on another thread: nothing of ours is
  // touched after that.
  const std::string piece = std::exchange(piece_, {});
  const bool last = done_;
  const Stream stream = stream_;
  stream.write(piece);
  if (last) stream.finish();
}

}  // namespace slipway::api::orchestrator
