#pragma once
// GET /problems/{code}: what each code of the API's errors means and what to do about it.
#include "api/edge/router.hpp"

namespace slipway::api {

// Below the root: /problems and /problems/{code}.
RouteTable problem_routes();

}  // namespace slipway::api
