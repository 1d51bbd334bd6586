#pragma once
// The command line, from words to exit code.
#include "app/cli/command.hpp"
#include "app/cli/io.hpp"

namespace slipway::app::cli {

// The commands that talk to a server, and those about the command line itself (completion, man,
// version, config context). A program with more (serve, sql, ...) adds them to the table:
//
//   auto table = client_commands();
//   table.add({.path = {"serve"}, .summary = "Run a server", .passes_unknown = true, .run =
//   serve}); return run_cli(argc, argv, io, table);
CommandTable client_commands();

// Never throws; answers one of `Exit`.
int run_cli(int argc, const char* const* argv, Io& io, const CommandTable& table);
int run_cli(int argc, const char* const* argv, Io& io);

}  // namespace slipway::app::cli
