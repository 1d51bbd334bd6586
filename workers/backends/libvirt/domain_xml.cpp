// The definition of a new VM.
#include <fmt/format.h>

#include "workers/backends/libvirt/tag.hpp"
#include "workers/backends/libvirt/xml.hpp"

namespace slipway::workers::libvirt {

using pugi::xml_node;

namespace {

xml_node add(xml_node parent, const char* name, const std::string& text) {
  xml_node node = parent.append_child(name);
  node.text().set(text.c_str());
  return node;
}
void put(xml_node node, const char* name, const std::string& value) {
  node.append_attribute(name).set_value(value.c_str());
}

void add_memory(xml_node root, const char* name, std::uint64_t megabytes) {
  put(add(root, name, std::to_string(megabytes)), "unit", "MiB");
}

std::string filled(std::string text, const Options& options, const DomainXml& domain) {
  const auto fill = [&](std::string_view what, const std::string& with) {
    for (std::size_t at = text.find(what); at != std::string::npos;
         at = text.find(what, at + with.size())) {
      text.replace(at, what.size(), with);
    }
  };
  fill("{ipv4}", domain.ipv4);
  fill("{prefix}", std::to_string(options.network.prefix));
  fill("{mac}", domain.mac);
  return text;
}

void add_os(xml_node root, const Options& options, const DomainXml& domain) {
  xml_node os = root.append_child("os");
  xml_node type = add(os, "type", "hvm");
  put(type, "arch", options.arch);
  if (!options.machine.empty()) put(type, "machine", options.machine);
  if (options.direct_boot) {
    add(os, "kernel", options.direct_boot->kernel);
    if (!options.direct_boot->initrd.empty()) add(os, "initrd", options.direct_boot->initrd);
    add(os, "cmdline", filled(options.direct_boot->cmdline, options, domain));
  } else {
    put(os.append_child("boot"), "dev", "hd");
  }
}

void add_disk(xml_node devices, const DiskXml& disk) {
  xml_node node = devices.append_child("disk");
  put(node, "type", "file");
  put(node, "device", "disk");
  xml_node driver = node.append_child("driver");
  put(driver, "name", "qemu");
  put(driver, "type", disk.format);
  // Not through the host's cache, so that it can be migrated; a full storage pauses the guest
  // instead of failing its writes.
  put(driver, "cache", "none");
  put(driver, "error_policy", "stop");
  put(driver, "discard", "unmap");  // what the guest trims is given back
  put(node.append_child("source"), "file", disk.path);
  xml_node target = node.append_child("target");
  put(target, "dev", disk.target);
  put(target, "bus", "virtio");
}

void add_cdrom(xml_node devices, const std::string& path, const char* target, const char* bus) {
  pugi::xml_document document;
  parse(document, cdrom_xml(path, target, bus));
  devices.append_copy(document.document_element());
}

void add_devices(xml_node root, const Options& options, const DomainXml& domain) {
  xml_node devices = root.append_child("devices");
  for (const DiskXml& disk : domain.disks) add_disk(devices, disk);
  // The old PC has no SATA, the newer one no IDE.
  const bool ide = options.machine == "pc" || options.machine.starts_with("pc-i440fx");
  const char* bus = ide ? "ide" : "sata";
  add_cdrom(devices, domain.media, ide ? "hda" : "sda", bus);
  if (!domain.seed.empty()) add_cdrom(devices, domain.seed, ide ? "hdb" : "sdb", bus);
  xml_node interface = devices.append_child("interface");
  put(interface, "type", "network");
  if (!domain.mac.empty()) put(interface.append_child("mac"), "address", domain.mac);
  put(interface.append_child("source"), "network", domain.network);
  put(interface.append_child("model"), "type", "virtio");
  if (options.direct_boot) put(interface.append_child("rom"), "enabled", "no");
  xml_node serial = devices.append_child("serial");
  put(serial, "type", options.serial_directory.empty() ? "pty" : "file");
  if (!options.serial_directory.empty()) {
    put(serial.append_child("source"), "path",
        fmt::format("{}/{}.log", options.serial_directory, domain.uuid));
  }
  xml_node graphics = devices.append_child("graphics");
  put(graphics, "type", "vnc");
  put(graphics, "autoport", "yes");
  if (!domain.vnc_password.empty()) put(graphics, "passwd", domain.vnc_password);
  if (!options.vnc_listen.empty()) put(graphics, "listen", options.vnc_listen);
  xml_node model = devices.append_child("video").append_child("model");
  put(model, "type", "vga");
  xml_node balloon = devices.append_child("memballoon");
  put(balloon, "model", "virtio");
  put(balloon.append_child("stats"), "period", "5");
  if (options.direct_boot) return;  // a guest of one's own image may have the agent
  xml_node channel = devices.append_child("channel");
  put(channel, "type", "unix");
  xml_node target = channel.append_child("target");
  put(target, "type", "virtio");
  put(target, "name", "org.qemu.guest_agent.0");
}

}  // namespace

std::string domain_xml(const Options& options, const DomainXml& domain) {
  pugi::xml_document document;
  xml_node root = document.append_child("domain");
  put(root, "type", options.domain_type);
  add(root, "name", domain.name);
  add(root, "uuid", domain.uuid);
  if (!domain.title.empty()) add(root, "title", domain.title);
  pugi::xml_document tag;
  parse(tag, domain.metadata);
  xml_node element = root.append_child("metadata").append_copy(tag.document_element());
  element.set_name("slipway:vm");
  put(element, "xmlns:slipway", kTagNamespace);
  add_memory(root, "memory", std::uint64_t{domain.memory_mb} * options.hot_memory);
  add_memory(root, "currentMemory", domain.memory_mb);
  xml_node vcpu = add(root, "vcpu", std::to_string(domain.vcpus * options.hot_vcpus));
  put(vcpu, "current", std::to_string(domain.vcpus));
  add_os(root, options, domain);
  xml_node features = root.append_child("features");
  features.append_child("acpi");
  features.append_child("apic");
  add_devices(root, options, domain);
  return print(document);
}

}  // namespace slipway::workers::libvirt
