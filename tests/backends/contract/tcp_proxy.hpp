#pragma once
// Stands between a client and its server, over TCP or a Unix socket, and cuts off the answer to one
// request: when the server begins to answer the n-th, so that it has surely carried it out, both
// ends of that connection are closed and the answer is gone.
//
// One thread of its own; the public functions from any thread. Several listeners count together.
#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/backends/contract/cloud.hpp"

namespace slipway::workers::contract {

class TcpProxy final : public Wire {
 public:
  enum class Protocol : std::uint8_t {
    Http,     // an answer begins with what the server says after the client has spoken
    Libvirt,  // RPC messages, a length before each: replies count, events and keepalives do not
  };
  explicit TcpProxy(Protocol protocol);
  ~TcpProxy() override;

  // "127.0.0.1:8774" or an absolute path of a Unix socket, both ways. Returns where it listens now
  // in its stead: the same kind of address. Before the first connection.
  std::string forward_to(const std::string& target);

  void cut_answer(int n) override;
  int answers() const override { return answers_.load(); }
  // Connections that were cut; for tests of the proxy.
  int cuts() const { return cuts_.load(); }

 private:
  struct Listener;
  struct Link;

  void run();
  void accept_from(const Listener& listener);
  bool carry(Link& link, bool from_server);
  bool begins_answer(Link& link, const char* data, std::size_t size);
  void wake();

  const Protocol protocol_;
  std::atomic<int> cut_at_{-1};
  std::atomic<int> answers_{0};
  std::atomic<int> cuts_{0};
  std::atomic<bool> stop_{false};
  int wake_fd_ = -1;
  std::string folder_;  // of its Unix sockets; made when there is one
  std::mutex mu_;
  std::vector<std::unique_ptr<Listener>> listeners_;  // under mu_; only grows
  std::vector<std::unique_ptr<Link>> links_;          // the thread's
  std::thread thread_;
};

}  // namespace slipway::workers::contract
