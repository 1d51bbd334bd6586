#include "workers/broker_core.hpp"

#include <algorithm>
#include <utility>

namespace slipway::workers {

using domain::WorkerEffect;

namespace {

constexpr std::size_t kMaxSessions = 65536;
constexpr std::size_t kMaxDropped = 4096;  // a connection that comes back has another route

void count(std::atomic<std::uint64_t>& counter) { counter.fetch_add(1, std::memory_order_relaxed); }

const domain::SessionId& session_of(const domain::WorkerInput& input) {
  return std::visit([](const auto& m) -> const domain::SessionId& { return m.session; }, input);
}

}  // namespace

BrokerCore::BrokerCore(Input input, OpenSecret open_secret)
    : input_(std::move(input)), open_secret_(std::move(open_secret)) {}

void BrokerCore::on_message(const Peer& peer, std::span<const std::string_view> frames) {
  if (dropped_.contains(peer.route)) return count(counters_.from_dropped_peer);
  auto incoming = reader_.read_input(frames);
  if (!incoming) {
    count(counters_.malformed);
    return drop_peer(peer.route);
  }
  domain::WorkerInput& message = incoming->message;
  count(counters_.received[message.index()]);
  const domain::SessionId session = session_of(message);
  if (auto* hello = std::get_if<domain::WorkerHello>(&message)) {
    if (!welcome(peer, *hello)) return;
  } else if (!belongs(peer, session, incoming->epoch)) {
    return;
  }
  if (std::holds_alternative<domain::WorkerGoodbye>(message)) sessions_.erase(session);
  input_(std::move(message));
}

// Who it is comes from the key; a claim counts only where there are no keys.
bool BrokerCore::welcome(const Peer& peer, domain::WorkerHello& hello) {
  if (peer.admitted != nullptr) {
    hello.worker = peer.admitted->name;
    hello.pools = peer.admitted->pools;
  }
  const auto known = sessions_.find(hello.session);
  if (known == sessions_.end()) {
    if (sessions_.size() >= kMaxSessions) forget_oldest();
    sessions_[hello.session] = {peer.route, hello.worker, ++heard_};
    return true;
  }
  if (known->second.worker != hello.worker) {
    count(counters_.foreign_session);
    return false;
  }
  known->second.route = peer.route;
  known->second.heard = ++heard_;
  return true;
}

// A worker that connects again keeps its session and comes by another route.
bool BrokerCore::belongs(const Peer& peer, const domain::SessionId& session, std::uint64_t epoch) {
  const auto known = sessions_.find(session);
  if (known == sessions_.end()) {
    count(counters_.unknown_session);
    transmit(peer.route, domain::HeartbeatAck{.unknown_session = true}, epoch, {});
    return false;
  }
  if (peer.admitted != nullptr && peer.admitted->name != known->second.worker) {
    count(counters_.foreign_session);
    return false;
  }
  if (known->second.route != peer.route) known->second.route = peer.route;
  known->second.heard = ++heard_;
  return true;
}

void BrokerCore::on_effect(WorkerEffect&& effect) {
  const auto known = sessions_.find(effect.session);
  if (known == sessions_.end()) return count(counters_.unknown_session);
  const auto secrets = open_secrets(effect);
  if (!secrets) return count(counters_.secret_unavailable);
  transmit(known->second.route, effect.message, effect.epoch, *secrets);
}

base::Result<Secrets> BrokerCore::open_secrets(const WorkerEffect& effect) const {
  Secrets secrets;
  const auto* order = std::get_if<domain::WorkOrder>(&effect.message);
  if (order == nullptr) return secrets;
  static const domain::SecretRef kNone;
  const domain::SecretRef* changed = order->args.guest ? &order->args.guest->secret : &kNone;
  for (const domain::SecretRef* ref :
       {&order->spec.admin_secret, &order->spec.user_data, changed}) {
    if (ref->empty()) continue;
    auto value = open_secret_(*ref, effect.tenant);
    if (!value) return base::fail(value.error());
    secrets.add(*ref, std::move(*value));
  }
  return secrets;
}

void BrokerCore::transmit(const std::string& route, const domain::ServerMessage& message,
                          std::uint64_t epoch, const Secrets& secrets) {
  const bool sent = send_(route, writer_.write(message, epoch, secrets));
  count(sent ? counters_.sent[message.index()] : counters_.unreachable);
}

void BrokerCore::drop_peer(const std::string& route) {
  if (dropped_.size() >= kMaxDropped) dropped_.clear();
  dropped_.insert(route);
  std::erase_if(sessions_, [&](const auto& item) { return item.second.route == route; });
}

void BrokerCore::forget_oldest() {
  const auto oldest = std::min_element(
      sessions_.begin(), sessions_.end(),
      [](const auto& a, const auto& b) { return a.second.heard < b.second.heard; });
  if (oldest != sessions_.end()) sessions_.erase(oldest);
}

}  // namespace slipway::workers
