#pragma once
// Many producers, one consumer, a fixed maximum. The consumer takes everything that has queued up
// in one swap, so the lock is held for a few instructions on either side.
#include <atomic>
#include <cstdint>
#include <vector>

#include "core/base/mutex.hpp"
#include "core/base/time.hpp"

namespace slipway::base {

template <class T>
class BoundedQueue {
 public:
  explicit BoundedQueue(std::size_t capacity) : capacity_(capacity) { items_.reserve(64); }

  // Any thread. False (and counted) when full or closed: the item is untouched, the caller answers
  // "not now".
  [[nodiscard]] bool try_push(T&& item) {
    bool wake = false;
    {
      Lock lock(mu_);
      if (closed_ || items_.size() >= capacity_) {
        rejected_.fetch_add(1, std::memory_order_relaxed);
        return false;
      }
      wake = items_.empty();
      items_.push_back(std::move(item));
    }
    if (wake) ready_.notify_one();
    return true;
  }

  // As try_push, but past the limit: for what must not be lost because clients are many (results of
  // workers, ticks). Their number is bounded elsewhere (credit). False only when closed.
  bool push_always(T&& item) {
    bool wake = false;
    {
      Lock lock(mu_);
      if (closed_) return false;
      wake = items_.empty();
      items_.push_back(std::move(item));
    }
    if (wake) ready_.notify_one();
    return true;
  }

  // The consumer. Swaps all queued items into `out` (cleared first); waits up to `timeout` while
  // there are none. False when closed and empty: the end.
  bool take_all(std::vector<T>& out, Duration timeout) {
    out.clear();
    Lock lock(mu_);
    if (items_.empty() && !closed_) {
      ready_.wait_for(lock.native(), timeout, [this]() SLIPWAY_TS(no_thread_safety_analysis) {
        return !items_.empty() || closed_;
      });
    }
    items_.swap(out);
    return !(closed_ && out.empty());
  }

  // No more pushes; what is queued is still taken.
  void close() {
    {
      Lock lock(mu_);
      closed_ = true;
    }
    ready_.notify_all();
  }

  std::size_t size() {
    Lock lock(mu_);
    return items_.size();
  }
  std::uint64_t rejected() const { return rejected_.load(std::memory_order_relaxed); }

 private:
  const std::size_t capacity_;
  Mutex mu_;
  std::condition_variable ready_;
  std::vector<T> items_ GUARDED_BY(mu_);
  bool closed_ GUARDED_BY(mu_) = false;
  std::atomic<std::uint64_t> rejected_{0};
};

}  // namespace slipway::base
