#pragma once
// The element that a domain of ours carries in its <metadata>: whose it is, and which call was the
// last to change it. A call of an older lease is refused by it.
#include <string>

#include "core/domain/inventory.hpp"
#include "workers/backends/libvirt/handles.hpp"

namespace slipway::workers::libvirt {

struct DomainTag {
  domain::Tag tag;
  domain::VmId vm;
  std::string owner;
  std::uint64_t fence = 0;      // WorkOrder::fence of the last call
  std::string done;             // correlation key of the last step that must not be done twice
  std::int64_t created_at = 0;  // microseconds, UTC
  std::uint32_t old_vcpus = 0;  // before a resize that is not confirmed; 0: there is none
  std::uint32_t old_memory_mb = 0;
  std::string image;  // the volume that its disk was made of
  bool operator==(const DomainTag&) const = default;
};

inline constexpr const char* kTagNamespace = "urn:slipway:vm:1";

std::string to_xml(const DomainTag& tag);
// An empty installation and key where `xml` is no such element.
DomainTag tag_from_xml(const std::string& xml);

// Of a domain without one: as above.
DomainTag read_tag(virDomainPtr domain);
// Into the stored definition and, where it runs, the running one.
void write_tag(virDomainPtr domain, const DomainTag& tag);

}  // namespace slipway::workers::libvirt
