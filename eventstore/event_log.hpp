#pragma once
// The log: records in one dense sequence, each durable before anybody hears of it. Two
// implementations: RocksLog (the product's) and MemoryLog (the simulator's, which can also crash).
//
// A record is one command's events. Its payload is opaque here (JSON, see core/domain/record.hpp);
// the log frames it with a header, checks it and chains it (eventstore/record_codec.hpp). `seq`
// counts events: a record is keyed by the seq of its first, and the next record's is that plus the
// number of its events.
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/crypto.hpp"
#include "core/base/result.hpp"

namespace slipway::eventstore {

using Seq = std::uint64_t;  // 1 is the first event; 0 is "none"

struct Record {
  Seq seq = 0;  // of its first event
  std::uint32_t event_count = 0;
  std::string_view payload;
  base::Digest hash{};  // of this record, chained to all before it
  Seq next_seq() const { return seq + event_count; }
};

// What one sync makes durable, all or nothing. Owned and filled by the sequencer; reused. Deletions
// are carried out before puts, so a key that is in both is there afterwards. Keys are not empty.
struct LogBatch {
  struct NewRecord {
    Seq seq = 0;
    std::uint32_t event_count = 0;
    std::string payload;
    std::vector<std::string>
        index_keys;  // StreamId::index_key() of each stream it touches, once each
  };
  struct Put {
    std::string key;
    std::string value;
  };
  std::vector<NewRecord> records;  // dense, in order, the first at head().next_seq
  std::vector<Put> idempotency;    // key -> remembered answer
  std::vector<std::string> forgotten_idempotency;
  std::vector<Put> secrets;  // ref -> sealed value
  std::vector<std::string> deleted_secrets;
  bool empty() const {
    return records.empty() && idempotency.empty() && forgotten_idempotency.empty() &&
           secrets.empty() && deleted_secrets.empty();
  }
  void clear();
};

// A longer one is a bug: batches of a thousand commands stay below 1 MiB (and see the limits of the
// API). It also keeps one record well inside what the store can write at once.
inline constexpr std::size_t kMaxPayloadBytes = 64U << 20U;

// For the implementations. Ends the process unless the records are dense from `next_seq`, each
// with at least one event: a gap or a repeat would be kept for ever.
void check_dense(const LogBatch& batch, Seq next_seq);

struct LogHead {
  std::string log_id;       // a UUID, made with the log
  std::uint64_t epoch = 1;  // grows with each change of leader; always 1 on one server
  Seq next_seq = 1;
  base::Digest hash{};  // of the last record; zero for an empty log
};

// Reads records in order. Used by one thread; sees what was durable when it was made, and stays at
// that end: to follow the log, make another. Holds on to files of the log, so not for long; must be
// gone before the log is.
class LogCursor {
 public:
  virtual ~LogCursor() = default;
  // False at the end. An Error names the file and the offset or seq of the damage: a bad checksum,
  // a broken chain, a gap, or the store's own corruption report. `out` is valid until the next
  // call.
  virtual base::Result<bool> next(Record& out) = 0;
};

// What the store keeps beside the records.
enum class LogColumn : std::uint8_t { Idempotency, Secrets };

class EventLog {
 public:
  virtual ~EventLog() = default;

  // The sequencer's thread only. Returns after the sync. An Error is final: nothing may be written
  // through this object again, and what was in the batch is unknown until the next start.
  virtual base::Status append(const LogBatch& batch) = 0;
  // The head after the last successful append. The sequencer's thread, or before it starts.
  virtual const LogHead& head() const = 0;

  // ---- any thread ----
  // From the record that holds event `from` (0 is as 1); beyond the head it is at its end at once.
  virtual base::Result<std::unique_ptr<LogCursor>> read(Seq from) const = 0;
  // The record that holds event `seq`; nullopt beyond the head. The bytes are appended to
  // `storage`.
  virtual base::Result<std::optional<Record>> find(Seq seq, std::string& storage) const = 0;
  // Seqs of the records that touch a stream, oldest first, from the first >= `from`, at most
  // `limit`.
  virtual base::Result<std::vector<Seq>> stream_records(std::string_view index_key, Seq from,
                                                        std::size_t limit) const = 0;
  virtual base::Result<std::optional<std::string>> idempotency(std::string_view key) const = 0;
  virtual base::Result<std::optional<std::string>> secret(std::string_view ref) const = 0;
  // The entries with keys of [from, to), in the order of their bytes, at most `limit`.
  virtual base::Result<std::vector<LogBatch::Put>> range(LogColumn column, std::string_view from,
                                                         std::string_view to,
                                                         std::size_t limit) const = 0;
  // The first seq that is still kept; 1 unless retention has cut the log.
  virtual Seq first_seq() const { return 1; }
  // Bytes free where the log lives, as the file system says now; for the low-water mark.
  virtual std::uint64_t free_bytes() const = 0;
};

}  // namespace slipway::eventstore
