#include "api/core_api/sql_routes.hpp"

#include "api/access_guard.hpp"
#include "api/sql_query.hpp"

namespace slipway::api {

RouteTable sql_routes(const ApiServices& services, SqlPool& pool) {
  return {{Method::Post, "/sql", allow(Right::View), [&services, &pool](const Call& call) {
             answer_sql(services, pool, call.request, Client{call.reply},
                        identity_of(call).scope());
           }}};
}

}  // namespace slipway::api
