#include "api/dialects/nano/guest_list.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "api/dialects/nano/infrastructure.hpp"
#include "api/piecewise_answer.hpp"

namespace slipway::api::nano {
namespace {

using base::Errc;

constexpr std::size_t kRows = 64;
constexpr std::size_t kPieceBytes = 64U << 10U;

class GuestList {
 public:
  GuestList(GuestScene scene, std::string_view tenant, std::vector<std::string> cells,
            const GuestQuestion& question)
      : scene_(std::move(scene)),
        scope_(eventstore::Scope::tenant(std::string(tenant))),
        question_(question) {
    filter_.hosts = std::move(cells);
  }

  // At least one row unless it is the end.
  base::Result<bool> next(eventstore::Reader& reader, std::string& piece) {
    if (!any_) piece = "{\n  \"error_code\": 0,\n  \"message\": \"\",\n  \"data\": [";
    const std::size_t before = piece.size();
    const auto each = [&](const eventstore::VmRow& vm) { write(vm, piece); };
    do {
      const auto status = reader.scan_vms(scope_, filter_, scan_, kRows, each);
      if (!status) return base::fail(status.error());
    } while (!scan_.done && piece.size() < before + kPieceBytes);
    if (scan_.done) piece += any_ ? "\n  ]\n}" : "]\n}";
    return !scan_.done;
  }

 private:
  // The rows are indented by what is around them.
  void write(const eventstore::VmRow& vm, std::string& piece) {
    if (!question_.wish.fits(vm)) return;
    writer_.clear();
    write_guest(writer_, scene_, vm, question_.parts);
    piece += any_ ? ",\n    " : "\n    ";
    any_ = true;
    for (const char c : indented(writer_.view())) {
      piece.push_back(c);
      if (c == '\n') piece += "    ";
    }
  }

  const GuestScene scene_;
  const eventstore::Scope scope_;
  const GuestQuestion question_;
  eventstore::VmFilter filter_;
  eventstore::ListScan scan_;
  base::JsonWriter writer_;
  bool any_ = false;
};

}  // namespace

base::Result<std::vector<std::string>> cells_asked_for(eventstore::Reader& reader,
                                                       const GuestScene& scene,
                                                       const GuestQuestion& question) {
  auto cells = scene.cells_of(question.pool);
  if (cells.empty()) {
    // A pool without cells is one; a name that is no pool's is a mistake to be told.
    if (const auto pool = find_pool(reader, question.pool); !pool) return base::fail(pool.error());
  }
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
        const std::string& tenant = identity_of(asked).tenant;
        auto scene = read_scene(context, reader, tenant);
        if (!scene) return client.fail(scene.error());
        auto cells = cells_asked_for(reader, *scene, question);
        if (!cells) return client.fail(cells.error());
        if (cells->empty()) return client.send(success("[]"));
        answer_in_pieces(
            context.services.queries, client, Response(200),
            [list = std::make_shared<GuestList>(std::move(*scene), tenant, std::move(*cells),
                                                question)](
                eventstore::Reader& from, std::string& piece) { return list->next(from, piece); },
            reader);
      });
}

}  // namespace slipway::api::nano
