#include "app/commands.hpp"
#include "app/config_show.hpp"

namespace slipway::app {
namespace {

const cli::Option kConfig{"--config", "", "FILE", "configuration file (TOML)"};

cli::Exit check(cli::Invocation& call) {
  const auto loaded = load_for(call);
  if (!loaded) return cli::Exit::Usage;
  const auto errors = probe_config(*loaded);
  for (const ConfigError& error : errors) call.io.err << error.text() << "\n";
  if (!errors.empty()) return cli::Exit::Usage;
  call.io.out << "the configuration is good\n";
  return cli::Exit::Done;
}

cli::Exit show(cli::Invocation& call) {
  const auto loaded = load_for(call);
  if (!loaded) return cli::Exit::Usage;
  call.io.out << show_config(*loaded);
  return cli::Exit::Done;
}

cli::Exit sample(cli::Invocation& call) {
  call.io.out << sample_config();
  return cli::Exit::Done;
}

}  // namespace

void add_config_commands(cli::CommandTable& table) {
  table.add({.path = {"config", "check"},
             .summary = "Check a configuration, with the directories, addresses and files it names",
             .examples = {{"slipway config check --config /etc/slipway.toml", "before a restart"}},
             .options = {kConfig},
             .run = check,
             .passes_unknown = true});
  table.add(
      {.path = {"config", "show"},
       .summary = "Show each key in force, and where its value is from",
       .examples = {{"slipway config show --config /etc/slipway.toml", "what a server would use"}},
       .options = {kConfig},
       .run = show,
       .passes_unknown = true});
  table.add({.path = {"config", "sample"},
             .summary = "Print a configuration file with every key at its default",
             .examples = {{"slipway config sample > slipway.toml", "to begin with"}},
             .run = sample});
}

}  // namespace slipway::app
