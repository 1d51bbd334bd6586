#pragma once
// A small file beside the store that remembers how far the log was durable: a lower bound, written
// after each sync and itself not synced (but at open and close). It costs one small write and tells
// at the next start whether what recovery found is all that was acknowledged. Without it, an
// acknowledged batch that was damaged or cut off at the very end of the log would look exactly like
// the torn tail of a batch that nobody was told of.
//
// It outlives the death of the process (the page cache does), and a power loss once the kernel has
// written it back. What it can not show: damage to the last batches of the log together with a
// power loss within the seconds before that.
//
// Two slots of 64 bytes, 4096 apart, written in turn so that a torn write leaves the other:
//
//   offset size
//        0    8  number of the batch, from 1
//        8    8  next seq after it
//       16   32  chain hash of the last record
//       48    8  zero
//       56    4  "SLIP"
//       60    4  CRC32C of bytes 0 to 59
#include <filesystem>
#include <optional>

#include "core/base/crypto.hpp"
#include "core/base/result.hpp"
#include "eventstore/durable_file.hpp"

namespace slipway::eventstore {

struct Witness {
  std::uint64_t batch = 0;
  std::uint64_t next_seq = 1;
  base::Digest hash{};
};

class HeadWitness {
 public:
  struct Opened;
  // Makes the file if absent. The caller owns the directory's lock.
  static base::Result<Opened> open(const std::filesystem::path& path);

  // Best effort: a bound that stays lower than it could be harms nothing.
  void advance(const Witness& witness);
  base::Status write_synced(const Witness& witness);

 private:
  HeadWitness(Fd fd, std::filesystem::path path) : fd_(std::move(fd)), path_(std::move(path)) {}
  Fd fd_;
  std::filesystem::path path_;
};

struct HeadWitness::Opened {
  HeadWitness file;
  std::optional<Witness> found;  // the later of the slots that are whole
  bool existed = false;
};

}  // namespace slipway::eventstore
