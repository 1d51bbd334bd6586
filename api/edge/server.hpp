#pragma once
// The HTTP server: listeners, I/O threads, limits. Pistache's reactor runs the threads and epoll
// (reactor.hpp); sockets, framing and answers are the edge's own.
//
//   auto server = Server::open(Options{});
//   (*server)->listen({.name = "main", .host = "127.0.0.1", .port = 0, .handler = router});
//   (*server)->start();
//   ...
//   (*server)->drain(10s);
//   (*server)->stop();
#include <cstdint>
#include <memory>
#include <string>

#include "api/edge/handler.hpp"
#include "api/edge/options.hpp"
#include "api/edge/problem.hpp"
#include "core/base/result.hpp"

namespace slipway::api {

struct ListenerOptions {
  std::string name;                  // what Request::listener() says; unique
  std::string host;                  // an address or a name; "::" takes IPv4 too
  std::uint16_t port = 0;            // 0: any free one
  std::shared_ptr<Handler> handler;  // shared: one router may serve several listeners
  ErrorRenderer render_error = render_problem;
};

// Not thread-safe itself: one thread opens, starts and stops it.
class Server {
 public:
  // Raises the limit of open files; with too few, the connection cap is lowered to fit. Fails where
  // epoll or memory do. Ignores SIGPIPE for the process.
  static base::Result<std::unique_ptr<Server>> open(Options options, Observer observer = {});
  ~Server();  // stop()
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Binds and listens; clients may connect at once and are served from start() on. The port, or an
  // Error that names the address: taken, not ours, not resolvable.
  base::Result<std::uint16_t> listen(ListenerOptions listener);
  void start();

  // No more connections; idle ones close, answers carry "Connection: close", streams end. Returns
  // true once every connection has been served and closed, false when time was up.
  bool drain(base::Duration deadline);
  // Ends the threads; whatever was still open is closed. Responders that are left do nothing.
  void stop();

  // Takes the place of those in force: for connections that come, and, but for what the framing of
  // requests asks (line, headers), for those that are there. Any thread.
  void set_limits(const Limits& limits);

  const EdgeCounters& counters() const;
  const Options& options() const;  // as in force

 private:
  class Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace slipway::api
