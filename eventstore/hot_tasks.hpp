#pragma once
// The unfinished tasks, for GET /tasks/{id} without SQLite. The projector puts a row after each
// commit and takes it away when the task has ended: a task that is not here has ended, never was,
// or did not fit (the map is bounded): ask a Reader then.
#include <array>
#include <atomic>
#include <unordered_map>

#include "core/base/mutex.hpp"
#include "eventstore/rows.hpp"

namespace slipway::eventstore {

class HotTasks {
 public:
  explicit HotTasks(std::size_t capacity) : per_shard_(capacity / kShards + 1) {}

  // Any thread. The lock is held for a lookup and the copy of a pointer. nullptr: see above. The
  // caller checks the tenant of what it gets (see visible_to).
  TaskRowPtr find(const domain::TaskId& id) const;
  std::size_t size() const { return size_.load(std::memory_order_relaxed); }
  // Rows that did not fit since the start.
  std::uint64_t overflowed() const { return overflowed_.load(std::memory_order_relaxed); }

  // The projector's thread only. False if it did not fit; a row already there is always replaced.
  bool put(const TaskRowPtr& row);
  void erase(const domain::TaskId& id);
  void clear();

 private:
  static constexpr std::size_t kShards = 64;
  struct Shard {
    mutable base::Mutex mu;
    std::unordered_map<domain::TaskId, TaskRowPtr> rows GUARDED_BY(mu);
  };
  Shard& shard_of(const domain::TaskId& id) const;

  const std::size_t per_shard_;
  mutable std::array<Shard, kShards> shards_;
  std::atomic<std::size_t> size_{0};
  std::atomic<std::uint64_t> overflowed_{0};
};

}  // namespace slipway::eventstore
