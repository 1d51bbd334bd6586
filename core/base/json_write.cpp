#include "core/base/json_write.hpp"

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

namespace slipway::base {
namespace {

// The top bit of each byte that is a control character, a quote or a backslash; and now and then of
// one beside such a byte.
std::uint64_t special_bytes(const char* eight) {
  constexpr std::uint64_t kOnes = 0x0101010101010101U;
  std::uint64_t v = 0;
  std::memcpy(&v, eight, sizeof v);
  const std::uint64_t quote = v ^ (kOnes * '"');
  const std::uint64_t backslash = v ^ (kOnes * '\\');
  const std::uint64_t found =
      ((v - kOnes * 0x20) & ~v) | ((quote - kOnes) & ~quote) | ((backslash - kOnes) & ~backslash);
  return found & (kOnes * 0x80);
}

// Nothing to escape.
bool is_plain(std::string_view text) {
  if (text.size() < 8) {
    return std::none_of(text.begin(), text.end(), [](char c) {
      return static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\';
    });
  }
  const char* const last = text.data() + text.size() - 8;
  std::uint64_t found = special_bytes(last);
  for (const char* at = text.data(); at < last; at += 8) found |= special_bytes(at);
  return found == 0;
}

using Base = rapidjson::Writer<rapidjson::StringBuffer>;

// RapidJSON's goes byte by byte; nearly all texts can be copied as they are.
struct Writer : Base {
  using Base::Base;
  void text(std::string_view text) {
    if (!is_plain(text)) {
      String(text.data(), static_cast<rapidjson::SizeType>(text.size()));
      return;
    }
    Prefix(rapidjson::kStringType);
    char* out = os_->Push(text.size() + 2);
    *out = '"';
    text.copy(out + 1, text.size());
    out[text.size() + 1] = '"';
    EndValue(true);
  }
};

}  // namespace

struct JsonWriter::Impl {
  rapidjson::StringBuffer buffer;
  Writer writer{buffer};
};

JsonWriter::JsonWriter() : impl_(std::make_unique<Impl>()) {}
JsonWriter::~JsonWriter() = default;
JsonWriter::JsonWriter(JsonWriter&&) noexcept = default;
JsonWriter& JsonWriter::operator=(JsonWriter&&) noexcept = default;

JsonWriter& JsonWriter::begin_object() {
  impl_->writer.StartObject();
  return *this;
}
JsonWriter& JsonWriter::end_object() {
  impl_->writer.EndObject();
  return *this;
}
JsonWriter& JsonWriter::begin_array() {
  impl_->writer.StartArray();
  return *this;
}
JsonWriter& JsonWriter::end_array() {
  impl_->writer.EndArray();
  return *this;
}
JsonWriter& JsonWriter::key(std::string_view name) {
  impl_->writer.text(name);
  return *this;
}
JsonWriter& JsonWriter::value(std::string_view text) {
  impl_->writer.text(text);
  return *this;
}
JsonWriter& JsonWriter::value(bool flag) {
  impl_->writer.Bool(flag);
  return *this;
}
JsonWriter& JsonWriter::value(double number) {
  if (!std::isfinite(number)) return null();
  impl_->writer.Double(number);
  return *this;
}
JsonWriter& JsonWriter::value(Time t) {
  std::array<char, kRfc3339Size> text;
  format_rfc3339(t, text.data());
  return value(std::string_view(text.data(), text.size()));
}
JsonWriter& JsonWriter::value(const Uuid& id) {
  std::array<char, kUuidTextSize> text;
  format_uuid(id, text.data());
  return value(std::string_view(text.data(), text.size()));
}
JsonWriter& JsonWriter::value(const RawJson& json) {
  if (json.text.empty()) return null();
  impl_->writer.RawValue(json.text.data(), json.text.size(), rapidjson::kObjectType);
  return *this;
}
JsonWriter& JsonWriter::null() {
  impl_->writer.Null();
  return *this;
}
JsonWriter& JsonWriter::int64(std::int64_t number) {
  impl_->writer.Int64(number);
  return *this;
}
JsonWriter& JsonWriter::uint64(std::uint64_t number) {
  impl_->writer.Uint64(number);
  return *this;
}

std::string_view JsonWriter::view() const {
  return {impl_->buffer.GetString(), impl_->buffer.GetSize()};
}
std::size_t JsonWriter::size() const { return impl_->buffer.GetSize(); }
void JsonWriter::clear() {
  impl_->buffer.Clear();
  impl_->writer.Reset(impl_->buffer);
}

}  // namespace slipway::base
