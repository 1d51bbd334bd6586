#pragma once
// An API's answer, or why there is none.
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/json_read.hpp"
#include "workers/backends/backend.hpp"

namespace slipway::workers::openstack {

struct Reply {
  int status = 0;
  std::string request_id;
  std::string location;            // header
  std::optional<base::Time> date;  // the cloud's clock
  std::optional<BackendError> error;
  // Views into the document that `parser` holds; null for a body that is none, or is empty.
  base::JsonValue json;
  std::unique_ptr<base::JsonParser> parser;

  bool ok() const { return !error; }
  bool is(int s) const { return status == s; }
  // The member of the top object; null if absent.
  base::JsonValue operator[](std::string_view name) const {
    return json.find(name).value_or(base::JsonValue());
  }
};

// Of one object's members; empty, 0 and false stand for absent ones and for other types.
inline std::string_view text_of(base::JsonValue object, std::string_view name) {
  const auto member = object.find(name);
  return member ? member->string().value_or(std::string_view{}) : std::string_view{};
}
inline std::uint64_t number_of(base::JsonValue object, std::string_view name) {
  const auto member = object.find(name);
  return member ? member->uint64().value_or(0) : 0;
}
inline std::uint32_t small_number_of(base::JsonValue object, std::string_view name) {
  const std::uint64_t number = number_of(object, name);
  return number > 0xFFFFFFFFULL ? 0xFFFFFFFFU : static_cast<std::uint32_t>(number);
}
inline bool flag_of(base::JsonValue object, std::string_view name) {
  const auto member = object.find(name);
  return member && member->boolean().value_or(false);
}
inline base::JsonValue member_of(base::JsonValue object, std::string_view name) {
  return object.find(name).value_or(base::JsonValue());
}

}  // namespace slipway::workers::openstack
