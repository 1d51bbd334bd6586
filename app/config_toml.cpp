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

// In the order of the file; toml++ sorts by name.
template <class T>
void sort_by_place(std::vector<T>& all) {
  std::sort(all.begin(), all.end(), [](const T& a, const T& b) {
    return std::tie(a.origin.line, a.origin.column) < std::tie(b.origin.line, b.origin.column);
  });
}

void flatten(const toml::table& table, const std::string& prefix, const std::string& path,
             TomlTable& out) {
  for (const auto& [name, node] : table) {
    const auto key = prefix + std::string(name.str());
    const auto* array = node.as_array();
    if (const auto* inner = node.as_table()) {
      flatten(*inner, key + '.', path, out);
    } else if (array != nullptr && array->is_array_of_tables()) {
      for (const auto& item : *array) {
        auto& added = out.tables.emplace_back(TomlTable{key, origin_of(path, item.source())});
        flatten(*item.as_table(), "", path, added);
        sort_by_place(added.settings);
        sort_by_place(added.tables);
      }
    } else {
      out.settings.push_back(setting_of(key, node, origin_of(path, name.source())));
    }
  }
}

}  // namespace

TomlTable read_toml(const std::string& path, std::vector<ConfigError>& errors) {
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
  TomlTable file_table;
  flatten(result->table(), "", path, file_table);
  sort_by_place(file_table.settings);
  sort_by_place(file_table.tables);
  return file_table;
}

base::Status take_setting(const TomlSetting& setting, const ValueRef& into) {
  auto* const* list = std::get_if<TextList*>(&into);
  const bool wants_text =
      std::holds_alternative<std::string*>(into) || std::holds_alternative<SecretFile*>(into);
  const bool wants_bare = std::holds_alternative<bool*>(into) ||
                          std::holds_alternative<std::uint64_t*>(into) ||
                          std::holds_alternative<double*>(into);
  const bool fits = setting.unusable.empty() && setting.is_array == (list != nullptr) &&
                    !(wants_text && !setting.is_text) && !(wants_bare && setting.is_text);
  if (!fits) {
    return base::fail(base::Errc::InvalidArgument,
                      fmt::format("expected {}, found {}", type_name(into),
                                  setting.unusable.empty() ? "another type" : setting.unusable));
  }
  if (list == nullptr) return parse_value(setting.texts[0], into);
  **list = setting.texts;
  return {};
}

}  // namespace slipway::app
