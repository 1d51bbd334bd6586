#include "core/domain/specs.hpp"

#include <fmt/format.h>

#include <charconv>

namespace slipway::domain {

std::string ipv4_text(std::uint32_t ipv4) {
  return fmt::format("{}.{}.{}.{}", ipv4 >> 24U, ipv4 >> 16U & 0xFFU, ipv4 >> 8U & 0xFFU,
                     ipv4 & 0xFFU);
}

std::optional<std::uint32_t> parse_ipv4(std::string_view text) {
  std::uint32_t out = 0;
  for (int part = 0; part < 4; ++part) {
    if (part > 0) {
      if (text.empty() || text.front() != '.') return std::nullopt;
      text.remove_prefix(1);
    }
    std::uint32_t octet = 0;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), octet);
    const auto digits = static_cast<std::size_t>(end - text.data());
    if (ec != std::errc() || octet > 255 || digits > 3) return std::nullopt;
    if (digits > 1 && text.front() == '0') return std::nullopt;
    text.remove_prefix(digits);
    out = out << 8U | octet;
  }
  if (!text.empty()) return std::nullopt;
  return out;
}

std::string mac_of(std::uint32_t ipv4) {
  return fmt::format("fa:16:3e:{:02x}:{:02x}:{:02x}", ipv4 >> 16U & 0xFFU, ipv4 >> 8U & 0xFFU,
                     ipv4 & 0xFFU);
}

std::string mac_of(const VmSpec& spec) {
  return spec.guest && !spec.guest->mac.empty() ? spec.guest->mac : mac_of(spec.ipv4);
}

namespace {
constexpr std::uint64_t kMegabyte = std::uint64_t{1} << 20U;
}  // namespace

std::uint64_t in_megabytes(std::uint64_t given) {
  return given < kMegabyte ? given : (given - 1) / kMegabyte + 1;
}

std::uint64_t in_unit_of(std::uint64_t like, std::uint64_t megabytes) {
  return like < kMegabyte ? megabytes : megabytes * kMegabyte;
}

GuestSpec guest_of(const VmSpec& spec) {
  GuestSpec guest = spec.guest ? *spec.guest : GuestSpec{};
  if (guest.memory == 0) guest.memory = spec.size.memory_mb;
  if (guest.disks.empty()) {
    guest.disks.push_back(spec.size.disk_gb * kMegabytesPerGigabyte * kMegabyte);
  }
  return guest;
}

}  // namespace slipway::domain
