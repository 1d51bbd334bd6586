#pragma once
// What things of ours are called at libvirt. All follows from the correlation key of the step that
// made them, so that an attempt finds what an earlier one made. Pure.
//
//   domain UUID    the first 16 bytes of SHA-256(key), as a UUID of version 8
//   domain name    <name of the VM, what libvirt dislikes left out>-<12 digits of the UUID>
//   volumes        <key>.<installation>.<part>, part: "disk0.qcow2", "seed.iso", "image.qcow2"
#include <optional>
#include <string>
#include <string_view>

#include "core/domain/inventory.hpp"

namespace slipway::workers::libvirt {

base::Uuid domain_uuid(std::string_view key);
std::string domain_name(std::string_view vm_name, const base::Uuid& uuid);

struct PartName {
  domain::Tag tag;
  std::string part;
};
std::string volume_name(const domain::Tag& tag, std::string_view part);
// nullopt for a volume that is none of ours.
std::optional<PartName> parse_volume_name(std::string_view name);

}  // namespace slipway::workers::libvirt
