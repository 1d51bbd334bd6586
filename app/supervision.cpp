#include "app/supervision.hpp"

#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <systemd/sd-daemon.h>

#include <condition_variable>

namespace slipway::app {
namespace {

using std::chrono::microseconds;

constexpr std::int64_t kSayEveryMs = 2000;
constexpr std::int64_t kExtensionUs = 60'000'000;

// The leak checker of a sanitized build reads the process from outside at its end, and must be let.
#if defined(__SANITIZE_ADDRESS__)
constexpr bool kReadFromOutside = true;
#elif defined(__has_feature)
constexpr bool kReadFromOutside = __has_feature(address_sanitizer);
#else
constexpr bool kReadFromOutside = false;
#endif

std::int64_t now_ms() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

}  // namespace

void forbid_core_dumps() {
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
  if (!kReadFromOutside) ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

void Supervision::still_starting(std::string_view what) {
  const std::int64_t now = now_ms();
  std::int64_t last = last_said_ms_.load();
  if (last != 0 && now - last < kSayEveryMs) return;
  if (!last_said_ms_.compare_exchange_strong(last, now)) return;
  ::sd_notify(0, fmt::format("EXTEND_TIMEOUT_USEC={}\nSTATUS={}", kExtensionUs, what).c_str());
}

void Supervision::ready(std::function<bool()> alive) {
  ::sd_notify(0, "READY=1\nSTATUS=serving");
  std::uint64_t limit_us = 0;
  if (::sd_watchdog_enabled(0, &limit_us) <= 0) return;
  watchdog_ = std::jthread([this, alive = std::move(alive), limit_us](const std::stop_token& stop) {
    base::Mutex mu;
    std::condition_variable_any wake;
    base::Lock lock(mu);
    while (!stop.stop_requested()) {
      if (stopping_ || alive()) ::sd_notify(0, "WATCHDOG=1");
      wake.wait_for(lock.native(), stop, microseconds(limit_us / 2), [] { return false; });
    }
  });
}

// Loops that have ended do not turn: from here on the stop timeout is what bounds it.
void Supervision::stopping() {
  stopping_ = true;
  ::sd_notify(0, "STOPPING=1\nSTATUS=draining");
}

}  // namespace slipway::app
