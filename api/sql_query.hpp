#pragma once
// A request in SQL: a list of texts with their placeholders in, a list of results out, one a
// statement.
#include <string_view>
#include <vector>

#include "api/edge/request.hpp"
#include "api/edge/response.hpp"
#include "api/services.hpp"
#include "api/sql_pool.hpp"
#include "core/base/json_write.hpp"
#include "eventstore/sql/engine.hpp"

namespace slipway::api {

// [{"sql":"...","parameters":[{"name":"n","value":"v"},{"index":1,"value":"v"}]}]; one object is
// taken for a list of one. InvalidArgument: what is wrong with it.
base::Result<std::vector<eventstore::sql::Query>> parse_queries(std::string_view body);

std::string render_results(const eventstore::sql::Answer& answer);

// Answers the request's queries, for what `scope` sees, once the read models have caught up with
// what its client was told.
void answer_sql(const ApiServices& services, SqlPool& pool, const Request& request,
                const Client& client, const eventstore::Scope& scope, ContentType type = kJson);

}  // namespace slipway::api
