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
void user_routes(Area& area);
void group_routes(Area& area);  // and roles, resource visibilities
void log_routes(Area& area);
void pool_routes(Area& area);
void cell_routes(Area& area);
void storage_routes(Area& area);
void status_routes(Area& area);
void address_routes(Area& area);
void template_routes(Area& area);
void security_routes(Area& area);

}  // namespace slipway::api::nano
