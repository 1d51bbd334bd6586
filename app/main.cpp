#include "app/cli/run.hpp"
#include "app/commands.hpp"

int main(int argc, char** argv) {
  using namespace slipway::app;
  cli::CommandTable table = cli::client_commands();
  add_serve_commands(table);
  add_worker_commands(table);
  add_log_commands(table);
  add_config_commands(table);
  cli::Io io = cli::process_io();
  return cli::run_cli(argc, argv, io, table);
}
