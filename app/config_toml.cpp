#include "app/config_toml.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <tuple>

#include "app/toml_library.hpp"

namespace slipway::app {
namespace {

Origin origin_of(const std::string& path, const toml::source_region& where) {
  return {Origin::Kind::File, path, where.begin.line, where.begin.column};
}

// The text of a scalar as parse_value takes it; false for what cannot be a value.
bool scalar_text(const toml::node& node, std::string& out) {
  if (const auto* text = node.as_string()) {
    out = text->get();
  } else if (const auto* flag = node.as_boolean()) {
    out = flag->get() ? "true" : "false";
  } else if (const auto* integer = node.as_integer()) {
    out = std::to_string(integer->get());
  } else if (const auto* number = node.as_floating_point()) {
    out = fmt::format("{}", number->get());
  } else {
    return false;
  }
  return true;
}

TomlSetting setting_of(const std::string& key, const toml::node& node, Origin origin) {
  TomlSetting setting{key, std::move(origin), {}, node.is_array(), node.is_string()};
  std::string text;
  if (const auto* array = node.as_array()) {
    for (const auto& item : *array) {
      if (!item.is_string()) setting.unusable = "an array of something else than texts";
      if (scalar_text(item, text)) setting.texts.push_back(text);
    }
  } else if (scalar_text(node, text)) {
    setting.texts.push_back(text);
  } else {
    setting.unusable = "a date or a time";
  }
  return setting;
}

void flatten(const toml::table& table, const std::string& prefix, const std::string& path,
             std::vector<TomlSetting>& out) {
  for (const auto& [name, node] : table) {
    const auto key = prefix + std::string(name.str());
    if (const auto* inner = node.as_table()) {
      flatten(*inner, key + '.', path, out);
    } else {
      out.push_back(setting_of(key, node, origin_of(path, name.source())));
    }
  }
}

}  // namespace

std::vector<TomlSetting> read_toml(const std::string& path, std::vector<ConfigError>& errors) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  if (!file) {
    errors.push_back({{Origin::Kind::File, path}, "cannot be read"});
    return {};
  }
  const auto result = parse_toml([&] { return toml::parse(text.str(), path); });
  if (!result) {
    errors.push_back({{Origin::Kind::File, path}, TomlSlip().what()});
    return {};
  }
  if (!*result) {
    const auto& error = result->error();
    errors.push_back({origin_of(path, error.source()), std::string(error.description())});
    return {};
  }
  std::vector<TomlSetting> settings;
  flatten(result->table(), "", path, settings);
  // In the order of the file; toml++ sorts by name.
  std::sort(settings.begin(), settings.end(), [](const auto& a, const auto& b) {
    return std::tie(a.origin.line, a.origin.column) < std::tie(b.origin.line, b.origin.column);
  });
  return settings;
}

}  // namespace slipway::app
