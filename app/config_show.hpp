#pragma once
// What the table of keys (config_keys.hpp) gives beside parsing: the configuration in force, the
// commented sample, and what a reload would change.
#include <string>
#include <vector>

#include "app/config_load.hpp"

namespace slipway::app {

// One line a key in the order of the table: `http.max_waiters = 10000  # /etc/slipway.toml:12:3`.
// Passwords inside URLs are masked; secrets are not there to mask: keys name files.
std::string show_config(const LoadedConfig& loaded);

// A text as comment lines of at most 100 columns.
std::string comment_lines(std::string_view text);

// deploy/slipway.toml: every key, commented out at its default, with what to weigh.
std::string sample_config();

struct ConfigChange {
  std::string key;
  std::string from, to;
  bool needs_restart = false;
};
// In the order of the table, then the backends. A reload applies those without `needs_restart` and
// names the others.
std::vector<ConfigChange> diff_config(const Config& from, const Config& to);

// Copies the keys that a reload may change.
void apply_reloadable(Config& running, const Config& fresh);

// What `config check` asks of the machine, beyond parsing: directories can be written, addresses
// resolve, secrets can be read by us and by no one else. Empty when all is well.
std::vector<ConfigError> probe_config(const LoadedConfig& loaded);

}  // namespace slipway::app
