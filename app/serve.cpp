#include <unistd.h>

#include <csignal>

#include "app/commands.hpp"
#include "app/config_show.hpp"
#include "app/service.hpp"
#include "app/supervision.hpp"
#include "metrics/log.hpp"

namespace slipway::app {
namespace {

using metrics::log_info;
using metrics::log_warn;

metrics::LogOptions log_options(const Config& config) {
  metrics::LogOptions o;
  for (const auto level : metrics::kLogLevels) {
    if (metrics::log_level_name(level) == config.log.level) o.level = level;
  }
  o.burst = static_cast<std::uint32_t>(config.log.burst);
  return o;
}

void reject(Service& service, const std::string& why) {
  log_warn("the configuration was not reloaded", {{"error", why}});
  service.note_bad_reload();
}

void log_changes(const Config& running, const Config& fresh) {
  for (const ConfigChange& change : diff_config(running, fresh)) {
    if (change.needs_restart) {
      log_warn("a changed key needs a restart", {{"key", change.key}});
    } else {
      log_info("a key was reloaded",
               {{"key", change.key}, {"from", change.from}, {"to", change.to}});
    }
  }
}

// All or nothing: a bad file leaves what runs in force.
void reload(cli::Invocation& call, Config& running, Service& service) {
  const LoadedConfig fresh = read_config(call);
  if (!fresh.ok()) {
    std::string why;
    for (const ConfigError& error : fresh.errors) {
      why += (why.empty() ? "" : "; ") + error.text();
    }
    return reject(service, why);
  }
  if (auto status = service.reload(fresh.config); !status) {
    return reject(service, status.error().message);
  }
  log_changes(running, fresh.config);
  apply_reloadable(running, fresh.config);
  metrics::configure_log(log_options(running));
  log_info("the configuration was reloaded");
}

cli::Exit serve(cli::Invocation& call) {
  forbid_core_dumps();
  block_signals();
  auto loaded = load_for(call);
  if (!loaded) return cli::Exit::Usage;
  if (call.values.has("--check-config")) {
    const auto errors = probe_config(*loaded);
    for (const ConfigError& error : errors) call.io.err << error.text() << "\n";
    return errors.empty() ? cli::Exit::Done : cli::Exit::Usage;
  }
  Config config = loaded->config;
  metrics::configure_log(log_options(config));
  Supervision supervision;
  auto service =
      Service::start(config, [&](std::string_view what) { supervision.still_starting(what); });
  if (!service) {
    call.io.err << "slipway serve: " << service.error().message << "\n";
    return cli::Exit::Failed;
  }
  call.io.out << "ready http://" << (*service)->address() << std::endl;
  supervision.ready([health = (*service)->health()] { return health->live().ok; });
  while (wait_for_signal() == SIGHUP) reload(call, config, **service);
  supervision.stopping();
  log_info("draining");
  // What is then still under way ends with its leases.
  const HurryOnSignal hurry([] { ::_exit(0); });
  (*service)->drain();
  log_info("stopped");
  return cli::Exit::Done;
}

}  // namespace

void add_serve_commands(cli::CommandTable& table) {
  table.add({.path = {"serve"},
             .summary = "Run the server",
             .description = "Prints one line, `ready http://HOST:PORT`, when it answers. Without a "
                            "configuration: a demo on loopback with a simulated cloud. SIGTERM "
                            "drains and exits 0; a second one hurries; SIGHUP reloads.",
             .examples = {{"slipway serve --data-dir data --listen 127.0.0.1:0", "on a free port"},
                          {"slipway serve --config /etc/slipway.toml", "configured"}},
             .options = {{"--config", "", "FILE", "configuration file (TOML)"},
                         {"--check-config", "", "", "check the configuration and exit"}},
             .run = serve,
             .passes_unknown = true});
}

}  // namespace slipway::app
