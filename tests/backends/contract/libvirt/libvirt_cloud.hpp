#pragma once
// libvirt under the suite: its own test driver within the process, and real cells where
// SLIPWAY_TEST_LIBVIRT_CELLS names the cells.json of a test bed. The witness asks libvirt itself,
// by connections of its own.
#include <vector>

#include "tests/backends/contract/cloud.hpp"

namespace slipway::workers::contract {

void add_libvirt_clouds(std::vector<CloudKind>& all);

}  // namespace slipway::workers::contract
