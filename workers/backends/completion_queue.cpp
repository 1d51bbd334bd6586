#include "workers/backends/completion_queue.hpp"

#include <iterator>

namespace slipway::workers {

void CompletionQueue::push(std::vector<Completion>&& batch) {
  if (batch.empty()) return;
  bool was_empty = false;
  {
    base::Lock lock(mu_);
    was_empty = items_.empty();
    if (was_empty) {
      items_.swap(batch);
    } else {
      items_.insert(items_.end(), std::make_move_iterator(batch.begin()),
                    std::make_move_iterator(batch.end()));
    }
  }
  batch.clear();
  if (was_empty) wake_();
}

std::size_t CompletionQueue::run() {
  {
    base::Lock lock(mu_);
    taken_.swap(items_);
  }
  for (Completion& item : taken_) item.answer(std::move(item.with));
  const std::size_t count = taken_.size();
  taken_.clear();
  return count;
}

}  // namespace slipway::workers
