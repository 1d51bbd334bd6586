#include "app/config_load.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "app/backends_config.hpp"
#include "app/config_keys.hpp"
#include "app/config_rules.hpp"
#include "app/config_toml.hpp"

extern char** environ;  // NOLINT: environ(7)

namespace slipway::app {
namespace {

constexpr std::string_view kPrefix = "SLIPWAY_";

// SLIPWAY_HTTP__MAX_WAITERS is http.max_waiters.
std::string key_of_variable(std::string_view name) {
  std::string key;
  for (name.remove_prefix(kPrefix.size()); !name.empty();) {
    const bool point = name.starts_with("__");
    key += point ? '.' : static_cast<char>(std::tolower(static_cast<unsigned char>(name[0])));
    name.remove_prefix(point ? 2 : 1);
  }
  return key;
}

class Loader {
 public:
  LoadedConfig load(const ConfigSources& sources) {
    if (sources.file) from_file(*sources.file);
    for (const auto& [name, value] : sources.environment) from_variable(name, value);
    from_flags(sources.flags);
    // Bounds and pairs of a configuration that could not be read say nothing.
    if (loaded_.errors.empty()) check_rules(loaded_);
    return std::move(loaded_);
  }

 private:
  void error(const Origin& origin, std::string message) {
    loaded_.errors.push_back({origin, std::move(message)});
  }

  const Key* known(const std::string& name, const Origin& origin) {
    if (const auto* key = find_key(name)) return key;
    const auto nearest = nearest_key(name);
    error(origin, fmt::format("unknown key {}{}", name,
                              nearest.empty() ? "" : fmt::format(": did you mean {}?", nearest)));
    return nullptr;
  }

  void set(const Key& key, std::string_view text, const Origin& origin) {
    const auto parsed = parse_value(text, key.ref(loaded_.config));
    settle(key, parsed, origin);
  }

  void settle(const Key& key, base::Status status, const Origin& origin) {
    if (status) status = check_bounds(key, loaded_.config);
    if (!status) {
      error(origin, fmt::format("{}: {}", key.name, status.error().message));
      return;
    }
    loaded_.origins[std::string(key.name)] = origin;
  }

  void from_file(const std::string& path) {
    const TomlTable file = read_toml(path, loaded_.errors);
    for (const auto& setting : file.settings) {
      if (setting.key == "backends" || setting.key.starts_with("backends.")) {
        error(setting.origin, "backends is a list: each is a table of its own, [[backends]]");
      } else if (const auto* key = known(setting.key, setting.origin)) {
        settle(*key, take_setting(setting, key->ref(loaded_.config)), setting.origin);
      }
    }
    for (const auto& table : file.tables) {
      if (table.name == "backends") {
        read_backend(table, loaded_);
      } else {
        error(table.origin, fmt::format("unknown table [[{}]]", table.name));
      }
    }
  }

  void from_variable(const std::string& name, const std::string& value) {
    if (!name.starts_with(kPrefix) || name.find("__") == std::string::npos) return;
    const Origin origin{Origin::Kind::Environment, name};
    if (const auto* key = known(key_of_variable(name), origin)) set(*key, value, origin);
  }

  void from_flags(const std::vector<std::string>& flags) {
    for (std::size_t i = 0; i < flags.size(); ++i) {
      const auto equals = flags[i].find('=');
      const auto flag = flags[i].substr(0, equals);
      const Origin origin{Origin::Kind::Flag, flag};
      if (!flag.starts_with("--")) {
        error(origin, "is no flag: expected --section.key=value");
        continue;
      }
      const auto name = key_of_flag(flag);
      const auto* key = known(name.empty() ? flag.substr(2) : name, origin);
      if (equals != std::string::npos) {
        if (key != nullptr) set(*key, std::string_view(flags[i]).substr(equals + 1), origin);
      } else if (key != nullptr && std::holds_alternative<bool*>(key->ref(loaded_.config))) {
        set(*key, "true", origin);
      } else if (i + 1 < flags.size() && !flags[i + 1].starts_with("--")) {
        ++i;
        if (key != nullptr) set(*key, flags[i], origin);
      } else if (key != nullptr) {
        error(origin, "a value is missing");
      }
    }
  }

  LoadedConfig loaded_;
};

}  // namespace

std::string Origin::text() const {
  if (kind == Kind::Default) return "default";
  if (line == 0) return name;
  return fmt::format("{}:{}:{}", name, line, column);
}

std::string ConfigError::text() const { return origin.text() + ": " + message; }

LoadedConfig load_config(const ConfigSources& sources) { return Loader().load(sources); }

std::vector<std::pair<std::string, std::string>> environment() {
  std::vector<std::pair<std::string, std::string>> all;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const auto equals = text.find('=');
    if (!text.starts_with(kPrefix) || equals == std::string_view::npos) continue;
    all.emplace_back(text.substr(0, equals), text.substr(equals + 1));
  }
  std::sort(all.begin(), all.end());
  return all;
}

std::string key_of_flag(std::string_view flag) {
  const auto name = flag.substr(0, flag.find('='));
  for (const auto& key : config_keys()) {
    const bool is_long = name.starts_with("--") && name.substr(2) == key.name;
    if (is_long || (!key.flag.empty() && key.flag == name)) return std::string(key.name);
  }
  return {};
}

}  // namespace slipway::app
