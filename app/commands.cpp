#include "app/commands.hpp"

#include <csignal>

namespace slipway::app {
namespace {

sigset_t handled_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&set, signal);
  return set;
}

}  // namespace

LoadedConfig read_config(cli::Invocation& call) {
  ConfigSources sources;
  if (call.values.has("--config")) sources.file = call.values.get("--config");
  sources.environment = environment();
  sources.flags = call.rest;
  return load_config(sources);
}

std::optional<LoadedConfig> load_for(cli::Invocation& call) {
  LoadedConfig loaded = read_config(call);
  for (const ConfigError& error : loaded.errors) call.io.err << error.text() << "\n";
  for (const std::string& warning : loaded.warnings) call.io.err << "warning: " << warning << "\n";
  if (!loaded.ok()) return std::nullopt;
  return loaded;
}

void block_signals() {
  const sigset_t set = handled_signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

int wait_for_signal() {
  const sigset_t set = handled_signals();
  int signal = 0;
  while (sigwait(&set, &signal) != 0) {
  }
  return signal;
}

HurryOnSignal::HurryOnSignal(std::function<void()> hurry)
    : thread_([hurry = std::move(hurry)](const std::stop_token& stop) {
        const sigset_t set = handled_signals();
        const timespec soon{0, 100'000'000};
        while (!stop.stop_requested()) {
          const int signal = sigtimedwait(&set, nullptr, &soon);
          if (signal == SIGTERM || signal == SIGINT) hurry();
        }
      }) {}

}  // namespace slipway::app
