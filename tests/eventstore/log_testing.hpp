#pragma once
// What tests of the log share: a directory that goes away, and batches to append.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "core/base/crypto.hpp"
#include "eventstore/event_log.hpp"

namespace slipway::eventstore {

// In memory where that is possible: these tests open and sync logs thousands of times.
inline std::filesystem::path temp_root() {
  std::error_code ignored;
  const std::filesystem::path memory = "/dev/shm";
  const bool fits = std::filesystem::space(memory, ignored).available > (256U << 20U) && !ignored;
  return fits ? memory : std::filesystem::temp_directory_path();
}

class TempDir {
 public:
  TempDir() {
    std::string name = (temp_root() / "slipway-log-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  ~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

inline std::string slurp(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}
inline void spit(const std::filesystem::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}
inline std::string flipped(std::string bytes, std::size_t at, int bit = 0) {
  bytes[at] = static_cast<char>(bytes[at] ^ (1 << bit));
  return bytes;
}

inline std::string payload_of(Seq seq) { return "{\"seq\":" + std::to_string(seq) + "}"; }

// One record of `events` events at `seq`, touching `streams`.
inline LogBatch one_record(Seq seq, std::uint32_t events = 1,
                           std::vector<std::string> streams = {}) {
  LogBatch batch;
  batch.records.push_back({seq, events, payload_of(seq), std::move(streams)});
  return batch;
}
inline void append_records(EventLog& log, int count, std::uint32_t events = 1,
                           const std::vector<std::string>& streams = {}) {
  for (int i = 0; i < count; ++i) {
    const auto done = log.append(one_record(log.head().next_seq, events, streams));
    ASSERT_TRUE(done) << done.error().message;
  }
}

// Reads to the end; the number of records, or the error's text.
struct Walk {
  int records = 0;
  Seq next_seq = 1;
  std::string error;
};
inline Walk walk(const EventLog& log, Seq from = 1) {
  Walk result;
  auto cursor = log.read(from);
  if (!cursor) {
    result.error = cursor.error().message;
    return result;
  }
  Record record;
  for (;;) {
    const auto more = (*cursor)->next(record);
    if (!more) result.error = more.error().message;
    if (!more || !*more) return result;
    EXPECT_EQ(record.payload, payload_of(record.seq)) << "wrong data was served";
    ++result.records;
    result.next_seq = record.next_seq();
  }
}

}  // namespace slipway::eventstore
