// What every EventLog promises; run on each.
#include <gtest/gtest.h>

#include <functional>

#include "core/base/uuid.hpp"
#include "eventstore/memory_log.hpp"
#include "eventstore/rocks_log.hpp"
#include "tests/eventstore/log_testing.hpp"

namespace slipway::eventstore {
namespace {

// Owns a log that can be closed and opened again.
struct RocksHarness {
  TempDir dir;
  std::unique_ptr<RocksLog> log;
  RocksHarness() { reopen(); }
  EventLog& get() { return *log; }
  void reopen() {
    log.reset();
    auto opened = RocksLog::open(dir.path() / "log");
    ASSERT_TRUE(opened) << opened.error().message;
    log = std::move(*opened);
  }
  void fail_next() { log->fail_next_append_for_test(); }
};

struct MemoryHarness {
  MemoryLog log;
  EventLog& get() { return log; }
  void reopen() { log.crash(); }
  void fail_next() { log.fault_next(MemoryLog::Fault::FailBefore); }
};

template <class Harness>
class EventLogContract : public testing::Test {
 protected:
  Harness harness_;
  EventLog& log() { return harness_.get(); }
};
using Logs = testing::Types<MemoryHarness, RocksHarness>;
TYPED_TEST_SUITE(EventLogContract, Logs);

TYPED_TEST(EventLogContract, ANewLogIsEmptyAndHasAnIdentity) {
  const LogHead& head = this->log().head();
  EXPECT_EQ(head.log_id.size(), base::kUuidTextSize);
  EXPECT_EQ(head.epoch, 1U);
  EXPECT_EQ(head.next_seq, 1U);
  EXPECT_EQ(head.hash, base::Digest{});
  EXPECT_EQ(walk(this->log()).records, 0);
  EXPECT_GT(this->log().free_bytes(), 0U);
}

TYPED_TEST(EventLogContract, ReadsBackWhatWasAppendedInOrder) {
  append_records(this->log(), 5, 3);
  const Walk all = walk(this->log());
  EXPECT_EQ(all.error, "");
  EXPECT_EQ(all.records, 5);
  EXPECT_EQ(all.next_seq, 16U);
  EXPECT_EQ(this->log().head().next_seq, 16U);
}

TYPED_TEST(EventLogContract, OneBatchMayHoldManyRecords) {
  LogBatch batch = one_record(1, 2);
  batch.records.push_back({3, 1, payload_of(3), {}});
  ASSERT_TRUE(this->log().append(batch));
  EXPECT_EQ(walk(this->log()).next_seq, 4U);
}

TYPED_TEST(EventLogContract, G3_2_AGapOrARepeatEndsTheProcess) {
  testing::GTEST_FLAG(death_test_style) = "threadsafe";  // the store has threads
  append_records(this->log(), 1);
  EXPECT_DEATH((void)this->log().append(one_record(3)), "does not follow");
  EXPECT_DEATH((void)this->log().append(one_record(1)), "does not follow");
  EXPECT_DEATH((void)this->log().append(one_record(2, 0)), "has no event");
}

TYPED_TEST(EventLogContract, ReadStartsAtTheRecordThatHoldsTheSeq) {
  append_records(this->log(), 4, 3);  // records at 1, 4, 7, 10
  EXPECT_EQ(walk(this->log(), 0).records, 4);
  EXPECT_EQ(walk(this->log(), 1).records, 4);
  EXPECT_EQ(walk(this->log(), 6).records, 3);
  EXPECT_EQ(walk(this->log(), 7).records, 2);
  EXPECT_EQ(walk(this->log(), 12).records, 1);
  EXPECT_EQ(walk(this->log(), 13).records, 0);
  EXPECT_EQ(walk(this->log(), 1000).records, 0);
}

TYPED_TEST(EventLogContract, FindsTheRecordThatHoldsAnEvent) {
  append_records(this->log(), 3, 3);
  std::string storage = "kept";
  const auto found = this->log().find(5, storage);
  ASSERT_TRUE(found && *found);
  EXPECT_EQ((*found)->seq, 4U);
  EXPECT_EQ((*found)->payload, payload_of(4));
  EXPECT_EQ(storage, "kept" + payload_of(4));
  EXPECT_FALSE(*this->log().find(0, storage));
  EXPECT_FALSE(*this->log().find(10, storage));
}

TYPED_TEST(EventLogContract, G3_3_TheHashOfTheHeadIsThatOfTheLastRecord) {
  append_records(this->log(), 3);
  std::string storage;
  EXPECT_EQ((*this->log().find(3, storage))->hash, this->log().head().hash);
}

TYPED_TEST(EventLogContract, ListsTheRecordsOfAStreamOldestFirst) {
  append_records(this->log(), 2, 2, {"a", "b"});
  append_records(this->log(), 2, 2, {"a"});
  using Seqs = std::vector<Seq>;
  EXPECT_EQ(*this->log().stream_records("a", 0, 10), (Seqs{1, 3, 5, 7}));
  EXPECT_EQ(*this->log().stream_records("a", 4, 10), (Seqs{5, 7}));
  EXPECT_EQ(*this->log().stream_records("a", 3, 2), (Seqs{3, 5}));
  EXPECT_EQ(*this->log().stream_records("b", 0, 10), (Seqs{1, 3}));
  EXPECT_EQ(*this->log().stream_records("c", 0, 10), Seqs{});
}

TYPED_TEST(EventLogContract, AStreamWhoseNameBeginsWithAnothersIsAnother) {
  const std::string uuid(17, '\0');
  append_records(this->log(), 1, 1, {"f", std::string("f\0\0\0\0\0\0\0\1", 9), uuid});
  append_records(this->log(), 1, 1, {"fa", std::string(16, '\0'), std::string(25, '\0')});
  using Seqs = std::vector<Seq>;
  EXPECT_EQ(*this->log().stream_records("f", 0, 10), Seqs{1});
  EXPECT_EQ(*this->log().stream_records("fa", 0, 10), Seqs{2});
  EXPECT_EQ(*this->log().stream_records(uuid, 0, 10), Seqs{1});
  EXPECT_EQ(*this->log().stream_records(std::string(16, '\0'), 0, 10), Seqs{2});
}

TYPED_TEST(EventLogContract, RemembersAndForgetsIdempotencyKeys) {
  LogBatch batch;
  batch.idempotency = {{"key", "answer"}, {std::string("\0k", 2), ""}};
  ASSERT_TRUE(this->log().append(batch));
  EXPECT_EQ(*this->log().idempotency("key"), "answer");
  EXPECT_EQ(*this->log().idempotency(std::string("\0k", 2)), "");
  EXPECT_EQ(*this->log().idempotency("other"), std::nullopt);
  EXPECT_EQ(*this->log().idempotency(""), std::nullopt);
  batch.clear();
  batch.forgotten_idempotency = {"key"};
  ASSERT_TRUE(this->log().append(batch));
  EXPECT_EQ(*this->log().idempotency("key"), std::nullopt);
}

TYPED_TEST(EventLogContract, KeepsAndDeletesSecrets) {
  LogBatch batch;
  batch.secrets = {{"ref", std::string("sealed\0", 7)}};
  ASSERT_TRUE(this->log().append(batch));
  EXPECT_EQ(*this->log().secret("ref"), std::string("sealed\0", 7));
  batch.clear();
  batch.deleted_secrets = {"ref"};
  ASSERT_TRUE(this->log().append(batch));
  EXPECT_EQ(*this->log().secret("ref"), std::nullopt);
}

TYPED_TEST(EventLogContract, ReadsARangeOfKeysInTheOrderOfTheirBytes) {
  LogBatch batch;
  batch.idempotency = {{"b", "2"}, {"c", "3"}, {std::string("\0z", 2), "0"}, {"\xFF", "9"}};
  batch.secrets = {{"b", "secret"}};
  ASSERT_TRUE(this->log().append(batch));
  const auto keys = [&](LogColumn column, std::string_view from, std::string_view to,
                        std::size_t limit = 10) {
    std::string out;
    const auto entries = this->log().range(column, from, to, limit);
    for (const auto& entry : *entries) out += entry.value;
    return out;
  };
  EXPECT_EQ(keys(LogColumn::Idempotency, "", "\xFF"), "023") << "`to` is not in it";
  EXPECT_EQ(keys(LogColumn::Idempotency, "b", "c"), "2");
  EXPECT_EQ(keys(LogColumn::Idempotency, "bb", "\xFF"), "3");
  EXPECT_EQ(keys(LogColumn::Idempotency, "", "\xFF", 2), "02");
  EXPECT_EQ(keys(LogColumn::Idempotency, "d", "e"), "");
  EXPECT_EQ(keys(LogColumn::Secrets, "", "\xFF"), "secret");
}

TYPED_TEST(EventLogContract, AKeyForgottenAndPutInOneBatchIsThere) {
  LogBatch batch;
  batch.idempotency = {{"key", "new"}};
  batch.forgotten_idempotency = {"key"};
  ASSERT_TRUE(this->log().append(batch));
  EXPECT_EQ(*this->log().idempotency("key"), "new");
}

TYPED_TEST(EventLogContract, ACursorSeesThePrefixThatWasDurableWhenItWasMade) {
  append_records(this->log(), 2);
  auto cursor = this->log().read(1);
  ASSERT_TRUE(cursor);
  append_records(this->log(), 2);
  Record record;
  ASSERT_TRUE(*(*cursor)->next(record));
  ASSERT_TRUE(*(*cursor)->next(record));
  EXPECT_EQ(record.seq, 2U);
  EXPECT_FALSE(*(*cursor)->next(record));
  EXPECT_FALSE(*(*cursor)->next(record)) << "the end stays the end";
}

TYPED_TEST(EventLogContract, G1_1_EverythingIsThereAfterReopening) {
  LogBatch batch = one_record(1, 2, {"a"});
  batch.idempotency = {{"key", "answer"}};
  batch.secrets = {{"ref", "sealed"}};
  ASSERT_TRUE(this->log().append(batch));
  append_records(this->log(), 3, 1, {"a"});
  const LogHead before = this->log().head();

  this->harness_.reopen();
  const LogHead& after = this->log().head();
  EXPECT_EQ(after.log_id, before.log_id);
  EXPECT_EQ(after.next_seq, before.next_seq);
  EXPECT_EQ(after.hash, before.hash);
  EXPECT_EQ(walk(this->log()).records, 4);
  EXPECT_EQ((*this->log().stream_records("a", 0, 10)).size(), 4U);
  EXPECT_EQ(*this->log().idempotency("key"), "answer");
  EXPECT_EQ(*this->log().secret("ref"), "sealed");
  append_records(this->log(), 1);
  EXPECT_EQ(walk(this->log()).records, 5);
}

TYPED_TEST(EventLogContract, G3_5_AfterAFailedAppendEveryLaterOneFails) {
  append_records(this->log(), 1);
  this->harness_.fail_next();
  const auto failed = this->log().append(one_record(2));
  ASSERT_FALSE(failed);
  const auto again = this->log().append(one_record(2));
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().message, failed.error().message);
  EXPECT_EQ(this->log().head().next_seq, 2U);
  EXPECT_EQ(walk(this->log()).records, 1) << "reads go on";

  this->harness_.reopen();
  append_records(this->log(), 1);
  EXPECT_EQ(walk(this->log()).records, 2);
}

TYPED_TEST(EventLogContract, AnEmptyBatchChangesNothing) {
  const LogHead before = this->log().head();
  ASSERT_TRUE(this->log().append(LogBatch()));
  EXPECT_EQ(this->log().head().next_seq, before.next_seq);
}

}  // namespace
}  // namespace slipway::eventstore
