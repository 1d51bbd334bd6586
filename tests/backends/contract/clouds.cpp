#include "tests/backends/contract/simulated_cloud.hpp"
#ifdef SLIPWAY_TEST_LIBVIRT
#include "tests/backends/contract/libvirt/libvirt_cloud.hpp"
#endif
#ifdef SLIPWAY_TEST_OPENSTACK
#include "tests/backends/contract/openstack/openstack_cloud.hpp"
#endif

namespace slipway::workers::contract {
namespace {

template <SimulatedCloud::Face face>
std::unique_ptr<CloudUnderTest> open_simulated() {
  return std::make_unique<SimulatedCloud>(face);
}

}  // namespace

const std::vector<CloudKind>& clouds() {
  static const std::vector<CloudKind> kClouds = [] {
    using enum SimulatedCloud::Face;
    std::vector<CloudKind> all;
    all.push_back({.name = "Simulated",
                   .open = open_simulated<Inline>,
                   .offers = SimulatedCloud::offers_it,
                   .fences = true});
    all.push_back({.name = "Threaded",
                   .open = open_simulated<Threaded>,
                   .offers = SimulatedCloud::offers_it,
                   .fences = true});
#ifdef SLIPWAY_TEST_LIBVIRT
    add_libvirt_clouds(all);
#endif
#ifdef SLIPWAY_TEST_OPENSTACK
    add_openstack_clouds(all);
#endif
    return all;
  }();
  return kClouds;
}

}  // namespace slipway::workers::contract
