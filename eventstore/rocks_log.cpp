#include "eventstore/rocks_log.hpp"

#include <fmt/format.h>
#include <rocksdb/perf_level.h>
#include <rocksdb/statistics.h>
#include <rocksdb/utilities/checkpoint.h>
#include <rocksdb/write_batch.h>
#include <sys/statvfs.h>

#include <atomic>

#include "core/base/check.hpp"
#include "eventstore/bytes.hpp"
#include "eventstore/durable_file.hpp"
#include "eventstore/head_witness.hpp"
#include "eventstore/record_codec.hpp"
#include "eventstore/rocks_recovery.hpp"

namespace slipway::eventstore {
namespace {

namespace fs = std::filesystem;
using base::fail;
using base::Result;
using base::Status;
using rocksdb::Slice;
using rocksdb::SliceParts;

constexpr std::size_t kLengthBytes = 2;
constexpr std::size_t kSeqBytes = 8;
constexpr std::size_t kMaxIndexKey = 0xFFFF;

std::array<char, kLengthBytes> length_prefix(std::string_view index_key) {
  CHECK(!index_key.empty() && index_key.size() <= kMaxIndexKey, "an index key of {} bytes",
        index_key.size());
  return {static_cast<char>(index_key.size() >> 8U), static_cast<char>(index_key.size() & 0xFFU)};
}

std::string index_prefix(std::string_view index_key) {
  const auto length = length_prefix(index_key);
  std::string prefix(length.data(), length.size());
  prefix += index_key;
  return prefix;
}

// Only running out of memory or sizes that check_dense excludes make these fail.
void must(const rocksdb::Status& status) { CHECK(status.ok(), "{}", status.ToString()); }

}  // namespace

struct RocksLog::Impl {
  Impl(FileLock held, HeadWitness file) : lock(std::move(held)), witness(std::move(file)) {}

  void add_record(const LogBatch::NewRecord& record, StoreHead& next);
  void add_rest(const LogBatch& batch, StoreHead& next);
  void add_heads(const StoreHead& next);
  Status write();

