#pragma once
// api/openapi.json, as it was built into the program.
#include <string_view>

namespace slipway::api {

std::string_view openapi_json();

}  // namespace slipway::api
