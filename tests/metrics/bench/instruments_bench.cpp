// What one update costs, with 1 and with 2 threads on the same series:
//   ninja -C build/release metrics_bench && build/release/metrics_bench
#include <benchmark/benchmark.h>
#include <prometheus/counter.h>
#include <prometheus/histogram.h>

#include "metrics/instruments.hpp"
#include "metrics/log.hpp"

namespace slipway::metrics {
namespace {

Instruments& instruments() {
  static auto* const m = new Instruments;
  return *m;
}

void Counter_Own(benchmark::State& state) {
  auto& counter = instruments().http_requests.with("core", "GET", "/core/v1/tasks/{id}", "200");
  for (auto _ : state) counter.add();
}
BENCHMARK(Counter_Own)->ThreadRange(1, 2);

void Counter_Prometheus(benchmark::State& state) {
  static prometheus::Counter counter;
  for (auto _ : state) counter.Increment();
}
BENCHMARK(Counter_Prometheus)->ThreadRange(1, 2);

void Histogram_Own(benchmark::State& state) {
  auto& histogram = *instruments().eventlog_append_duration;
  const base::Duration took(1200);
  for (auto _ : state) histogram.observe(took);
}
BENCHMARK(Histogram_Own)->ThreadRange(1, 2);

void Histogram_Prometheus(benchmark::State& state) {
  static prometheus::Histogram histogram({kDiskBuckets.begin(), kDiskBuckets.end()});
  for (auto _ : state) histogram.Observe(0.0012);
}
BENCHMARK(Histogram_Prometheus)->ThreadRange(1, 2);

void LookUp_FourLabels(benchmark::State& state) {
  auto& family = instruments().http_requests;
  for (auto _ : state) family.with("core", "GET", "/core/v1/tasks/{id}", "200").add();
}
BENCHMARK(LookUp_FourLabels)->ThreadRange(1, 2);

void Scrape_Full(benchmark::State& state) {
  auto& m = instruments();
  for (int i = 0; i < 500; ++i) m.http_request_duration.with("core", "/r" + std::to_string(i));
  for (auto _ : state) benchmark::DoNotOptimize(m.registry.scrape());
}
BENCHMARK(Scrape_Full);

void Log_FourFields(benchmark::State& state) {
  configure_log({.burst = 0});
  set_log_sink_for_test([](std::string_view line) { benchmark::DoNotOptimize(line.data()); });
  const base::Uuid id{};
  for (auto _ : state) {
    log_info("task ended", {{"task_id", id}, {"attempt", 2}, {"outcome", "SUCCEEDED"}, {"s", 1.5}});
  }
  set_log_sink_for_test({});
}
BENCHMARK(Log_FourFields);

void Log_BelowTheLevel(benchmark::State& state) {
  for (auto _ : state) log_debug("task ended", {{"attempt", 2}});
}
BENCHMARK(Log_BelowTheLevel);

}  // namespace
}  // namespace slipway::metrics
