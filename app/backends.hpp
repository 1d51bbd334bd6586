#pragma once
// The clouds that the configuration names: simulated.*, simulated.clouds and the [[backends]]
// tables. Where a table becomes what the log knows of a cloud, what a worker does its calls
// through, and how a worker spares it.
#include <memory>
#include <string>
#include <vector>

#include "app/config.hpp"
#include "core/base/clock.hpp"
#include "core/base/result.hpp"
#include "core/domain/specs.hpp"
#include "workers/worker_core.hpp"

namespace slipway::app {

// What the log is to know beside the first simulated cloud, which a fresh log is given.
std::vector<domain::Backend> registered_backends(const Config& config);

// The names of those that a worker of this configuration opens: all simulated.* ones, and of the
// tables those whose worker_pool is among worker.pools. The others' tasks go elsewhere, and their
// secrets need not be on this machine.
std::vector<std::string> opened_backends(const Config& config);

// How many calls a worker makes to each of the tables' backends.
void set_limits(const Config& config, workers::WorkerCoreOptions& worker);

// Opens them, for one worker. State files of simulated clouds are in `data_dir`. Errors name the
// backend: a secret that cannot be read, a face that is none, a file that is locked. No cloud is
// asked for anything yet: one that is down keeps no worker from starting.
base::Result<std::vector<std::unique_ptr<workers::Backend>>> open_backends(
    const Config& config, const std::string& data_dir, const base::Clock& clock);

}  // namespace slipway::app
