#pragma once
// The [[backends]] tables of the configuration: the clouds that the service and its workers use
// beside the first simulated one. Only the file has them; each key is a row of a table here, as the
// other keys are in config_table.cpp. A key of another type of cloud is refused as an unknown one.
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "app/config_load.hpp"
#include "app/config_toml.hpp"

namespace slipway::app {

// One [[backends]] of the file, with its [[backends.cells]]: added to the configuration; what is
// wrong with it goes to the errors.
void read_backend(const TomlTable& table, LoadedConfig& loaded);

// What must hold between the keys of a backend, and between backends. Errors are at the key that
// would have to change.
void check_backends(LoadedConfig& loaded);

// Each key that a configured backend has: "backends[0].name" and its value as TOML.
struct BackendSetting {
  std::string key;
  std::string value;
};
std::vector<BackendSetting> backend_settings(const Config& config);

// The same, of those that name files of secrets or of certificates.
struct BackendFile {
  std::string key;
  std::string path;
  bool secret = false;
};
std::vector<BackendFile> backend_files(const Config& config);

// For the sample: an example of each type with all its keys, commented out.
std::string sample_backends();

// "NAME=VALUE", neither of them empty: an item of the lists `images` and `endpoints`.
std::optional<std::pair<std::string, std::string>> split_pair(std::string_view text);

// "NAME" of letters, digits, _ and -, at most 64: it becomes the name of files and of metrics.
bool is_backend_name(std::string_view text);

}  // namespace slipway::app
