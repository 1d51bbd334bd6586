#pragma once
// POST /query: a list of texts with their placeholders in, a list of results out, one a statement.
#include <string_view>
#include <vector>

#include "core/base/json_write.hpp"
#include "eventstore/sql/engine.hpp"

namespace slipway::api::perspective {

// [{"sql":"...","parameters":[{"name":"n","value":"v"},{"index":1,"value":"v"}]}]; one object is
// taken for a list of one. InvalidArgument: what is wrong with it.
base::Result<std::vector<eventstore::sql::Query>> parse_queries(std::string_view body);

std::string render_results(const eventstore::sql::Answer& answer);

}  // namespace slipway::api::perspective
