#pragma once
// What a cloud has: the catalogue. See events.hpp.
#include "core/domain/event.hpp"

namespace slipway::domain {

struct FlavorDefined {
  Flavor flavor;
  SLIPWAY_EVENT(FlavorDefined, v("flavor", s.flavor);)
};
struct NetworkDefined {
  Network network;
  SLIPWAY_EVENT(NetworkDefined, v("network", s.network);)
};
struct HostAttached {
  Host host;
  SLIPWAY_EVENT(HostAttached, v("host", s.host);)
};
struct BackendRegistered {
  Backend backend;
  SLIPWAY_EVENT(BackendRegistered, v("backend", s.backend);)
};
struct ProjectCreated {
  Project project;
  SLIPWAY_EVENT(ProjectCreated, v("project", s.project);)
};
struct ProjectQuotaSet {
  Quota quota;
  SLIPWAY_EVENT(ProjectQuotaSet, v("quota", s.quota);)
};

}  // namespace slipway::domain
