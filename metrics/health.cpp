#include "metrics/health.hpp"

#include <fmt/format.h>

#include "core/base/json_write.hpp"

namespace slipway::metrics {

std::string HealthReport::json(bool with_details) const {
  base::JsonWriter w;
  const auto status = [](bool good) { return good ? "ok" : "failing"; };
  w.begin_object().member("status", status(ok)).key("checks").begin_array();
  for (const auto& check : checks) {
    w.begin_object().member("name", check.name).member("status", status(check.result.ok));
    if (with_details && !check.result.detail.empty()) w.member("detail", check.result.detail);
    w.end_object();
  }
  w.end_array().end_object();
  return w.text();
}

void Health::add_ready(std::string name, std::function<CheckResult()> check) {
  checks_.emplace_back(std::move(name), std::move(check));
}

LoopBeat Health::watch_loop(std::string name, base::Duration max_silence) {
  auto last = std::make_shared<std::atomic<std::int64_t>>();
  LoopBeat beat(last);
  beat.now(clock_.steady());
  loops_.push_back({std::move(name), max_silence, std::move(last)});
  return beat;
}

HealthReport Health::live() const {
  HealthReport report;
  const auto now_us = clock_.steady().time_since_epoch().count();
  for (const auto& loop : loops_) {
    const base::Duration silence(now_us - loop.last->load(std::memory_order_relaxed));
    auto& check = report.checks.emplace_back(HealthReport::Check{loop.name + " loop", {}});
    if (silence <= loop.max_silence) continue;
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(silence).count();
    check.result = {false, fmt::format("has not turned for {} s", seconds)};
    report.ok = false;
  }
  return report;
}

HealthReport Health::ready() const {
  auto report = live();
  for (const auto& [name, check] : checks_) {
    report.checks.push_back({name, check()});
    report.ok = report.ok && report.checks.back().result.ok;
  }
  return report;
}

}  // namespace slipway::metrics
