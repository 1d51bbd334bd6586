#include "eventstore/log_follower.hpp"

namespace slipway::eventstore {

base::Result<LogFollower> LogFollower::open(const EventLog& log, Seq from) {
  auto cursor = log.read(from);
  if (!cursor) return base::fail(cursor.error());
  return LogFollower(std::move(*cursor));
}

base::Result<CommittedBatchPtr> LogFollower::next(std::size_t events) {
  auto batch = std::make_shared<CommittedBatch>();
  Record record;
  while (batch->next_seq - batch->first_seq < events) {
    const auto more = cursor_->next(record);
    if (!more) return base::fail(more.error());
    if (!*more) break;
    auto body = domain::decode_record(record.payload, parser_);
    if (!body) return base::fail(body.error());
    if (batch->records.empty()) batch->first_seq = record.seq;
    batch->next_seq = record.next_seq();
    batch->records.push_back(std::move(*body));
  }
  if (batch->records.empty()) return CommittedBatchPtr();
  return CommittedBatchPtr(std::move(batch));
}

}  // namespace slipway::eventstore
