#pragma once
// JSON as YAML: a plain subset that every YAML reader understands.
#include <string>

#include "app/cli/json.hpp"

namespace slipway::app::cli {

std::string to_yaml(const Json& value);  // ends with a newline

}  // namespace slipway::app::cli
