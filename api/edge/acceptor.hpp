#pragma once
// One listening socket. Lives on the first I/O thread; hands each new connection to the thread that
// has the fewest.
#include <cstdint>
#include <memory>
#include <vector>

#include "api/edge/edge_state.hpp"
#include "api/edge/io_thread.hpp"
#include "core/base/result.hpp"

namespace slipway::api {

class Acceptor final : public FdHandler {
 public:
  // Binds and listens. Clients can connect from here on.
  static base::Result<std::unique_ptr<Acceptor>> open(
      ListenerOptions listener, std::shared_ptr<EdgeState> edge,
      std::vector<std::unique_ptr<IoThread>>& threads);
  ~Acceptor() override;

  std::uint16_t port() const { return port_; }
  // The first I/O thread, or before it runs.
  void start();
  void stop();
  void on_io(IoEvents events) override;

 private:
  Acceptor(int fd, std::uint16_t port, ListenerOptions listener, std::shared_ptr<EdgeState> edge,
           std::vector<std::unique_ptr<IoThread>>& threads);
  bool accept_one();
  bool refuse_one();
  void on_tick();
  void welcome(int fd, PeerInfo peer);

  int fd_;
  int spare_fd_;  // given up for a moment to refuse a client when descriptors have run out
  bool short_of_files_ = false;
  const std::uint16_t port_;
  const std::shared_ptr<const ListenerState> listener_;  // shared: its connections
  const std::shared_ptr<EdgeState> edge_;                // shared: see EdgeState
  std::vector<std::unique_ptr<IoThread>>& threads_;
};

}  // namespace slipway::api
