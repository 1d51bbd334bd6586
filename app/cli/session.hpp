#pragma once
// What a command that talks to the server holds while it runs.
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/cli/client.hpp"
#include "app/cli/command.hpp"
#include "app/cli/printer.hpp"
#include "app/cli/terminal.hpp"

namespace slipway::app::cli {

struct Session {
  Io& io;
  const Values& values;
  Terminal& terminal;
  Printer& printer;
  Client& client;

  // Prints it and hands back its exit code.
  Exit fail(const Failure& failure) { return (print(failure), failure.exit); }
  Exit wrong(std::string summary, std::string next = "") {
    return fail(usage_failure(std::move(summary), std::move(next)));
  }
  void print(const Failure& failure) { print_failure(terminal, failure, printer.as_json()); }
};

// A `Command::run` from one that wants a session: opens output format, context and client first.
std::function<Exit(Invocation&)> with_session(std::function<Exit(Session&)> run);

// The options that those commands share, by what they do.
enum class Takes { Server, Output, List, Follow, Submit, Version, Confirm };
std::vector<Option> options_for(std::initializer_list<Takes> takes, std::vector<Option> own = {});

// All pages of a list, up to --limit (0: all). `query` is the filters.
tl::expected<Json, Failure> list_all(Session& session, const std::string& path, Query query,
                                     const std::string& noun);
// `list_all`, then prints.
Exit print_list(Session& session, const std::string& path, Query query, const Shape& shape);
// GET, then prints.
Exit print_one(Session& session, const std::string& path, const Shape& shape);

// Asks on the terminal; without one, --yes is needed. True: go on.
tl::expected<void, Failure> confirm(Session& session, const std::string& question);

}  // namespace slipway::app::cli
