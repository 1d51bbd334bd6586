#include "app/listeners.hpp"

#include <fmt/format.h>

#include "app/config_rules.hpp"

namespace slipway::app {

api::Limits edge_limits(const HttpConfig& c) {
  api::Limits l;
  l.request_line_bytes = c.max_request_line_bytes;
  l.header_bytes = c.max_header_bytes;
  l.headers = c.max_headers;
  l.body_bytes = c.max_body_bytes;
  l.header_time = c.header_timeout;
  l.body_time = c.body_timeout;
  l.body_bytes_per_second = c.body_bytes_per_second;
  l.idle_time = c.idle_timeout;
  l.stall_time = c.stall_timeout;
  l.connections = c.max_connections;
  l.connections_per_address = c.max_connections_per_address;
  return l;
}

api::Options edge_options(const HttpConfig& c) {
  api::Options o;
  o.io_threads = static_cast<unsigned>(c.io_threads);
  o.limits = edge_limits(c);
  return o;
}

base::Result<std::string> listen_on(api::Server& server, std::string_view address, std::string name,
                                    std::shared_ptr<api::Handler> handler) {
  const HostPort at = split_address(address);
  if (at.port.empty()) {
    return base::fail(base::Errc::InvalidArgument, fmt::format("'{}' is no HOST:PORT", address));
  }
  const auto port = server.listen({.name = std::move(name),
                                   .host = at.host,
                                   .port = static_cast<std::uint16_t>(std::stoul(at.port)),
                                   .handler = std::move(handler)});
  if (!port) return base::fail(port.error());
  const bool v6 = at.host.find(':') != std::string::npos;
  return v6 ? fmt::format("[{}]:{}", at.host, *port) : fmt::format("{}:{}", at.host, *port);
}

}  // namespace slipway::app
