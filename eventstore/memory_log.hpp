#pragma once
// The log of the simulator and of tests: in memory, deterministic, and it can crash. Records are
// stored as the same bytes as on disk and checked the same way. One thread.
#include <map>

#include "eventstore/event_log.hpp"

namespace slipway::eventstore {

class MemoryLog final : public EventLog {
 public:
  // What the disk does to the next append. After an Error every later append fails with it, as with
  // RocksLog, until crash() has started the log again.
  enum class Fault {
    None,
    FailBefore,  // an Error, and nothing of the batch is there after the crash
    Torn,        // an Error, part of the batch was written: recovery cuts it (see torn_cuts)
    AnswerLost,  // an Error, yet the batch is durable
  };

  explicit MemoryLog(std::string log_id = "00000000-0000-7000-8000-000000000000");

  base::Status append(const LogBatch& batch) override;
  const LogHead& head() const override { return disk_.head; }
  base::Result<std::unique_ptr<LogCursor>> read(Seq from) const override;
  base::Result<std::optional<Record>> find(Seq seq, std::string& storage) const override;
  base::Result<std::vector<Seq>> stream_records(std::string_view index_key, Seq from,
                                                std::size_t limit) const override;
  base::Result<std::optional<std::string>> idempotency(std::string_view key) const override;
  base::Result<std::optional<std::string>> secret(std::string_view ref) const override;
  base::Result<std::vector<LogBatch::Put>> range(LogColumn column, std::string_view from,
                                                 std::string_view to,
                                                 std::size_t limit) const override;
  std::uint64_t free_bytes() const override { return free_bytes_; }

  void fault_next(Fault fault) { fault_ = fault; }
  // The process dies and the log is opened again: what was not synced is gone. Cursors made before
  // must not be used again.
  void crash();
  std::uint64_t torn_cuts() const { return torn_cuts_; }
  void set_free_bytes(std::uint64_t bytes) { free_bytes_ = bytes; }
  // The control of the simulator's own power: from now on appends answer success without a sync
  // until the next crash, which loses them. A harness that does not notice proves nothing.
  void skip_syncs_for_test();
  // Flips the lowest bit of a byte of the record that holds `seq`.
  void damage_for_test(Seq seq, std::size_t byte);

 private:
  friend class MemoryCursor;
  struct Disk {
    LogHead head;
    std::map<Seq, std::string> records;  // encoded
    std::map<std::string, std::vector<Seq>, std::less<>> index;
    std::map<std::string, std::string, std::less<>> idempotency;
    std::map<std::string, std::string, std::less<>> secrets;
  };
  void apply(const LogBatch& batch);

  Disk disk_;
  std::optional<Disk> synced_;  // what a crash leaves, where that is less than `disk_`
  Fault fault_ = Fault::None;
  std::optional<base::Error> failed_;
  bool torn_ = false;
  std::uint64_t torn_cuts_ = 0;
  std::uint64_t free_bytes_ = std::uint64_t{1} << 40U;
};

}  // namespace slipway::eventstore
