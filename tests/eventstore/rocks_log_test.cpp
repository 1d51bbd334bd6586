// What only a log on a disk can show: torn tails, damage, a second process, failing disks.
#include "eventstore/rocks_log.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>

#include <algorithm>
#include <map>

#include "eventstore/bytes.hpp"
#include "tests/eventstore/log_testing.hpp"

namespace slipway::eventstore {
namespace {

namespace fs = std::filesystem;

// One record of the store's own files; wal_scan.hpp draws it.
std::string manifest_record(std::string_view bytes) {
  const std::string covered = '\1' + std::string(bytes);
  const std::uint32_t crc = base::crc32c(covered);
  std::string out;
  append_le(out, ((crc >> 15U) | (crc << 17U)) + 0xA282EAD8U);
  append_le(out, static_cast<std::uint16_t>(bytes.size()));
  return out + covered;
}

class RocksLogTest : public testing::Test {
 protected:
  fs::path path() const { return dir_.path() / "log"; }
  fs::path store() const { return path() / "store"; }
  base::Result<std::unique_ptr<RocksLog>> try_open() const { return RocksLog::open(path()); }
  std::unique_ptr<RocksLog> open() const {
    auto log = try_open();
    EXPECT_TRUE(log) << log.error().message;
    return log ? std::move(*log) : nullptr;
  }
  // The log's files after `synced` appends and one more that nobody was told of: as a crash during
  // the sync leaves them, were all its bytes written.
  void leave_unacknowledged_append(int synced, const LogBatch& last) const {
    auto log = open();
    append_records(*log, synced, 1, {"stream"});
    const std::string before = slurp(path() / "witness");
    ASSERT_TRUE(log->append(last));
    log.reset();
    spit(path() / "witness", before);
  }
  std::vector<fs::path> files(std::string_view extension) const {
    std::vector<fs::path> found;
    for (const auto& entry : fs::directory_iterator(store())) {
      if (entry.path().extension() == extension) found.push_back(entry.path());
    }
    std::sort(found.begin(), found.end());
    return found;
  }
  fs::path newest_wal() const { return files(".log").back(); }
  using Contents = std::map<std::string, std::string>;
  Contents contents() const {
    Contents all;
    for (const auto& entry : fs::directory_iterator(store())) {
      const std::string name = entry.path().filename().string();
      if (name.starts_with("LOG")) continue;  // the store's own chatter
      all[name] = slurp(entry.path());
    }
    return all;
  }
  void restore(const Contents& all) const {
    fs::remove_all(store());
    fs::create_directory(store());
    for (const auto& [name, bytes] : all) spit(store() / name, bytes);
  }
  // The directory as it is now, put back as often as a test wants.
  struct Image {
    Contents store;
    std::string witness;
  };
  Image image() const { return {contents(), slurp(path() / "witness")}; }
  void put_back(const Image& image) const {
    restore(image.store);
    spit(path() / "witness", image.witness);
  }

