#include "eventstore/hot_tasks.hpp"

namespace slipway::eventstore {

HotTasks::Shard& HotTasks::shard_of(const domain::TaskId& id) const {
  return shards_[id.bytes[15] % kShards];  // random bits of a UUIDv7
}

TaskRowPtr HotTasks::find(const domain::TaskId& id) const {
  const Shard& shard = shard_of(id);
  base::Lock lock(shard.mu);
  const auto it = shard.rows.find(id);
  return it == shard.rows.end() ? nullptr : it->second;
}

bool HotTasks::put(const TaskRowPtr& row) {
  TaskRowPtr old;  // freed outside the lock
  Shard& shard = shard_of(row->id);
  base::Lock lock(shard.mu);
  if (const auto it = shard.rows.find(row->id); it != shard.rows.end()) {
    old = std::exchange(it->second, row);
    return true;
  }
  if (shard.rows.size() >= per_shard_) {
    overflowed_.fetch_add(1, std::memory_order_relaxed);
    return false;
  }
  shard.rows.emplace(row->id, row);
  size_.fetch_add(1, std::memory_order_relaxed);
  return true;
}

void HotTasks::erase(const domain::TaskId& id) {
  Shard& shard = shard_of(id);
  decltype(shard.rows)::node_type old;  // freed outside the lock
  base::Lock lock(shard.mu);
  old = shard.rows.extract(id);
  if (old) size_.fetch_sub(1, std::memory_order_relaxed);
}

void HotTasks::clear() {
  for (Shard& shard : shards_) {
    base::Lock lock(shard.mu);
    size_.fetch_sub(shard.rows.size(), std::memory_order_relaxed);
    shard.rows.clear();
  }
}

}  // namespace slipway::eventstore
