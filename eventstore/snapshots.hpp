#pragma once
// Snapshots of the live state, so that a start need not replay the whole log. A snapshot only saves
// time: one that is damaged, or not of this log or program, is passed over, and the log is replayed
// instead. Used by one thread at a time.
//
// A file is snapshot-<seq, 20 digits>; numbers are little-endian:
//
//   offset size
//        0    8  "SLIPSNP1"
//        8    8  seq: that of the last event folded in
//       16   32  chain hash of the record that holds it
//       48   32  layout digest: says which fields the program wrote, and in what order
//       80   36  log id
//      116    4  CRC32C of bytes 0 to 115
//   then chunks:
//        0    4  length, not 0
//        4    4  CRC32C of the bytes, started from the CRC of the chunk before (first: the
//        header's) 8    n  bytes
//   then, once complete:
//        0    4  0
//        4    4  CRC32C of the 8 bytes that follow, started as a chunk's
//        8    8  number of chunks
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "eventstore/durable_file.hpp"
#include "eventstore/event_log.hpp"

namespace slipway::eventstore {

struct SnapshotHeader {
  Seq seq = 0;
  base::Digest log_hash{};
  base::Digest layout_digest{};
  std::string log_id;
};

// Writes one snapshot; without commit() nothing is left of it.
class SnapshotWriter {
 public:
  ~SnapshotWriter();
  // Chunks come back from read() as they were handed in here. Small ones are fine: writes are
  // gathered. At most 1 GiB each.
  base::Status append(std::string_view chunk);
  // Synced, renamed into place, the directory synced; then all but the newest two are removed.
  base::Status commit();

 private:
  friend class SnapshotStore;
  SnapshotWriter(std::filesystem::path path, Fd fd, const SnapshotHeader& header);
  base::Status flush();

  std::filesystem::path path_;
  std::filesystem::path tmp_;
  Fd fd_;
  std::string buffer_;
  std::uint32_t crc_ = 0;
  std::uint64_t chunks_ = 0;
  bool committed_ = false;
};

class SnapshotStore {
 public:
  // The directory is made at the first write.
  explicit SnapshotStore(std::filesystem::path dir) : dir_(std::move(dir)) {}

  base::Result<std::unique_ptr<SnapshotWriter>> begin(const SnapshotHeader& header) const;

  struct Found {
    SnapshotHeader header;
    std::filesystem::path path;
  };
  // Newest first. Files whose header is damaged, or that belong to another log or layout, are left
  // out, each with a line in `skipped`. Check `log_hash` against the log before using one.
  std::vector<Found> list(std::string_view log_id, const base::Digest& layout_digest,
                          std::vector<std::string>& skipped) const;

  using ChunkReader = std::function<base::Status(std::string_view chunk)>;
  // Hands over each chunk after its checksum held. After an Error what was read must be thrown
  // away: the snapshot is damaged or incomplete (or `on_chunk` refused), take the next older one.
  base::Status read(const Found& snapshot, const ChunkReader& on_chunk) const;

 private:
  std::filesystem::path dir_;
};

}  // namespace slipway::eventstore
