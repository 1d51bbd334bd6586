#include "api/edge/edge_state.hpp"

namespace slipway::api {

EdgeState::Admission EdgeState::admit(const std::string& address) {
  const auto open = static_cast<std::size_t>(counters.connections.load());
  if (open >= limits().connections) {
    counters.count(Refusal::Connections);
    return Admission::Full;
  }
  counters.connections.fetch_add(1);
  counters.accepted.fetch_add(1, std::memory_order_relaxed);
  if (limits().connections_per_address == 0) return Admission::Welcome;
  base::Lock lock(mu_);
  return ++by_address_[address] > limits().connections_per_address ? Admission::AddressFull
                                                                   : Admission::Welcome;
}

void EdgeState::forget(const std::string& address) {
  const bool last = counters.connections.fetch_sub(1) == 1;
  if (limits().connections_per_address == 0 && !(last && draining)) return;
  base::Lock lock(mu_);
  if (last) empty_.notify_all();
  const auto at = by_address_.find(address);
  if (at != by_address_.end() && --at->second == 0) by_address_.erase(at);
}

bool EdgeState::wait_until_empty(base::Duration patience) {
  base::Lock lock(mu_);
  return empty_.wait_for(lock.native(), patience, [this] { return counters.connections == 0; });
}

}  // namespace slipway::api
