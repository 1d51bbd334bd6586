#include "core/domain/placement.hpp"

namespace slipway::domain {

std::string place(const Draft& draft, const PlaceWanted& wanted, const Size& size) {
  std::string best;
  double best_share = 2;
  for (const auto& [name, live] : draft.world.hosts()) {
    const Host& host = live.host;
    if (!host.enabled || !host.alive || host.backend != wanted.backend || name == wanted.except)
      continue;
    if (!wanted.host.empty() && name != wanted.host) continue;
    if (live.reservable && !draft.world.leases().is_open_to(name, wanted.tenant)) continue;
    if (!wanted.pool.empty() && host.pool != wanted.pool) continue;
    if (!draft.world.infrastructure().takes_vms(host.pool)) continue;
    Usage used = live.used;
    if (const auto added = draft.host_added.find(name); added != draft.host_added.end()) {
      used.vcpus += added->second.vcpus;
      used.memory_mb += added->second.memory_mb;
      used.disk_gb += added->second.disk_gb;
    }
    if (used.vcpus + size.vcpus > host.vcpus || used.memory_mb + size.memory_mb > host.memory_mb ||
        used.disk_gb + size.disk_gb > host.disk_gb) {
      continue;
    }
    const double share = static_cast<double>(used.vcpus) / static_cast<double>(host.vcpus);
    if (share < best_share) {
      best_share = share;
      best = name;
    }
  }
  return best;
}

}  // namespace slipway::domain
