#include "app/cli/run.hpp"

#include "app/cli/commands.hpp"
#include "app/cli/failure.hpp"
#include "app/cli/help.hpp"
#include "app/cli/parse.hpp"
#include "app/cli/terminal.hpp"

namespace slipway::app::cli {
namespace {

int refuse(Io& io, const Parsed& parsed) {
  Terminal terminal(io, false);
  const auto help = "slipway " + (parsed.path.empty() ? "" : join(parsed.path, " ") + " ");
  print_failure(terminal, usage_failure(parsed.problem, help + "--help"), false);
  return static_cast<int>(Exit::Usage);
}

Exit run(const CommandTable& table, const Parsed& parsed, Io& io) {
  const auto* command = table.find(parsed.path);
  Invocation call{*command, table, parsed.values, parsed.rest, io};
  try {
    return command->run(call);
  } catch (const std::exception& error) {
    // Only a bug comes here: expected failures are values.
    Terminal terminal(io, false);
    print_failure(terminal,
                  {Exit::Failed,
                   std::string("internal error: ") + error.what(),
                   "the same with -v, and report what it shows",
                   {},
                   {}},
                  false);
    return Exit::Failed;
  }
}

}  // namespace

void add_client_commands(CommandTable& table) {
  add_task_commands(table);
  add_vm_commands(table);
  add_batch_commands(table);
  add_service_commands(table);
  add_stats_commands(table);
  add_token_commands(table);
  add_context_commands(table);
  add_self_commands(table);
}

CommandTable client_commands() {
  CommandTable table;
  add_client_commands(table);
  return table;
}

int run_cli(int argc, const char* const* argv, Io& io, const CommandTable& table) {
  const auto parsed =
      parse(table, std::vector<std::string>(argv + (argc > 0 ? 1 : 0), argv + argc));
  if (parsed.what == Parsed::What::Wrong) return refuse(io, parsed);
  if (parsed.what == Parsed::What::Help) {
    io.out << help_text(table, parsed.path, io.columns ? io.columns() : 0);
    return static_cast<int>(Exit::Done);
  }
  const auto exit = run(table, parsed, io);
  io.out.flush();
  // A full disk under a redirected stdout is a failure, not a success with half a result.
  return static_cast<int>(exit == Exit::Done && !io.out ? Exit::Failed : exit);
}

int run_cli(int argc, const char* const* argv, Io& io) {
  return run_cli(argc, argv, io, client_commands());
}

}  // namespace slipway::app::cli
