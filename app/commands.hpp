#pragma once
// The commands that are the program itself, beside those that talk to a server (app/cli).
#include <functional>
#include <optional>
#include <thread>

#include "app/cli/command.hpp"
#include "app/config_load.hpp"

namespace slipway::app {

void add_serve_commands(cli::CommandTable& table);   // serve
void add_worker_commands(cli::CommandTable& table);  // worker, worker keygen
void add_log_commands(cli::CommandTable& table);     // log verify|backup|restore
void add_config_commands(cli::CommandTable& table);  // config check|show|sample

// The configuration as the command line says; with its errors.
LoadedConfig read_config(cli::Invocation& call);
// The configuration from --config and what the command line left over. Prints what is wrong;
// nullopt then (exit 2).
std::optional<LoadedConfig> load_for(cli::Invocation& call);

// Blocks SIGTERM, SIGINT and SIGHUP in this thread and all it starts, so that one thread can wait
// for them. Call before any thread is made.
void block_signals();
// The next of them.
int wait_for_signal();

// While it lives, each further signal but SIGHUP calls `hurry`, on a thread of its own.
class HurryOnSignal {
 public:
  explicit HurryOnSignal(std::function<void()> hurry);

 private:
  std::jthread thread_;
};

}  // namespace slipway::app
