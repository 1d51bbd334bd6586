#pragma once
// The threads that may block: each has its own connection to the read models, and some of them
// check passwords. Both lanes are bounded; what does not fit is refused, never queued longer.
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "api/client.hpp"
#include "core/base/mutex.hpp"
#include "eventstore/read_models.hpp"

namespace slipway::api {

class QueryPool {
 public:
  struct Options {
    unsigned threads = 2;
    std::size_t max_queries = 1024;  // waiting; more are 503 queue-full
    std::size_t max_hashes = 64;     // password checks waiting; more are 429
    unsigned hashes_at_once = 1;     // so that queries keep a thread; at most 4 (guarantees 6.7)
  };
  using Query = std::function<void(eventstore::Reader&)>;

  // The read models may be made later: a query before that is answered 503.
  QueryPool(const eventstore::ReadModels& models, Options options);
  ~QueryPool();  // stop()

  // ---- any thread ----
  // Runs `query` on one of the threads; it answers `client` itself. When there is no room or no
  // read model, the client is answered here. An exception becomes a 500.
  void ask(const Client& client, Query query);
  // False when too many wait already.
  [[nodiscard]] bool hash(std::function<void()> check);
  // What is queued is dropped (its Responders answer 500), what runs is finished.
  void stop();

 private:
  struct Job {
    Client client;
    Query query;
  };
  void run();
  void answer(Job& job, std::unique_ptr<eventstore::Reader>& reader) const;

  const eventstore::ReadModels& models_;
  const Options options_;
  base::Mutex mu_;
  std::condition_variable wake_;
  std::deque<Job> queries_ GUARDED_BY(mu_);
  std::deque<std::function<void()>> hashes_ GUARDED_BY(mu_);
  unsigned hashing_ GUARDED_BY(mu_) = 0;
  bool stopped_ GUARDED_BY(mu_) = false;
  std::vector<std::thread> threads_;
};

}  // namespace slipway::api
