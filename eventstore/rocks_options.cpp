#include "eventstore/rocks_options.hpp"

#include <rocksdb/cache.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/slice_transform.h>
#include <rocksdb/statistics.h>
#include <rocksdb/table.h>

#include <algorithm>

namespace slipway::eventstore {
namespace {

constexpr std::uint64_t kMiB = 1U << 20U;
constexpr std::size_t kIndexKindBytes = 3;  // length of the index key, kind of stream
constexpr double kBloomBitsPerKey = 10;     // one false answer in a hundred

rocksdb::BlockBasedTableOptions table(const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = cache;
  table.format_version = 5;
  table.block_size = 16 * 1024;
  // Index and filters are in parts and in the cache: memory stays bounded however long the log is.
  table.index_type = rocksdb::BlockBasedTableOptions::kTwoLevelIndexSearch;
  table.partition_filters = true;
  table.cache_index_and_filter_blocks = true;
  table.cache_index_and_filter_blocks_with_high_priority = true;
  table.pin_top_level_index_and_filter = true;
  return table;
}

rocksdb::ColumnFamilyOptions column(const RocksLogOptions& options, std::uint64_t memtable_bytes,
                                    const rocksdb::BlockBasedTableOptions& table) {
  rocksdb::ColumnFamilyOptions column;
  column.compression = rocksdb::kLZ4Compression;
  column.write_buffer_size = memtable_bytes;
  // Room to go on while the disk is busy with a flush.
  column.max_write_buffer_number = 4;
  column.level0_file_num_compaction_trigger = 4;
  column.level0_slowdown_writes_trigger = 40;
  column.level0_stop_writes_trigger = 60;
  column.max_bytes_for_level_base = 128 * kMiB;
  column.target_file_size_base = 32 * kMiB;
  column.disable_auto_compactions = !options.compact_in_background;
  column.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return column;
}

}  // namespace

rocksdb::DBOptions db_options(const RocksLogOptions& options, RocksStore::Mode mode) {
  rocksdb::DBOptions db;
  db.create_if_missing = mode == RocksStore::Mode::ReadWrite;
  db.create_missing_column_families = mode == RocksStore::Mode::ReadWrite;

  // Stricter than what a crash leaves: the torn tail has been cut before the store sees the file
  // (wal_scan.hpp), so whatever the store still finds wrong is damage.
  db.wal_recovery_mode = mode == RocksStore::Mode::ReadWrite
                             ? rocksdb::WALRecoveryMode::kAbsoluteConsistency
                             : rocksdb::WALRecoveryMode::kPointInTimeRecovery;
  db.recycle_log_file_num = 0;  // old bytes in a new file would look like batches
  db.track_and_verify_wals_in_manifest = true;
  db.paranoid_checks = true;
  db.verify_sst_unique_id_in_manifest = true;
  db.skip_stats_update_on_db_open = true;
  // Records sink without being merged, so a long log has thousands of table files. All are looked
  // for at open and their sizes checked, but only some are held open.
  db.max_open_files = 512;
  db.max_total_wal_size = options.max_wal_bytes;

  db.manual_wal_flush = !options.sync;

  // One thread writes.
  db.allow_concurrent_memtable_write = false;
  db.enable_write_thread_adaptive_yield = false;
  db.max_background_jobs = 2;
  db.bytes_per_sync = kMiB;  // table files reach the disk in small steps, beside the log's syncs
  // Counts only: no histograms, no clock readings.
  db.statistics = rocksdb::CreateDBStatistics();
  db.statistics->set_stats_level(rocksdb::kExceptHistogramOrTimers);
  // An idle server does nothing.
  db.stats_dump_period_sec = 0;
  db.stats_persist_period_sec = 0;
  db.info_log_level = rocksdb::WARN_LEVEL;
  db.keep_log_file_num = 4;
  db.max_log_file_size = 4 * kMiB;
  return db;
}

std::vector<rocksdb::ColumnFamilyDescriptor> columns(const RocksLogOptions& options) {
  const auto cache = rocksdb::NewLRUCache(options.block_cache_bytes);
  const auto plain = table(cache);
  auto filtered = plain;
  filtered.filter_policy.reset(rocksdb::NewBloomFilterPolicy(kBloomBitsPerKey));

  // Records come in key order: files of level 0 never overlap and sink without being rewritten.
  auto records = column(options, options.memtable_bytes, plain);
  auto index = column(options, options.memtable_bytes, plain);
  // Streams are mostly UUIDs in order of time, so a key goes in near the last of its kind:
  // searching from there takes a third off an append. (A hash table of lists takes off more, but
  // gives all of it back in the flush: measured and rejected.)
  index.memtable_insert_with_hint_prefix_extractor.reset(
      rocksdb::NewFixedPrefixTransform(kIndexKindBytes));
  // Nearly every look-up is for a key that is not there; the filters answer it, the memtable's too.
  auto idempotency = column(options, options.memtable_bytes / 2, filtered);
  idempotency.memtable_whole_key_filtering = true;
  idempotency.memtable_prefix_bloom_size_ratio = 0.02;
  const auto secrets = column(options, 4 * kMiB, filtered);
  const auto meta = column(options, kMiB, plain);
  return {{rocksdb::kDefaultColumnFamilyName, meta},
          {"records", records},
          {"stream_index", index},
          {"idempotency", idempotency},
          {"secrets", secrets}};
}

}  // namespace slipway::eventstore