  FileLock lock;  // first, so released last
  HeadWitness witness;
  fs::path dir;
  std::unique_ptr<RocksStore> store;
  StoreHead at;
  LogHead head;
  std::atomic<Seq> durable{1};  // head.next_seq, for any thread
  RecoveryReport report;
  rocksdb::WriteBatch batch;  // reused: keeps its memory
  std::optional<base::Error> failed;
  bool fail_next = false;
  bool sync = true;
};

RocksLog::RocksLog(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Result<std::unique_ptr<RocksLog>> RocksLog::open(const fs::path& dir,
                                                 const RocksLogOptions& options) {
  base::crypto_init();  // picks the fast BLAKE2b too
  const fs::path store_dir = dir / "store";
  if (auto ok = make_directories(store_dir); !ok) return fail(ok.error());
  auto lock = FileLock::take(dir / "lock");
  if (!lock) return fail(lock.error());
  std::optional<Witness> found;
  const bool witnessed = fs::exists(dir / "witness");
  if (witnessed) {
    auto seen = HeadWitness::open(dir / "witness");
    if (!seen) return fail(seen.error());
    found = seen->found;
  }
  auto recovered = recover(store_dir, options, found, witnessed);
  if (!recovered) return fail(recovered.error());

  auto witness = HeadWitness::open(dir / "witness");
  if (!witness) return fail(witness.error());
  auto impl = std::make_unique<Impl>(std::move(*lock), std::move(witness->file));
  impl->dir = dir;
  impl->sync = options.sync;
  impl->store = std::move(recovered->store);
  impl->at = recovered->state.head;
  impl->head = std::move(recovered->state.log);
  impl->durable = impl->head.next_seq;
  impl->report = std::move(recovered->report);
  if (!found && !impl->report.created) {
    impl->report.warnings.push_back(
        "there was no witness of how far the log was durable: damage at its very end would not "
        "have been seen");
  }
  auto written = impl->witness.write_synced({impl->at.batch, impl->at.next_seq, impl->at.hash});
  if (written) written = sync_directory(dir);
  if (!written) return fail(written.error());
  return std::unique_ptr<RocksLog>(new RocksLog(std::move(impl)));
}

RocksLog::~RocksLog() {
  const auto& at = impl_->at;
  if (impl_->failed) return;
  if (!impl_->sync && !impl_->store->db().FlushWAL(true).ok()) return;
  if (!impl_->witness.write_synced({at.batch, at.next_seq, at.hash}))
    return;  // a lower bound is fine
}

Status RocksLog::append(const LogBatch& batch) {
  Impl& impl = *impl_;
  if (impl.failed) return fail(*impl.failed);
  if (batch.empty()) return {};
  check_dense(batch, impl.head.next_seq);

  StoreHead next = impl.at;
  ++next.batch;
  impl.batch.Clear();
  for (const auto& record : batch.records) impl.add_record(record, next);
  impl.add_rest(batch, next);
  impl.add_heads(next);
  if (auto written = impl.write(); !written) {
    impl.failed = written.error();
    return written;
  }
  impl.at = next;
  impl.head.next_seq = next.next_seq;
  impl.head.hash = next.hash;
  impl.durable.store(next.next_seq, std::memory_order_release);
  if (impl.sync) impl.witness.advance({next.batch, next.next_seq, next.hash});
  return {};
}

void RocksLog::Impl::add_record(const LogBatch::NewRecord& record, StoreHead& next) {
  const RecordHeader header =
      encode_header(next.hash, record.seq, record.event_count, record.payload);
  next.hash = chain_hash(header);
  next.next_seq = record.seq + record.event_count;

  std::array<char, kSeqBytes> seq;
  put_be64(seq.data(), record.seq);
  const Slice key(seq.data(), seq.size());
  const std::array value{Slice(header.data(), header.size()), slice(record.payload)};
  must(batch.Put(store->column(kRecords), SliceParts(&key, 1),
                 SliceParts(value.data(), static_cast<int>(value.size()))));
  const Slice nothing;
  for (const std::string& index_key : record.index_keys) {
    const auto length = length_prefix(index_key);
    const std::array parts{Slice(length.data(), length.size()), slice(index_key), key};
    must(batch.Put(store->column(kIndex), SliceParts(parts.data(), static_cast<int>(parts.size())),
                   SliceParts(&nothing, 1)));
    next.touched[kIndex] = next.batch;
  }
}

void RocksLog::Impl::add_rest(const LogBatch& from, StoreHead& next) {
  const auto add = [&](Column c, const std::vector<std::string>& deleted,
                       const std::vector<LogBatch::Put>& puts) {
    for (const std::string& key : deleted) {
      CHECK(!key.empty(), "an empty key is the column's own");
      must(batch.Delete(store->column(c), slice(key)));
    }
    for (const auto& put : puts) {
      CHECK(!put.key.empty(), "an empty key is the column's own");
      must(batch.Put(store->column(c), slice(put.key), slice(put.value)));
    }
    if (!deleted.empty() || !puts.empty()) next.touched[c] = next.batch;
  };
  add(kIdempotency, from.forgotten_idempotency, from.idempotency);
  add(kSecrets, from.deleted_secrets, from.secrets);
}

void RocksLog::Impl::add_heads(const StoreHead& next) {
  std::array<char, sizeof(std::uint64_t)> number;
  put_le(number.data(), next.batch);
  for (const Column c : {kIndex, kIdempotency, kSecrets}) {
    if (next.touched[c] != next.batch) continue;
    must(batch.Put(store->column(c), Slice(), Slice(number.data(), number.size())));
  }
  std::array<char, kStoreHeadBytes> bytes;
  encode_store_head(next, bytes.data());
  must(batch.Put(store->column(kMeta), slice(kHeadKey), Slice(bytes.data(), bytes.size())));
}

Status RocksLog::Impl::write() {
  if (fail_next) return fail(base::Errc::Internal, "append: failed for a test");
  rocksdb::SetPerfLevel(rocksdb::PerfLevel::kDisable);  // of this thread; counts every comparison
  rocksdb::WriteOptions synced;
  synced.sync = sync;
  const rocksdb::Status status = store->db().Write(synced, &batch);
  return status.ok() ? Status{} : store_error("append to the log", status);
}

const LogHead& RocksLog::head() const { return impl_->head; }
const RecoveryReport& RocksLog::recovery() const { return impl_->report; }
void RocksLog::fail_next_append_for_test() { impl_->fail_next = true; }

Result<std::unique_ptr<LogCursor>> RocksLog::read(Seq from) const {
  const Seq end = impl_->durable.load(std::memory_order_acquire);
  auto cursor = RocksCursor::open(*impl_->store, from, end, false);
  if (!cursor) return fail(cursor.error());
  return std::unique_ptr<LogCursor>(std::move(*cursor));
}

Result<std::optional<Record>> RocksLog::find(Seq seq, std::string& storage) const {
  const Seq end = impl_->durable.load(std::memory_order_acquire);
  if (seq == 0 || seq >= end) return std::optional<Record>();
  auto cursor = RocksCursor::open(*impl_->store, seq, end, true);
  if (!cursor) return fail(cursor.error());
  Record record;
  const auto found = (*cursor)->next(record);
  if (!found) return fail(found.error());
  CHECK(*found && record.seq <= seq && seq < record.next_seq(), "found seq {} for {}", record.seq,
        seq);
  const std::size_t at = storage.size();
  storage += record.payload;
  record.payload = std::string_view(storage).substr(at);
  return std::optional<Record>(record);
}

Result<std::vector<Seq>> RocksLog::stream_records(std::string_view index_key, Seq from,
                                                  std::size_t limit) const {
  std::string lower = index_prefix(index_key);
  std::string upper = lower;
  upper.append(kSeqBytes, '\xFF');  // a seq that is never reached
  lower.resize(upper.size());
  put_be64(lower.data() + lower.size() - kSeqBytes, from);

  const Slice bound = slice(upper);
  rocksdb::ReadOptions how;
  how.iterate_upper_bound = &bound;
  const std::unique_ptr<rocksdb::Iterator> it(
      impl_->store->db().NewIterator(how, impl_->store->column(kIndex)));
  std::vector<Seq> seqs;
  for (it->Seek(slice(lower)); it->Valid() && seqs.size() < limit; it->Next()) {
    seqs.push_back(get_be64(it->key().data() + it->key().size() - kSeqBytes));
  }
  if (!it->status().ok()) return fail(store_error("read the stream index", it->status()).error());
  return seqs;
}

Result<std::optional<std::string>> RocksLog::idempotency(std::string_view key) const {
  if (key.empty()) return std::optional<std::string>();
  return impl_->store->get(kIdempotency, key);
}

Result<std::optional<std::string>> RocksLog::secret(std::string_view ref) const {
  if (ref.empty()) return std::optional<std::string>();
  return impl_->store->get(kSecrets, ref);
}

Result<std::vector<LogBatch::Put>> RocksLog::range(LogColumn column, std::string_view from,
                                                   std::string_view to, std::size_t limit) const {
  const Slice bound = slice(to);
  rocksdb::ReadOptions how;
  how.iterate_upper_bound = &bound;
  how.fill_cache = false;
  const Column where = column == LogColumn::Secrets ? kSecrets : kIdempotency;
  const std::unique_ptr<rocksdb::Iterator> it(
      impl_->store->db().NewIterator(how, impl_->store->column(where)));
  std::vector<LogBatch::Put> out;
  for (it->Seek(slice(from)); it->Valid() && out.size() < limit; it->Next()) {
    if (it->key().empty()) continue;  // the column's own
    out.push_back({std::string(view(it->key())), std::string(view(it->value()))});
  }
  if (!it->status().ok()) return fail(store_error("read a range", it->status()).error());
  return out;
}

std::uint64_t RocksLog::free_bytes() const {
  struct statvfs about {};
  if (::statvfs(impl_->dir.c_str(), &about) != 0) return 0;
  return static_cast<std::uint64_t>(about.f_bavail) * about.f_frsize;
}

StoreStats RocksLog::stats() const {
  rocksdb::DB& db = impl_->store->db();
  const auto sum = [&](const std::string& property) {
    std::uint64_t value = 0;
    return db.GetAggregatedIntProperty(property, &value) ? value : 0;
  };
  const auto one = [&](const std::string& property) {
    std::uint64_t value = 0;
    return db.GetIntProperty(property, &value) ? value : 0;
  };
  using Properties = rocksdb::DB::Properties;
  StoreStats stats;
  stats.tables_bytes = sum(Properties::kTotalSstFilesSize);
  stats.memtables_bytes = sum(Properties::kSizeAllMemTables);
  stats.table_readers_bytes = sum(Properties::kEstimateTableReadersMem);
  stats.block_cache_bytes = one(Properties::kBlockCacheUsage);  // all columns share one
  stats.pending_compaction_bytes = sum(Properties::kEstimatePendingCompactionBytes);
  stats.background_errors = one(Properties::kBackgroundErrors);
  const auto& counted = db.GetDBOptions().statistics;
  stats.cache_hits = counted->getTickerCount(rocksdb::BLOCK_CACHE_HIT);
  stats.cache_misses = counted->getTickerCount(rocksdb::BLOCK_CACHE_MISS);
  stats.stalled = std::chrono::microseconds(counted->getTickerCount(rocksdb::STALL_MICROS));
  return stats;
}

Status RocksLog::checkpoint(const fs::path& dir) const {
  if (auto ok = make_directories(dir); !ok) return ok;
  rocksdb::Checkpoint* made = nullptr;
  auto status = rocksdb::Checkpoint::Create(&impl_->store->db(), &made);
  const std::unique_ptr<rocksdb::Checkpoint> owned(made);
  if (status.ok()) status = made->CreateCheckpoint((dir / "store").string());
  if (!status.ok()) return store_error(fmt::format("checkpoint into {}", dir.string()), status);
  return sync_directory(dir);
}

Status RocksLog::verify_files() const {
  rocksdb::ReadOptions how;
  how.fill_cache = false;
  const auto status = impl_->store->db().VerifyChecksum(how);
  return status.ok() ? Status{} : store_error("verify the table files", status);
}

Status RocksLog::for_each_indexed(const IndexVisitor& visit) const {
  rocksdb::ReadOptions how;
  how.fill_cache = false;
  const std::unique_ptr<rocksdb::Iterator> it(
      impl_->store->db().NewIterator(how, impl_->store->column(kIndex)));
  for (it->SeekToFirst(); it->Valid(); it->Next()) {
    const std::string_view key = view(it->key());
    if (key.empty()) continue;
    if (key.size() <= kLengthBytes + kSeqBytes) {
      return fail(base::Errc::Internal, "the stream index holds a key that is too short");
    }
    const std::size_t seq_at = key.size() - kSeqBytes;
    visit(key.substr(kLengthBytes, seq_at - kLengthBytes), get_be64(key.data() + seq_at));
  }
  return it->status().ok() ? Status{} : store_error("read the stream index", it->status());
}

}  // namespace slipway::eventstore
