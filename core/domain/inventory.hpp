#pragma once
// What a cloud says it has, as its backend read it: for discovery and reconciliation. Values only;
// they go over the wire in pages (InventoryPage in work.hpp).
#include <cstdint>
#include <string>
#include <vector>

#include "core/domain/specs.hpp"

namespace slipway::domain {

// The tag that a backend writes on all it makes. Nothing without it is ever deleted or changed but
// by a client's command.
struct Tag {
  std::string installation;  // the log's id, as text; empty: the thing has no tag
  std::string key;           // correlation key of the step that made it
  bool operator==(const Tag&) const = default;
  template <class S, class V>
  static void fields(S& s, V& v) {
    v("installation", s.installation);
    v("key", s.key);
  }
};

struct SeenVm {
  std::string ref;  // the cloud's own id
  Tag tag;
  VmId vm;  // that the cloud keeps with it; nil for none
  std::string name;
  VmState state = VmState::Running;  // LAUNCHING and such while the cloud is at work on it
  std::string fault;                 // ERROR: what the cloud says of it
  std::string host;
  Size size;              // `flavor`: the ref of the cloud's flavor; may be empty
  std::string image_ref;  // empty: not known
  std::string network_ref;
  std::string ipv4;  // dotted quad; empty: none
  std::string mac;
  base::Duration age{};  // since it was made, by the cloud's clock
  bool operator==(const SeenVm&) const = default;
  template <class S, class V>
  static void fields(S& s, V& v) {
    v("ref", s.ref);
    v("tag", s.tag);
    v("vm", s.vm);
    v("name", s.name);
    v("state", s.state);
    v("fault", s.fault);
    v("host", s.host);
    v("size", s.size);
    v("image_ref", s.image_ref);
    v("network_ref", s.network_ref);
    v("ipv4", s.ipv4);
    v("mac", s.mac);
    v("age_us", s.age);
  }
};

// Tagged, no VM, and of no use without one: a port, a volume, a seed ISO. Only what may be an
// orphan is listed: what no VM of the cloud uses.
struct SeenPart {
  std::string kind;  // port, volume, image
  std::string ref;
  Tag tag;
  base::Duration age{};
  bool operator==(const SeenPart&) const = default;
  template <class S, class V>
  static void fields(S& s, V& v) {
    v("kind", s.kind);
    v("ref", s.ref);
    v("tag", s.tag);
    v("age_us", s.age);
  }
};

struct SeenImage {
  std::string ref;
  Tag tag;
  std::string name;
  ImageKind kind = ImageKind::Disk;
  std::string disk_format = "qcow2";
  std::uint64_t size_bytes = 0;
  std::uint32_t min_ram_mb = 0;
  std::uint32_t min_disk_gb = 0;
  std::string checksum_md5;
  bool is_public = true;
  bool operator==(const SeenImage&) const = default;
  template <class S, class V>
  static void fields(S& s, V& v) {
    v("ref", s.ref);
    v("tag", s.tag);
    v("name", s.name);
    v("kind", s.kind);
    v("disk_format", s.disk_format);
    v("size_bytes", s.size_bytes);
    v("min_ram_mb", s.min_ram_mb);
    v("min_disk_gb", s.min_disk_gb);
    v("checksum_md5", s.checksum_md5);
    v("is_public", s.is_public);
  }
};

struct SeenNetwork {
  std::string ref;
  std::string name;
  bool shared = true;
  bool external = false;
  std::uint32_t mtu = 1500;
  std::vector<std::string> subnets;  // refs
  std::uint32_t first_ipv4 = 0;  // the range that VMs get an address of, host byte order; 0: none
  std::uint32_t last_ipv4 = 0;
  bool operator==(const SeenNetwork&) const = default;
  template <class S, class V>
  static void fields(S& s, V& v) {
    v("ref", s.ref);
    v("name", s.name);
    v("shared", s.shared);
    v("external", s.external);
    v("mtu", s.mtu);
    v("subnets", s.subnets);
    v("first_ipv4", s.first_ipv4);
    v("last_ipv4", s.last_ipv4);
  }
};

struct SeenHost {
  std::string name;
  std::string address;
  bool enabled = true;
  bool alive = true;
  std::uint64_t vcpus = 0;
  std::uint64_t memory_mb = 0;
  std::uint64_t disk_gb = 0;
  bool operator==(const SeenHost&) const = default;
  template <class S, class V>
  static void fields(S& s, V& v) {
    v("name", s.name);
    v("address", s.address);
    v("enabled", s.enabled);
    v("alive", s.alive);
    v("vcpus", s.vcpus);
    v("memory_mb", s.memory_mb);
    v("disk_gb", s.disk_gb);
  }
};

struct Inventory {
  std::vector<SeenVm> vms;
  std::vector<SeenPart> parts;
  std::vector<SeenImage> images;
  std::vector<Flavor> flavors;  // ids are the cloud's own
  std::vector<SeenNetwork> networks;
  std::vector<SeenHost> hosts;
  // Hosts whose own VMs could not be listed: what runs there is unknown, not gone.
  std::vector<std::string> silent_hosts;
  template <class S, class V>
  static void fields(S& s, V& v) {
    v("vms", s.vms);
    v("parts", s.parts);
    v("images", s.images);
    v("flavors", s.flavors);
    v("networks", s.networks);
    v("hosts", s.hosts);
    v("silent_hosts", s.silent_hosts);
  }
};

// What a cloud chose or learnt of a VM while it carried out a command: the `result` of a step. What
// is empty is as it was.
struct VmFacts {
  std::string host;
  std::string ipv4;  // dotted quad
  std::string mac;
  std::string display;  // "host:port" of its VNC server
  template <class S, class V>
  static void fields(S& s, V& v) {
    v("host", s.host);
    v("ipv4", s.ipv4);
    v("mac", s.mac);
    v("display", s.display);
  }
};

}  // namespace slipway::domain
