#pragma once
// How far the log has come: a listener of the sequencer that remembers the last seq that is
// durable. A read that must not miss a write that was acknowledged before it came in waits for the
// projection to reach this.
#include <atomic>

#include "eventstore/committed.hpp"

namespace slipway::api {

class CommitClock final : public eventstore::CommitListener {
 public:
  // `head` of the log at the start: the seq of its last event.
  explicit CommitClock(domain::Seq head = 0) : seq_(head) {}
  void on_committed(const eventstore::CommittedBatchPtr& batch) override {
    seq_.store(batch->next_seq - 1, std::memory_order_release);
  }
  domain::Seq seq() const { return seq_.load(std::memory_order_acquire); }

 private:
  std::atomic<domain::Seq> seq_;
};

}  // namespace slipway::api
