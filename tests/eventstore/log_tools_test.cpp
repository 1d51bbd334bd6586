#include "eventstore/log_tools.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "eventstore/memory_log.hpp"
#include "tests/eventstore/log_testing.hpp"

namespace slipway::eventstore {
namespace {

namespace fs = std::filesystem;

class LogToolsTest : public testing::Test {
 protected:
  std::unique_ptr<RocksLog> open(const std::string& name) const {
    auto log = RocksLog::open(dir_.path() / name);
    EXPECT_TRUE(log) << log.error().message;
    return log ? std::move(*log) : nullptr;
  }
  TempDir dir_;
};

TEST_F(LogToolsTest, VerifyCountsAndReachesTheHead) {
  const auto log = open("log");
  append_records(*log, 10, 3, {"a", "b"});
  const VerifyReport report = verify(*log);
  EXPECT_TRUE(report.complete);
  EXPECT_EQ(report.damage, std::nullopt);
  EXPECT_EQ(report.records, 10U);
  EXPECT_EQ(report.events, 30U);
  EXPECT_EQ(report.index_entries, 20U);
  EXPECT_EQ(report.next_seq, 31U);
  EXPECT_EQ(report.hash, log->head().hash);
}

TEST_F(LogToolsTest, G3_3_VerifyStopsAtTheFirstDamage) {
  MemoryLog log;
  append_records(log, 10);
  log.damage_for_test(7, 60);
  const VerifyReport report = verify(log);
  EXPECT_FALSE(report.complete);
  EXPECT_EQ(report.records, 6U);
  ASSERT_TRUE(report.damage);
  EXPECT_NE(report.damage->find("seq 7"), std::string::npos);
}

TEST_F(LogToolsTest, VerifyCanBeStopped) {
  const auto log = open("log");
  append_records(*log, 2);
  std::stop_source source;
  source.request_stop();
  VerifyOptions options;
  options.stop = source.get_token();
  EXPECT_FALSE(verify(*log, options).complete);
}

TEST_F(LogToolsTest, G3_12_ABackupHoldsWhatTheLogHeldAndRestores) {
  auto log = open("log");
  append_records(*log, 10, 2, {"stream"});
  LogBatch batch;
  batch.idempotency = {{"key", "answer"}};
  batch.secrets = {{"ref", "sealed"}};
  ASSERT_TRUE(log->append(batch));

  const auto made = backup(*log, dir_.path() / "backup");
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_EQ(made->next_seq, 21U);
  EXPECT_EQ(made->hash, base::hex(log->head().hash));
  EXPECT_EQ(made->log_id, log->head().log_id);
  append_records(*log, 5);  // after the backup: not in it

  const auto restored = restore(dir_.path() / "backup", dir_.path() / "new" / "log");
  ASSERT_TRUE(restored) << restored.error().message;
  const auto copy = open("new/log");
  EXPECT_EQ(copy->head().next_seq, 21U);
  EXPECT_EQ(walk(*copy).records, 10);
  EXPECT_EQ(copy->stream_records("stream", 0, 100)->size(), 10U);
  EXPECT_EQ(*copy->idempotency("key"), "answer");
  EXPECT_EQ(*copy->secret("ref"), "sealed");
  append_records(*copy, 1);
  EXPECT_EQ(walk(*log).records, 15) << "the original is untouched";
}

TEST_F(LogToolsTest, G3_12_ABackupWhileAppendsGoOnIsAPrefix) {
  const auto log = open("log");
  append_records(*log, 100, 1, {"stream"});
  std::atomic<bool> done = false;
  std::thread backups([&] {
    for (int i = 0; i < 5; ++i) {
      const auto made = backup(*log, dir_.path() / ("backup" + std::to_string(i)));
      EXPECT_TRUE(made) << made.error().message;
    }
    done = true;
  });
  int appended = 100;
  for (; !done; ++appended) append_records(*log, 1, 1, {"stream"});
  backups.join();
  Seq last = 100;
  for (int i = 0; i < 5; ++i) {
    const auto copy = open("backup" + std::to_string(i));
    EXPECT_GE(copy->head().next_seq, last);
    last = copy->head().next_seq;
    EXPECT_EQ(walk(*copy).next_seq, last);
    EXPECT_EQ(copy->stream_records("stream", 0, 1U << 30U)->size(), last - 1);
  }
  EXPECT_EQ(walk(*log).records, appended);
}

TEST_F(LogToolsTest, G3_12_ADamagedBackupIsNotRestored) {
  { append_records(*open("log"), 50); }
  { ASSERT_TRUE(backup(*open("log"), dir_.path() / "backup")); }
  for (const auto& entry : fs::directory_iterator(dir_.path() / "backup" / "store")) {
    if (entry.path().extension() != ".sst") continue;
    const std::string bytes = slurp(entry.path());
    fs::remove(entry.path());  // it is a hard link
    spit(entry.path(), flipped(bytes, 20));
  }
  EXPECT_FALSE(restore(dir_.path() / "backup", dir_.path() / "new"));
  EXPECT_FALSE(fs::exists(dir_.path() / "new"));
  EXPECT_FALSE(fs::exists(dir_.path() / "new.restoring"));
}

TEST_F(LogToolsTest, NothingIsOverwritten) {
  const auto log = open("log");
  ASSERT_TRUE(backup(*log, dir_.path() / "backup"));
  EXPECT_EQ(backup(*log, dir_.path() / "backup").error().code, base::Errc::InvalidArgument);
  EXPECT_EQ(restore(dir_.path() / "backup", dir_.path() / "log").error().code,
            base::Errc::InvalidArgument);
  EXPECT_EQ(restore(dir_.path() / "log", dir_.path() / "new").error().code, base::Errc::NotFound);
}

}  // namespace
}  // namespace slipway::eventstore
