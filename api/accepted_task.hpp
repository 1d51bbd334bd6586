#pragma once
// The task as it is right after a command was decided, folded from that command's own events: the
// same row that the read models will hold when they have caught up, so that the answer to a POST
// and a GET right after it are one body.
#include "eventstore/rows.hpp"
#include "eventstore/sequencer.hpp"

namespace slipway::api {

// `known`: the row as it was before, for a command about a task that exists; else a new row.
eventstore::TaskRow accepted_task(const eventstore::Accepted& accepted, const domain::TaskId& id,
                                  const eventstore::TaskRow* known = nullptr);

// The row of a task that the read models do not show yet, from the live state.
eventstore::TaskRow live_task(const domain::Task& task);

}  // namespace slipway::api
