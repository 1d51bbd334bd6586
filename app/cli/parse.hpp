#pragma once
// From the words of the command line to a command of the table and its values.
#include <string>
#include <vector>

#include "app/cli/command.hpp"

namespace slipway::app::cli {

struct Parsed {
  enum class What { Run, Help, Wrong };
  What what = What::Wrong;
  std::vector<std::string> path;  // as far as it was understood
  Values values;
  std::vector<std::string> rest;
  std::string problem;  // if Wrong: what is wrong and what may have been meant
};

// `words` without the program's name. Help wins over everything that is wrong. Options may stand
// before, between and after arguments; after `--` all is an argument.
Parsed parse(const CommandTable& table, const std::vector<std::string>& words);

// All names that options of the command have, --help included.
std::vector<std::string> option_names(const Command& command);

}  // namespace slipway::app::cli
