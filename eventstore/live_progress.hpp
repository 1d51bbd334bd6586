#pragma once
// How far running tasks are, between the progress events that the log gets: volatile, shown to who
// asks. The sequencer writes; any thread reads.
#include <array>
#include <optional>
#include <unordered_map>

#include "core/base/mutex.hpp"
#include "core/domain/work.hpp"

namespace slipway::eventstore {

class LiveProgress {
 public:
  void set(const domain::TaskId& task, const domain::Progress& progress);
  void erase(const domain::TaskId& task);
  std::optional<domain::Progress> get(const domain::TaskId& task) const;

 private:
  struct Shard {
    mutable base::Mutex mu;
    std::unordered_map<domain::TaskId, domain::Progress> entries GUARDED_BY(mu);
  };
  static constexpr std::size_t kShards = 16;
  const Shard& shard(const domain::TaskId& task) const { return shards_[task.bytes[15] % kShards]; }
  Shard& shard(const domain::TaskId& task) { return shards_[task.bytes[15] % kShards]; }
  std::array<Shard, kShards> shards_;
};

}  // namespace slipway::eventstore
