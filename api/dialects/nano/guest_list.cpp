#include "api/dialects/nano/guest_list.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace slipway::api::nano {
namespace {

using base::Errc;

constexpr std::size_t kRows = 64;
constexpr std::size_t kPieceBytes = 64U << 10U;

class GuestList final : public std::enable_shared_from_this<GuestList> {
 public:
  GuestList(Context& context, const Client& client, std::string tenant, GuestQuestion question)
      : context_(context),
        client_(client),
        scope_(eventstore::Scope::tenant(tenant)),
        question_(std::move(question)) {}

  void start(eventstore::Reader& reader) {
    auto scene = read_scene(context_, reader, scope_.name());
    if (!scene) return client_.fail(scene.error());
    scene_ = std::move(*scene);
    auto cells = cells_asked_for(scene_, question_);
    if (!cells) return client_.fail(cells.error());
    if (cells->empty()) return client_.send(success("[]"));
    filter_.hosts = std::move(*cells);
    piece_ = "{\n  \"error_code\": 0,\n  \"message\": \"\",\n  \"data\": [";
    if (!render(reader)) return client_.fail(Errc::ProjectionBehind, "the list cannot be read now");
    if (scan_.done) return client_.send(Response(200, std::move(piece_)));
    stream_ = client_.reply.start_stream(Response(200));
    stream_.write(piece_);
    piece_.clear();
    stream_.on_writable([self = shared_from_this()](const Stream&) {
      self->context_.services.queries.ask(self->client_,
                                          [self](eventstore::Reader& next) { self->go_on(next); });
    });
  }

 private:
  void go_on(eventstore::Reader& reader) {
    if (finished_ || !stream_.alive()) return;
    if (!render(reader)) {
      stream_.abort();  // the client sees that it is not the whole list
      return;
    }
    // Once it is written the next piece may be asked for, on another thread: nothing of ours is
    // touched after that.
    finished_ = scan_.done;
    std::string piece;
    piece.swap(piece_);
    const bool last = finished_;
    const Stream stream = stream_;
    stream.write(piece);
    if (last) stream.finish();
  }

  // At least one row unless it is the end: an empty piece would not make the stream run dry.
  bool render(eventstore::Reader& reader) {
    const std::size_t before = piece_.size();
    do {
      const auto status =
          reader.scan_vms(scope_, filter_, scan_, kRows, [this](const auto& vm) { write(vm); });
      if (!status) return false;
    } while (!scan_.done && piece_.size() < before + kPieceBytes);
    if (scan_.done) piece_ += any_ ? "\n  ]\n}" : "]\n}";
    return true;
  }

  // The rows are indented by what is around them.
  void write(const eventstore::VmRow& vm) {
    if (!question_.wish.fits(vm)) return;
    writer_.clear();
    write_guest(writer_, scene_, vm, question_.parts);
    piece_ += any_ ? ",\n    " : "\n    ";
    any_ = true;
    for (const char c : indented(writer_.view())) {
      piece_.push_back(c);
      if (c == '\n') piece_ += "    ";
    }
  }

  Context& context_;
  const Client client_;
  const eventstore::Scope scope_;
  const GuestQuestion question_;
  GuestScene scene_;
  eventstore::VmFilter filter_;
  eventstore::ListScan scan_;
  base::JsonWriter writer_;
  std::string piece_;
  bool any_ = false;
  bool finished_ = false;
  Stream stream_;
};

}  // namespace

base::Result<std::vector<std::string>> cells_asked_for(const GuestScene& scene,
                                                       const GuestQuestion& question) {
  auto cells = scene.cells_of(question.pool);
  if (question.cell.empty()) return cells;
  if (std::find(cells.begin(), cells.end(), question.cell) == cells.end()) {
    return base::fail(Errc::NotFound,
                      fmt::format("no cell '{}' in pool '{}'", question.cell, question.pool));
  }
  return std::vector<std::string>{question.cell};
}

void list_guests(Context& context, Call call, GuestQuestion question) {
  ask(context, std::move(call),
      [&context, question = std::move(question)](const Call& asked, eventstore::Reader& reader,
                                                 const Client& client) {
        std::make_shared<GuestList>(context, client, identity_of(asked).tenant, question)
            ->start(reader);
      });
}

}  // namespace slipway::api::nano
