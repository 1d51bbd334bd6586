#include "metrics/registry.hpp"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <limits>
#include <type_traits>
#include <utility>

#include "core/base/check.hpp"

namespace slipway::metrics {
namespace {

template <class T>
constexpr prometheus::MetricType kType = prometheus::MetricType::Counter;
template <>
constexpr prometheus::MetricType kType<Gauge> = prometheus::MetricType::Gauge;
template <>
constexpr prometheus::MetricType kType<Histogram> = prometheus::MetricType::Histogram;

std::string_view type_name(prometheus::MetricType type) {
  switch (type) {
    case prometheus::MetricType::Counter:
      return "counter";
    case prometheus::MetricType::Gauge:
      return "gauge";
    case prometheus::MetricType::Histogram:
      return "histogram";
    default:
      return "untyped";
  }
}

void fill(prometheus::ClientMetric& out, const Histogram& from) {
  std::uint64_t count = 0;
  for (std::size_t i = 0; i < from.bounds().size(); ++i) {
    count += from.in_bucket(i);
    out.histogram.bucket.push_back({count, from.bounds()[i]});
  }
  // The count is that of the buckets, so the text agrees with itself while others observe.
  count += from.in_bucket(from.bounds().size());
  out.histogram.bucket.push_back({count, std::numeric_limits<double>::infinity()});
  out.histogram.sample_count = count;
  out.histogram.sample_sum = from.sum();
}
void fill(prometheus::ClientMetric& out, const Gauge& from) { out.gauge.value = from.exposed(); }
void fill(prometheus::ClientMetric& out, const Counter& from) {
  out.counter.value = from.exposed();
}
void fill(prometheus::ClientMetric& out, const SecondsCounter& from) {
  out.counter.value = from.exposed();
}

template <class T>
prometheus::MetricFamily collect(const FamilyOf<T>& family) {
  prometheus::MetricFamily out;
  out.name = family.spec().name;
  out.help = family.spec().help;
  out.type = kType<T>;
  family.for_each([&](const Series<T>& series) {
    auto& metric = out.metric.emplace_back();
    for (std::size_t i = 0; i < series.values.size(); ++i) {
      metric.label.push_back({std::string(family.labels()[i].name), series.values[i]});
    }
    fill(metric, series.instrument);
  });
  return out;
}

}  // namespace

ScrapeHook& ScrapeHook::operator=(ScrapeHook&& other) noexcept {
  if (this != &other) {
    reset();
    registry_ = std::exchange(other.registry_, nullptr);
    id_ = other.id_;
  }
  return *this;
}

void ScrapeHook::reset() {
  if (registry_ != nullptr) std::exchange(registry_, nullptr)->remove(id_);
}

std::string Registry::scrape() {
  base::Lock lock(mu_);
  for (const auto& [id, hook] : hooks_) hook();
  const bool leading = leading_.load(std::memory_order_relaxed);
  std::vector<prometheus::MetricFamily> collected;
  collected.reserve(families_.size());
  for (const auto& any : families_) {
    std::visit(
        [&](const auto* family) {
          if (!leading && family->spec().scope == Scope::Service) return;
          auto metrics = collect(*family);
          if (!metrics.metric.empty()) collected.push_back(std::move(metrics));
        },
        any);
  }
  return prometheus::TextSerializer().Serialize(collected);
}

ScrapeHook Registry::before_scrape(std::function<void()> hook) {
  base::Lock lock(mu_);
  const auto id = next_hook_++;
  hooks_.emplace_back(id, std::move(hook));
  return {this, id};
}

void Registry::remove(std::uint64_t hook) {
  base::Lock lock(mu_);
  std::erase_if(hooks_, [&](const auto& entry) { return entry.first == hook; });
}

void Registry::add(FamilyPtr family) {
  families_.push_back(family);
  std::visit(
      [&](const auto* f) {
        max_lines_ += f->spec().max_series * f->lines_per_series();
        CHECK(max_lines_ <= kMaxSeries, "{} makes {} series possible", f->spec().name, max_lines_);
      },
      family);
}

std::vector<Registry::Description> Registry::describe() const {
  std::vector<Description> all;
  for (const auto& any : families_) {
    std::visit(
        [&]<class T>(const FamilyOf<T>* family) {
          auto& one = all.emplace_back();
          one.name = family->spec().name;
          one.type = type_name(kType<T>);
          one.help = family->spec().help;
          for (const auto& label : family->labels()) one.labels.push_back(label.name);
        },
        any);
  }
  return all;
}

}  // namespace slipway::metrics
