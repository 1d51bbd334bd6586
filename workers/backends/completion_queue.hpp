#pragma once
// How answers come from a backend's own threads to the worker's thread: in batches, with one
// wake-up a batch.
#include <functional>
#include <vector>

#include "core/base/mutex.hpp"
#include "workers/backends/backend.hpp"

namespace slipway::workers {

struct Completion {
  Answer answer;
  BackendAnswer with;
};

class CompletionQueue {
 public:
  // `wake` is called from the pushing thread when the queue was empty.
  explicit CompletionQueue(std::function<void()> wake) : wake_(std::move(wake)) {}

  // Any thread. Bounded by the calls under way: each ends once, and progress is rate-limited.
  void push(std::vector<Completion>&& batch);
  // The worker's thread: calls every answer that has come. Returns how many.
  std::size_t run();

 private:
  std::function<void()> wake_;
  base::Mutex mu_;
  std::vector<Completion> items_ GUARDED_BY(mu_);
  std::vector<Completion> taken_;  // the worker thread's own
};

}  // namespace slipway::workers
