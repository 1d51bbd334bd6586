#include "app/clouds.hpp"

#include <fmt/format.h>

#include <filesystem>

#include "app/backends_config.hpp"

namespace slipway::app {
namespace {

std::string file_in(const std::string& data_dir, const std::string& name) {
  return (std::filesystem::path(data_dir) / (name + ".db")).string();
}

}  // namespace

base::Result<SimulatedCloud> parse_cloud(const std::string& text) {
  const auto colon = text.find(':');
  SimulatedCloud cloud{text.substr(0, colon), {}, {}};
  if (colon != std::string::npos) cloud.face = text.substr(colon + 1);
  if (!is_backend_name(cloud.name) ||
      (colon != std::string::npos && !is_backend_name(cloud.face))) {
    return base::fail(
        base::Errc::InvalidArgument,
        fmt::format("\"{}\" is not NAME or NAME:FACE of letters, digits, _ and -", text));
  }
  return cloud;
}

std::vector<SimulatedCloud> simulated_clouds(const Config& config, const std::string& data_dir) {
  const SimulatedConfig& c = config.simulated;
  std::vector<SimulatedCloud> all;
  if (!c.enabled) return all;
  all.push_back({c.name, "", c.state_file.empty() ? file_in(data_dir, "simulated") : c.state_file});
  for (const std::string& text : c.clouds) {
    auto cloud = parse_cloud(text);
    if (!cloud) continue;
    cloud->file = file_in(data_dir, "simulated-" + cloud->name);
    all.push_back(std::move(*cloud));
  }
  return all;
}

}  // namespace slipway::app
