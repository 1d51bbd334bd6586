#pragma once
// The command table: the one place that says which commands exist, what they take and what they are
// for. Parsing, --help, the man page and the completions are all made from it.
//
//   table.add({.path = {"log", "verify"},
//              .summary = "Check every record of the log",
//              .examples = {{"slipway log verify --data-dir data", "of a stopped server"}},
//              .options = {{.name = "--data-dir", .value = "DIR", .help = "..."}},
//              .run = [](Invocation& call) { return verify(call.values.get("--data-dir")); }});
//
// A path may be a command and the start of others at once (`worker`, `worker list`).
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/cli/exit_code.hpp"
#include "app/cli/io.hpp"

namespace slipway::app::cli {

struct Option {
  std::string name;                       // "--limit": also its key in Values
  std::string short_name = {};            // "-o", or empty
  std::string value = {};                 // what its value is called, "N"; empty: a flag
  std::string help = {};                  // one sentence, no full stop
  std::vector<std::string> choices = {};  // if any, nothing else is taken
  std::string implied =
      {};  // if not empty the value may be left out and is then this; `--wait=10m`
  bool repeated = false;
  bool required = false;
};

struct Argument {
  std::string name;  // "ID": also its key in Values
  std::string help = {};
  bool required = true;
  bool repeated = false;                  // only the last one may be
  std::vector<std::string> choices = {};  // for completion and checking
};

struct Example {
  std::string line;  // the whole command
  std::string what;  // what it does, in a few words
};

// What the command line gave, by name.
class Values {
 public:
  bool has(const std::string& name) const { return given_.contains(name); }
  std::string get(const std::string& name, const std::string& fallback = "") const;
  const std::vector<std::string>& all(const std::string& name) const;  // empty if not given
  void set(const std::string& name, std::vector<std::string> values) {
    given_[name] = std::move(values);
  }

 private:
  std::map<std::string, std::vector<std::string>> given_;
};

struct Command;
class CommandTable;

struct Invocation {
  const Command& command;
  const CommandTable& table;
  Values values;
  std::vector<std::string> rest;  // what `passes_unknown` let through, in order
  Io& io;
};

struct Command {
  std::vector<std::string> path;  // {"vm", "create"}
  std::string summary;            // imperative, one line, no full stop
  std::string description = {};   // more, if there is more; may be empty
  std::vector<Example> examples = {};
  std::vector<Argument> arguments = {};
  std::vector<Option> options = {};
  std::function<Exit(Invocation&)> run = {};
  // Options that the table does not know go to `rest` instead of being refused: for commands whose
  // flags are the configuration's keys. Bare words go there too if `arguments` is empty, so that
  // `--key value` arrives whole.
  bool passes_unknown = false;

  std::string full_name() const;  // "slipway vm create"
};

class CommandTable {
 public:
  // Replaces nothing: a path that exists already ends the process (a bug).
  void add(Command command);
  // What a group of commands is about: {"vm"} -> "Virtual machines".
  void describe_group(std::vector<std::string> path, std::string summary);

  const std::vector<Command>& commands() const { return commands_; }  // in the order added
  const Command* find(const std::vector<std::string>& path) const;
  // The words that may come next after `path`, in the order added; empty if none.
  std::vector<std::string> words_after(const std::vector<std::string>& path) const;
  // Of a command or a group; empty if neither.
  std::string summary_of(const std::vector<std::string>& path) const;

 private:
  std::vector<Command> commands_;
  std::map<std::vector<std::string>, std::string> groups_;
};

// Of the alternatives, the one that was most likely meant; empty if none is near.
std::string nearest(const std::string& word, const std::vector<std::string>& alternatives);

// "a, b, c"; and the parts of "a,b,c".
std::string join(const std::vector<std::string>& words, std::string_view between);

}  // namespace slipway::app::cli
