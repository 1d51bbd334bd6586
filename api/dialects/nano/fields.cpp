#include "api/dialects/nano/fields.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace slipway::api::nano {
namespace {

// The one object that the body is about; nullopt for an empty body.
std::optional<base::JsonValue> subject(base::JsonValue json) {
  if (json.is_array() && json.size() == 1) json = base::JsonArrayIterator(json).value();
  if (json.string() == "") return std::nullopt;
  return json;
}

}  // namespace

FieldReader read_body(const Request& request, FieldErrors& errors) {
  thread_local base::JsonParser parser;
  if (request.body().empty()) return {std::nullopt, "", errors};
  const auto json = parser.parse(request.body());
  if (!json) {
    errors.add("", "malformed", json.error().message);
    return {std::nullopt, "", errors};
  }
  return {subject(*json), "", errors};
}

std::vector<std::string> texts(FieldReader& body, std::string_view name, std::size_t max) {
  std::vector<std::string> out;
  const auto list = body.member(name);
  if (!list) return out;
  const auto wrong = [&](std::string detail) {
    body.errors().add(body.pointer(name), "wrong-type", std::move(detail));
    return std::vector<std::string>();
  };
  if (!list->is_array()) return wrong(fmt::format("'{}' is a list of texts", name));
  if (list->size() > max) return wrong(fmt::format("'{}' has at most {} entries", name, max));
  for (base::JsonArrayIterator it(*list); it; ++it) {
    const auto text = it.value().string();
    if (!text || text->size() > FieldReader::kNameBytes) {
      return wrong(fmt::format("'{}' is a list of short texts", name));
    }
    out.emplace_back(*text);
  }
  return out;
}

std::optional<bool> maybe_flag(FieldReader& body, std::string_view name) {
  if (!body.member(name)) return std::nullopt;
  return body.flag(name);
}
std::optional<std::string> maybe_text(FieldReader& body, std::string_view name) {
  if (!body.member(name)) return std::nullopt;
  return body.text(name);
}
std::optional<std::vector<std::string>> maybe_texts(FieldReader& body, std::string_view name) {
  if (!body.member(name)) return std::nullopt;
  return texts(body, name);
}

bool is_plain_name(std::string_view text) {
  const auto plain = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' ||
           c == '.' || c == '-';
  };
  return !text.empty() && text.size() <= FieldReader::kNameBytes &&
         std::all_of(text.begin(), text.end(), plain);
}

}  // namespace slipway::api::nano
