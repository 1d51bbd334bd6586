#pragma once
// GET /virtual_machines: all of them, newest first, without pages (piecewise_answer.hpp).
#include "api/dialects/vmfront/wire.hpp"
#include "api/piecewise_answer.hpp"

namespace slipway::api::vmfront {

// `context` has all but the networks, which are read. Any thread.
void answer_servers(QueryPool& queries, const Client& client, eventstore::Scope scope,
                    ServerContext context);

}  // namespace slipway::api::vmfront
