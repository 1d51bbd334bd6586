#include "tests/backends/contract/simulated_cloud.hpp"

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
    return all;
  }();
  return kClouds;
}

}  // namespace slipway::workers::contract
