#pragma once
// What must hold between keys.
#include "app/config_load.hpp"

namespace slipway::app {

// Adds to `errors` and `warnings`; each error has the place of the key that would have to change.
void check_rules(LoadedConfig& loaded);

// "127.0.0.1:8081", "[::1]:80", "tcp://host:1": the host without brackets, and the port. Empty host
// and port for what is neither.
struct HostPort {
  std::string host;
  std::string port;
};
HostPort split_address(std::string_view address);
bool is_loopback(std::string_view host);  // by its spelling: 127.x.y.z, ::1, localhost

}  // namespace slipway::app
