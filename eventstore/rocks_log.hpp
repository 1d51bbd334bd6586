#pragma once
// The log on RocksDB: one synced write batch an append, and a recovery that cuts what a crash tore
// off and refuses everything else.
//
// The directory:
//
//   lock        held while the log is open; a second process is refused (so does the store's own)
//   witness     how far the log was durable (eventstore/head_witness.hpp)
//   store/      RocksDB's files
//
// Column families of the store. In each but `meta` and `records` the empty key holds the number of
// the last batch that touched it, and `meta` says for each what that must be: a column family that
// has lost files while the others have not is found at open.
//
//   meta         "identity" -> format (4), epoch (8), log id (36)       (the store's "default")
//                "head"     -> see encode_store_head in eventstore/rocks_store.cpp
//   records      seq of the first event (8, big-endian) -> record (eventstore/record_codec.hpp)
//   stream_index length of the index key (2, big-endian) | index key | seq (8, big-endian) -> ""
//   idempotency  key -> remembered answer
//   secrets      ref -> sealed value
//
// The length in front keeps the streams "a" and "ab" apart: no stream's keys begin with another's.
#include <filesystem>
#include <functional>

#include "core/base/time.hpp"
#include "eventstore/event_log.hpp"

namespace slipway::eventstore {

struct RocksLogOptions {
  std::uint64_t block_cache_bytes = 16U << 20U;  // filled as it is used
  std::uint64_t memtable_bytes = 32U << 20U;     // of records; the others' follow from it
  std::uint64_t max_wal_bytes = 128U << 20U;     // bounds what a start has to replay
  bool create_if_missing = true;
  // False: an append ends in this process's memory, and whatever ends the process loses it. For
  // measuring, and for the control run of tests/crash.
  bool sync = true;
  bool compact_in_background = true;
};

// What the start found; the server logs it.
struct RecoveryReport {
  struct Cut {
    std::string file;
    std::uint64_t offset = 0;
    std::uint64_t bytes = 0;
  };
  bool created = false;
  std::vector<Cut> cuts;              // torn tails: the newest log's, the manifest's
  std::vector<std::string> warnings;  // harmless, but worth a line
};

// What the store says of itself, for the metrics. Totals count from the start of the process.
struct StoreStats {
  std::uint64_t tables_bytes = 0;
  std::uint64_t memtables_bytes = 0;
  std::uint64_t table_readers_bytes = 0;
  std::uint64_t block_cache_bytes = 0;
  std::uint64_t pending_compaction_bytes = 0;
  std::uint64_t cache_hits = 0;
  std::uint64_t cache_misses = 0;
  std::uint64_t background_errors = 0;
  base::Duration stalled{};  // writes held back
};

class RocksLog final : public EventLog {
 public:
  // Errors: ResourceBusy (open elsewhere), StorageFull, NotFound (create_if_missing is off),
  // Internal (damage: file and offset are named, and no file has been changed).
  static base::Result<std::unique_ptr<RocksLog>> open(const std::filesystem::path& dir,
                                                      const RocksLogOptions& options = {});
  ~RocksLog() override;  // all cursors must be gone

  base::Status append(const LogBatch& batch) override;
  const LogHead& head() const override;
  base::Result<std::unique_ptr<LogCursor>> read(Seq from) const override;
  base::Result<std::optional<Record>> find(Seq seq, std::string& storage) const override;
  base::Result<std::vector<Seq>> stream_records(std::string_view index_key, Seq from,
                                                std::size_t limit) const override;
  base::Result<std::optional<std::string>> idempotency(std::string_view key) const override;
  base::Result<std::optional<std::string>> secret(std::string_view ref) const override;
  base::Result<std::vector<LogBatch::Put>> range(LogColumn column, std::string_view from,
                                                 std::string_view to,
                                                 std::size_t limit) const override;
  std::uint64_t free_bytes() const override;

  const RecoveryReport& recovery() const;
  StoreStats stats() const;  // any thread; some tens of microseconds

  // ---- any thread; for eventstore/log_tools.hpp ----
  // A copy of the store, consistent at one seq, in `dir` (made here, may not exist): hard links
  // where the file system allows, so cheap. Open it as a RocksLog to read it.
  base::Status checkpoint(const std::filesystem::path& dir) const;
  // Reads all table files against their checksums, the index, idempotency and secrets included.
  base::Status verify_files() const;
  // Every (index key, seq) of the stream index, in no useful order.
  using IndexVisitor = std::function<void(std::string_view index_key, Seq seq)>;
  base::Status for_each_indexed(const IndexVisitor& visit) const;

  // The next append fails as if the disk had refused it.
  void fail_next_append_for_test();

 private:
  struct Impl;
  explicit RocksLog(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace slipway::eventstore
