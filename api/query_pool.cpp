#include "api/query_pool.hpp"

#include <exception>

namespace slipway::api {

using base::Errc;
using base::Lock;

QueryPool::QueryPool(const eventstore::ReadModels& models, Options options)
    : models_(models), options_(options) {
  for (unsigned i = 0; i < options_.threads; ++i) threads_.emplace_back([this] { run(); });
}

QueryPool::~QueryPool() { stop(); }

void QueryPool::ask(const Client& client, Query query) {
  {
    Lock lock(mu_);
    if (!stopped_ && queries_.size() < options_.max_queries) {
      queries_.push_back({client, std::move(query)});
      wake_.notify_one();
      return;
    }
  }
  client.fail(Errc::QueueFull, "too many queries are waiting");
}

bool QueryPool::hash(std::function<void()> check) {
  Lock lock(mu_);
  if (stopped_ || hashes_.size() >= options_.max_hashes) return false;
  hashes_.push_back(std::move(check));
  wake_.notify_one();
  return true;
}

void QueryPool::stop() {
  std::deque<Job> dropped;
  std::deque<std::function<void()>> dropped_hashes;
  {
    Lock lock(mu_);
    stopped_ = true;
    dropped.swap(queries_);
    dropped_hashes.swap(hashes_);
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
  for (const Job& job : dropped) job.client.fail(Errc::ShuttingDown, "the server is stopping");
}

void QueryPool::run() {
  std::unique_ptr<eventstore::Reader> reader;
  for (;;) {
    Job job;
    std::function<void()> check;
    {
      Lock lock(mu_);
      const auto may_hash = [this]() SLIPWAY_TS(no_thread_safety_analysis) {
        return !hashes_.empty() && hashing_ < options_.hashes_at_once;
      };
      wake_.wait(lock.native(), [&]() SLIPWAY_TS(no_thread_safety_analysis) {
        return stopped_ || !queries_.empty() || may_hash();
      });
      if (stopped_) return;
      if (may_hash()) {  // first: somebody's login holds up the whole of his request
        check = std::move(hashes_.front());
        hashes_.pop_front();
        ++hashing_;
      } else {
        job = std::move(queries_.front());
        queries_.pop_front();
      }
    }
    if (!check) {
      answer(job, reader);
      continue;
    }
    check();
    check = nullptr;
    Lock lock(mu_);
    --hashing_;
  }
}

void QueryPool::answer(Job& job, std::unique_ptr<eventstore::Reader>& reader) const {
  if (reader == nullptr) {
    auto opened = models_.open_reader();
    if (!opened) {
      job.client.fail(Errc::ProjectionBehind, "the read models are being built");
      return;
    }
    reader = std::move(*opened);
  }
  try {
    job.query(*reader);
  } catch (const std::exception& e) {
    job.client.reply.fail_internal(e.what());
  }
}

}  // namespace slipway::api
