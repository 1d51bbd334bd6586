#pragma once
// The API's description of itself: /docs for people, /core/v1/openapi.json for programs.
#include "api/edge/router.hpp"

namespace slipway::api {

// Below the root.
RouteTable document_routes();

}  // namespace slipway::api
