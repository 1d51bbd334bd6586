#pragma once
// Shell completion, from the command table: words, options and the values they may have.
#include <string>

#include "app/cli/command.hpp"

namespace slipway::app::cli {

// "bash", "zsh" or "fish"; empty for any other.
std::string completion_script(const CommandTable& table, const std::string& shell);

}  // namespace slipway::app::cli
