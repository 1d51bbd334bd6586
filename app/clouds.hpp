#pragma once
// The simulated clouds that the configuration names: the first, and those beside it.
#include <string>
#include <vector>

#include "app/config.hpp"
#include "core/base/result.hpp"

namespace slipway::app {

struct SimulatedCloud {
  std::string name;
  std::string face;  // empty: its own
  std::string file;  // its state
};

// "NAME" or "NAME:FACE", as simulated.clouds has them.
base::Result<SimulatedCloud> parse_cloud(const std::string& text);
// All of them, the first one first; none where they are switched off. The configuration's rules
// hold.
std::vector<SimulatedCloud> simulated_clouds(const Config& config, const std::string& data_dir);

}  // namespace slipway::app
