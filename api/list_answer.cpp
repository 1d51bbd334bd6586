#include "api/list_answer.hpp"

#include <utility>

namespace slipway::api {
namespace {

constexpr std::size_t kPieceBytes = 48U << 10U;  // and what the last question brought: about 64 KiB

}  // namespace

void ListRows::add(base::JsonWriter& row) {
  if (!std::exchange(first_, false)) out_ += ',';
  out_ += row.view();
  row.clear();
}

void answer_list(QueryPool& queries, const Client& client, ListForm form, NextRows next,
                 eventstore::Reader& reader) {
  auto piece_of = [name = std::move(form.name), next = std::move(next), opened = false,
                   first = true](eventstore::Reader& from,
                                 std::string& piece) mutable -> base::Result<bool> {
    if (!std::exchange(opened, true)) piece = "{\"" + name + "\":[";
    ListRows rows(piece, first);
    while (piece.size() < kPieceBytes) {
      const auto more = next(from, rows);
      if (!more) return base::fail(more.error());
      if (*more) continue;
      piece += "]}";
      return false;
    }
    return true;
  };
  answer_in_pieces(queries, client, std::move(form.head), std::move(piece_of), reader);
}

}  // namespace slipway::api
