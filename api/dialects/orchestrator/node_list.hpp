#pragma once
// GET nodes: all of one cloud's, oldest first, without pages (piecewise_answer.hpp).
#include <string>
#include <vector>

#include "api/dialects/orchestrator/wire.hpp"
#include "api/piecewise_answer.hpp"

namespace slipway::api::orchestrator {

// The nodes of each tenant after those of the one before. From within a question.
void answer_nodes(QueryPool& queries, const Client& client, std::vector<std::string> tenants,
                  Cloud cloud, eventstore::Reader& reader);

}  // namespace slipway::api::orchestrator
