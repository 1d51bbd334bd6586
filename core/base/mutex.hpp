#pragma once
// A mutex that clang's thread-safety analysis can check (`make lint`); std::mutex it cannot. Mark
// the data: `int hits_ GUARDED_BY(mu_);`. No lock is held across I/O or a callback.
#include <condition_variable>
#include <mutex>

#if defined(__clang__)
#define SLIPWAY_TS(x) __attribute__((x))
#else
#define SLIPWAY_TS(x)
#endif
#define GUARDED_BY(x) SLIPWAY_TS(guarded_by(x))
#define REQUIRES(x) SLIPWAY_TS(requires_capability(x))

namespace slipway::base {

class SLIPWAY_TS(capability("mutex")) Mutex {
 public:
  void lock() SLIPWAY_TS(acquire_capability()) { mu_.lock(); }
  void unlock() SLIPWAY_TS(release_capability()) { mu_.unlock(); }
  std::mutex& native() { return mu_; }

 private:
  std::mutex mu_;
};

class SLIPWAY_TS(scoped_lockable) Lock {
 public:
  explicit Lock(Mutex& mu) SLIPWAY_TS(acquire_capability(mu)) : lock_(mu.native()) {}
  ~Lock() SLIPWAY_TS(release_capability()) {}
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;
  std::unique_lock<std::mutex>& native() { return lock_; }

 private:
  std::unique_lock<std::mutex> lock_;
};

}  // namespace slipway::base
