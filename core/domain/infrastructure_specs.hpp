#pragma once
// What a data centre is divided into, as plain values: pools of hosts, storage, addresses, and what
// their VMs start from and are guarded by.
#include "core/domain/specs.hpp"

namespace slipway::domain {

enum class NetworkMode : std::uint8_t { Plain, Share, Mono };
constexpr std::array<std::string_view, 3> enum_names(NetworkMode) {
  return {"plain", "share", "mono"};
}

// Hosts that VMs are placed on together. Which hosts is said by the hosts.
struct Pool {
  std::string name;
  bool enabled = true;
  NetworkMode network_mode = NetworkMode::Plain;
  std::string storage;  // a storage pool; empty: the hosts' own disks
  std::string network;  // an address pool; empty: the addresses of the VM's network
  bool failover = false;
  bool operator==(const Pool&) const = default;
  template <class S, class V>
  static void fields(S& s, V& v) {
    v("name", s.name);
    v("enabled", s.enabled);
    v("network_mode", s.network_mode);
    v("storage", s.storage);
    v("network", s.network);
    v("failover", s.failover);
  }
};
// The one that always exists.
inline constexpr std::string_view kDefaultPool = "default";

struct StoragePool {
  std::string name;
  std::string type;  // nfs, ceph, ...
  std::string host;
  std::string target;
  bool operator==(const StoragePool&) const = default;
  template <class S, class V>
  static void fields(S& s, V& v) {
    v("name", s.name);
    v("type", s.type);
    v("host", s.host);
    v("target", s.target);
  }
};

// VMs take their address from internal ranges; external ones are only kept.
enum class RangeKind : std::uint8_t { Internal, External };
constexpr std::array<std::string_view, 2> enum_names(RangeKind) { return {"internal", "external"}; }

struct AddressBlock {
  RangeKind kind = RangeKind::Internal;
  std::uint32_t start = 0;  // host byte order, both ends included
  std::uint32_t end = 0;
  std::uint32_t netmask = 0;
  bool operator==(const AddressBlock&) const = default;
  template <class S, class V>
  static void fields(S& s, V& v) {
    v("kind", s.kind);
    v("start", s.start);
    v("end", s.end);
    v("netmask", s.netmask);
  }
};

struct AddressPool {
  std::string name;
  std::uint32_t gateway = 0;
  std::vector<std::uint32_t> dns;
  bool operator==(const AddressPool&) const = default;
  template <class S, class V>
  static void fields(S& s, V& v) {
    v("name", s.name);
    v("gateway", s.gateway);
    v("dns", s.dns);
  }
};

// What kind of machine a guest is: operating system, admin's name, models of its devices.
struct SystemTemplate {
  base::Uuid id;
  std::string name;
  Labels properties;  // admin, operating_system, disk, network, display, control, usb, tablet
  bool operator==(const SystemTemplate&) const = default;
  template <class S, class V>
  static void fields(S& s, V& v) {
    v("id", s.id);
    v("name", s.name);
    v("properties", s.properties);
  }
};

struct SecurityRule {
  bool accept = false;
  std::string protocol;  // tcp, udp, icmp
  std::string from_address;
  std::string to_address;
  std::uint32_t to_port = 0;
  bool operator==(const SecurityRule&) const = default;
  template <class S, class V>
  static void fields(S& s, V& v) {
    v("accept", s.accept);
    v("protocol", s.protocol);
    v("from_address", s.from_address);
    v("to_address", s.to_address);
    v("to_port", s.to_port);
  }
};

// In order: the first rule that matches decides.
struct SecurityPolicy {
  bool accept_by_default = true;
  std::vector<SecurityRule> rules;
  bool operator==(const SecurityPolicy&) const = default;
  template <class S, class V>
  static void fields(S& s, V& v) {
    v("accept_by_default", s.accept_by_default);
    v("rules", s.rules);
  }
};
inline constexpr std::size_t kMaxSecurityRules = 256;

struct SecurityGroup {
  base::Uuid id;
  std::string name;
  std::string description;
  std::string user;
  std::string tenant;
  bool enabled = true;
  bool global = false;  // seen by every tenant
  SecurityPolicy policy;
  bool operator==(const SecurityGroup&) const = default;
  template <class S, class V>
  static void fields(S& s, V& v) {
    v("id", s.id);
    v("name", s.name);
    v("description", s.description);
    v("user", s.user);
    v("tenant", s.tenant);
    v("enabled", s.enabled);
    v("global", s.global);
    v("policy", s.policy);
  }
};

}  // namespace slipway::domain
