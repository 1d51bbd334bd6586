#include "app/config_rules.hpp"

#include <fmt/format.h>

#include <array>
#include <set>

#include "app/backends_config.hpp"
#include "app/clouds.hpp"

namespace slipway::app {
namespace {

class Rules {
 public:
  explicit Rules(LoadedConfig& loaded) : loaded_(loaded), c_(loaded.config) {}

  void check() {
    pairs();
    addresses();
    exposure();
    curve();
    clouds();
  }

 private:
  void require(bool holds, const std::string& key, std::string message) {
    if (holds) return;
    const auto it = loaded_.origins.find(key);
    const auto origin = it == loaded_.origins.end() ? Origin{} : it->second;
    loaded_.errors.push_back({origin, key + ": " + std::move(message)});
  }

  void pairs() {
    require(c_.tasks.backoff_base <= c_.tasks.backoff_max, "tasks.backoff_max",
            "must not be below tasks.backoff_base");
    require(c_.tasks.min_workers <= c_.tasks.max_workers, "tasks.max_workers",
            "must not be below tasks.min_workers");
    require(3 * c_.worker.heartbeat_interval <= c_.tasks.lease_timeout, "worker.heartbeat_interval",
            "must be at most a third of tasks.lease_timeout, or one lost message ends leases");
    require(c_.backend.call_timeout + c_.worker.margin < c_.tasks.lease_timeout,
            "backend.call_timeout",
            "with worker.margin must be below tasks.lease_timeout, or no call could ever begin");
    require(c_.broker.heartbeat_interval < c_.broker.heartbeat_timeout, "broker.heartbeat_timeout",
            "must be above broker.heartbeat_interval");
    require(c_.auth.failure_delay_base <= c_.auth.failure_delay_max, "auth.failure_delay_max",
            "must not be below auth.failure_delay_base");
    require(c_.vmfront.wrong_identity_status == 401 || c_.vmfront.wrong_identity_status == 503,
            "vmfront.wrong_identity_status", "must be 401 or 503");
    require(!c_.server.listeners.empty(), "server.listeners", "must name one at least");
  }

  struct Listener {
    std::string key;
    const std::string& address;
  };
  std::array<Listener, 3> listeners() const {
    return {{{"server.listen", c_.server.listen},
             {"admin.listen", c_.admin.listen},
             {"worker.metrics_listen", c_.worker.metrics_listen}}};
  }

  void address(const std::string& key, const std::string& value, bool may_be_empty) {
    if (value.empty() && may_be_empty) return;
    require(!split_address(value).port.empty(), key,
            fmt::format("\"{}\" is not HOST:PORT with a port from 0 to 65535", value));
  }
  void addresses() {
    for (const auto& [key, value] : listeners()) address(key, value, key != "server.listen");
    address("broker.listen", c_.broker.listen, true);
    address("worker.server", c_.worker.server, false);
  }

  static bool exposed(const std::string& address) {
    const auto host = split_address(address).host;
    return !host.empty() && !is_loopback(host);
  }

  // Guarantees 7.5 and 7.9.
  void exposure() {
    for (const auto& [key, value] : listeners()) {
      if (!exposed(value)) continue;
      require(
          c_.server.allow_insecure, key,
          fmt::format("{} is beyond loopback and has no TLS: put a TLS proxy in front of it and "
                      "set server.allow_insecure = true",
                      value));
      loaded_.warnings.push_back(fmt::format("{} = {} is beyond loopback without TLS", key, value));
    }
    require(!exposed(c_.server.listen) || !c_.admin.listen.empty(), "admin.listen",
            "is required when server.listen is beyond loopback: /metrics and health move there");
    require(!exposed(c_.server.listen) || !c_.auth.admin_token_file.empty(),
            "auth.admin_token_file",
            "is required when server.listen is beyond loopback: nobody could log in");
  }

  void clouds() {
    std::set<std::string> names{c_.simulated.name};
    for (const std::string& text : c_.simulated.clouds) {
      const auto cloud = parse_cloud(text);
      require(cloud.has_value(), "simulated.clouds", cloud ? "" : cloud.error().message);
      if (!cloud) continue;
      require(names.insert(cloud->name).second, "simulated.clouds",
              fmt::format("names the cloud {} twice", cloud->name));
    }
    check_backends(loaded_);
    for (std::size_t i = 0; i < c_.backends.size(); ++i) {
      require(names.insert(c_.backends[i].name).second, fmt::format("backends[{}].name", i),
              "is another backend's too");
    }
  }

  void curve() {
    if (exposed(c_.broker.listen)) {
      require(!c_.broker.secret_key_file.empty(), "broker.secret_key_file",
              "is required when broker.listen is beyond loopback (slipway worker keygen)");
      require(!c_.broker.workers_file.empty(), "broker.workers_file",
              "is required when broker.listen is beyond loopback");
    }
    if (!exposed(c_.worker.server)) return;
    require(!c_.worker.secret_key_file.empty(), "worker.secret_key_file",
            "is required when worker.server is beyond loopback (slipway worker keygen)");
    require(
        c_.worker.server_public_key.size() == 40, "worker.server_public_key",
        "must be the server's public key, 40 characters, when worker.server is beyond loopback");
  }

  LoadedConfig& loaded_;
  const Config& c_;
};

}  // namespace

void check_rules(LoadedConfig& loaded) { Rules(loaded).check(); }

HostPort split_address(std::string_view address) {
  if (address.starts_with("tcp://")) address.remove_prefix(6);
  const auto colon = address.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return {};
  auto host = address.substr(0, colon);
  const auto port = address.substr(colon + 1);
  const bool bracketed = host.starts_with('[') && host.ends_with(']');
  if (bracketed) host = host.substr(1, host.size() - 2);
  if (host.empty() || (!bracketed && host.find(':') != std::string_view::npos)) return {};
  if (port.empty() || port.size() > 5) return {};
  if (port.find_first_not_of("0123456789") != std::string_view::npos) return {};
  if (std::stoul(std::string(port)) > 65535) return {};
  return {std::string(host), std::string(port)};
}

bool is_loopback(std::string_view host) {
  return host.starts_with("127.") || host == "::1" || host == "localhost";
}

}  // namespace slipway::app
