#pragma once
// Reads a write-ahead log (or manifest) of the store before the store does, to tell two things
// apart that the store does not: a torn tail, which a crash leaves and recovery cuts, and damage to
// what was synced, which must stop the start. The store alone would, after one flipped bit in a
// length, take up to 32 KiB of acknowledged records for a torn tail and open without a word.
//
// The test: a batch is begun only after the one before it was synced. So nothing whole can follow a
// torn batch. If it does, what lies before it was synced once and is damaged now.
//
// The file is a row of blocks of 32768 bytes. A block is a row of fragments; no fragment crosses
// its end; fewer than 7 bytes left over are zeros.
//
//   offset size
//        0    4  masked CRC32C of the type and the bytes
//        4    2  length of the bytes
//        6    1  type: 1 a whole batch, 2 the first part of one, 3 a middle part, 4 the last part
//        7    n  bytes; a batch starts with 8 bytes of store sequence and 4 of its number of
//        entries
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace slipway::eventstore {

struct WalScan {
  std::uint64_t file_bytes = 0;
  std::uint64_t whole_bytes = 0;  // to the end of the last whole batch
  std::uint64_t batches = 0;
  // Damage that no crash explains: its offset, and what lies after it.
  struct Damage {
    std::uint64_t offset = 0;
    std::string what;
  };
  std::optional<Damage> damage;

  // There are bytes after the last whole batch (zeros count: a power loss leaves those too).
  bool torn() const { return !damage && whole_bytes < file_bytes; }
};

// `bytes` is the whole file.
WalScan scan_wal(std::string_view bytes);

}  // namespace slipway::eventstore
