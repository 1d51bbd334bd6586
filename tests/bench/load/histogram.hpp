#pragma once
// Latencies in buckets of at most 1.6 % width, from 1 microsecond to over an hour; nothing is
// allocated after construction.
#include <algorithm>
#include <bit>
#include <cstdint>
#include <vector>

namespace slipway::bench {

class Histogram {
 public:
  void add(std::int64_t us) {
    const auto value = static_cast<std::uint64_t>(std::max<std::int64_t>(us, 0));
    ++counts_[std::min(index_of(value), counts_.size() - 1)];
    ++total_;
    max_ = std::max(max_, value);
  }
  void clear() {
    std::fill(counts_.begin(), counts_.end(), 0);
    total_ = max_ = 0;
  }
  std::uint64_t total() const { return total_; }
  std::uint64_t max() const { return max_; }
  // The upper end of the bucket that holds this share of all values; 0 without values.
  std::uint64_t at(double share) const {
    const auto wanted = static_cast<std::uint64_t>(share * static_cast<double>(total_) + 0.5);
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < counts_.size(); ++i) {
      seen += counts_[i];
      if (seen > 0 && seen >= wanted) return std::min(upper_end(i), max_);
    }
    return max_;
  }

 private:
  // Values below 64 have a bucket each; then 64 buckets for each doubling.
  static constexpr unsigned kBits = 6;
  static constexpr std::size_t kPerDoubling = std::size_t{1} << kBits;
  static std::size_t index_of(std::uint64_t value) {
    if (value < kPerDoubling) return value;
    const auto shift = static_cast<unsigned>(std::bit_width(value)) - kBits - 1;
    return (shift + 1) * kPerDoubling + (value >> shift) - kPerDoubling;
  }
  static std::uint64_t upper_end(std::size_t index) {
    if (index < 2 * kPerDoubling) return index;
    const std::size_t shift = index / kPerDoubling - 1;
    return ((index % kPerDoubling + kPerDoubling + 1) << shift) - 1;
  }

  std::vector<std::uint64_t> counts_ = std::vector<std::uint64_t>(28 * kPerDoubling);
  std::uint64_t total_ = 0;
  std::uint64_t max_ = 0;
};

}  // namespace slipway::bench
