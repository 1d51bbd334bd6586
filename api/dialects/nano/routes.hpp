#pragma once
// Every group of nano's routes; each is in a file of its own.
#include "api/dialects/nano/context.hpp"

namespace slipway::api::nano {

void session_routes(Area& area);
void system_routes(Area& area);
void guest_routes(Area& area);
void credential_routes(Area& area);
void instance_routes(Area& area);
void monitor_routes(Area& area);
void image_routes(Area& area);
void image_file_routes(Area& area);
void batch_routes(Area& area);
void migration_routes(Area& area);

}  // namespace slipway::api::nano