  TempDir dir_;
};

TEST_F(RocksLogTest, G3_7_ASecondOpenerIsRefused) {
  const auto first = open();
  const auto second = try_open();
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, base::Errc::ResourceBusy);
  EXPECT_NE(second.error().message.find("locked by process"), std::string::npos);
}

TEST_F(RocksLogTest, ALogThatIsNotThereIsMadeOnlyIfWanted) {
  RocksLogOptions options;
  options.create_if_missing = false;
  const auto log = RocksLog::open(path(), options);
  ASSERT_FALSE(log);
  EXPECT_EQ(log.error().code, base::Errc::NotFound);
  EXPECT_TRUE(open()->recovery().created);
  EXPECT_FALSE(open()->recovery().created);
}

TEST_F(RocksLogTest, G3_4_ATornTailIsCutAtEveryByteAndItsLengthReported) {
  leave_unacknowledged_append(3, one_record(4));
  const Image whole = image();
  const fs::path wal = newest_wal();
  const std::string bytes = slurp(wal);
  // The last batch is the last fragment; a crash may keep any number of its bytes.
  std::size_t cuts = 0;
  for (std::size_t size = bytes.size() - 1;; --size) {
    put_back(whole);
    spit(wal, bytes.substr(0, size));
    const auto log = open();
    ASSERT_TRUE(log) << size;
    ASSERT_EQ(walk(*log).records, 3) << size;
    if (log->recovery().cuts.empty()) break;  // cut exactly between two batches
    ++cuts;
    EXPECT_EQ(log->recovery().cuts[0].file, wal.string());
    EXPECT_EQ(log->recovery().cuts[0].offset + log->recovery().cuts[0].bytes, size);
    append_records(*log, 1);
    EXPECT_EQ(walk(*log).records, 4);
  }
  EXPECT_GT(cuts, 100U);
}

TEST_F(RocksLogTest, G3_4_ZerosAfterTheLastBatchAreCut) {
  { append_records(*open(), 3); }
  for (const std::size_t zeros : {1U, 7U, 4096U, 100000U}) {
    const fs::path wal = newest_wal();
    spit(wal, slurp(wal) + std::string(zeros, '\0'));
    const auto log = open();
    ASSERT_TRUE(log);
    EXPECT_EQ(walk(*log).records, 3);
    ASSERT_EQ(log->recovery().cuts.size(), 1U);
    EXPECT_EQ(log->recovery().cuts[0].bytes, zeros);
  }
}

TEST_F(RocksLogTest, G3_4_ATornBatchOfManyBlocksIsCutWhateverPartsOfItWereWritten) {
  LogBatch big = one_record(4);
  for (Seq seq = 5; seq < 3000; ++seq) big.records.push_back({seq, 1, payload_of(seq), {"s"}});
  leave_unacknowledged_append(3, big);
  const Image whole = image();
  const fs::path wal = newest_wal();
  const std::string bytes = slurp(wal);
  ASSERT_GT(bytes.size(), 150000U);
  // Pages of the unsynced batch reach the disk in any order: each page lost on its own, the last
  // one kept.
  for (std::size_t page = 4096; page + 4096 < bytes.size(); page += 4096) {
    put_back(whole);
    std::string holed = bytes;
    holed.replace(page, 4096, std::string(4096, '\0'));
    spit(wal, holed);
    const auto log = open();
    ASSERT_TRUE(log) << page;
    ASSERT_EQ(walk(*log).records, 3) << page;
    ASSERT_EQ(log->recovery().cuts.size(), 1U);
  }
}

TEST_F(RocksLogTest, G3_4_TheLastBatchCutOffAfterItWasAcknowledgedIsRefused) {
  { append_records(*open(), 4); }
  const fs::path wal = newest_wal();
  const std::string bytes = slurp(wal);
  spit(wal, bytes.substr(0, bytes.size() - 1));
  const Contents before = contents();
  const auto log = try_open();
  ASSERT_FALSE(log);
  EXPECT_NE(log.error().message.find("acknowledged records are damaged"), std::string::npos)
      << log.error().message;
  EXPECT_NE(log.error().message.find(wal.string()), std::string::npos) << log.error().message;
  EXPECT_EQ(contents(), before) << "damaged files are left alone";
}

// The control for the one above: what the witness is for.
TEST_F(RocksLogTest, WithoutAWitnessAnAcknowledgedTailLooksTorn) {
  { append_records(*open(), 4); }
  const fs::path wal = newest_wal();
  const std::string bytes = slurp(wal);
  spit(wal, bytes.substr(0, bytes.size() - 1));
  fs::remove(path() / "witness");
  const auto log = open();
  ASSERT_TRUE(log);
  EXPECT_EQ(walk(*log).records, 3);
  EXPECT_EQ(log->recovery().warnings.size(), 1U);
}

TEST_F(RocksLogTest, G3_4_ABitFlippedAnywhereInTheWalIsRefusedWithFileAndOffset) {
  { append_records(*open(), 20, 1, {"stream"}); }
  const Image whole = image();
  const fs::path wal = newest_wal();
  const std::string bytes = slurp(wal);
  for (std::size_t at = 0; at < bytes.size(); at += 13) {
    put_back(whole);
    spit(wal, flipped(bytes, at, static_cast<int>(at % 8)));
    const Contents before = contents();
    const auto log = try_open();
    ASSERT_FALSE(log) << "flipped at " << at;
    EXPECT_NE(log.error().message.find(wal.string()), std::string::npos) << log.error().message;
    EXPECT_NE(log.error().message.find("offset"), std::string::npos) << log.error().message;
    EXPECT_EQ(contents(), before) << "damaged files are left alone";
  }
}

// RocksDB itself would drop the rest of the block here and open.
TEST_F(RocksLogTest, G3_4_AFlippedLengthDoesNotPassForATornTail) {
  { append_records(*open(), 20); }
  const fs::path wal = newest_wal();
  const std::string bytes = slurp(wal);
  const std::size_t first = bytes.find("{\"seq\":1}");
  ASSERT_NE(first, std::string::npos);
  // The length of the fragment that holds record 1 lies somewhere before it; make each byte huge.
  int refused = 0;
  for (std::size_t at = first - 150; at < first; ++at) {
    spit(wal, flipped(bytes, at, 7));
    refused += try_open() ? 0 : 1;
    ASSERT_FALSE(try_open()) << at;
  }
  EXPECT_EQ(refused, 150);
}

TEST_F(RocksLogTest, G3_4_AMissingWalIsRefused) {
  { append_records(*open(), 4); }
  fs::remove(newest_wal());
  EXPECT_FALSE(try_open());
}

// Recovery writes what the write-ahead log held into table files: opening twice gives some of each
// column.
TEST_F(RocksLogTest, G3_4_ABitFlippedInATableFileIsNeverServed) {
  { append_records(*open(), 300, 2, {"stream"}); }
  { open(); }
  const Image whole = image();
  const auto tables = files(".sst");
  ASSERT_GE(tables.size(), 2U);
  int found = 0, harmless = 0;
  for (const fs::path& table : tables) {
    const std::string bytes = slurp(table);
    for (std::size_t at = 5; at < bytes.size(); at += std::max<std::size_t>(bytes.size() / 40, 1)) {
      put_back(whole);
      spit(table, flipped(bytes, at, static_cast<int>(at % 8)));
      auto log = try_open();
      std::string error = log ? walk(**log).error : log.error().message;
      if (log && error.empty()) {
        EXPECT_EQ(walk(**log).records, 300) << table << " at " << at;
        const auto seqs = (*log)->stream_records("stream", 0, 1000);
        if (!seqs) error = seqs.error().message;
        if (seqs) {
          EXPECT_EQ(seqs->size(), 300U) << table << " at " << at;
        }
      }
      (error.empty() ? harmless : found) += 1;
      if (!error.empty()) {
        EXPECT_NE(error.find(table.filename().string()), std::string::npos) << error;
      }
    }
  }
  EXPECT_GT(found, harmless);
}

TEST_F(RocksLogTest, G3_4_AMissingTableFileIsRefused) {
  { append_records(*open(), 10, 1, {"stream"}); }
  { open(); }
  const Image whole = image();
  for (const fs::path& table : files(".sst")) {
    put_back(whole);
    fs::remove(table);
    const auto log = try_open();
    ASSERT_FALSE(log) << table;
    EXPECT_NE(log.error().message.find(table.stem().string()), std::string::npos)
        << log.error().message;
  }
}

TEST_F(RocksLogTest, G3_4_ABitFlippedInTheManifestIsDetectedOrHarmless) {
  { append_records(*open(), 10, 1, {"stream"}); }
  { append_records(*open(), 10, 1, {"stream"}); }
  const Image whole = image();
  std::string name = slurp(store() / "CURRENT");
  name.pop_back();
  const std::string bytes = slurp(store() / name);
  int refused = 0;
  for (std::size_t at = 0; at < bytes.size(); at += 7) {
    put_back(whole);
    spit(store() / name, flipped(bytes, at, static_cast<int>(at % 8)));
    const auto log = try_open();
    if (!log) {
      ++refused;
      continue;
    }
    EXPECT_EQ(walk(**log).records, 20) << at << walk(**log).error;
    EXPECT_EQ((*log)->stream_records("stream", 0, 100)->size(), 20U) << at;
  }
  EXPECT_GT(refused, 10);
}

// What a power cut in the making of the store leaves: a manifest that ends anywhere, no witness
// yet.
TEST_F(RocksLogTest, G3_4_AStoreWhoseMakingWasCutShortIsFinished) {
  { open(); }
  std::string manifest = slurp(store() / "CURRENT");
  manifest.pop_back();
  const std::string bytes = slurp(store() / manifest);
  const auto records = bytes.find("records");
  const auto secrets = bytes.find("secrets");
  ASSERT_LT(records, secrets);
  const std::string current = manifest + "\n";
  for (const bool zeros : {false, true}) {
    for (std::size_t size = records; size <= secrets; size += 5) {
      std::string torn = bytes.substr(0, size);
      // Then the next sector was never written.
      if (zeros) torn.resize((size / 512 + 2) * 512, '\0');
      fs::remove_all(path());
      fs::create_directories(store());
      spit(store() / manifest, torn);
      spit(store() / "CURRENT", current);
      const auto log = try_open();
      ASSERT_TRUE(log) << size << zeros << log.error().message;
      append_records(**log, 1);
    }
  }
}

// What one in the middle of a change of the manifest leaves: some of its bytes, or zeros for
// sectors.
TEST_F(RocksLogTest, G3_4_ATornTailOfTheManifestIsCut) {
  { append_records(*open(), 3, 1, {"stream"}); }
  const Image whole = image();
  std::string manifest = slurp(store() / "CURRENT");
  manifest.pop_back();
  const std::string bytes = slurp(store() / manifest);
  const std::string next = manifest_record(std::string(1200, 'x'));
  for (std::size_t kept = 1; kept < next.size() - 512; kept += 13) {
    for (const bool zeros : {false, true}) {
      put_back(whole);
      std::string torn = next.substr(0, kept);
      if (zeros) torn.resize(next.size(), '\0');
      spit(store() / manifest, bytes + torn);
      const auto log = try_open();
      ASSERT_TRUE(log) << kept << zeros << log.error().message;
      ASSERT_EQ(walk(**log).records, 3) << kept;
    }
  }
}

TEST_F(RocksLogTest, G3_4_AManifestThatLacksASectorIsLeftAloneIfRecordsWouldBeMissing) {
  { append_records(*open(), 3, 1, {"stream"}); }
  std::string manifest = slurp(store() / "CURRENT");
  manifest.pop_back();
  const std::string torn = slurp(store() / manifest) + std::string(600, '\0');
  spit(store() / manifest, torn);
  fs::resize_file(newest_wal(), 0);
  EXPECT_FALSE(try_open());
  EXPECT_EQ(slurp(store() / manifest), torn);
}

TEST_F(RocksLogTest, G3_4_ALogIsNeverMadeAnewOverOneThatLostItsManifest) {
  { append_records(*open(), 10); }
  fs::remove(store() / "CURRENT");
  const auto log = try_open();
  ASSERT_FALSE(log);
  EXPECT_NE(log.error().message.find("CURRENT"), std::string::npos);
}

TEST_F(RocksLogTest, G3_3_TheFilesOfAnotherLogAreRefused) {
  { append_records(*open(), 4); }
  const std::string other = slurp(path() / "witness");
  fs::remove_all(path());
  {
    LogBatch batch;
    batch.records.push_back({1, 4, "{\"other\":true}", {}});
    auto log = open();
    for (int i = 0; i < 4; ++i) {
      ASSERT_TRUE(log->append(batch));
      batch.records[0].seq += 4;
    }
  }
  spit(path() / "witness", other);
  const auto log = try_open();
  ASSERT_FALSE(log);
  EXPECT_NE(log.error().message.find("another log"), std::string::npos) << log.error().message;
}

TEST_F(RocksLogTest, ADamagedWitnessIsReplaced) {
  { append_records(*open(), 4); }
  const std::string witness = slurp(path() / "witness");
  spit(path() / "witness", std::string(witness.size(), 'x'));
  EXPECT_EQ(open()->recovery().warnings.size(), 1U);
  EXPECT_TRUE(open()->recovery().warnings.empty());
}

TEST_F(RocksLogTest, ATornWitnessLeavesTheSlotBefore) {
  { append_records(*open(), 4); }
  std::string witness = slurp(path() / "witness");
  spit(path() / "witness", witness.substr(0, 64));
  EXPECT_TRUE(open()->recovery().warnings.empty());
}

// A disk that stops taking bytes, here by the limit on a file's size. RocksDB may end the process
// in such a case (its assertions are on); whichever it does, nothing acknowledged is lost.
TEST_F(RocksLogTest, G3_5_WhenTheDiskRefusesNothingAcknowledgedIsLost) {
  testing::GTEST_FLAG(death_test_style) = "threadsafe";
  const fs::path where = temp_root() / "slipway-log-refusing-disk";
  const auto until_refused = [&] {
    fs::remove_all(where);
    auto log = RocksLog::open(where);
    if (!log) std::exit(3);
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{100000, 100000};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    for (;;) {
      const Seq seq = (*log)->head().next_seq;
      if (!(*log)->append(one_record(seq))) {
        ::_exit((*log)->append(one_record(seq)) ? 4 : 0);
      }
      std::ofstream(where / "acknowledged") << seq;
    }
  };
  const auto errored_or_aborted = [](int status) {
    return (WIFEXITED(status) && WEXITSTATUS(status) == 0) || WIFSIGNALED(status);
  };
  EXPECT_EXIT(until_refused(), errored_or_aborted, "");
  const Seq acknowledged = std::stoull("0" + slurp(where / "acknowledged"));
  ASSERT_GT(acknowledged, 100U);
  const auto log = RocksLog::open(where);
  ASSERT_TRUE(log) << log.error().message;
  EXPECT_GE(walk(**log).next_seq, acknowledged + 1);
  EXPECT_EQ(walk(**log).error, "");
  fs::remove_all(where);
}

TEST_F(RocksLogTest, G1_1_AKilledProcessLosesNothingAcknowledged) {
  testing::GTEST_FLAG(death_test_style) = "threadsafe";
  const fs::path where = temp_root() / "slipway-log-killed";
  const auto until_killed = [&] {
    fs::remove_all(where);
    auto log = RocksLog::open(where);
    if (!log) std::exit(3);
    append_records(**log, 500, 1, {"stream"});
    ::raise(SIGKILL);
  };
  EXPECT_EXIT(until_killed(), testing::KilledBySignal(SIGKILL), "");
  const auto log = RocksLog::open(where);
  ASSERT_TRUE(log) << log.error().message;
  EXPECT_EQ(walk(**log).records, 500);
  EXPECT_TRUE((*log)->recovery().cuts.empty());
  fs::remove_all(where);
}

}  // namespace
}  // namespace slipway::eventstore
