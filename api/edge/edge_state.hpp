#pragma once
// What the connections of one server share. Outlives the server as long as a Responder does.
#include <atomic>
#include <memory>
#include <string>
#include <unordered_map>

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
  const Limits& limits() const { return options.limits; }

  Options options;
  EdgeCounters counters;
  Observer observer;
  std::atomic<bool> draining{false};

 private:
  base::Mutex mu_;
  std::condition_variable empty_;
  // Connections per address; only kept while that has a limit.
  std::unordered_map<std::string, std::size_t> by_address_ GUARDED_BY(mu_);
};

struct ListenerState {
  ListenerOptions options;
  std::shared_ptr<EdgeState> edge;  // shared: see above
};

}  // namespace slipway::api
