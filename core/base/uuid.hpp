#pragma once
// UUIDs (RFC 9562), version 7 by default: their order is the order of creation. Strong id types so
// that a task's id is never taken for a VM's.
#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/time.hpp"

namespace slipway::base {

struct Uuid {
  std::array<std::uint8_t, 16> bytes{};
  auto operator<=>(const Uuid&) const = default;
  bool is_nil() const { return *this == Uuid{}; }
};

inline constexpr std::size_t kUuidTextSize = 36;
void format_uuid(const Uuid& id, char* out36);
std::string to_string(const Uuid& id);
// 36 characters with dashes or 32 without, either case; nullopt for anything else.
std::optional<Uuid> parse_uuid(std::string_view text);
// Version 7 from a time and 10 bytes of randomness: pure, so the simulator repeats itself.
Uuid make_uuid7(Time now, const std::array<std::uint8_t, 10>& random);

template <class Tag>
struct Id : Uuid {
  Id() = default;
  explicit Id(const Uuid& u) : Uuid(u) {}
  auto operator<=>(const Id&) const = default;
};

struct UuidHash {
  std::size_t operator()(const Uuid& id) const noexcept {
    // The tail is random in version 7; mixing the head in costs nothing and serves other versions.
    std::uint64_t a = 0, b = 0;
    std::memcpy(&a, id.bytes.data(), 8);
    std::memcpy(&b, id.bytes.data() + 8, 8);
    return static_cast<std::size_t>(a * 0x9E3779B97F4A7C15ULL ^ b * 0xC2B2AE3D27D4EB4FULL);
  }
};

// Makes ids. One per thread; not shared.
class IdSource {
 public:
  virtual ~IdSource() = default;
  virtual Uuid next() = 0;
  virtual std::uint64_t random64() = 0;
};

// From the operating system's randomness (libsodium) and the system clock.
class SystemIdSource final : public IdSource {
 public:
  Uuid next() override;
  std::uint64_t random64() override;

 private:
  void refill();
  std::array<std::uint8_t, 1000> pool_{};
  std::size_t used_ = 1000;
};

}  // namespace slipway::base

template <class Tag>
struct std::hash<slipway::base::Id<Tag>> : slipway::base::UuidHash {};
template <>
struct std::hash<slipway::base::Uuid> : slipway::base::UuidHash {};
