#include "app/cli/completion.hpp"

#include <fmt/format.h>

#include <set>

#include "app/cli/parse.hpp"

namespace slipway::app::cli {
namespace {

using Path = std::vector<std::string>;

// Every path that something can follow: commands and the groups above them, root included.
std::set<Path> all_paths(const CommandTable& table) {
  std::set<Path> paths{{}};
  for (const auto& command : table.commands()) {
    Path path;
    for (const auto& word : command.path) {
      path.push_back(word);
      paths.insert(path);
    }
  }
  return paths;
}

std::vector<std::string> words_at(const CommandTable& table, const Path& path) {
  auto words = table.words_after(path);
  const auto* command = table.find(path);
  if (command && !command->arguments.empty() && !command->arguments.front().choices.empty()) {
    const auto& choices = command->arguments.front().choices;
    words.insert(words.end(), choices.begin(), choices.end());
  }
  return words;
}

std::vector<std::string> options_at(const CommandTable& table, const Path& path) {
  const auto* command = table.find(path);
  return command ? option_names(*command) : std::vector<std::string>{"--help", "-h"};
}

// One `case` arm a path; the shells' words are only letters, digits and dashes.
std::string arms(const CommandTable& table) {
  std::string out;
  for (const auto& path : all_paths(table)) {
    out += fmt::format("    '{}')\n      next='{}'\n      options='{}'\n", join(path, " "),
                       join(words_at(table, path), " "), join(options_at(table, path), " "));
    if (const auto* command = table.find(path)) {
      out += "      case \"$previous\" in\n";
      for (const auto& option : command->options) {
        if (option.value.empty() || !option.implied.empty()) continue;
        const auto names =
            option.short_name.empty() ? option.name : option.name + "|" + option.short_name;
        const auto values = option.choices.empty() ? "value_of_any_kind=1"
                                                   : "values='" + join(option.choices, " ") + "'";
        out += fmt::format("        {}) {} ;;\n", names, values);
      }
      out += "      esac\n";
    }
    out += "      ;;\n";
  }
  return out;
}

std::string known_paths(const CommandTable& table) {
  std::string out;
  for (const auto& path : all_paths(table))
    if (!path.empty()) out += (out.empty() ? "'" : "|'") + join(path, " ") + "'";
  return out;
}

// Finds the longest known path among the words before the cursor, then offers what may follow.
std::string find_and_offer(const CommandTable& table) {
  return fmt::format(R"(  local path='' word
  for word in "${{before[@]}}"; do
    local longer="${{path:+$path }}$word"
    case "$longer" in
      {}) path="$longer" ;;
    esac
  done
  local next='' options='' values='' value_of_any_kind=''
  case "$path" in
{}  esac
)",
                     known_paths(table), arms(table));
}

std::string bash_script(const CommandTable& table) {
  return R"(# bash completion for slipway:  source <(slipway completion bash)
_slipway() {
  local current="${COMP_WORDS[COMP_CWORD]}" previous="${COMP_WORDS[COMP_CWORD-1]}"
  local -a before=("${COMP_WORDS[@]:1:COMP_CWORD-1}")
)" + find_and_offer(table) +
         R"(  local offer="$next"
  [[ $current == -* ]] && offer="$options"
  [[ -n $values ]] && offer="$values"
  if [[ -n $value_of_any_kind ]]; then
    mapfile -t COMPREPLY < <(compgen -f -- "$current")
  else
    mapfile -t COMPREPLY < <(compgen -W "$offer" -- "$current")
  fi
}
complete -F _slipway slipway
)";
}

std::string zsh_script(const CommandTable& table) {
  return R"(#compdef slipway
# zsh completion for slipway:  slipway completion zsh > "${fpath[1]}/_slipway"
_slipway() {
  local current="${words[CURRENT]}" previous="${words[CURRENT-1]}"
  local -a before=("${(@)words[2,CURRENT-1]}")
)" + find_and_offer(table) +
         R"(  local offer="$next"
  [[ $current == -* ]] && offer="$options"
  [[ -n $values ]] && offer="$values"
  if [[ -n $value_of_any_kind ]]; then
    _files
  else
    compadd -- ${=offer}
  fi
}
compdef _slipway slipway
)";
}

std::string fish_quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out + "'";
}

std::string fish_option(const std::string& condition, const Option& option) {
  auto line = fmt::format("complete -c slipway -n {} -l {}", condition, option.name.substr(2));
  if (!option.short_name.empty()) line += " -s " + option.short_name.substr(1);
  if (!option.value.empty() && option.implied.empty())
    line += option.choices.empty() ? " -r" : " -x -a " + fish_quoted(join(option.choices, " "));
  return line + " -d " + fish_quoted(option.help) + "\n";
}

std::string fish_path(const CommandTable& table, const Path& path) {
  const auto condition = fish_quoted("__slipway_at \"" + join(path, " ") + "\"");
  std::string out;
  for (const auto& word : table.words_after(path)) {
    auto below = path;
    below.push_back(word);
    out += fmt::format("complete -c slipway -f -n {} -a {} -d {}\n", condition, word,
                       fish_quoted(table.summary_of(below)));
  }
  const auto* command = table.find(path);
  if (command && !command->arguments.empty())
    for (const auto& choice : command->arguments.front().choices)
      out += fmt::format("complete -c slipway -f -n {} -a {}\n", condition, choice);
  if (command)
    for (const auto& option : command->options) out += fish_option(condition, option);
  return out + fmt::format("complete -c slipway -n {} -l help -s h -d 'Show help'\n", condition);
}

std::string fish_script(const CommandTable& table) {
  auto out = fmt::format(R"(# fish completion for slipway:  slipway completion fish | source
function __slipway_at
  set -l path ''
  for word in (commandline -opc)[2..-1]
    set -l longer (string trim -- "$path $word")
    switch $longer
      case {}
        set path $longer
    end
  end
  test "$path" = "$argv[1]"
end
)",
                         [&] {
                           std::string all;
                           for (const auto& path : all_paths(table))
                             if (!path.empty())
                               all += (all.empty() ? "" : " ") + fish_quoted(join(path, " "));
                           return all;
                         }());
  for (const auto& path : all_paths(table)) out += fish_path(table, path);
  return out;
}

}  // namespace

std::string completion_script(const CommandTable& table, const std::string& shell) {
  if (shell == "bash") return bash_script(table);
  if (shell == "zsh") return zsh_script(table);
  if (shell == "fish") return fish_script(table);
  return {};
}

}  // namespace slipway::app::cli
