#pragma once
// Reads the log's records back into batches, for whoever was not there when they were committed.
#include <memory>

#include "eventstore/committed.hpp"
#include "eventstore/event_log.hpp"

namespace slipway::eventstore {

// One thread. Sees what was durable when it was made.
class LogFollower {
 public:
  // From the record that begins at event `from`.
  static base::Result<LogFollower> open(const EventLog& log, Seq from);

  // The next records, until they have `events` events; nullptr at the end. An Error is damage in
  // the log or an event of a newer version: go on with neither.
  base::Result<CommittedBatchPtr> next(std::size_t events);

 private:
  explicit LogFollower(std::unique_ptr<LogCursor> cursor) : cursor_(std::move(cursor)) {}
  std::unique_ptr<LogCursor> cursor_;
  base::JsonParser parser_;
};

}  // namespace slipway::eventstore
