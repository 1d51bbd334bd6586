#pragma once
// Checking, copying and bringing back a log: `slipway log verify|backup|restore`, and the same over
// a running server. Any thread; slow (they read everything), so never the sequencer's.
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>

#include "eventstore/rocks_log.hpp"

namespace slipway::eventstore {

struct VerifyReport {
  std::uint64_t records = 0;
  std::uint64_t events = 0;
  std::uint64_t payload_bytes = 0;
  std::uint64_t index_entries = 0;  // RocksLog only
  Seq next_seq = 1;
  base::Digest hash{};  // of the last record read
  double seconds = 0;
  std::optional<std::string> damage;  // the first that was met; what is before it is good
  bool complete = false;              // false: stopped, or damage
  double records_per_second() const { return seconds > 0 ? double(records) / seconds : 0; }
};

struct VerifyOptions {
  std::stop_token stop;
  // Called every 100 000 records.
  std::function<void(const VerifyReport&)> progress;
};

// Walks the whole chain, from the first record to what was durable at the call.
VerifyReport verify(const EventLog& log, const VerifyOptions& options = {});
// The same, then all table files against their checksums, and that each entry of the stream index
// names a record's first event.
VerifyReport verify(const RocksLog& log, const VerifyOptions& options = {});

// What a backup is of; stored in it as the file `backup.json`, written last.
struct BackupInfo {
  std::string log_id;
  std::uint64_t epoch = 1;
  Seq next_seq = 1;
  std::string hash;  // of the last record, in hex
  std::uint64_t records = 0;

  template <class S, class V>
  static void fields(S& s, V& v) {
    v("log_id", s.log_id);
    v("epoch", s.epoch);
    v("next_seq", s.next_seq);
    v("hash", s.hash);
    v("records", s.records);
  }
};

// Copies the log as it is at one seq into `dir`, which must be absent or empty, while the server
// runs; then opens the copy and walks its chain. The master key of the secrets is not in it: keep
// that apart, without it the backup's secrets stay sealed.
// On one file system the table files are hard links: copy the directory elsewhere to survive the
// disk. Errors: InvalidArgument (`dir` holds something), Internal (damage; nothing is left there).
base::Result<BackupInfo> backup(const RocksLog& log, const std::filesystem::path& dir,
                                const VerifyOptions& options = {});
// Makes `dir` (absent or empty) the log that `backup_dir` holds, after walking its chain. All or
// nothing: until it is complete it lies beside, in `dir`.restoring.
base::Result<BackupInfo> restore(const std::filesystem::path& backup_dir,
                                 const std::filesystem::path& dir,
                                 const VerifyOptions& options = {});

}  // namespace slipway::eventstore
