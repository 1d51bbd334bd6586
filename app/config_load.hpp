#pragma once
// Defaults < file < environment < flags. All that is wrong is reported at once, each with its place
// and, for an unknown key, the nearest right one; then there is no Config.
//
//   auto loaded = load_config({.file = path, .environment = environment(), .flags = rest});
//   if (!loaded.ok()) { print(loaded.errors); return 2; }
//   use(loaded.config);
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "app/config.hpp"

namespace slipway::app {

// Where a value is from.
struct Origin {
  enum class Kind { Default, File, Environment, Flag } kind = Kind::Default;
  std::string name{};  // the file, the variable, or the flag
  std::size_t line = 0;
  std::size_t column = 0;
  std::string text()
      const;  // "default", "/etc/slipway.toml:12:3", "SLIPWAY_LOG__LEVEL", "--log.level"
};

struct ConfigError {
  Origin origin;
  std::string message;
  std::string text()
      const;  // "/etc/slipway.toml:12:3: unknown key http.max_bdy: did you mean ...?"
};

struct ConfigSources {
  std::optional<std::string> file{};
  // Only names that start with SLIPWAY_ and hold "__" are keys; others are not looked at.
  std::vector<std::pair<std::string, std::string>> environment{};
  // "--section.key=value", "--section.key" "value", "--flag" for a bool; nothing else may be here.
  std::vector<std::string> flags{};
};

struct LoadedConfig {
  Config config;
  std::map<std::string, Origin> origins;  // of keys that are not at their default
  std::vector<ConfigError> errors;        // in the order of the sources, then the impossible pairs
  std::vector<std::string> warnings;      // allowed, but to be said: insecure listeners
  bool ok() const { return errors.empty(); }
  bool is_default(const std::string& key) const { return !origins.contains(key); }
};

LoadedConfig load_config(const ConfigSources& sources);

// This process's.
std::vector<std::pair<std::string, std::string>> environment();

// The key a flag sets ("--listen" is "server.listen"); empty if it sets none. For the command
// line's own parser, to tell which words belong to load_config.
std::string key_of_flag(std::string_view flag);

}  // namespace slipway::app
