#pragma once
// Reads JSON from anyone. The whole text is validated before the first value is handed out: UTF-8,
// depth, sizes, doubled keys, trailing bytes (limits: guarantees in docs/GUARANTEES.md, "JSON").
// simdjson's DOM is behind it; its types stay in the .cpp.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "core/base/result.hpp"

namespace slipway::base {

struct JsonLimits {
  std::size_t depth = 32;
  std::size_t keys_per_object = 1024;
  std::size_t elements_per_array = 10000;
  std::size_t string_bytes = 64 * 1024;
};

enum class JsonType : std::uint8_t { Null, Bool, Int, Uint, Double, String, Array, Object };

class JsonObjectIterator;
class JsonArrayIterator;

// A value inside a JsonParser's document. Two words; copy it freely. Dies at the parser's next
// parse.
class JsonValue {
 public:
  JsonValue() = default;
  JsonType type() const;
  bool is_object() const { return type() == JsonType::Object; }
  bool is_array() const { return type() == JsonType::Array; }
  bool is_null() const { return type() == JsonType::Null; }
  std::optional<std::string_view> string() const;
  std::optional<bool> boolean() const;
  std::optional<std::int64_t> int64() const;    // integers only: 1.0 is none
  std::optional<std::uint64_t> uint64() const;  // integers from 0 up
  std::optional<double> number() const;         // any number
  // The member of that name; nullopt if absent or if this is no object. Linear: in a loop over
  // known fields prefer iterating.
  std::optional<JsonValue> find(std::string_view name) const;
  std::size_t size() const;  // of an array or object
  // The value's own JSON text, minified.
  std::string minified() const;

 private:
  friend class JsonParser;
  friend class JsonObjectIterator;
  friend class JsonArrayIterator;
  const void* document_ = nullptr;
  std::size_t index_ = 0;
};

// for (JsonObjectIterator it(value); it; ++it) use(it.key(), it.value());  Empty for a non-object.
class JsonObjectIterator {
 public:
  explicit JsonObjectIterator(JsonValue object);
  explicit operator bool() const { return at_ != end_; }
  JsonObjectIterator& operator++();
  std::string_view key() const;
  JsonValue value() const;

 private:
  const void* document_ = nullptr;
  std::size_t at_ = 0;
  std::size_t end_ = 0;
};

class JsonArrayIterator {
 public:
  explicit JsonArrayIterator(JsonValue array);
  explicit operator bool() const { return at_ != end_; }
  JsonArrayIterator& operator++();
  JsonValue value() const;

 private:
  const void* document_ = nullptr;
  std::size_t at_ = 0;
  std::size_t end_ = 0;
};

// Not thread-safe: one per thread, reused; its buffers grow to the largest text seen.
class JsonParser {
 public:
  explicit JsonParser(JsonLimits limits = {});
  ~JsonParser();
  JsonParser(JsonParser&&) noexcept;
  JsonParser& operator=(JsonParser&&) noexcept;

  // Errors: MalformedJson (syntax, UTF-8, NUL character, doubled key, trailing bytes),
  // InvalidArgument (over a limit, number out of range).
  Result<JsonValue> parse(std::string_view text);
  // For text that this program wrote and whose checksum held: only syntax is checked.
  Result<JsonValue> parse_trusted(std::string_view text);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace slipway::base
