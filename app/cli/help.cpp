#include "app/cli/help.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>

namespace slipway::app::cli {
namespace {

struct Row {
  std::string left;
  std::string right;
};

std::string wrapped(const std::string& text, std::size_t indent, std::size_t columns) {
  std::istringstream words(text);
  std::string out, word;
  std::size_t at = indent;
  while (words >> word) {
    if (at > indent && at + 1 + word.size() > columns) {
      out += '\n' + std::string(indent, ' ');
      at = indent;
    } else if (at > indent) {
      out += ' ';
      ++at;
    }
    out += word;
    at += word.size();
  }
  return out;
}

// Two columns; a long left part gets a line of its own.
std::string rows_text(const std::vector<Row>& rows, std::size_t columns) {
  constexpr std::size_t kWidest = 32;
  std::size_t width = 0;
  for (const auto& row : rows)
    if (row.left.size() <= kWidest) width = std::max(width, row.left.size());
  std::string out;
  for (const auto& [left, right] : rows) {
    const auto text = wrapped(right, width + 4, columns);
    out += left.size() > width ? fmt::format("  {}\n{:{}}{}\n", left, "", width + 4, text)
                               : fmt::format("  {:{}}  {}\n", left, width, text);
  }
  return out;
}

std::string option_left(const Option& option) {
  auto left = option.short_name.empty() ? option.name : option.short_name + ", " + option.name;
  if (option.value.empty()) return left;
  return left + (option.implied.empty() ? " " + option.value : "[=" + option.value + "]");
}

std::string option_right(const Option& option) {
  auto right = option.help;
  if (!option.choices.empty()) right += ": " + join(option.choices, ", ");
  if (option.repeated) right += " (may be repeated)";
  if (option.required) right += " (required)";
  return right;
}

std::vector<Row> option_rows(const Command& command) {
  std::vector<Row> rows;
  for (const auto& option : command.options)
    rows.push_back({option_left(option), option_right(option)});
  rows.push_back({"-h, --help", "Show this help"});
  return rows;
}

std::string examples_text(const std::vector<Example>& examples) {
  std::string out = "Examples:\n";
  for (const auto& example : examples)
    out += fmt::format("  # {}\n  {}\n", example.what, example.line);
  return out + "\n";
}

std::string command_help(const Command& command, std::size_t columns) {
  auto out = examples_text(command.examples);
  out += wrapped(command.summary + ".", 0, columns) + "\n";
  if (!command.description.empty()) out += "\n" + wrapped(command.description, 0, columns) + "\n";
  out += "\nUsage:\n  " + usage_line(command) + "\n";
  if (!command.arguments.empty()) {
    std::vector<Row> rows;
    for (const auto& argument : command.arguments) rows.push_back({argument.name, argument.help});
    out += "\nArguments:\n" + rows_text(rows, columns);
  }
  return out + "\nOptions:\n" + rows_text(option_rows(command), columns);
}

// The first example of each command below, a handful.
std::vector<Example> group_examples(const CommandTable& table,
                                    const std::vector<std::string>& path) {
  constexpr std::size_t kHandful = 4;
  std::vector<Example> out;
  for (const auto& word : table.words_after(path)) {
    auto below = path;
    below.push_back(word);
    const auto* command = table.find(below);
    if (command && !command->examples.empty() && out.size() < kHandful)
      out.push_back(command->examples.front());
  }
  return out;
}

const std::vector<Example> kRootExamples{
    {"slipway serve", "start a demo server: simulated cloud, one worker, no configuration"},
    {"slipway vm create web-1 --flavor m1.small --image ubuntu-22.04 --wait",
     "create a VM and follow it until it runs"},
    {"slipway task list --state FAILED,DEAD", "what went wrong lately"},
    {"slipway stats vms --step 1d", "VMs created a day"},
};

std::string group_help(const CommandTable& table, const std::vector<std::string>& path,
                       std::size_t columns) {
  const auto examples = path.empty() ? kRootExamples : group_examples(table, path);
  auto out = examples.empty() ? std::string() : examples_text(examples);
  const auto name = path.empty() ? std::string() : join(path, " ") + " ";
  out += path.empty() ? "An event-sourced task service for virtual machines.\n"
                      : table.summary_of(path) + ".\n";
  out += fmt::format("\nUsage:\n  slipway {}COMMAND\n\nCommands:\n", name);
  std::vector<Row> rows;
  for (const auto& word : table.words_after(path)) {
    auto below = path;
    below.push_back(word);
    rows.push_back({word, table.summary_of(below)});
  }
  out += rows_text(rows, columns);
  return out + fmt::format("\n'slipway {}COMMAND --help' says more.\n", name);
}

std::string roff(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else if ((c == '.' || c == '\'') && (out.empty() || out.back() == '\n')) {
      out += std::string("\\&") + c;
    } else {
      out += c;
    }
  }
  return out;
}

std::string man_section(const Command& command) {
  auto out = fmt::format(".SS {}\n{}.\n", roff(usage_line(command)), roff(command.summary));
  if (!command.description.empty()) out += ".PP\n" + roff(command.description) + "\n";
  for (const auto& argument : command.arguments)
    out += fmt::format(".TP\n.I {}\n{}\n", roff(argument.name), roff(argument.help));
  for (const auto& [left, right] : option_rows(command))
    out += fmt::format(".TP\n.B {}\n{}\n", roff(left), roff(right));
  for (const auto& example : command.examples)
    out += fmt::format(".PP\n{}:\n.PP\n.nf\n.RS\n{}\n.RE\n.fi\n", roff(example.what),
                       roff(example.line));
  return out;
}

}  // namespace

