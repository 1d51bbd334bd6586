#include "workers/backends/libvirt/names.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/crypto.hpp"

namespace slipway::workers::libvirt {

namespace {

constexpr std::string_view kPrefix = "slipway-";
constexpr std::string_view kMakers[] = {"vm.create", "image.create"};
constexpr std::size_t kLongestName = 64;

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_' || c == '.';
}

}  // namespace

base::Uuid domain_uuid(std::string_view key) {
  const base::Digest digest = base::sha256(key);
  base::Uuid uuid;
  std::copy_n(digest.begin(), uuid.bytes.size(), uuid.bytes.begin());
  uuid.bytes[6] = static_cast<std::uint8_t>((uuid.bytes[6] & 0x0FU) | 0x80U);
  uuid.bytes[8] = static_cast<std::uint8_t>((uuid.bytes[8] & 0x3FU) | 0x80U);
  return uuid;
}

std::string domain_name(std::string_view vm_name, const base::Uuid& uuid) {
  std::string name;
  for (const char c : vm_name.substr(0, kLongestName)) {
    if (is_plain(c)) name += c;
  }
  if (name.empty() || name.front() == '.' || name.front() == '-') name.insert(0, "vm");
  const std::string digits = base::hex(uuid.bytes);
  return fmt::format("{}-{}", name, digits.substr(0, 12));
}

std::string volume_name(const domain::Tag& tag, std::string_view part) {
  return fmt::format("{}.{}.{}", tag.key, tag.installation, part);
}

std::optional<PartName> parse_volume_name(std::string_view name) {
  if (!name.starts_with(kPrefix) || name.size() < kPrefix.size() + base::kUuidTextSize) return {};
  const std::string_view task = name.substr(kPrefix.size(), base::kUuidTextSize);
  if (!base::parse_uuid(task)) return {};
  const std::string_view rest = name.substr(kPrefix.size() + base::kUuidTextSize);
  for (const std::string_view maker : kMakers) {
    if (!rest.starts_with(fmt::format("-{}.", maker))) continue;
    const std::size_t at = maker.size() + 2;
    const std::size_t dot = rest.find('.', at);
    if (dot == std::string_view::npos) return {};
    const std::string_view key = name.substr(0, name.size() - rest.size() + at - 1);
    return PartName{{std::string(rest.substr(at, dot - at)), std::string(key)},
                    std::string(rest.substr(dot + 1))};
  }
  return {};
}

}  // namespace slipway::workers::libvirt
