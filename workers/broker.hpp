#pragma once
// The server's end of the wire: the one thread that owns the ROUTER sockets. It frames and unframes
// messages, knows which connection serves which session, says who a worker is (from its key) and
// opens the secrets of a work order on its way out. It decides nothing: see eventstore's sequencer.
#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "core/base/clock.hpp"
#include "core/domain/worker_messages.hpp"
#include "workers/broker_core.hpp"
#include "workers/mailbox.hpp"
#include "workers/transport.hpp"

namespace slipway::workers {

struct BrokerOptions {
  // "tcp://127.0.0.1:5871", port 0 or * for any; empty: in-process workers only. Beyond loopback
  // the two files below are required.
  std::string listen;
  // CURVE: the server's keys (see curve_keys.hpp; none: empty) and the list of workers admitted.
  // The list is read again at each handshake, so a removed key takes no restart.
  std::shared_ptr<const CurveKeys> keys;  // shared: secrets are not copied with their options
  std::string workers_file;
  base::Duration handshake_timeout = std::chrono::seconds(5);
  base::Duration heartbeat_interval = std::chrono::seconds(2);  // of connections, not of leases
  base::Duration heartbeat_timeout = std::chrono::seconds(10);
  std::size_t max_queued_effects = 1'000'000;
  int send_high_water_mark = 100'000;  // messages a peer; the credit of leases bounds them anyway
  std::function<void()> on_turn;       // on the broker's thread, every few seconds at least
};

class Broker {
 public:
  // On the broker's thread, in the order in which one worker sent them. Must not block.
  using Input = std::function<void(domain::WorkerInput&&)>;

  // Binds, then starts the thread. InvalidArgument if an address, key or list cannot be used, or
  // would be unsafe. `transport` and `clock` must outlive the broker.
  static base::Result<std::unique_ptr<Broker>> start(Transport& transport,
                                                     const BrokerOptions& options, Input input,
                                                     OpenSecret open_secret);
  ~Broker();

  // Any thread; never blocks. One wake-up a batch. What is over max_queued_effects is dropped and
  // counted: a lost order costs a lease timeout, not a task.
  void post(std::vector<domain::WorkerEffect>&& effects);

  // Sends what was posted, closes the sockets, ends the thread. The destructor does it too.
  void stop();

  // Where TCP workers connect, with the port in numbers; empty without `listen`.
  const std::string& endpoint() const { return endpoint_; }
  const BrokerCounters& counters() const { return core_.counters(); }

 private:
  struct Sockets;
  Broker(const BrokerOptions& options, Input input, OpenSecret open_secret);
  void run(std::stop_token stop);

  const std::function<void()> on_turn_;
  BrokerCore core_;
  Mailbox<domain::WorkerEffect> effects_;
  std::unique_ptr<Sockets> sockets_;  // the thread's own, once it runs
  std::string endpoint_;
  std::jthread thread_;
};

}  // namespace slipway::workers
