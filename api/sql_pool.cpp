#include "api/sql_pool.hpp"

#include <fmt/format.h>
#include <sched.h>
#include <unistd.h>

#include <exception>

namespace slipway::api {
namespace {

using base::Errc;
using base::Lock;

// Linux's idle class: a weight of 3 against 1024 of each other thread, and whoever wakes up takes
// the processor at once. At nice 19 a thread has 15, and may run its slice of milliseconds to the
// end first: commands, which wait for one sync after another, lost a quarter of their rate by that.
void run_behind_all_others() {
  const sched_param none{};
  (void)::sched_setscheduler(::gettid(), SCHED_IDLE, &none);
}

// Whoever sees everything is counted under a name that no tenant has.
const std::string& counted_as(const eventstore::Scope& scope) { return scope.name(); }

}  // namespace

SqlPool::SqlPool(const eventstore::ReadModels& models, const eventstore::EventLog& log,
                 Options options)
    : models_(models), log_(log), past_(models, log), options_(options) {
  for (unsigned i = 0; i < options_.threads; ++i) threads_.emplace_back([this] { run(); });
}

SqlPool::~SqlPool() { stop(); }

void SqlPool::ask(const Client& client, const eventstore::Scope& scope, Queries queries,
                  Done done) {
  std::string why;
  {
    Lock lock(mu_);
    unsigned& mine = by_tenant_[counted_as(scope)];
    if (stopped_) {
      why = "the server is stopping";
    } else if (busy_ >= options_.threads) {
      why = fmt::format("{} SQL requests are under way, the limit (sql.threads)", busy_);
    } else if (mine >= options_.per_tenant) {
      why = fmt::format(
          "{} SQL requests of this tenant are under way, the limit "
          "(sql.max_per_tenant)",
          mine);
    } else {
      ++busy_;
      ++mine;
      next_.push_back({client, scope, std::move(queries), std::move(done)});
      wake_.notify_one();
      return;
    }
    ++refused_;
    if (mine == 0) by_tenant_.erase(counted_as(scope));
  }
  client.fail(Errc::RateLimited, std::move(why));
}

void SqlPool::stop() {
  std::vector<Job> dropped;
  {
    Lock lock(mu_);
    stopped_ = true;
    dropped.swap(next_);
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
  for (const Job& job : dropped) job.client.fail(Errc::ShuttingDown, "the server is stopping");
}

std::uint64_t SqlPool::refused() const {
  Lock lock(mu_);
  return refused_;
}

unsigned SqlPool::busy() const {
  Lock lock(mu_);
  return busy_;
}

void SqlPool::leave(const eventstore::Scope& scope) {
  Lock lock(mu_);
  --busy_;
  const auto it = by_tenant_.find(counted_as(scope));
  if (--it->second == 0) by_tenant_.erase(it);
}

void SqlPool::run() {
  run_behind_all_others();
  eventstore::sql::Engine engine(models_, log_, options_.limits, &past_);
  for (;;) {
    Job job;
    {
      Lock lock(mu_);
      wake_.wait(lock.native(), [&]() SLIPWAY_TS(no_thread_safety_analysis) {
        return stopped_ || !next_.empty();
      });
      if (stopped_) return;
      job = std::move(next_.back());
      next_.pop_back();
    }
    bool left = false;
    try {
      auto answer = engine.run(job.scope, job.queries);
      // Before the answer: whoever has it may ask again at once.
      leave(job.scope);
      left = true;
      job.done(std::move(answer));
    } catch (const std::exception& e) {
      if (!left) leave(job.scope);
      job.client.reply.fail_internal(e.what());
    }
  }
}

}  // namespace slipway::api
