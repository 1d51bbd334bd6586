#pragma once
// What the service says of itself. See events.hpp.
#include "core/domain/event.hpp"

namespace slipway::domain {

struct SystemInitialized {
  std::string version;
  bool demo = false;
  SLIPWAY_EVENT(SystemInitialized, v("version", s.version); v("demo", s.demo);)
};
// Once an hour, so that a statistic survives a cut of the history: VMs that exist, by project.
struct StatSampled {
  base::Time hour{};
  std::map<std::string, std::uint64_t> vms_existing;
  SLIPWAY_EVENT(StatSampled, v("hour", s.hour); v("vms_existing", s.vms_existing);)
};
struct BackupTaken {
  std::uint64_t seq = 0;
  SLIPWAY_EVENT(BackupTaken, v("seq", s.seq);)
};
struct ProjectionRebuilt {
  std::string projection;
  SLIPWAY_EVENT(ProjectionRebuilt, v("projection", s.projection);)
};

}  // namespace slipway::domain
