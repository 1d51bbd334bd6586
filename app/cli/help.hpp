#pragma once
// --help and the man page, from the command table.
#include <string>
#include <vector>

#include "app/cli/command.hpp"

namespace slipway::app::cli {

// Of a command or a group of them; opens with examples. At most `columns` wide.
std::string help_text(const CommandTable& table, const std::vector<std::string>& path,
                      unsigned columns = 100);
// "slipway vm create NAME [options]"
std::string usage_line(const Command& command);
// roff, all commands on one page: `slipway man | man -l -`.
std::string man_page(const CommandTable& table);

}  // namespace slipway::app::cli
