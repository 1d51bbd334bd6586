#include "app/cli/parse.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <memory>

namespace slipway::app::cli {
namespace {

using Words = std::vector<std::string>;

bool is_help(const std::string& word) { return word == "--help" || word == "-h"; }

// Eats the words of a path from the front.
Words take_path(const CommandTable& table, Words& words) {
  Words path;
  while (!words.empty()) {
    const auto next = table.words_after(path);
    if (std::find(next.begin(), next.end(), words.front()) == next.end()) break;
    path.push_back(words.front());
    words.erase(words.begin());
  }
  return path;
}

std::string names_for_library(const Option& option) {
  return option.short_name.empty() ? option.name : option.short_name + "," + option.name;
}

// What CLI11 writes the values of one option into.
struct Slot {
  std::string name;
  Words values;
  CLI::Option* handle = nullptr;
};

void declare(CLI::App& app, const Option& option, Slot& slot) {
  const auto names = names_for_library(option);
  if (option.value.empty() || !option.implied.empty()) {
    // A flag to the library: it never swallows the word after it, yet takes `--wait=10m`.
    slot.handle = app.add_flag(names, slot.values);
  } else {
    slot.handle = app.add_option(names, slot.values)->expected(1)->allow_extra_args(false);
  }
  slot.handle->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

std::string wrong_choice(const std::string& what, const std::string& given, const Words& choices) {
  auto text = what + " cannot be '" + given + "'; it is one of " + join(choices, ", ");
  const auto meant = nearest(given, choices);
  return meant.empty() ? text : text + " (did you mean '" + meant + "'?)";
}

std::string check_choices(const std::string& what, const Words& values, const Words& choices) {
  if (choices.empty()) return {};
  for (const auto& value : values)
    if (std::find(choices.begin(), choices.end(), value) == choices.end())
      return wrong_choice(what, value, choices);
  return {};
}

std::string accept_option(const Option& option, Slot& slot, Values& values) {
  if (slot.handle->count() == 0)
    return option.required ? option.name + " " + option.value + " is missing" : "";
  if (option.value.empty()) {
    if (slot.values != Words(slot.values.size(), "true")) return option.name + " takes no value";
    values.set(option.name, {"true"});
    return {};
  }
  if (!option.implied.empty())
    for (auto& value : slot.values)
      if (value == "true") value = option.implied;
  if (!option.repeated && slot.values.size() > 1) return option.name + " is given twice";
  if (auto problem = check_choices(option.name, slot.values, option.choices); !problem.empty())
    return problem;
  values.set(option.name, std::move(slot.values));
  return {};
}

// Gives each argument its words, in order; the last may take all that are left.
std::string accept_arguments(const Command& command, const Words& words, Values& values) {
  std::size_t at = 0;
  for (const auto& argument : command.arguments) {
    if (at == words.size()) {
      if (argument.required) return argument.name + " is missing";
      continue;
    }
    const auto count = argument.repeated ? words.size() - at : 1;
    const auto first = words.begin() + static_cast<std::ptrdiff_t>(at);
    Words mine(first, first + static_cast<std::ptrdiff_t>(count));
    if (auto problem = check_choices(argument.name, mine, argument.choices); !problem.empty())
      return problem;
    values.set(argument.name, std::move(mine));
    at += count;
  }
  return at == words.size() ? "" : "'" + words[at] + "' is one argument too many";
}

std::string unknown_option(const Command& command, const std::string& word) {
  const auto name = word.substr(0, word.find('='));
  const auto meant = nearest(name, option_names(command));
  const auto text = "unknown option " + name;
  return meant.empty() ? text : text + "; did you mean " + meant + "?";
}

// The arguments among what the library left over; the rest are options it does not know.
std::string split_leftovers(const Command& command, const Words& left, Words& arguments,
                            Words& rest) {
  bool all_arguments = false;
  for (const auto& word : left) {
    if (command.passes_unknown && command.arguments.empty()) {
      rest.push_back(word);  // an unknown option's value looks like an argument
    } else if (!all_arguments && word == "--") {
      all_arguments = true;
    } else if (!all_arguments && command.passes_unknown &&
               (word.starts_with('-') || command.arguments.empty())) {
      rest.push_back(word);  // without arguments of its own, a bare word is an option's value
    } else if (all_arguments || word == "-" || !word.starts_with('-')) {
      arguments.push_back(word);
    } else {
      return unknown_option(command, word);
    }
  }
  return {};
}

std::string parse_values(const Command& command, Words words, Parsed& out) {
  CLI::App app;
  app.set_help_flag();
  app.allow_extras();
  std::vector<std::unique_ptr<Slot>> slots;
  for (const auto& option : command.options) {
    slots.push_back(std::make_unique<Slot>());
    slots.back()->name = option.name;
    declare(app, option, *slots.back());
  }
  // Kept from the library, which would forget that they came after "--".
  Words arguments, after;
  if (const auto dashes = std::find(words.begin(), words.end(), "--"); dashes != words.end()) {
    after.assign(dashes + 1, words.end());
    words.erase(dashes, words.end());
  }
  std::reverse(words.begin(), words.end());  // as the library wants them
  try {
    app.parse(words);
  } catch (const CLI::ParseError& error) {
    return error.what();
  }
  if (auto problem = split_leftovers(command, app.remaining(), arguments, out.rest);
      !problem.empty())
    return problem;
  arguments.insert(arguments.end(), after.begin(), after.end());
  for (std::size_t i = 0; i < slots.size(); ++i) {
    if (auto problem = accept_option(command.options[i], *slots[i], out.values); !problem.empty())
      return problem;
  }
  return accept_arguments(command, arguments, out.values);
}

std::string no_such_command(const CommandTable& table, const Words& path, const Words& words) {
  const auto next = table.words_after(path);
  const auto group = path.empty() ? std::string() : join(path, " ") + " ";
  if (words.empty()) return "'" + group + "' needs one of: " + join(next, ", ");
  if (words.front().starts_with('-')) return "unknown option " + words.front();
  const auto text = "no command '" + group + words.front() + "'";
  const auto meant = nearest(words.front(), next);
  return meant.empty() ? text : text + "; did you mean '" + group + meant + "'?";
}

}  // namespace

std::vector<std::string> option_names(const Command& command) {
  Words names;
  for (const auto& option : command.options) {
    names.push_back(option.name);
    if (!option.short_name.empty()) names.push_back(option.short_name);
  }
  names.insert(names.end(), {"--help", "-h"});
  return names;
}

Parsed parse(const CommandTable& table, const std::vector<std::string>& given) {
  Parsed out;
  auto words = given;
  const auto dashes = std::find(words.begin(), words.end(), "--");
  const bool help =
      std::any_of(words.begin(), dashes, is_help) || (!words.empty() && words.front() == "help");
  if (!words.empty() && words.front() == "help") words.erase(words.begin());
  out.path = take_path(table, words);
  if (help || given.empty()) {
    out.what = Parsed::What::Help;
    // `help task nonsense` says so; `task nonsense --help` helps with what it understood.
    return out;
  }
  const auto* command = table.find(out.path);
  out.problem = command ? parse_values(*command, std::move(words), out)
                        : no_such_command(table, out.path, words);
  if (out.problem.empty()) out.what = Parsed::What::Run;
  return out;
}

}  // namespace slipway::app::cli
