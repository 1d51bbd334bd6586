#include "app/cli/commands.hpp"
#include "app/cli/contexts.hpp"
#include "app/cli/failure.hpp"
#include "app/cli/printer.hpp"
#include "app/cli/session.hpp"

namespace slipway::app::cli {
namespace {

const std::vector<Option> kQuiet{{"--quiet", "-q", "", "Only results and errors"}};

const Shape& context_shape() {
  static const Shape shape{"context",
                           "/name",
                           {{"NAME", "/name"},
                            {"CURRENT", "/current"},
                            {"SERVER", "/server"},
                            {"TOKEN FILE", "/token_file"}}};
  return shape;
}

// Runs with the contexts of the file; what `run` changes is written if it says so.
struct Edit {
  Invocation& call;
  Terminal& terminal;
  std::string path;
  Contexts contexts;

  Exit fail(std::string summary, std::string next = "") {
    print_failure(terminal, usage_failure(std::move(summary), std::move(next)), false);
    return Exit::Usage;
  }
  Exit unknown(const std::string& name) {
    return fail("no context '" + name + "'", "slipway config context list");
  }
  Exit save(const std::string& note) {
    if (path.empty()) return fail("neither HOME nor XDG_CONFIG_HOME is set");
    const auto written = write_contexts(path, contexts);
    if (!written) return fail(written.error().message);
    terminal.note(note);
    return Exit::Done;
  }
};

std::function<Exit(Invocation&)> with_contexts(std::function<Exit(Edit&)> run) {
  return [run = std::move(run)](Invocation& call) {
    Terminal terminal(call.io, call.values.has("--quiet"));
    Edit edit{call, terminal, contexts_path(call.io), {}};
    auto contexts = read_contexts(edit.path);
    if (!contexts) return edit.fail(contexts.error().message);
    edit.contexts = std::move(*contexts);
    return run(edit);
  };
}

Exit list(Edit& edit) {
  const auto printer = Printer::open(edit.call.io, edit.terminal, edit.call.values);
  if (!printer) return edit.fail(printer.error().message);
  auto items = Json::array();
  for (const auto& [name, context] : edit.contexts.all)
    items.push_back({{"name", name},
                     {"server", context.server},
                     {"token_file", context.token_file},
                     {"current", name == edit.contexts.current}});
  printer->list(items, context_shape());
  return Exit::Done;
}

Exit set(Edit& edit) {
  const auto& values = edit.call.values;
  const auto name = values.get("NAME");
  auto& context = edit.contexts.all[name];
  if (values.has("--server")) context.server = values.get("--server");
  if (values.has("--token-file")) context.token_file = values.get("--token-file");
  if (!context.server.starts_with("http://") && !context.server.starts_with("https://"))
    return edit.fail("a context needs a server: --server http://... or https://...");
  if (edit.contexts.current.empty()) edit.contexts.current = name;
  return edit.save("context '" + name + "' is " + context.server);
}

Exit use(Edit& edit) {
  const auto name = edit.call.values.get("NAME");
  if (!edit.contexts.all.contains(name)) return edit.unknown(name);
  edit.contexts.current = name;
  return edit.save("now using '" + name + "'");
}

Exit remove(Edit& edit) {
  const auto name = edit.call.values.get("NAME");
  if (edit.contexts.all.erase(name) == 0) return edit.unknown(name);
  if (edit.contexts.current == name) edit.contexts.current.clear();
  return edit.save("context '" + name + "' is gone; its token file was left alone");
}

}  // namespace

void add_context_commands(CommandTable& table) {
  table.describe_group({"config"}, "Configuration, of servers and of this command line");
  table.describe_group({"config", "context"}, "Contexts: the servers you talk to");
  const Argument name{"NAME", "Context"};
  table.add({.path = {"config", "context", "list"},
             .summary = "List contexts",
             .examples = {{"slipway config context list", "which there are, and the present one"}},
             .options = options_for({Takes::Output}, kQuiet),
             .run = with_contexts(list)});
  table.add({.path = {"config", "context", "set"},
             .summary = "Make or change a context",
             .examples = {{"slipway config context set prod --server https://slipway.example:8081 "
                           "--token-file ~/.config/slipway/prod.token",
                           "a server and the file with its token"}},
             .arguments = {name},
             .options = options_for({}, {{"--server", "", "URL", "Server to talk to"},
                                         {"--token-file", "", "FILE", "File that holds the token"},
                                         kQuiet.front()}),
             .run = with_contexts(set)});
  table.add({.path = {"config", "context", "use"},
             .summary = "Choose the context that is used from now on",
             .examples = {{"slipway config context use prod", "until another is chosen"}},
             .arguments = {name},
             .options = kQuiet,
             .run = with_contexts(use)});
  table.add({.path = {"config", "context", "delete"},
             .summary = "Forget a context",
             .examples = {{"slipway config context delete old", "its token file stays"}},
             .arguments = {name},
             .options = kQuiet,
             .run = with_contexts(remove)});
}

}  // namespace slipway::app::cli
