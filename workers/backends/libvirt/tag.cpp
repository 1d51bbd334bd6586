#include "workers/backends/libvirt/tag.hpp"

#include <pugixml.hpp>

#include "workers/backends/libvirt/xml.hpp"

namespace slipway::workers::libvirt {

namespace {

constexpr const char* kPrefix = "slipway";
constexpr const char* kElement = "vm";

unsigned affected(virDomainPtr domain) {
  unsigned flags = VIR_DOMAIN_AFFECT_CONFIG;
  if (virDomainIsActive(domain) == 1) flags |= VIR_DOMAIN_AFFECT_LIVE;
  return flags;
}

}  // namespace

std::string to_xml(const DomainTag& tag) {
  pugi::xml_document document;
  pugi::xml_node node = document.append_child(kElement);
  const auto put = [&](const char* name, const auto& value) {
    node.append_attribute(name).set_value(value);
  };
  put("installation", tag.tag.installation.c_str());
  put("key", tag.tag.key.c_str());
  put("vm", base::to_string(tag.vm).c_str());
  put("owner", tag.owner.c_str());
  put("fence", static_cast<unsigned long long>(tag.fence));
  put("done", tag.done.c_str());
  put("created", static_cast<long long>(tag.created_at));
  put("image", tag.image.c_str());
  if (tag.old_vcpus != 0) {
    put("old-vcpus", tag.old_vcpus);
    put("old-memory-mb", tag.old_memory_mb);
  }
  return print(document);
}

DomainTag tag_from_xml(const std::string& xml) {
  pugi::xml_document document;
  DomainTag tag;
  if (!document.load_buffer(xml.data(), xml.size())) return tag;
  const pugi::xml_node node = document.document_element();
  tag.tag.installation = node.attribute("installation").value();
  tag.tag.key = node.attribute("key").value();
  if (const auto vm = base::parse_uuid(node.attribute("vm").value())) tag.vm = domain::VmId(*vm);
  tag.owner = node.attribute("owner").value();
  tag.fence = node.attribute("fence").as_ullong();
  tag.done = node.attribute("done").value();
  tag.created_at = node.attribute("created").as_llong();
  tag.image = node.attribute("image").value();
  tag.old_vcpus = node.attribute("old-vcpus").as_uint();
  tag.old_memory_mb = node.attribute("old-memory-mb").as_uint();
  return tag;
}

DomainTag read_tag(virDomainPtr domain) {
  char* text = virDomainGetMetadata(domain, VIR_DOMAIN_METADATA_ELEMENT, kTagNamespace,
                                    VIR_DOMAIN_AFFECT_CURRENT);
  if (text == nullptr && last_error() == VIR_ERR_NO_DOMAIN_METADATA) return {};
  return tag_from_xml(text_of(text, "read the VM's tag"));
}

void write_tag(virDomainPtr domain, const DomainTag& tag) {
  checked(virDomainSetMetadata(domain, VIR_DOMAIN_METADATA_ELEMENT, to_xml(tag).c_str(), kPrefix,
                               kTagNamespace, affected(domain)),
          "tag the VM");
}

}  // namespace slipway::workers::libvirt
