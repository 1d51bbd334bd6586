#pragma once
// What the connections of one server share. Outlives the server as long as a Responder does.
#include <atomic>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "api/edge/options.hpp"
#include "api/edge/server.hpp"
#include "core/base/mutex.hpp"

namespace slipway::api {

struct EdgeState {
  enum class Admission : std::uint8_t { Welcome, AddressFull, Full };

  // A new connection: counts it unless Full. AddressFull is counted too: it gets a 429.
  Admission admit(const std::string& address);
  void forget(const std::string& address);  // its end
  // True once no connection is left, false when `patience` is over.
  bool wait_until_empty(base::Duration patience);
  // In force now. A reference stays valid as long as this: connections keep what they began with.
  const Limits& limits() const { return *limits_.load(std::memory_order_acquire); }
  void set_limits(const Limits& limits);

  Options options;  // as at the start; before it, set_limits(options.limits)
  EdgeCounters counters;
  Observer observer;
  std::atomic<bool> draining{false};

 private:
  static inline const Limits kDefaults{};
  std::atomic<const Limits*> limits_{&kDefaults};
  base::Mutex mu_;
  std::vector<std::unique_ptr<const Limits>> all_limits_ GUARDED_BY(mu_);  // one more a reload
  std::condition_variable empty_;
  // Connections per address: kept always, as a limit may be set while they are open.
  std::unordered_map<std::string, std::size_t> by_address_ GUARDED_BY(mu_);
};

struct ListenerState {
  ListenerOptions options;
  std::shared_ptr<EdgeState> edge;  // shared: see above
};

}  // namespace slipway::api
