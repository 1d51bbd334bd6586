#include "eventstore/sql/event_scan.hpp"

#include <algorithm>

namespace slipway::eventstore::sql {

using domain::StreamKind;

std::optional<domain::TaskId> task_of(const domain::StreamId& stream) {
  const bool of_a_task = stream.kind == StreamKind::Task || stream.kind == StreamKind::Batch ||
                         stream.kind == StreamKind::Command;
  if (!of_a_task || stream.id.is_nil()) return std::nullopt;
  return domain::TaskId(stream.id);
}

EventScan::EventScan(const EventLog& log, domain::Seq first, domain::Seq last,
                     std::optional<domain::TaskId> task)
    : log_(log), first_(first), last_(last), task_(task) {}

base::Result<bool> EventScan::next() {
  for (;;) {
    if (in_record_) {
      ++at_;
    } else {
      auto more = next_record();
      if (!more || !*more) return more;
      in_record_ = true;
      at_ = 0;
    }
    for (; at_ < record_.events.size(); ++at_) {
      if (seq() > last_) return false;
      if (seq() >= first_ && (!task_ || task_of(event().stream) == task_)) return true;
    }
    in_record_ = false;
  }
}

base::Result<bool> EventScan::next_record() {
  if (first_ > last_) return false;
  Record record;
  if (task_) {
    if (auto status = find_records(); !status) return base::fail(status.error());
    if (records_.empty()) return false;
    storage_.clear();
    auto found = log_.find(records_.back(), storage_);
    records_.pop_back();
    if (!found) return base::fail(found.error());
    if (!*found) return false;
    return decode(**found);
  }
  if (cursor_ == nullptr) {
    auto cursor = log_.read(first_);
    if (!cursor) return base::fail(cursor.error());
    cursor_ = std::move(*cursor);
  }
  auto more = cursor_->next(record);
  if (!more || !*more) return more;
  return decode(record);
}

base::Result<bool> EventScan::decode(const Record& record) {
  auto body = domain::decode_record(record.payload, parser_);
  if (!body) return base::fail(body.error());
  record_ = std::move(*body);
  return true;
}

// A task has few records; each is named by the seq of its first event.
base::Status EventScan::find_records() {
  if (found_) return {};
  found_ = true;
  constexpr std::size_t kMost = 100000;
  for (const StreamKind kind : {StreamKind::Command, StreamKind::Task, StreamKind::Batch}) {
    const auto seqs = log_.stream_records(domain::StreamId(kind, *task_).index_key(), 0, kMost);
    if (!seqs) return base::fail(seqs.error());
    records_.insert(records_.end(), seqs->begin(), seqs->end());
  }
  std::sort(records_.rbegin(), records_.rend());
  records_.erase(std::unique(records_.begin(), records_.end()), records_.end());
  return {};
}

}  // namespace slipway::eventstore::sql
