#pragma once
// Numbers in bytes. Little-endian in records and files; big-endian in keys, so that the order of
// the bytes is the order of the numbers.
#include <bit>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace slipway::eventstore {

static_assert(std::endian::native == std::endian::little, "the codecs copy numbers as they lie");

template <std::unsigned_integral T>
void put_le(char* out, T number) {
  std::memcpy(out, &number, sizeof number);
}
template <std::unsigned_integral T>
void append_le(std::string& out, T number) {
  out.append(reinterpret_cast<const char*>(&number), sizeof number);
}
template <std::unsigned_integral T>
T get_le(const char* in) {
  T number = 0;
  std::memcpy(&number, in, sizeof number);
  return number;
}

inline void put_be64(char* out, std::uint64_t number) { put_le(out, __builtin_bswap64(number)); }
inline std::uint64_t get_be64(const char* in) {
  return __builtin_bswap64(get_le<std::uint64_t>(in));
}

}  // namespace slipway::eventstore
