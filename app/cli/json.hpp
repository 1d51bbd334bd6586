#pragma once
// JSON as the command line sees it: order kept, so that `-o json` shows what the server sent.
#include <nlohmann/json.hpp>
#include <string>

namespace slipway::app::cli {

using Json = nlohmann::ordered_json;

// The member as text: strings bare, null and absent as "", the rest as JSON.
inline std::string text_at(const Json& object, const char* name) {
  if (!object.is_object()) return {};
  const auto at = object.find(name);
  if (at == object.end() || at->is_null()) return {};
  return at->is_string() ? at->get<std::string>() : at->dump();
}
inline bool true_at(const Json& object, const char* name) {
  return object.is_object() && object.contains(name) && object[name] == true;
}
// The member, or null.
inline const Json& member_at(const Json& object, const char* name) {
  static const Json kNull;
  if (!object.is_object()) return kNull;
  const auto at = object.find(name);
  return at == object.end() ? kNull : *at;
}

}  // namespace slipway::app::cli
