#pragma once
// The one seam behind which Pistache sits: its reactor gives us named threads, each around an epoll
// loop, and wakes them. Replacing Pistache means writing reactor.cpp anew. Not used of it: its
// accept loop (a thread per listener, spins without file descriptors), its transport (writes that
// spin on a full socket, reads that cannot pause) and all its HTTP.
#include <cstdint>
#include <memory>
#include <vector>

namespace slipway::api {

struct IoEvents {
  bool readable = false;
  bool writable = false;
  bool peer_closed = false;  // the other side sends no more
  bool hangup = false;       // reset, or closed both ways
};

// Whoever owns a file descriptor that is watched. Called on the thread that watches it.
class FdHandler {
 public:
  virtual ~FdHandler() = default;
  virtual void on_io(IoEvents events) = 0;
};

// The epoll set of one thread. To be used from that thread, or before it runs.
class Poller {
 public:
  virtual ~Poller() = default;
  // Edge-triggered, for everything in IoEvents: read or write until EAGAIN. False when epoll
  // refuses. `handler` must live until the round in which it was unwatched has ended.
  virtual bool watch(int fd, FdHandler& handler) = 0;
  virtual void unwatch(int fd) = 0;
};

// What runs on one thread.
class LoopClient {
 public:
  virtual ~LoopClient() = default;
  virtual void on_attach(Poller& poller) = 0;  // before the threads run
  virtual void on_round_begin() = 0;
  virtual void on_round_end() = 0;  // no event of this round is left
};

class Reactor {
 public:
  // One thread per client, named `name`. Clients and handlers must outlive it. Throws what epoll
  // and threads throw (caught by the server).
  Reactor(const std::vector<LoopClient*>& clients, const char* name);
  ~Reactor();  // ends and joins the threads
  void start();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace slipway::api
