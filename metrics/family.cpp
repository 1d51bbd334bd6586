#include "metrics/family.hpp"

#include <algorithm>
#include <bit>
#include <functional>
#include <type_traits>

#include "core/base/check.hpp"
#include "metrics/registry.hpp"

namespace slipway::metrics {
namespace {

std::size_t hash_of(std::span<const std::string_view> values) {
  std::size_t hash = 0;
  for (const auto value : values) {
    hash = (hash ^ std::hash<std::string_view>{}(value)) * 0x9E3779B97F4A7C15ULL;
  }
  return hash ^ (hash >> 32U);
}

std::size_t combinations(const std::vector<Label>& labels) {
  std::size_t n = 1;
  for (const auto& label : labels) n *= label.known.size();
  return n;
}

}  // namespace

template <class T>
FamilyOf<T>::FamilyOf(Registry& registry, FamilySpec spec, std::vector<Label> labels)
    : spec_(spec), labels_(std::move(labels)) {
  const auto known = combinations(labels_);
  if (spec_.max_series == 0) spec_.max_series = labels_.empty() ? 1 : known + 1;
  CHECK(known + (labels_.empty() ? 0 : 1) <= spec_.max_series, "{}: {} known, at most {}",
        spec_.name, known, spec_.max_series);
  slots_ = std::vector<std::atomic<Series<T>*>>(std::bit_ceil(2 * spec_.max_series));
  std::vector<std::string_view> chosen;
  if (known > 0) make_known(chosen);
  registry.add(this);
}

template <class T>
void FamilyOf<T>::make_known(std::vector<std::string_view>& chosen) {
  if (chosen.size() == labels_.size()) {
    get(chosen);
    return;
  }
  for (const auto value : labels_[chosen.size()].known) {
    chosen.push_back(value);
    make_known(chosen);
    chosen.pop_back();
  }
}

template <class T>
T& FamilyOf<T>::get(std::span<const std::string_view> values) {
  const auto hash = hash_of(values);
  if (auto* series = find(values, hash)) return series->instrument;
  return make(values, hash).instrument;
}

template <class T>
Series<T>* FamilyOf<T>::find(std::span<const std::string_view> values, std::size_t hash) const {
  const auto mask = slots_.size() - 1;
  for (std::size_t at = hash & mask;; at = (at + 1) & mask) {
    auto* series = slots_[at].load(std::memory_order_acquire);
    if (series == nullptr) return nullptr;
    if (std::equal(values.begin(), values.end(), series->values.begin())) return series;
  }
}

template <class T>
Series<T>& FamilyOf<T>::make(std::span<const std::string_view> values, std::size_t hash) {
  base::Lock lock(mu_);
  if (auto* raced = find(values, hash)) return *raced;
  // The last place is kept for "other".
  if (labels_.empty() || series_.size() + 1 < spec_.max_series) return insert(values, hash);
  const std::vector<std::string_view> other(labels_.size(), "other");
  if (auto* shared = find(other, hash_of(other))) return *shared;
  return insert(other, hash_of(other));
}

template <class T>
Series<T>& FamilyOf<T>::insert(std::span<const std::string_view> values, std::size_t hash) {
  if constexpr (std::is_same_v<T, Histogram>) {
    series_.emplace_back(values, spec_.bounds);
  } else {
    series_.emplace_back(values);
  }
  const auto mask = slots_.size() - 1;
  auto at = hash & mask;
  while (slots_[at].load(std::memory_order_relaxed) != nullptr) at = (at + 1) & mask;
  slots_[at].store(&series_.back(), std::memory_order_release);
  return series_.back();
}

template <class T>
std::size_t FamilyOf<T>::lines_per_series() const {
  return std::is_same_v<T, Histogram> ? spec_.bounds.size() + 3 : 1;
}

template class FamilyOf<Counter>;
template class FamilyOf<SecondsCounter>;
template class FamilyOf<Gauge>;
template class FamilyOf<Histogram>;

}  // namespace slipway::metrics
