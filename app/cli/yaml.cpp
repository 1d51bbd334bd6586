#include "app/cli/yaml.hpp"

#include <algorithm>
#include <cctype>

namespace slipway::app::cli {
namespace {

// Bare only what no YAML version takes for a number, a date, a boolean or syntax; the rest in
// JSON's quotes, which YAML understands.
std::string scalar(const std::string& text) {
  static constexpr const char* kWords[] = {"true", "false", "yes", "no", "on",
                                           "off",  "null",  "y",   "n"};
  std::string lower;
  bool plain = !text.empty() && std::isalpha(static_cast<unsigned char>(text.front()));
  for (const char c : text) {
    lower += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    plain &=
        std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-' || c == '.' || c == '/';
  }
  plain &= std::find(std::begin(kWords), std::end(kWords), lower) == std::end(kWords);
  return plain ? text : Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
}

bool is_block(const Json& value) { return value.is_structured() && !value.empty(); }

void write(std::string& out, const Json& value, std::size_t indent) {
  const std::string margin(indent, ' ');
  if (value.is_object() && !value.empty()) {
    for (const auto& [key, member] : value.items()) {
      out += margin + scalar(key) + ":";
      out += is_block(member) ? "\n" : " ";
      write(out, member, indent + 2);
    }
  } else if (value.is_array() && !value.empty()) {
    for (const auto& element : value) {
      std::string inner;
      write(inner, element, indent + 2);
      // The dash takes the place of the element's first margin.
      out += margin + "- " + (is_block(element) ? inner.substr(indent + 2) : inner);
    }
  } else if (value.is_string()) {
    out += scalar(value.get<std::string>()) + "\n";
  } else {
    out += value.dump() + "\n";
  }
}

}  // namespace

std::string to_yaml(const Json& value) {
  std::string out;
  write(out, value, 0);
  return out;
}

}  // namespace slipway::app::cli
