// The edge with next to nothing behind it, to be measured with wrk or callgrind:
//   GET /hello      a small JSON answer, made on the I/O thread
//   POST /later     reads the body, answers 202 from another thread, as an accepted command is
// Usage: edge_hello [port] [threads]. Ends on SIGTERM or SIGINT.
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "api/edge/router.hpp"
#include "api/edge/server.hpp"
#include "core/base/bounded_queue.hpp"

namespace {

using slipway::api::Call;
using slipway::api::Method;
using slipway::api::Permission;
using slipway::api::Responder;
using slipway::api::Response;

// Answers whatever has queued up in one go, as the sequencer does after a sync.
class Answerer {
 public:
  Answerer() : thread_([this] { run(); }) {}
  ~Answerer() { queue_.close(); }
  void later(Responder reply) {
    Responder mine = reply;
    if (!queue_.try_push(std::move(mine))) {
      reply.fail({slipway::base::Errc::QueueFull, "queue is full", {}});
    }
  }

 private:
  void run() {
    std::vector<Responder> batch;
    while (queue_.take_all(batch, std::chrono::seconds(1))) {
      for (const Responder& reply : batch) {
        Response accepted(202, R"({"id":"019a0000-0000-7000-8000-000000000000","state":"QUEUED"})");
        accepted.add("Location", "/core/v1/tasks/019a0000-0000-7000-8000-000000000000");
        accepted.add("Retry-After", "1");
        reply.send(std::move(accepted));
      }
    }
  }
  slipway::base::BoundedQueue<Responder> queue_{4096};
  std::jthread thread_;
};

}  // namespace

int main(int argc, char** argv) {
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGTERM);
  sigaddset(&ends, SIGINT);
  pthread_sigmask(SIG_BLOCK, &ends, nullptr);

  Answerer answerer;
  auto router = std::make_shared<slipway::api::Router>(slipway::api::Router::open_to_all());
  router->mount("", {{Method::Get, "/hello", Permission(0),
                      [](Call call) { call.reply.send(Response(200, R"({"hello":"world"})")); }},
                     {Method::Post, "/later", Permission(0),
                      [&](Call call) { answerer.later(std::move(call.reply)); }}});

  slipway::api::Options options;
  options.io_threads = argc > 2 ? static_cast<unsigned>(std::atoi(argv[2])) : 2;
  auto server = slipway::api::Server::open(options);
  if (!server) return std::fprintf(stderr, "%s\n", server.error().message.c_str()), 1;
  const int wanted = argc > 1 ? std::atoi(argv[1]) : 0;
  auto port = (*server)->listen({.name = "main",
                                 .host = "127.0.0.1",
                                 .port = static_cast<std::uint16_t>(wanted),
                                 .handler = router});
  if (!port) return std::fprintf(stderr, "%s\n", port.error().message.c_str()), 1;
  (*server)->start();
  std::printf("http://127.0.0.1:%d\n", *port);
  std::fflush(stdout);
  int signal = 0;
  sigwait(&ends, &signal);
  (*server)->drain(std::chrono::seconds(2));
  (*server)->stop();
  return 0;
}
