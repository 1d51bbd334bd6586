#include "tests/backends/contract/simulated_cloud.hpp"

namespace slipway::workers::contract {

const std::vector<CloudKind>& clouds() {
  static const std::vector<CloudKind> kClouds = [] {
    using Face = SimulatedCloud::Face;
    std::vector<CloudKind> all;
    all.push_back({"Simulated", [] { return std::make_unique<SimulatedCloud>(Face::Inline); }});
    all.push_back({"Threaded", [] { return std::make_unique<SimulatedCloud>(Face::Threaded); }});
    return all;
  }();
  return kClouds;
}

}  // namespace slipway::workers::contract
