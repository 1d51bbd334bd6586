#pragma once
// Internal to rocks_*.cpp: the store under a RocksLog, how it is set up and what it must satisfy.
#include <rocksdb/db.h>

#include <filesystem>
#include <memory>

#include "eventstore/head_witness.hpp"
#include "eventstore/rocks_log.hpp"

namespace slipway::eventstore {

enum Column : std::size_t { kMeta, kRecords, kIndex, kIdempotency, kSecrets, kColumns };

base::Status store_error(std::string_view doing, const rocksdb::Status& status);

// Which batch last touched each column, and where the log ends. Written with every batch.
struct StoreHead {
  std::uint64_t batch = 0;
  std::array<std::uint64_t, kColumns> touched{};  // of kIndex, kIdempotency, kSecrets
  Seq next_seq = 1;
  base::Digest hash{};
};
inline constexpr std::size_t kStoreHeadBytes = 72;
inline constexpr std::string_view kHeadKey = "head";
void encode_store_head(const StoreHead& head, char* out72);

class RocksStore {
 public:
  enum class Mode {
    ReadWrite,
    // Changes no file. Stops quietly at the first damage in a write-ahead log: only for looking at
    // what a recovery would find.
    Peek,
  };
  static base::Result<std::unique_ptr<RocksStore>> open(const std::filesystem::path& dir,
                                                        const RocksLogOptions& options, Mode mode);
  // Whether the store's making ended before it had all its columns: nothing was ever put into it.
  // Changes no file.
  static bool unfinished(const std::filesystem::path& dir, const RocksLogOptions& options);
  ~RocksStore();

  rocksdb::DB& db() const { return *db_; }
  rocksdb::ColumnFamilyHandle* column(Column c) const { return columns_[c]; }

  struct State {
    StoreHead head;
    LogHead log;
  };
  // What the store holds, after checking that its columns agree with each other and with the
  // witness, and that the last record is whole. nullopt: empty, its making was never finished.
  base::Result<std::optional<State>> state(const std::optional<Witness>& witness) const;
  base::Result<State> make_identity();

  // nullopt if absent.
  base::Result<std::optional<std::string>> get(Column c, std::string_view key) const;
  // The table file that holds the record of this seq, for messages.
  std::string place_of(Seq seq) const;

 private:
  RocksStore() = default;
  base::Status check_columns(const StoreHead& head) const;
  base::Status check_last_record(const StoreHead& head) const;
  base::Status check_witness(const StoreHead& head, const Witness& witness) const;

  std::unique_ptr<rocksdb::DB> db_;
  std::array<rocksdb::ColumnFamilyHandle*, kColumns> columns_{};
};

// Walks the records, checking each. The store must outlive it.
class RocksCursor final : public LogCursor {
 public:
  // Starts at the record that holds event `from`; `end` is what the log is known to reach.
  static base::Result<std::unique_ptr<RocksCursor>> open(const RocksStore& store, Seq from, Seq end,
                                                         bool fill_cache);
  base::Result<bool> next(Record& out) override;
  // The bytes of the record that next() gave; valid as long as it.
  std::string_view bytes() const { return bytes_; }

 private:
  explicit RocksCursor(const RocksStore& store) : store_(store) {}
  base::Status position(Seq from);
  base::Status load_previous();
  base::Status check(const Record& record);
  base::Status damaged(Seq seq, std::string_view what) const;

  const RocksStore& store_;
  std::unique_ptr<rocksdb::Iterator> it_;
  Seq end_ = 1;
  Seq expected_ = 1;  // seq of the next record
  base::Digest previous_{};
  bool on_next_ = true;  // the iterator stands on the record to be read, not on the last one read
  std::string_view bytes_;
};

inline rocksdb::Slice slice(std::string_view text) { return {text.data(), text.size()}; }
inline std::string_view view(const rocksdb::Slice& s) { return {s.data(), s.size()}; }

}  // namespace slipway::eventstore
