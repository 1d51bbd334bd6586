#pragma once
// Goes over events of the log one by one: all from a seq on, or those of one task's streams.
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/domain/record.hpp"
#include "eventstore/event_log.hpp"

namespace slipway::eventstore::sql {

// The task that a stream belongs to: of command-, task- and batch-<id>.
std::optional<domain::TaskId> task_of(const domain::StreamId& stream);

class EventScan {
 public:
  // From `first` to `last`; only of `task` if one is given.
  EventScan(const EventLog& log, domain::Seq first, domain::Seq last,
            std::optional<domain::TaskId> task);

  // Moves to the next event. False at the end.
  base::Result<bool> next();
  const domain::Envelope& envelope() const { return record_.envelope; }
  const domain::Event& event() const { return record_.events[at_]; }
  domain::Seq seq() const { return record_.envelope.seq + at_; }

 private:
  base::Result<bool> next_record();
  base::Result<bool> decode(const Record& record);
  base::Status find_records();

  const EventLog& log_;
  const domain::Seq first_;
  const domain::Seq last_;
  const std::optional<domain::TaskId> task_;
  std::unique_ptr<LogCursor> cursor_;
  std::vector<domain::Seq> records_;  // of the task, newest first
  bool found_ = false;
  std::string storage_;
  base::JsonParser parser_{{.depth = 64, .elements_per_array = 1U << 20U}};
  domain::RecordBody record_;
  std::size_t at_ = 0;
  bool in_record_ = false;
};

}  // namespace slipway::eventstore::sql
