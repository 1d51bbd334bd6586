#pragma once
// What leases and the hosts given to them are, as plain values: shared by commands, events, the
// live state and the read models.
#include "core/domain/lease_states.hpp"
#include "core/domain/specs.hpp"

namespace slipway::domain {

// Hosts that a lease asks for: as many as are free up to `max`, refused below `min`, and of those
// only ones of which both filters (host_filter.hpp) hold.
struct ReservationSpec {
  ReservationId id;
  std::uint64_t number = 0;  // what a dialect shows as the id of the resource
  std::uint32_t min = 1;
  std::uint32_t max = 1;
  std::string hypervisor_properties;
  std::string resource_properties;
  BeforeEndAction before_end = BeforeEndAction::Default;
  bool operator==(const ReservationSpec&) const = default;
  template <class S, class V>
  static void fields(S& s, V& v) {
    v("id", s.id);
    v("number", s.number);
    v("min", s.min);
    v("max", s.max);
    v("hypervisor_properties", s.hypervisor_properties);
    v("resource_properties", s.resource_properties);
    v("before_end", s.before_end);
  }
};

// A reservation as a change of its lease leaves it.
struct ReservationChange {
  ReservationSpec spec;
  std::vector<std::string> hosts;
  bool operator==(const ReservationChange&) const = default;
  template <class S, class V>
  static void fields(S& s, V& v) {
    v("spec", s.spec);
    v("hosts", s.hosts);
  }
};

// As every host of a cloud says of itself; filters may ask for them.
inline constexpr std::string_view kHypervisorType = "QEMU";
inline constexpr std::uint64_t kHypervisorVersion = 2005000;

// What a filter may ask of a host beside its extra capabilities; taken over at its enrolment.
struct HypervisorFacts {
  std::uint64_t number = 0;
  std::uint64_t vcpus = 0;
  std::uint64_t memory_mb = 0;
  std::uint64_t local_gb = 0;
  std::string backend;
  bool operator==(const HypervisorFacts&) const = default;
  template <class S, class V>
  static void fields(S& s, V& v) {
    v("number", s.number);
    v("vcpus", s.vcpus);
    v("memory_mb", s.memory_mb);
    v("local_gb", s.local_gb);
    v("backend", s.backend);
  }
};

struct FloatingIp {
  FloatingIpId id;
  NetworkId network;
  std::uint32_t ipv4 = 0;  // host byte order
  bool operator==(const FloatingIp&) const = default;
  template <class S, class V>
  static void fields(S& s, V& v) {
    v("id", s.id);
    v("network", s.network);
    v("ipv4", s.ipv4);
  }
};

}  // namespace slipway::domain
