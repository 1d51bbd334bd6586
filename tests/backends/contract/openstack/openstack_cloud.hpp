#pragma once
// A real OpenStack under the suite, where SLIPWAY_TEST_OPENSTACK names the endpoints.json of a test
// bed. The witness asks Nova, Neutron and Glance itself.
#include <vector>

#include "tests/backends/contract/cloud.hpp"

namespace slipway::workers::contract {

void add_openstack_clouds(std::vector<CloudKind>& all);

}  // namespace slipway::workers::contract
