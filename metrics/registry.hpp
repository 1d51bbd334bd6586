#pragma once
// All families of the process, and the text of /metrics.
//
// Numbers that others keep (the projector's lag, RocksDB's properties, the edge's counters) are
// fetched by a hook just before the text is written:
//
//   auto hook = m.registry.before_scrape([&] {
//     m.projection_lag_events.with("main").set(static_cast<double>(projector.lag()));
//     m.vms_created.with("simulated").raise_to(counts.vms_created);
//   });
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "metrics/family.hpp"

namespace slipway::metrics {

// Series (lines of text) that a process may show. A family that would bring the sum of all maxima
// above it ends the process at the start: the numbers in instruments.hpp are then wrong.
inline constexpr std::size_t kMaxSeries = 5000;
inline constexpr std::string_view kContentType = "text/plain; version=0.0.4; charset=utf-8";

// Keeps a hook registered. When it is gone the hook is not running and never will.
class ScrapeHook {
 public:
  ScrapeHook() = default;
  ~ScrapeHook() { reset(); }
  ScrapeHook(ScrapeHook&& other) noexcept
      : registry_(std::exchange(other.registry_, nullptr)), id_(other.id_) {}
  ScrapeHook& operator=(ScrapeHook&& other) noexcept;
  void reset();

 private:
  friend class Registry;
  ScrapeHook(Registry* registry, std::uint64_t id) : registry_(registry), id_(id) {}
  Registry* registry_ = nullptr;
  std::uint64_t id_ = 0;
};

class Registry {
 public:
  Registry() = default;
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  // Text format 0.0.4. Any thread; one scrape at a time, the next waits. 0.7 ms of a core
  // for 1300 series: not for an I/O thread once there are thousands.
  std::string scrape();

  // `hook` runs in scrape(), so on any thread but never twice at once. It must be quick, must not
  // throw, and must not scrape or register. The registry must outlive what is returned.
  [[nodiscard]] ScrapeHook before_scrape(std::function<void()> hook);

  // Whether the families of Scope::Service are shown; true at first.
  void set_leading(bool leading) { leading_.store(leading, std::memory_order_relaxed); }

  // Lines, if every family were full: at most kMaxSeries.
  std::size_t max_lines() const { return max_lines_; }

  struct Description {
    std::string_view name, type, help;
    std::vector<std::string_view> labels;
  };
  std::vector<Description> describe() const;  // in the order of declaration

 private:
  friend class ScrapeHook;
  template <class T>
  friend class FamilyOf;
  using FamilyPtr = std::variant<FamilyOf<Counter>*, FamilyOf<SecondsCounter>*, FamilyOf<Gauge>*,
                                 FamilyOf<Histogram>*>;
  // At construction of a family, before there are threads.
  void add(FamilyPtr family);
  void remove(std::uint64_t hook);

  std::vector<FamilyPtr> families_;
  std::size_t max_lines_ = 0;
  std::atomic<bool> leading_{true};
  // Held while hooks run: that is what lets ~ScrapeHook promise that its hook has ended.
  base::Mutex mu_;
  std::vector<std::pair<std::uint64_t, std::function<void()>>> hooks_ GUARDED_BY(mu_);
  std::uint64_t next_hook_ GUARDED_BY(mu_) = 1;
};

}  // namespace slipway::metrics
