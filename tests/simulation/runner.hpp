#pragma once
// Runs simulations in processes of their own, so that all processors are used and a CHECK of the
// product that ends one is a failure like any other, with its seed.
#include <functional>
#include <string>
#include <vector>

#include "tests/simulation/simulator.hpp"

namespace slipway::simulation {

struct Verdict {
  SimulationOptions options;
  bool ok = true;
  std::string invariant;  // "ended-the-process" for a CHECK
  std::string report;     // how it came to it, and how to run it again
};

// Calls `judge` for each, in the order in which they end; false from it ends all that still run.
void run_all(const std::vector<SimulationOptions>& runs, unsigned processes,
             const std::function<bool(const Verdict&)>& judge);

// How to run it again.
std::string command_of(const SimulationOptions& options);

}  // namespace slipway::simulation
