#pragma once
// The broker without its thread and sockets: what it does with a message, as a plain object that
// tests and the simulator drive. Not thread-safe, but for its counters.
#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "core/domain/worker_messages.hpp"
#include "workers/curve_keys.hpp"
#include "workers/wire.hpp"

namespace slipway::workers {

// Opens a secret of a tenant's. On the broker's thread.
using OpenSecret =
    std::function<base::Result<base::Secret>(const domain::SecretRef&, const std::string& tenant)>;

// Any thread may read them.
struct BrokerCounters {
  // By kind of message, in the order of the variants; the names are for a metric's label.
  static constexpr std::array<std::string_view, 6> kInputs = {
      "hello", "report", "heartbeat", "goodbye", "inventory_page", "vm_inspection"};
  static_assert(kInputs.size() == std::variant_size_v<domain::WorkerInput>);
  static constexpr std::array<std::string_view, 8> kOutputs = {
      "welcome",      "work_order",   "report_ack",     "heartbeat_ack",
      "cancel_lease", "drain_worker", "take_inventory", "inspect_vm"};
  static_assert(kOutputs.size() == std::variant_size_v<domain::ServerMessage>);
  std::array<std::atomic<std::uint64_t>, kInputs.size()> received{};
  std::array<std::atomic<std::uint64_t>, kOutputs.size()> sent{};
  // Dropped, by reason (metric slipway_broker_dropped_total).
  std::atomic<std::uint64_t> malformed{0};  // the peer is not heard any more
  std::atomic<std::uint64_t> from_dropped_peer{0};
  std::atomic<std::uint64_t> foreign_session{0};  // claims the session of another worker
  std::atomic<std::uint64_t> unknown_session{0};  // in: answered "say hello"; out: nobody there
  std::atomic<std::uint64_t> unreachable{0};      // the connection is gone or full
  std::atomic<std::uint64_t> queue_full{0};       // effects over the limit
  std::atomic<std::uint64_t> secret_unavailable{0};
};

// Who a connection is, from outside the message.
struct Peer {
  std::string route;  // the transport's own id of the connection; prefixed by the socket
  // Admitted by its key: then name and pools are the key's, and what a hello claims is ignored.
  const AdmittedWorker* admitted = nullptr;
};

class BrokerCore {
 public:
  using Input = std::function<void(domain::WorkerInput&&)>;
  // False if the route is gone or full.
  using Send = std::function<bool(const std::string& route, Frames&&)>;

  BrokerCore(Input input, OpenSecret open_secret);
  void set_send(Send send) { send_ = std::move(send); }

  // One message from a connection. Never fails: a malformed one drops the peer.
  void on_message(const Peer& peer, std::span<const std::string_view> frames);
  void on_effect(domain::WorkerEffect&& effect);

  const BrokerCounters& counters() const { return counters_; }
  BrokerCounters& counters() { return counters_; }
  std::size_t sessions() const { return sessions_.size(); }

 private:
  struct Session {
    std::string route;
    std::string worker;       // of the key, or as claimed where there are none
    std::uint64_t heard = 0;  // grows with each message of any
  };

  bool welcome(const Peer& peer, domain::WorkerHello& hello);
  bool belongs(const Peer& peer, const domain::SessionId& session, std::uint64_t epoch);
  base::Result<Secrets> open_secrets(const domain::WorkerEffect& effect) const;
  void transmit(const std::string& route, const domain::ServerMessage& message, std::uint64_t epoch,
                const Secrets& secrets);
  void drop_peer(const std::string& route);
  void forget_oldest();

  Input input_;
  OpenSecret open_secret_;
  Send send_;
  WireReader reader_;
  WireWriter writer_;
  std::unordered_map<domain::SessionId, Session> sessions_;
  std::unordered_set<std::string> dropped_;
  std::uint64_t heard_ = 0;
  BrokerCounters counters_;
};

}  // namespace slipway::workers
