#pragma once
// Many producers, one consumer that sleeps in poll(): a vector under a lock held for a swap, and an
// eventfd that is written once a batch. (BoundedQueue's consumer sleeps on a condition instead.)
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <vector>

#include "core/base/check.hpp"
#include "core/base/mutex.hpp"

namespace slipway::workers {

// Readable while woken; for poll() beside sockets.
class WakeUp {
 public:
  WakeUp() : fd_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
    CHECK(fd_ >= 0, "no eventfd: out of file descriptors");
  }
  ~WakeUp() { close(fd_); }
  WakeUp(const WakeUp&) = delete;
  WakeUp& operator=(const WakeUp&) = delete;

  int fd() const { return fd_; }
  // Any thread.
  void signal() {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto n = write(fd_, &one, sizeof one);  // full means already awake
  }
  // The consumer, before it looks at what it was woken for.
  void clear() {
    std::uint64_t count = 0;
    [[maybe_unused]] const auto n = read(fd_, &count, sizeof count);
  }

 private:
  int fd_;
};

template <class T>
class Mailbox {
 public:
  explicit Mailbox(std::size_t capacity) : capacity_(capacity) {}

  // Any thread. Returns how many did not fit and are gone.
  std::size_t post(std::vector<T>&& batch) {
    if (batch.empty()) return 0;
    std::size_t rejected = 0;
    bool wake = false;
    {
      base::Lock lock(mu_);
      wake = items_.empty();
      if (wake && batch.size() <= capacity_) {
        items_.swap(batch);
      } else {
        const std::size_t room = capacity_ - std::min(capacity_, items_.size());
        const std::size_t taken = std::min(room, batch.size());
        rejected = batch.size() - taken;
        const auto end = batch.begin() + static_cast<std::ptrdiff_t>(taken);
        items_.insert(items_.end(), std::make_move_iterator(batch.begin()),
                      std::make_move_iterator(end));
      }
    }
    if (wake) wake_up_.signal();
    batch.clear();
    return rejected;
  }

  // The consumer: swaps everything queued into `out` (cleared first).
  void take_all(std::vector<T>& out) {
    out.clear();
    wake_up_.clear();
    base::Lock lock(mu_);
    items_.swap(out);
  }

  WakeUp& wake_up() { return wake_up_; }

 private:
  const std::size_t capacity_;
  WakeUp wake_up_;
  base::Mutex mu_;
  std::vector<T> items_ GUARDED_BY(mu_);
};

}  // namespace slipway::workers
