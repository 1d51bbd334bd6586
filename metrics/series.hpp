#pragma once
// The four things that can be counted. Any thread updates them, without a lock; every update is one
// relaxed atomic addition (a histogram's: three), and a scrape reads them while they move.
//
// Not prometheus-cpp's own types, by measurement (tests/metrics/bench, CPU time of one update): a
// counter costs 6 ns against 7, which alone would not be worth it, but a histogram 12 ns against
// 29, and theirs takes a mutex, for which the sequencer would wait while a scrape copies. A look-up
// by four labels costs 30 ns without a lock, theirs 300 ns with one, and cannot be bounded; nor can
// their counter be moved up to a total that the projection kept. The library still holds what is
// collected and writes the text (registry.cpp).
#include <atomic>
#include <cstdint>
#include <memory>
#include <span>

#include "core/base/time.hpp"

namespace slipway::metrics {

class Counter {
 public:
  void add(std::uint64_t n = 1) noexcept { value_.fetch_add(n, std::memory_order_relaxed); }
  // For a total that is kept elsewhere, above all in the projection, which knows what was counted
  // before this process began: moves up to it, never down. (Of totals that share a family's "other"
  // series the largest is shown, not the sum.)
  void raise_to(std::uint64_t total) noexcept {
    auto now = value_.load(std::memory_order_relaxed);
    while (now < total && !value_.compare_exchange_weak(now, total, std::memory_order_relaxed)) {
    }
  }
  std::uint64_t value() const noexcept { return value_.load(std::memory_order_relaxed); }
  double exposed() const noexcept { return static_cast<double>(value()); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

// A total of time. Kept in microseconds, shown in seconds.
class SecondsCounter {
 public:
  void add(base::Duration d) noexcept {
    if (d.count() > 0) us_.add(static_cast<std::uint64_t>(d.count()));
  }
  void raise_to(base::Duration total) noexcept {
    if (total.count() > 0) us_.raise_to(static_cast<std::uint64_t>(total.count()));
  }
  double exposed() const noexcept { return static_cast<double>(us_.value()) * 1e-6; }

 private:
  Counter us_;
};

class Gauge {
 public:
  void set(double value) noexcept { value_.store(value, std::memory_order_relaxed); }
  void set(base::Time t) noexcept { set(static_cast<double>(base::to_us(t)) * 1e-6); }
  void add(double difference) noexcept { value_.fetch_add(difference, std::memory_order_relaxed); }
  double exposed() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<double> value_{0};
};

// Counts by upper bound (inclusive). The sum is kept in millionths, so a Duration adds exactly.
class Histogram {
 public:
  // `bounds` ascend and outlive the histogram.
  explicit Histogram(std::span<const double> bounds)
      : bounds_(bounds), counts_(new std::atomic<std::uint64_t>[bounds.size() + 1] {}) {}

  // Negative and NaN count as 0.
  void observe(double value) noexcept {
    if (!(value > 0)) value = 0;
    count(value, static_cast<std::uint64_t>(value * 1e6 + 0.5));
  }
  void observe(base::Duration d) noexcept {
    const auto us = d.count() > 0 ? static_cast<std::uint64_t>(d.count()) : 0;
    count(static_cast<double>(us) * 1e-6, us);
  }

  std::span<const double> bounds() const noexcept { return bounds_; }
  // Of the bucket alone, not cumulative; `bucket` = bounds().size() is the one without an end.
  std::uint64_t in_bucket(std::size_t bucket) const noexcept {
    return counts_[bucket].load(std::memory_order_relaxed);
  }
  double sum() const noexcept {
    return static_cast<double>(sum_.load(std::memory_order_relaxed)) * 1e-6;
  }

 private:
  void count(double value, std::uint64_t millionths) noexcept {
    std::size_t bucket = 0;
    while (bucket < bounds_.size() && value > bounds_[bucket]) ++bucket;
    counts_[bucket].fetch_add(1, std::memory_order_relaxed);
    sum_.fetch_add(millionths, std::memory_order_relaxed);
  }

  std::span<const double> bounds_;
  std::unique_ptr<std::atomic<std::uint64_t>[]> counts_;
  std::atomic<std::uint64_t> sum_{0};
};

}  // namespace slipway::metrics
