#pragma once
// The threads of the SQL dialect, of low priority and with connections of their own: a heavy query
// holds up neither a command nor the query pool. Nothing waits in line: who comes when all threads,
// or all that one tenant may have, are busy is refused with 429.
#include <condition_variable>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "api/client.hpp"
#include "core/base/mutex.hpp"
#include "eventstore/sql/engine.hpp"

namespace slipway::api {

class SqlPool {
 public:
  struct Options {
    unsigned threads = 4;
    unsigned per_tenant = 2;
    eventstore::sql::Limits limits{};
  };
  SqlPool(const eventstore::ReadModels& models, const eventstore::EventLog& log, Options options);
  ~SqlPool();  // stop()

  // ---- any thread ----
  // Runs the queries on one of the threads and hands the answer, or the error of the request as a
  // whole, to `done` there. RateLimited, at once, when too much is under way.
  using Queries = std::vector<eventstore::sql::Query>;
  using Done = std::function<void(base::Result<eventstore::sql::Answer>)>;
  void ask(const Client& client, const eventstore::Scope& scope, Queries queries, Done done);
  // What runs is finished. Idempotent.
  void stop();
  std::uint64_t refused() const;  // since the start
  unsigned busy() const;          // requests under way

 private:
  struct Job {
    Client client;
    eventstore::Scope scope = eventstore::Scope::tenant("");
    Queries queries;
    Done done;
  };
  void run();
  void leave(const eventstore::Scope& scope);

  const eventstore::ReadModels& models_;
  const eventstore::EventLog& log_;
  eventstore::PastModels past_;
  const Options options_;
  mutable base::Mutex mu_;
  std::condition_variable wake_;
  std::vector<Job> next_ GUARDED_BY(mu_);  // taken by a thread at once: never more than idle ones
  unsigned busy_ GUARDED_BY(mu_) = 0;
  std::map<std::string, unsigned> by_tenant_ GUARDED_BY(mu_);
  std::uint64_t refused_ GUARDED_BY(mu_) = 0;
  bool stopped_ GUARDED_BY(mu_) = false;
  std::vector<std::thread> threads_;
};

}  // namespace slipway::api
