#include "eventstore/memory_log.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/check.hpp"
#include "eventstore/record_codec.hpp"

namespace slipway::eventstore {

using base::fail;
using base::Result;
using base::Status;

// Ends where the log ended when it was made, like an iterator of the store.
class MemoryCursor final : public LogCursor {
 public:
  using Records = std::map<Seq, std::string>;
  MemoryCursor(const Records& records, Seq from, Seq end) : records_(records), end_(end) {
    at_ = records.upper_bound(from);
    if (at_ != records.begin()) --at_;
    expected_ = at_ == records.end() ? end : at_->first;
    if (at_ != records.begin() && at_ != records.end()) {
      const std::string& before = std::prev(at_)->second;
      std::copy_n(before.begin(), kRecordHeaderBytes, previous_.begin());
    }
    if (from >= end) expected_ = end;
  }

  Result<bool> next(Record& out) override {
    if (expected_ >= end_) return false;
    if (at_ == records_.end()) return damaged("the records end here");
    const auto record = decode_record(at_->second);
    if (!record) return damaged(record.error().message);
    if (at_->first != expected_ || record->seq != expected_) return damaged("a gap or a repeat");
    const bool first = expected_ == records_.begin()->first;
    if (!follows(first ? base::Digest{} : chain_hash(previous_), at_->second, *record)) {
      return damaged("the chain is broken");
    }
    std::copy_n(at_->second.begin(), kRecordHeaderBytes, previous_.begin());
    expected_ = record->next_seq();
    ++at_;
    out = *record;
    return true;
  }

 private:
  tl::unexpected<base::Error> damaged(std::string_view what) const {
    return fail(base::Errc::Internal,
                fmt::format("the log is damaged at seq {}, in memory: {}", expected_, what));
  }

  const Records& records_;
  Records::const_iterator at_;
  const Seq end_;
  Seq expected_ = 1;
  RecordHeader previous_{};
};

MemoryLog::MemoryLog(std::string log_id) { disk_.head.log_id = std::move(log_id); }

Status MemoryLog::append(const LogBatch& batch) {
  if (failed_) return fail(*failed_);
  if (batch.empty()) return {};
  check_dense(batch, disk_.head.next_seq);
  const Fault fault = std::exchange(fault_, Fault::None);
  if (fault == Fault::None) {
    apply(batch);
    return {};
  }
  if (fault == Fault::AnswerLost) {
    // Durable but not to be seen before the next start, like a batch whose sync never answered.
    Disk before = disk_;
    apply(batch);
    synced_ = std::exchange(disk_, std::move(before));
  }
  torn_ = fault == Fault::Torn;
  failed_ = base::Error{base::Errc::Internal, "append to the log: the disk failed", {}};
  return fail(*failed_);
}

void MemoryLog::apply(const LogBatch& batch) {
  for (const auto& record : batch.records) {
    const RecordHeader header =
        encode_header(disk_.head.hash, record.seq, record.event_count, record.payload);
    std::string bytes(header.begin(), header.end());
    bytes += record.payload;
    disk_.records.emplace_hint(disk_.records.end(), record.seq, std::move(bytes));
    for (const std::string& key : record.index_keys) disk_.index[key].push_back(record.seq);
    disk_.head.hash = chain_hash(header);
    disk_.head.next_seq = record.seq + record.event_count;
  }
  for (const std::string& key : batch.forgotten_idempotency) disk_.idempotency.erase(key);
  for (const auto& put : batch.idempotency) disk_.idempotency[put.key] = put.value;
  for (const std::string& ref : batch.deleted_secrets) disk_.secrets.erase(ref);
  for (const auto& put : batch.secrets) disk_.secrets[put.key] = put.value;
}

Result<std::unique_ptr<LogCursor>> MemoryLog::read(Seq from) const {
  return std::unique_ptr<LogCursor>(
      std::make_unique<MemoryCursor>(disk_.records, from, disk_.head.next_seq));
}

Result<std::optional<Record>> MemoryLog::find(Seq seq, std::string& storage) const {
  if (seq == 0 || seq >= disk_.head.next_seq) return std::optional<Record>();
  MemoryCursor cursor(disk_.records, seq, disk_.head.next_seq);
  Record record;
  const auto found = cursor.next(record);
  if (!found) return fail(found.error());
  const std::size_t at = storage.size();
  storage += record.payload;
  record.payload = std::string_view(storage).substr(at);
  return std::optional<Record>(record);
}

Result<std::vector<Seq>> MemoryLog::stream_records(std::string_view index_key, Seq from,
                                                   std::size_t limit) const {
  const auto stream = disk_.index.find(index_key);
  if (stream == disk_.index.end()) return std::vector<Seq>();
  const auto& all = stream->second;
  const auto first = std::lower_bound(all.begin(), all.end(), from);
  const auto count = std::min(limit, static_cast<std::size_t>(all.end() - first));
  return std::vector<Seq>(first, first + static_cast<std::ptrdiff_t>(count));
}

Result<std::optional<std::string>> MemoryLog::idempotency(std::string_view key) const {
  const auto found = disk_.idempotency.find(key);
  if (found == disk_.idempotency.end()) return std::optional<std::string>();
  return std::optional<std::string>(found->second);
}

Result<std::optional<std::string>> MemoryLog::secret(std::string_view ref) const {
  const auto found = disk_.secrets.find(ref);
  if (found == disk_.secrets.end()) return std::optional<std::string>();
  return std::optional<std::string>(found->second);
}

Result<std::vector<LogBatch::Put>> MemoryLog::range(LogColumn column, std::string_view from,
                                                    std::string_view to, std::size_t limit) const {
  const auto& entries = column == LogColumn::Secrets ? disk_.secrets : disk_.idempotency;
  std::vector<LogBatch::Put> out;
  for (auto it = entries.lower_bound(from);
       it != entries.end() && it->first < to && out.size() < limit; ++it) {
    out.push_back({it->first, it->second});
  }
  return out;
}

void MemoryLog::crash() {
  if (synced_) disk_ = std::move(*synced_);
  synced_.reset();
  if (torn_) ++torn_cuts_;
  torn_ = false;
  fault_ = Fault::None;
  failed_.reset();
}

void MemoryLog::skip_syncs_for_test() { synced_ = disk_; }

void MemoryLog::damage_for_test(Seq seq, std::size_t byte) {
  auto record = disk_.records.upper_bound(seq);
  CHECK(record != disk_.records.begin(), "no record holds seq {}", seq);
  --record;
  record->second[byte] = static_cast<char>(record->second[byte] ^ 1);
}

}  // namespace slipway::eventstore
