#include "eventstore/live_counts.hpp"

#include <charconv>

namespace slipway::eventstore {
namespace {

std::string name_of(domain::TaskState state) { return std::string(base::enum_name(state)); }

// From the first key with these labels on, while `use` says so.
template <class Use>
void each(const TallyMap& map, const TallyKey& from, Use use) {
  for (auto it = map.lower_bound(from); it != map.end() && use(it->first, it->second); ++it) {
  }
}

}  // namespace

std::int64_t LiveCounts::get(const TallyKey& key) const {
  const auto it = tallies.find(key);
  return it == tallies.end() ? 0 : it->second;
}

LiveCounts::Queue LiveCounts::queue(const std::string& worker_pool) const {
  using enum domain::TaskState;
  const auto in = [&](domain::TaskState state) {
    return get({Tally::Queue, worker_pool, name_of(state), {}});
  };
  Queue queue;
  queue.ready = in(Ready);
  queue.scheduled = in(Blocked) + in(RetryWait);
  queue.leased = in(Running);
  each(tallies, {Tally::ReadySince, worker_pool, {}, {}}, [&](const TallyKey& key, std::int64_t) {
    if (key.tally != Tally::ReadySince || key.a != worker_pool) return false;
    std::int64_t seconds = 0;
    std::from_chars(key.b.data(), key.b.data() + key.b.size(), seconds);
    queue.oldest_ready = base::Time(std::chrono::seconds(seconds));
    return false;
  });
  return queue;
}

std::vector<std::string> LiveCounts::worker_pools() const {
  std::vector<std::string> pools;
  each(tallies, {Tally::Queue, {}, {}, {}}, [&](const TallyKey& key, std::int64_t) {
    if (key.tally != Tally::Queue) return false;
    if (pools.empty() || pools.back() != key.a) pools.push_back(key.a);
    return true;
  });
  return pools;
}

LiveCounts LiveCountsBoard::snapshot() const {
  base::Lock lock(mu_);
  return counts_;
}

void LiveCountsBoard::reset(TallyMap tallies, domain::Seq seq, base::Time last_event_time) {
  base::Lock lock(mu_);
  counts_ = {seq, last_event_time, std::move(tallies)};
}

void LiveCountsBoard::apply(const TallyMap& deltas, domain::Seq seq, base::Time last_event_time) {
  base::Lock lock(mu_);
  counts_.seq = seq;
  counts_.last_event_time = last_event_time;
  for (const auto& [key, n] : deltas) {
    const auto it = counts_.tallies.try_emplace(key, 0).first;
    it->second += n;
    if (it->second == 0) counts_.tallies.erase(it);
  }
}

}  // namespace slipway::eventstore
