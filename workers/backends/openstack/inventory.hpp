#pragma once
// All that the cloud has and this account may see. On the loop's thread.
#include <memory>

#include "workers/backends/openstack/job.hpp"

namespace slipway::workers::openstack {

// Half a list would be taken for loss: if one cannot be read, there is none. Hosts are left out
// where the account may not see them (403).
Async<Outcome<std::shared_ptr<domain::Inventory>>> take_inventory(Cloud& cloud,
                                                                  base::SteadyTime deadline);

}  // namespace slipway::workers::openstack
