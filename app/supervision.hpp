#pragma once
// What a service manager is told (systemd's notify protocol; nothing happens without one), and what
// keeps secrets out of crash dumps.
#include <atomic>
#include <chrono>
#include <functional>
#include <string_view>
#include <thread>

#include "core/base/mutex.hpp"

namespace slipway::app {

// No core dumps, and no other process of this user may read the memory: it holds secrets
// (guarantees 6.1). First thing in a process that will.
void forbid_core_dumps();

// Says how the process is, to $NOTIFY_SOCKET.
class Supervision {
 public:
  // While a start takes long and moves on: gives it more time. Any thread, as often as wanted.
  void still_starting(std::string_view what);
  // Ready; from here on, where a watchdog is set, says twice in its time that the loops turn, as
  // long as `alive` says so.
  void ready(std::function<bool()> alive);
  void stopping();

 private:
  std::atomic<std::int64_t> last_said_ms_{0};
  std::atomic<bool> stopping_{false};
  std::jthread watchdog_;
};

}  // namespace slipway::app
