#pragma once
// Every group of nano's routes; each is in a file of its own.
#include "api/dialects/nano/context.hpp"

namespace slipway::api::nano {

void session_routes(Area& area);
void system_routes(Area& area);

}  // namespace slipway::api::nano
