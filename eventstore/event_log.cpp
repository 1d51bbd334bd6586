#include "eventstore/event_log.hpp"

#include "core/base/check.hpp"

namespace slipway::eventstore {

void LogBatch::clear() {
  records.clear();
  idempotency.clear();
  forgotten_idempotency.clear();
  secrets.clear();
  deleted_secrets.clear();
}

void check_dense(const LogBatch& batch, Seq next_seq) {
  for (const LogBatch::NewRecord& record : batch.records) {
    CHECK(record.seq == next_seq, "a record of seq {} does not follow: the next is {}", record.seq,
          next_seq);
    CHECK(record.event_count > 0, "the record at seq {} has no event", record.seq);
    CHECK(record.payload.size() <= kMaxPayloadBytes, "the record at seq {} has {} bytes",
          record.seq, record.payload.size());
    next_seq += record.event_count;
  }
}

}  // namespace slipway::eventstore
