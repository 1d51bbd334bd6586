#pragma once
// The command line, from words to exit code.
#include "app/cli/command.hpp"
#include "app/cli/io.hpp"

namespace slipway::app::cli {

// The commands that talk to a server, and those about the command line itself (completion, man,
// version, config context). A program with more (serve, sql, ...) adds them to the table:
//
//   CommandTable table;
//   table.add({.path = {"serve"}, .summary = "Run a server", .run = serve});
//   add_client_commands(table);  // help lists commands in the order they were added
//   auto io = process_io();
//   return run_cli(argc, argv, io, table);
void add_client_commands(CommandTable& table);
// A table of these alone.
CommandTable client_commands();

// Never throws; answers one of `Exit`.
int run_cli(int argc, const char* const* argv, Io& io, const CommandTable& table);
int run_cli(int argc, const char* const* argv, Io& io);

}  // namespace slipway::app::cli
