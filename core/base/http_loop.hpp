#pragma once
// Many HTTP calls at once on one thread, and timers beside them: for clients of clouds, which wait
// far more than they work. The same rules as HttpClient (no redirects, no proxy, bounded answers).
//
//   HttpLoop loop({});
//   loop.post([&] { loop.send(request, [](HttpResult&& answer) { ... }); });   // any thread
//
// What is posted, and all callbacks, run on the loop's thread, one at a time, so what belongs to it
// needs no lock. None of them may block, and none runs inside send() or after().
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "core/base/http_client.hpp"
#include "core/base/mutex.hpp"
#include "core/base/time.hpp"

namespace slipway::base {

class HttpLoop {
 public:
  struct Options {
    std::size_t max_in_flight = 64;     // calls on the network; others wait their turn
    std::size_t max_waiting = 10'000;   // more are answered Kind::Invalid at once
    std::size_t kept_connections = 64;  // idle ones
  };
  struct Counters {
    std::uint64_t requests = 0;
    std::uint64_t connections = 0;  // opened; the difference was carried by kept ones
    std::uint64_t timeouts = 0;
    std::uint64_t broken = 0;     // not connected, or ended before the answer was whole
    std::uint64_t too_large = 0;  // answers over max_body_bytes
    std::uint64_t rejected = 0;   // over max_waiting
    std::uint64_t in_flight = 0;
    std::uint64_t waiting = 0;
  };
  using Done = std::function<void(HttpResult&&)>;

  explicit HttpLoop(Options options);
  ~HttpLoop();

  // Any thread. Dropped once stop() was called.
  void post(std::function<void()> job);
  // Ends the thread and drops every call and timer: no callback comes any more. Not from a
  // callback.
  void stop();
  Counters counters() const;

  // The loop's thread alone. A call's time counts from here on, also while it waits its turn. Of a
  // call that never left, the error says so (HttpError::may_have_been_sent). What the request holds
  // is wiped when it is over.
  void send(HttpRequest&& request, Done done);
  void after(Duration delay, std::function<void()> job);

 private:
  struct Impl;
  struct Call;
  struct Atomics {
    std::atomic<std::uint64_t> requests{0}, connections{0}, timeouts{0}, broken{0}, too_large{0},
        rejected{0}, in_flight{0}, waiting{0};
  };

  void run();
  void take_posted();
  void start_waiting();
  void start(std::unique_ptr<Call> call);
  void finish_calls();
  void finish(std::unique_ptr<Call> call, HttpResult&& result);
  void run_due();
  void count(const HttpResult& result);
  int pause_ms() const;

  const Options options_;
  std::unique_ptr<Impl> impl_;  // the thread's, but for its wake-up
  Atomics atomics_;
  Mutex mu_;
  std::vector<std::function<void()>> posted_ GUARDED_BY(mu_);
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace slipway::base
