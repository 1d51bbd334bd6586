#include "eventstore/arrival_rates.hpp"

#include <algorithm>
#include <numeric>

namespace slipway::eventstore {

ArrivalRates::ArrivalRates(const base::Clock& clock) : clock_(clock), start_(this_second()) {}

std::int64_t ArrivalRates::this_second() const {
  return std::chrono::floor<std::chrono::seconds>(clock_.steady()).time_since_epoch().count();
}

// Empties the places of the seconds in which nothing came.
void ArrivalRates::Seconds::move_to(std::int64_t second) {
  constexpr auto kWindow = static_cast<std::int64_t>(kWindowSeconds);
  const std::int64_t first = std::max(newest + 1, second - kWindow + 1);
  for (std::int64_t at = first; at <= second; ++at) {
    counts[static_cast<std::size_t>(at % kWindow)] = 0;
  }
  newest = std::max(newest, second);
}

void ArrivalRates::on_committed(const CommittedBatchPtr& batch) {
  const std::int64_t second = this_second();
  base::Lock lock(mu_);
  for (const domain::RecordBody& record : batch->records) {
    for (const domain::Event& event : record.events) {
      const auto* queued = std::get_if<domain::TaskQueued>(&event.body);
      if (queued == nullptr || queued->worker_pool.empty()) continue;
      if (!pools_.contains(queued->worker_pool) && pools_.size() >= kMaxPools) continue;
      Seconds& pool = pools_[queued->worker_pool];
      pool.move_to(second);
      ++pool.counts[static_cast<std::size_t>(second) % kWindowSeconds];
    }
  }
}

double ArrivalRates::per_second(std::string_view worker_pool) const {
  const std::int64_t second = this_second();
  base::Lock lock(mu_);
  const auto found = pools_.find(worker_pool);
  if (found == pools_.end()) return 0;
  found->second.move_to(second);
  const auto& counts = found->second.counts;
  // Soon after the start the window is as long as there has been time.
  const auto seen = std::clamp<std::int64_t>(second - start_ + 1, 1, kWindowSeconds);
  return std::accumulate(counts.begin(), counts.end(), 0.0) / static_cast<double>(seen);
}

}  // namespace slipway::eventstore
