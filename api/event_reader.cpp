#include "api/event_reader.hpp"

#include <algorithm>

namespace slipway::api {

using base::fail;
using eventstore::Record;

EventReader::EventReader(const eventstore::EventLog& log, EventFilter filter, domain::Seq from)
    : log_(log), filter_(std::move(filter)), next_(std::max<domain::Seq>(from, 1)) {}

base::Result<bool> EventReader::read(const Limits& limits, std::size_t& used_bytes,
                                     const Take& take) {
  if (filter_.index_keys().empty()) return read_all(limits, used_bytes, take);
  return read_streams(limits, used_bytes, take);
}

// Stops in the middle of a record when a limit is reached: next_ says where to go on.
base::Status EventReader::hand_out(const Record& record, const Limits& limits,
                                   std::size_t& used_bytes, std::size_t& taken, const Take& take) {
  const auto body = domain::decode_record(record.payload, parser_);
  if (!body) return fail(body.error());
  domain::Seq seq = record.seq;
  for (const domain::Event& event : body->events) {
    const domain::Seq at = seq++;
    if (at < next_) continue;
    if (taken >= limits.events || used_bytes >= limits.bytes) return {};
    next_ = at + 1;
    if (!filter_.sees(*body, event)) continue;
    take(body->envelope, at, event);
    ++taken;
  }
  return {};
}

base::Result<bool> EventReader::read_all(const Limits& limits, std::size_t& used_bytes,
                                         const Take& take) {
  auto cursor = log_.read(next_);
  if (!cursor) return fail(cursor.error());
  const domain::Seq begin = next_;
  std::size_t taken = 0;
  for (;;) {
    Record record;
    const auto more = (*cursor)->next(record);
    if (!more) return fail(more.error());
    if (!*more) return false;
    if (auto status = hand_out(record, limits, used_bytes, taken, take); !status) {
      return fail(status.error());
    }
    const bool whole = next_ >= record.next_seq();
    if (!whole || taken >= limits.events || used_bytes >= limits.bytes ||
        next_ - begin >= limits.looked_at) {
      return true;
    }
  }
}

base::Result<bool> EventReader::read_streams(const Limits& limits, std::size_t& used_bytes,
                                             const Take& take) {
  std::vector<domain::Seq> seqs;
  for (const std::string& key : filter_.index_keys()) {
    // From the record that holds next_, which may begin before it.
    const domain::Seq from = next_ > 4096 ? next_ - 4096 : 1;
    const auto found = log_.stream_records(key, from, limits.events + 4096);
    if (!found) return fail(found.error());
    seqs.insert(seqs.end(), found->begin(), found->end());
  }
  std::sort(seqs.begin(), seqs.end());
  seqs.erase(std::unique(seqs.begin(), seqs.end()), seqs.end());
  std::size_t taken = 0;
  for (const domain::Seq seq : seqs) {
    std::string storage;
    const auto record = log_.find(seq, storage);
    if (!record) return fail(record.error());
    if (!*record || (*record)->next_seq() <= next_) continue;
    if (auto status = hand_out(**record, limits, used_bytes, taken, take); !status) {
      return fail(status.error());
    }
    if (next_ < (*record)->next_seq() || taken >= limits.events || used_bytes >= limits.bytes) {
      return true;
    }
  }
  return false;
}

}  // namespace slipway::api
