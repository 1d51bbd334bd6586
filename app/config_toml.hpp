#pragma once
// A TOML file as a flat list of settings with their places. toml++ is behind it.
#include <string>
#include <vector>

#include "app/config_load.hpp"

namespace slipway::app {

struct TomlSetting {
  std::string key;  // "http.max_waiters"
  Origin origin;
  TextList texts;  // one for a scalar; any number for an array
  bool is_array = false;
  bool is_text = false;    // of a scalar: quoted in the file
  std::string unusable{};  // why it can be no value: "a date", "a table in an array"
};

// What can be read of the file; errors (not there, syntax) go to `errors`.
std::vector<TomlSetting> read_toml(const std::string& path, std::vector<ConfigError>& errors);

}  // namespace slipway::app
