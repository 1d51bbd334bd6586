#pragma once
// A TOML file as a list of settings with their places. toml++ is behind it.
#include <string>
#include <vector>

#include "app/config_load.hpp"
#include "app/config_values.hpp"

namespace slipway::app {

struct TomlSetting {
  std::string key;  // "http.max_waiters"
  Origin origin;
  TextList texts;  // one for a scalar; any number for an array
  bool is_array = false;
  bool is_text = false;    // of a scalar: quoted in the file
  std::string unusable{};  // why it can be no value: "a date", "a table in an array"
};

// The file, or one `[[name]]` of it. What stands in plain tables is flattened into `settings`.
struct TomlTable {
  std::string name{};  // "backends"; of a table in a table "cells"; of the file empty
  Origin origin{};
  std::vector<TomlSetting> settings{};  // in the order of the file
  std::vector<TomlTable> tables{};      // of arrays of tables, in the order of the file
};

// What can be read of the file; errors (not there, syntax) go to `errors`.
TomlTable read_toml(const std::string& path, std::vector<ConfigError>& errors);

// Writes the value, if it is of the type that is wanted. Errors say what was expected and do not
// name the key.
base::Status take_setting(const TomlSetting& setting, const ValueRef& into);

}  // namespace slipway::app
