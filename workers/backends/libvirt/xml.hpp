#pragma once
// The documents that libvirt is given, built as trees (so that escaping is nobody's concern), and
// what is read from those it gives. pugixml's types stay within this folder. Pure.
#include <cstdint>
#include <optional>
#include <pugixml.hpp>
#include <string>
#include <vector>

#include "workers/backends/libvirt/libvirt_backend.hpp"

namespace slipway::workers::libvirt {

std::string print(const pugi::xml_document& document);
// Internal (thrown) for what is no XML: libvirt answers none such.
void parse(pugi::xml_document& document, const std::string& xml);

struct DiskXml {
  std::string path;
  std::string format = "qcow2";
  std::string target;  // "vda"
};

struct DomainXml {
  std::string name;
  std::string uuid;
  std::string title;
  std::string metadata;  // an element's text, see tag.hpp
  std::uint32_t vcpus = 1;
  std::uint32_t memory_mb = 0;
  std::string ipv4;  // for the kernel's command line; empty: none
  std::string mac;
  std::string network;
  std::vector<DiskXml> disks;
  // QEMU lets a console's password change only where there was one at the start.
  std::string vnc_password;
  std::string seed;   // path; empty: none
  std::string media;  // likewise
};
std::string domain_xml(const Options& options, const DomainXml& domain);

struct VolumeXml {
  std::string name;
  std::string format = "qcow2";
  std::uint64_t bytes = 0;
  std::string backing_path;  // empty: none
  std::string backing_format;
};
std::string volume_xml(const VolumeXml& volume);

// <disk> of a CD drive, for virDomainUpdateDeviceFlags; an empty path ejects.
std::string cdrom_xml(const std::string& path, const std::string& target, const std::string& bus);
// <graphics> as it is, with that password.
std::string graphics_xml(const std::string& domain, std::string_view password);

// ---- what is read ----

struct SeenDisk {
  std::string target;
  std::string path;
  std::string device;  // disk, cdrom
  std::string bus;
};
struct SeenDomain {
  std::string name;
  std::string title;
  std::string tag;  // an element's text; empty: none
  std::uint32_t vcpus = 0;
  std::uint64_t memory_mb = 0;
  std::vector<SeenDisk> disks;
  std::string network;
  std::string mac;
  std::string interface;  // "vnet3" while it runs
  std::string vnc_listen;
  int vnc_port = -1;  // -1: none, or not known yet
  std::string serial_path;
};
SeenDomain read_domain(const std::string& xml);

struct SeenVolume {
  std::string name;
  std::string path;
  std::string format;
  std::string backing_path;
  std::uint64_t capacity_bytes = 0;
  std::int64_t changed_at = 0;  // seconds; 0: not told
};
SeenVolume read_volume(const std::string& xml);

struct SeenDhcp {
  bool enabled = false;
  std::string first;  // of the range; empty: none
  std::string last;
  std::uint32_t mtu = 1500;
};
SeenDhcp read_network(const std::string& xml);
bool has_dhcp_host(const std::string& network, const std::string& mac);

// Where the domain boots from at its next start: hd, cdrom, network.
std::string with_boot(const std::string& domain, const std::string& device);
std::string boots_from(const std::string& domain);

}  // namespace slipway::workers::libvirt
