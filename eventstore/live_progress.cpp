#include "eventstore/live_progress.hpp"

namespace slipway::eventstore {

void LiveProgress::set(const domain::TaskId& task, const domain::Progress& progress) {
  Shard& s = shard(task);
  base::Lock lock(s.mu);
  s.entries[task] = progress;
}

void LiveProgress::erase(const domain::TaskId& task) {
  Shard& s = shard(task);
  base::Lock lock(s.mu);
  s.entries.erase(task);
}

std::optional<domain::Progress> LiveProgress::get(const domain::TaskId& task) const {
  const Shard& s = shard(task);
  base::Lock lock(s.mu);
  const auto it = s.entries.find(task);
  return it == s.entries.end() ? std::nullopt : std::optional(it->second);
}

}  // namespace slipway::eventstore
