// What is read from libvirt's documents, and the small ones it is given; a domain's own is in
// domain_xml.cpp.
#include "workers/backends/libvirt/xml.hpp"

#include <fmt/format.h>

#include <sstream>

#include "workers/backends/libvirt/handles.hpp"
#include "workers/backends/libvirt/tag.hpp"

namespace slipway::workers::libvirt {

using pugi::xml_document;
using pugi::xml_node;

namespace {

std::string fragment(const xml_node& node) {
  std::ostringstream out;
  node.print(out, "", pugi::format_raw | pugi::format_no_declaration);
  return out.str();
}

std::uint64_t megabytes(const xml_node& node) {
  const std::string_view unit = node.attribute("unit").value();
  const std::uint64_t value = node.text().as_ullong();
  if (unit == "MiB" || unit == "M") return value;
  if (unit == "GiB" || unit == "G") return value * 1024;
  if (unit == "bytes" || unit == "b") return value >> 20U;
  return value / 1024;  // KiB, which is what libvirt answers
}

}  // namespace

std::string print(const xml_document& document) { return fragment(document.document_element()); }

void parse(xml_document& document, const std::string& xml) {
  if (!document.load_buffer(xml.data(), xml.size())) {
    refuse(base::Errc::Internal, "libvirt's answer is no XML");
  }
}

std::string volume_xml(const VolumeXml& volume) {
  xml_document document;
  xml_node root = document.append_child("volume");
  root.append_child("name").text().set(volume.name.c_str());
  xml_node capacity = root.append_child("capacity");
  capacity.append_attribute("unit").set_value("bytes");
  capacity.text().set(static_cast<unsigned long long>(volume.bytes));
  if (volume.format == "raw") {
    root.append_child("allocation").text().set(static_cast<unsigned long long>(volume.bytes));
  }
  xml_node target = root.append_child("target");
  target.append_child("format").append_attribute("type").set_value(volume.format.c_str());
  if (!volume.backing_path.empty()) {
    xml_node backing = root.append_child("backingStore");
    backing.append_child("path").text().set(volume.backing_path.c_str());
    backing.append_child("format").append_attribute("type").set_value(
        volume.backing_format.c_str());
  }
  return print(document);
}

std::string cdrom_xml(const std::string& path, const std::string& target, const std::string& bus) {
  xml_document document;
  xml_node disk = document.append_child("disk");
  disk.append_attribute("type").set_value("file");
  disk.append_attribute("device").set_value("cdrom");
  xml_node driver = disk.append_child("driver");
  driver.append_attribute("name").set_value("qemu");
  driver.append_attribute("type").set_value("raw");
  if (!path.empty()) disk.append_child("source").append_attribute("file").set_value(path.c_str());
  xml_node to = disk.append_child("target");
  to.append_attribute("dev").set_value(target.c_str());
  to.append_attribute("bus").set_value(bus.c_str());
  disk.append_child("readonly");
  return print(document);
}

std::string graphics_xml(const std::string& domain, std::string_view password) {
  xml_document document;
  parse(document, domain);
  xml_node graphics = document.document_element().child("devices").find_child_by_attribute(
      "graphics", "type", "vnc");
  if (!graphics) refuse(base::Errc::BackendRefused, "the VM has no VNC console");
  graphics.remove_attribute("passwd");
  graphics.append_attribute("passwd").set_value(std::string(password).c_str());
  return fragment(graphics);
}

SeenDomain read_domain(const std::string& xml) {
  xml_document document;
  parse(document, xml);
  const xml_node root = document.document_element();
  SeenDomain seen;
  seen.name = root.child_value("name");
  seen.title = root.child_value("title");
  for (const xml_node& node : root.child("metadata").children()) {
    for (const pugi::xml_attribute& attribute : node.attributes()) {
      if (std::string_view(attribute.value()) == kTagNamespace) seen.tag = fragment(node);
    }
  }
  const xml_node vcpu = root.child("vcpu");
  seen.vcpus = vcpu.attribute("current").as_uint(vcpu.text().as_uint());
  const xml_node current = root.child("currentMemory");
  seen.memory_mb = megabytes(current ? current : root.child("memory"));
  const xml_node devices = root.child("devices");
  for (const xml_node& disk : devices.children("disk")) {
    const xml_node source = disk.child("source");
    std::string path = source.attribute("file").value();
    if (path.empty()) path = source.attribute("dev").value();
    seen.disks.push_back({disk.child("target").attribute("dev").value(), std::move(path),
                          disk.attribute("device").as_string("disk"),
                          disk.child("target").attribute("bus").value()});
  }
  const xml_node interface = devices.child("interface");
  seen.network = interface.child("source").attribute("network").value();
  seen.mac = interface.child("mac").attribute("address").value();
  seen.interface = interface.child("target").attribute("dev").value();
  const xml_node vnc = devices.find_child_by_attribute("graphics", "type", "vnc");
  seen.vnc_port = vnc.attribute("port").as_int(-1);
  seen.vnc_listen = vnc.attribute("listen").value();
  const xml_node serial = devices.find_child_by_attribute("serial", "type", "file");
  seen.serial_path = serial.child("source").attribute("path").value();
  return seen;
}

SeenVolume read_volume(const std::string& xml) {
  xml_document document;
  parse(document, xml);
  const xml_node root = document.document_element();
  SeenVolume seen;
  seen.name = root.child_value("name");
  const xml_node target = root.child("target");
  seen.path = target.child_value("path");
  seen.format = target.child("format").attribute("type").as_string("raw");
  seen.backing_path = root.child("backingStore").child_value("path");
  seen.capacity_bytes = root.child("capacity").text().as_ullong();
  // "1790000000.123456789"
  const char* changed = target.child("timestamps").child_value("mtime");
  seen.changed_at = std::strtoll(changed, nullptr, 10);
  return seen;
}

SeenDhcp read_network(const std::string& xml) {
  xml_document document;
  parse(document, xml);
  const xml_node root = document.document_element();
  SeenDhcp seen;
  seen.mtu = root.child("mtu").attribute("size").as_uint(seen.mtu);
  for (const xml_node& ip : root.children("ip")) {
    const xml_node dhcp = ip.child("dhcp");
    if (!dhcp || std::string_view(ip.attribute("family").as_string("ipv4")) != "ipv4") continue;
    seen.enabled = true;
    seen.first = dhcp.child("range").attribute("start").value();
    seen.last = dhcp.child("range").attribute("end").value();
  }
  return seen;
}

bool has_dhcp_host(const std::string& network, const std::string& mac) {
  xml_document document;
  parse(document, network);
  for (const xml_node& ip : document.document_element().children("ip")) {
    if (ip.child("dhcp").find_child_by_attribute("host", "mac", mac.c_str())) return true;
  }
  return false;
}

std::string boots_from(const std::string& domain) {
  xml_document document;
  parse(document, domain);
  return document.document_element().child("os").child("boot").attribute("dev").as_string("hd");
}

std::string with_boot(const std::string& domain, const std::string& device) {
  xml_document document;
  parse(document, domain);
  xml_node os = document.document_element().child("os");
  while (os.remove_child("boot")) {
  }
  const auto put = [&](const char* name) {
    os.append_child("boot").append_attribute("dev").set_value(name);
  };
  put(device.c_str());
  if (device != "hd") put("hd");
  return print(document);
}

}  // namespace slipway::workers::libvirt
