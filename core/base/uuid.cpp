#include "core/base/uuid.hpp"

#include <sodium.h>

#include <algorithm>

namespace slipway::base {
namespace {

constexpr char kHex[] = "0123456789abcdef";

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool dash_before(std::size_t byte) { return byte == 4 || byte == 6 || byte == 8 || byte == 10; }

}  // namespace

void format_uuid(const Uuid& id, char* out36) {
  char* p = out36;
  for (std::size_t i = 0; i < id.bytes.size(); ++i) {
    if (dash_before(i)) *p++ = '-';
    *p++ = kHex[id.bytes[i] >> 4U];
    *p++ = kHex[id.bytes[i] & 15U];
  }
}

std::string to_string(const Uuid& id) {
  std::string text(kUuidTextSize, '\0');
  format_uuid(id, text.data());
  return text;
}

std::optional<Uuid> parse_uuid(std::string_view text) {
  const bool dashes = text.size() == kUuidTextSize;
  if (!dashes && text.size() != 32) return std::nullopt;
  Uuid id;
  std::size_t at = 0;
  for (std::size_t i = 0; i < id.bytes.size(); ++i) {
    if (dashes && dash_before(i) && text[at++] != '-') return std::nullopt;
    const int high = hex_digit(text[at]);
    const int low = hex_digit(text[at + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    id.bytes[i] = static_cast<std::uint8_t>(high * 16 + low);
    at += 2;
  }
  return id;
}

Uuid make_uuid7(Time now, const std::array<std::uint8_t, 10>& random) {
  Uuid id;
  const auto ms = static_cast<std::uint64_t>(std::max<std::int64_t>(0, to_us(now) / 1000));
  for (std::size_t i = 0; i < 6; ++i) {
    id.bytes[i] = static_cast<std::uint8_t>(ms >> (8U * (5U - static_cast<unsigned>(i))));
  }
  std::copy(random.begin(), random.end(), id.bytes.begin() + 6);
  id.bytes[6] = static_cast<std::uint8_t>((id.bytes[6] & 0x0FU) | 0x70U);
  id.bytes[8] = static_cast<std::uint8_t>((id.bytes[8] & 0x3FU) | 0x80U);
  return id;
}

void SystemIdSource::refill() {
  randombytes_buf(pool_.data(), pool_.size());
  used_ = 0;
}

Uuid SystemIdSource::next() {
  if (used_ + 10 > pool_.size()) refill();
  std::array<std::uint8_t, 10> random;
  std::copy_n(pool_.begin() + static_cast<std::ptrdiff_t>(used_), 10, random.begin());
  used_ += 10;
  return make_uuid7(std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now()),
                    random);
}

std::uint64_t SystemIdSource::random64() {
  if (used_ + 8 > pool_.size()) refill();
  std::uint64_t value = 0;
  std::memcpy(&value, pool_.data() + used_, 8);
  used_ += 8;
  return value;
}

}  // namespace slipway::base