std::string usage_line(const Command& command) {
  auto line = command.full_name();
  for (const auto& argument : command.arguments) {
    const auto word = argument.name + (argument.repeated ? "..." : "");
    line += argument.required ? " " + word : " [" + word + "]";
  }
  for (const auto& option : command.options)
    if (option.required) line += " " + option.name + " " + option.value;
  return line + " [options]";
}

std::string help_text(const CommandTable& table, const std::vector<std::string>& path,
                      unsigned columns) {
  const auto width = std::clamp<std::size_t>(columns == 0 ? 100 : columns, 60, 100);
  const auto* command = table.find(path);
  if (!command) return group_help(table, path, width);
  auto out = command_help(*command, width);
  // A command that is also a group names what is below it.
  if (!table.words_after(path).empty())
    out += fmt::format("\nCommands:\n  {}\n", join(table.words_after(path), ", "));
  return out;
}

std::string man_page(const CommandTable& table) {
  std::string out = ".TH SLIPWAY 1\n.SH NAME\nslipway \\- tasks for virtual machines\n";
  out += ".SH SYNOPSIS\n.B slipway\n.I COMMAND\n[options]\n.SH EXAMPLES\n";
  for (const auto& example : kRootExamples)
    out += fmt::format(".PP\n{}:\n.PP\n.nf\n.RS\n{}\n.RE\n.fi\n", roff(example.what),
                       roff(example.line));
  out += ".SH COMMANDS\n";
  for (const auto& command : table.commands()) out += man_section(command);
  out += ".SH EXIT STATUS\n";
  for (const auto& [code, meaning] : kExitMeanings)
    out += fmt::format(".TP\n.B {}\n{}\n", static_cast<int>(code), roff(std::string(meaning)));
  out +=
      ".SH ENVIRONMENT\n"
      ".TP\n.B SLIPWAY_SERVER\nURL of the server\n"
      ".TP\n.B SLIPWAY_TOKEN_FILE\nFile that holds the token\n"
      ".TP\n.B NO_COLOR, CI\nIf set: no colours, no progress bars\n"
      ".SH FILES\n.TP\n.I ~/.config/slipway/config.toml\nContexts: servers and their tokens\n";
  return out;
}

}  // namespace slipway::app::cli
