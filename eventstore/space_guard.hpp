#pragma once
// The low-water mark of the disk (guarantees 3.11). RocksDB ends the process when the disk is full,
// so writing stops well before: below the reserve new commands are refused and only what finishes
// work under way is accepted; below a quarter of it nothing is written at all.
#include <atomic>
#include <cstdint>
#include <functional>

namespace slipway::eventstore {

enum class SpaceState : std::uint8_t {
  Normal,
  RefuseNew,  // 503 for new commands; results and cancellations are accepted
  ReadOnly,   // nothing is written
};

class SpaceGuard {
 public:
  // `free_bytes`: EventLog::free_bytes or a test's. A reserve of 0 switches the guard off.
  SpaceGuard(std::uint64_t reserve_bytes, std::function<std::uint64_t()> free_bytes);

  // Asks the file system. One thread, every second or so; the answer is also kept for state().
  // A worse state is entered at once, left only with a tenth more than its mark free, so that a
  // store that compacts does not switch to and fro.
  SpaceState poll();
  // Any thread.
  SpaceState state() const { return state_.load(std::memory_order_relaxed); }

 private:
  SpaceState state_for(std::uint64_t free, std::uint64_t reserve) const;
  const std::uint64_t reserve_bytes_;
  const std::function<std::uint64_t()> free_bytes_;
  std::atomic<SpaceState> state_{SpaceState::Normal};
};

}  // namespace slipway::eventstore
