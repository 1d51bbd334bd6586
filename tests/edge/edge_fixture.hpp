#pragma once
// A server on a free port whose handler is a function of the test.
#include <gtest/gtest.h>

#include <condition_variable>
#include <fstream>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "api/edge/router.hpp"
#include "api/edge/server.hpp"
#include "tests/edge/raw_client.hpp"

namespace slipway::api::test {

using namespace std::chrono_literals;

// Waits for a condition another thread brings about; false when patience is over.
template <class Condition>
bool eventually(Condition condition) {
  const auto until = Clock::now() + kPatience;
  while (!condition()) {
    if (Clock::now() > until) return false;
    std::this_thread::yield();
  }
  return true;
}

// What the process holds; freed memory is kept back by the address sanitizer, so there it is 0.
inline std::size_t resident_bytes() {
#if defined(__SANITIZE_ADDRESS__) || defined(__clang__)  // the sanitizer builds' compiler
  return 0;
#else
  std::ifstream statm("/proc/self/statm");
  std::size_t total = 0, resident = 0;
  statm >> total >> resident;
  return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
#endif
}

class TestHandler final : public Handler {
 public:
  std::function<void(Request, Responder)> respond;
  std::function<BodyPlan(const Request&, const Responder&)> plan;
  void on_request(Request request, Responder reply) override {
    respond(std::move(request), std::move(reply));
  }
  BodyPlan on_head(const Request& head, const Responder& reply) override {
    return plan ? plan(head, reply) : BodyPlan{};
  }
};

// Echoes what it was asked; the usual handler of a test.
inline void echo(Request request, Responder reply) {
  reply.send(Response(200,
                      std::string(request.method_text()) + " " + std::string(request.path()) +
                          " [" + request.body() + "]",
                      kText));
}

class EdgeTest : public ::testing::Test {
 protected:
  EdgeTest() {
    options.tick = 10ms;
    options.limits.linger_time = 200ms;
    handler->respond = echo;
  }
  ~EdgeTest() override { stop(); }

  void start(Observer observer = {}) {
    auto opened = Server::open(options, std::move(observer));
    ASSERT_TRUE(opened) << opened.error().message;
    server = std::move(*opened);
    auto bound = server->listen({.name = "test", .host = "127.0.0.1", .handler = handler});
    ASSERT_TRUE(bound) << bound.error().message;
    port = *bound;
    server->start();
  }
  void stop() { server.reset(); }
  RawClient client(int receive_buffer = 0) { return RawClient(port, receive_buffer); }
  const EdgeCounters& counters() const { return server->counters(); }
  bool idle_within_patience() {
    return eventually([&] { return counters().connections == 0 && counters().in_flight == 0; });
  }

  Options options;
  std::shared_ptr<TestHandler> handler = std::make_shared<TestHandler>();
  std::unique_ptr<Server> server;
  std::uint16_t port = 0;
};

// Keeps responders for a test to answer when it likes.
class Held {
 public:
  void put(Responder reply) {
    std::lock_guard lock(mu_);
    replies_.push_back(std::move(reply));
    more_.notify_all();
  }
  // The i-th that came; waits for it.
  Responder at(std::size_t i) {
    std::unique_lock lock(mu_);
    EXPECT_TRUE(more_.wait_for(lock, kPatience, [&] { return replies_.size() > i; }));
    return replies_.at(i);
  }
  std::size_t size() {
    std::lock_guard lock(mu_);
    return replies_.size();
  }
  void clear() {
    std::lock_guard lock(mu_);
    replies_.clear();
  }

 private:
  std::mutex mu_;
  std::condition_variable more_;
  std::vector<Responder> replies_;
};

}  // namespace slipway::api::test
