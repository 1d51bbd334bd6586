#pragma once
// POST /core/v1/sql: the SQL dialect (docs/SQL.md) under the core API's identities and errors.
// Apart from CoreApi, as its threads are started later.
#include "api/edge/router.hpp"
#include "api/services.hpp"
#include "api/sql_pool.hpp"

namespace slipway::api {

// To be mounted at /core/v1. Both must outlive the router.
RouteTable sql_routes(const ApiServices& services, SqlPool& pool);

}  // namespace slipway::api
