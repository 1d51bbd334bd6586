#pragma once
// Whole catalogues (hosts, images, networks, ...), which are never long: pages of the read models
// one after another. `list` asks for one page, `[&](const auto& page) { return
// reader.list_hosts(scope, page); }`. For VMs and leases, which may be many: answer_list
// (list_answer.hpp).
#include <utility>
#include <vector>

#include "eventstore/read_models.hpp"

namespace slipway::api {

// Hands each row to `see`.
template <class List, class See>
base::Status each_row(List list, See see) {
  eventstore::PageRequest page{.limit = 500, .ascending = true};
  for (;;) {
    auto found = list(page);
    if (!found) return base::fail(found.error());
    for (auto& row : found->items) see(std::move(row));
    if (!found->next) return {};
    page.after = found->next;
  }
}

template <class Row, class List>
base::Result<std::vector<Row>> all_rows(List list) {
  std::vector<Row> rows;
  const auto status = each_row(list, [&](Row&& row) { rows.push_back(std::move(row)); });
  if (!status) return base::fail(status.error());
  return rows;
}

}  // namespace slipway::api
