#pragma once
// What the sequencer hands on after each sync: the batch's records as they were decided, so that
// the followers in this process (projector, event streams) need not parse them again.
#include <memory>
#include <vector>

#include "core/domain/record.hpp"

namespace slipway::eventstore {

struct CommittedBatch {
  domain::Seq first_seq = 0;
  domain::Seq next_seq = 0;
  std::vector<domain::RecordBody> records;
};
// Shared: the projector and the event streams hold the same batch for as long as each needs it.
using CommittedBatchPtr = std::shared_ptr<const CommittedBatch>;

// Told of each batch, in order, on the sequencer's thread: must only queue.
class CommitListener {
 public:
  virtual ~CommitListener() = default;
  virtual void on_committed(const CommittedBatchPtr& batch) = 0;
};

}  // namespace slipway::eventstore
