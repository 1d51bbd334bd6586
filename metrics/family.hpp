#pragma once
// A family: one metric name and its series, one for each set of label values. Declared in
// instruments.hpp only; used like this, from any thread:
//
//   m.tasks_submitted.with("vm.create", "core").add();     looks up, then counts
//   Counter& created = m.vms_created.with("simulated");    resolved once, kept, used for ever
//   m.ready->set(1);                                       a family without labels
//
// Looking up takes no lock once the series is there. A family holds at most `max_series` sets of
// values; every set beyond them shares one series whose values are all "other". So no client can
// make /metrics grow without end.
#include <array>
#include <atomic>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/mutex.hpp"
#include "metrics/series.hpp"

namespace slipway::metrics {

class Registry;

// Whom a number is about. Those of the whole service are shown by the leading server alone.
enum class Scope : std::uint8_t { Process, Service };

// `known`: the values there are, if they are known. Where all labels of a family have them, every
// combination is shown from the start, as 0.
struct Label {
  std::string_view name;
  std::vector<std::string_view> known = {};
};

struct FamilySpec {
  std::string_view name;
  std::string_view help;
  Scope scope = Scope::Process;
  std::size_t max_series = 0;           // "other" included; 0: what is known, and "other"
  std::span<const double> bounds = {};  // of a histogram
};

template <class T>
struct Series {
  template <class... Args>
  explicit Series(std::span<const std::string_view> v, const Args&... args)
      : values(v.begin(), v.end()), instrument(args...) {}
  std::vector<std::string> values;  // of the labels, in the family's order
  T instrument;
};

// The part that does not know how many labels there are. Never moved: series point into it.
template <class T>
class FamilyOf {
 public:
  FamilyOf(Registry& registry, FamilySpec spec, std::vector<Label> labels);
  FamilyOf(const FamilyOf&) = delete;
  FamilyOf& operator=(const FamilyOf&) = delete;

  T& get(std::span<const std::string_view> values);

  const FamilySpec& spec() const { return spec_; }
  const std::vector<Label>& labels() const { return labels_; }
  // Lines of /metrics that one series makes: a histogram's are its buckets, +Inf, _sum and _count.
  std::size_t lines_per_series() const;
  template <class F>
  void for_each(F&& visit) const {
    base::Lock lock(mu_);
    for (const auto& series : series_) visit(series);
  }

 private:
  Series<T>* find(std::span<const std::string_view> values, std::size_t hash) const;
  Series<T>& make(std::span<const std::string_view> values, std::size_t hash);
  Series<T>& insert(std::span<const std::string_view> values, std::size_t hash) REQUIRES(mu_);
  void make_known(std::vector<std::string_view>& chosen);

  FamilySpec spec_;
  std::vector<Label> labels_;
  // Open addressing, at most half full, never grown and never cleared: read without a lock.
  std::vector<std::atomic<Series<T>*>> slots_;
  mutable base::Mutex mu_;
  std::deque<Series<T>> series_ GUARDED_BY(mu_);
};

extern template class FamilyOf<Counter>;
extern template class FamilyOf<SecondsCounter>;
extern template class FamilyOf<Gauge>;
extern template class FamilyOf<Histogram>;

// A family with N labels.
template <class T, std::size_t N>
class Family : public FamilyOf<T> {
 public:
  Family(Registry& registry, FamilySpec spec, const Label (&labels)[N])
      : FamilyOf<T>(registry, spec, {std::begin(labels), std::end(labels)}) {}

  template <class... Values>
  requires(sizeof...(Values) == N) T& with(const Values&... values) {
    const std::array<std::string_view, N> all{std::string_view(values)...};
    return this->get(all);
  }
};

// A family without labels: one series, there from the start.
template <class T>
class Family<T, 0> : public FamilyOf<T> {
 public:
  Family(Registry& registry, FamilySpec spec)
      : FamilyOf<T>(registry, spec, {}), only_(this->get({})) {}
  T* operator->() { return &only_; }
  T& operator*() { return only_; }

 private:
  T& only_;
};

template <std::size_t N = 0>
using Counters = Family<Counter, N>;
template <std::size_t N = 0>
using SecondsCounters = Family<SecondsCounter, N>;
template <std::size_t N = 0>
using Gauges = Family<Gauge, N>;
template <std::size_t N = 0>
using Histograms = Family<Histogram, N>;

}  // namespace slipway::metrics
