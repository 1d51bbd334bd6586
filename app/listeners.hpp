#pragma once
// From configuration to listeners of the edge.
#include "api/edge/options.hpp"
#include "api/edge/server.hpp"
#include "app/config.hpp"

namespace slipway::app {

api::Options edge_options(const HttpConfig& config);
api::Limits edge_limits(const HttpConfig& config);

// Opens "HOST:PORT" on the server. The address with the port in numbers, or an Error that names it.
base::Result<std::string> listen_on(api::Server& server, std::string_view address, std::string name,
                                    std::shared_ptr<api::Handler> handler);

}  // namespace slipway::app
