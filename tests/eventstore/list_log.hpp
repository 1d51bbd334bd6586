#pragma once
// A log in memory, for tests of whatever follows one: only what a follower needs.
#include <map>
#include <utility>

#include "core/base/mutex.hpp"
#include "eventstore/committed.hpp"
#include "eventstore/event_log.hpp"

namespace slipway::eventstore::testing {

class ListLog final : public EventLog {
 public:
  void add(const CommittedBatch& batch) {
    base::JsonWriter scratch;
    for (const domain::RecordBody& record : batch.records) {
      std::string json;
      domain::encode_record(record, scratch, json);
      base::Lock lock(mu_);
      const auto events = static_cast<std::uint32_t>(record.events.size());
      records_[record.envelope.seq] = {std::move(json), events};
      head_.next_seq = record.envelope.seq + events;
    }
  }
  std::uint64_t reads() const {
    base::Lock lock(mu_);
    return reads_;
  }

  base::Status append(const LogBatch&) override { return {}; }
  const LogHead& head() const override { return head_; }
  base::Result<std::unique_ptr<LogCursor>> read(Seq from) const override {
    base::Lock lock(mu_);
    ++reads_;
    return std::unique_ptr<LogCursor>(
        std::make_unique<Cursor>(decltype(records_)(records_.lower_bound(from), records_.end())));
  }
  base::Result<std::optional<Record>> find(Seq, std::string&) const override {
    return std::optional<Record>();
  }
  base::Result<std::vector<Seq>> stream_records(std::string_view, Seq, std::size_t) const override {
    return std::vector<Seq>();
  }
  base::Result<std::optional<std::string>> idempotency(std::string_view) const override {
    return std::optional<std::string>();
  }
  base::Result<std::optional<std::string>> secret(std::string_view) const override {
    return std::optional<std::string>();
  }
  base::Result<std::vector<LogBatch::Put>> range(LogColumn, std::string_view, std::string_view,
                                                 std::size_t) const override {
    return std::vector<LogBatch::Put>();
  }
  std::uint64_t free_bytes() const override { return ~0ULL; }

 private:
  using Records = std::map<Seq, std::pair<std::string, std::uint32_t>>;
  class Cursor final : public LogCursor {
   public:
    explicit Cursor(Records records) : records_(std::move(records)), at_(records_.begin()) {}
    base::Result<bool> next(Record& out) override {
      if (at_ == records_.end()) return false;
      out.seq = at_->first;
      out.payload = at_->second.first;
      out.event_count = at_->second.second;
      ++at_;
      return true;
    }

   private:
    Records records_;
    Records::const_iterator at_;
  };

  mutable base::Mutex mu_;
  Records records_ GUARDED_BY(mu_);
  mutable std::uint64_t reads_ GUARDED_BY(mu_) = 0;
  LogHead head_;
};

}  // namespace slipway::eventstore::testing
