#pragma once
// Writes JSON text. RapidJSON behind it; its types stay in the .cpp. Not thread-safe; keep one per
// thread and reuse it: clear() keeps the memory.
//
//   JsonWriter w;
//   w.begin_object().member("id",
//   id).key("tags").begin_array().value("a").end_array().end_object(); send(w.view());
#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/time.hpp"
#include "core/base/uuid.hpp"

namespace slipway::base {

// JSON text that is already valid, put in or taken out as it is. Empty stands for "absent".
struct RawJson {
  std::string text;
  bool operator==(const RawJson&) const = default;
};

class JsonWriter {
 public:
  JsonWriter();
  ~JsonWriter();
  JsonWriter(JsonWriter&&) noexcept;
  JsonWriter& operator=(JsonWriter&&) noexcept;

  JsonWriter& begin_object();
  JsonWriter& end_object();
  JsonWriter& begin_array();
  JsonWriter& end_array();
  JsonWriter& key(std::string_view name);

  JsonWriter& value(
      std::string_view text);  // invalid UTF-8 must not reach here: parse, not validate
  JsonWriter& value(const char* text) { return value(std::string_view(text)); }
  JsonWriter& value(const std::string& text) { return value(std::string_view(text)); }
  JsonWriter& value(bool flag);
  JsonWriter& value(double number);  // NaN and infinities become null
  JsonWriter& value(Time t);         // RFC 3339, microseconds, Z
  JsonWriter& value(const Uuid& id);
  JsonWriter& value(const RawJson& json);
  JsonWriter& null();
  template <std::integral I>
  requires(!std::same_as<I, bool>) JsonWriter& value(I number) {
    if constexpr (std::is_signed_v<I>) {
      return int64(number);
    } else {
      return uint64(number);
    }
  }
  template <class T>
  JsonWriter& value(const std::optional<T>& maybe) {
    return maybe ? value(*maybe) : null();
  }
  template <class T>
  JsonWriter& member(std::string_view name, const T& v) {
    key(name);
    return value(v);
  }

  std::string_view view() const;
  std::string text() const { return std::string(view()); }
  std::size_t size() const;
  void clear();

 private:
  JsonWriter& int64(std::int64_t number);
  JsonWriter& uint64(std::uint64_t number);
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace slipway::base
