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
  const std::size_t limit = limits().connections_per_address;
  base::Lock lock(mu_);
  const std::size_t of_address = ++by_address_[address];
  return limit > 0 && of_address > limit ? Admission::AddressFull : Admission::Welcome;
}

void EdgeState::forget(const std::string& address) {
  const bool last = counters.connections.fetch_sub(1) == 1;
  base::Lock lock(mu_);
  if (last) empty_.notify_all();
  const auto at = by_address_.find(address);
  if (at != by_address_.end() && --at->second == 0) by_address_.erase(at);
}

void EdgeState::set_limits(const Limits& limits) {
  base::Lock lock(mu_);
  all_limits_.push_back(std::make_unique<const Limits>(limits));
  limits_.store(all_limits_.back().get(), std::memory_order_release);
}

bool EdgeState::wait_until_empty(base::Duration patience) {
  base::Lock lock(mu_);
  return empty_.wait_for(lock.native(), patience, [this] { return counters.connections == 0; });
}

}  // namespace slipway::api
