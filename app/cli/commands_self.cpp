#include "app/cli/commands.hpp"
#include "app/cli/completion.hpp"
#include "app/cli/help.hpp"
#include "app/cli/printer.hpp"
#include "app/cli/session.hpp"

namespace slipway::app::cli {
namespace {

Exit completion(Invocation& call) {
  call.io.out << completion_script(call.table, call.values.get("SHELL"));
  return Exit::Done;
}

Exit man(Invocation& call) {
  call.io.out << man_page(call.table);
  return Exit::Done;
}

Exit version(Invocation& call) {
  const auto format = call.values.get("--output");
  if (format.starts_with("json")) {
    call.io.out << Json{{"version", SLIPWAY_VERSION}}.dump() << '\n';
  } else {
    call.io.out << "slipway " << SLIPWAY_VERSION << '\n';
  }
  return Exit::Done;
}

}  // namespace

void add_self_commands(CommandTable& table) {
  table.add({.path = {"completion"},
             .summary = "Print the completion script of a shell",
             .examples = {{"source <(slipway completion bash)", "in ~/.bashrc"},
                          {"slipway completion zsh > \"${fpath[1]}/_slipway\"", "for zsh, once"},
                          {"slipway completion fish | source", "in config.fish"}},
             .arguments = {{"SHELL", "Shell", true, false, {"bash", "zsh", "fish"}}},
             .run = completion});
  table.add({.path = {"man"},
             .summary = "Print the manual page",
             .examples = {{"slipway man | man -l -", "read it"}},
             .run = man});
  table.add(
      {.path = {"version"},
       .summary = "Print the version of this program",
       .examples = {{"slipway version", "for people"}, {"slipway version -o json", "for programs"}},
       .options = {{"--output", "-o", "FORMAT", "Output format", {"table", "json"}}},
       .run = version});
}

}  // namespace slipway::app::cli
