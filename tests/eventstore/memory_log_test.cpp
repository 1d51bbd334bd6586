#include "eventstore/memory_log.hpp"

#include <gtest/gtest.h>

#include "tests/eventstore/log_testing.hpp"

namespace slipway::eventstore {
namespace {

TEST(MemoryLog, ATornAppendIsCutByTheCrash) {
  MemoryLog log;
  append_records(log, 1);
  log.fault_next(MemoryLog::Fault::Torn);
  EXPECT_FALSE(log.append(one_record(2)));
  log.crash();
  EXPECT_EQ(log.torn_cuts(), 1U);
  EXPECT_EQ(walk(log).records, 1);
}

TEST(MemoryLog, AnAppendWhoseAnswerIsLostIsThereAfterTheCrash) {
  MemoryLog log;
  append_records(log, 1);
  log.fault_next(MemoryLog::Fault::AnswerLost);
  EXPECT_FALSE(log.append(one_record(2)));
  EXPECT_EQ(walk(log).records, 1) << "not to be seen before the restart";
  log.crash();
  EXPECT_EQ(walk(log).records, 2);
  EXPECT_EQ(log.head().next_seq, 3U);
}

TEST(MemoryLog, ACrashLosesWhatWasNotSynced) {
  MemoryLog log;
  append_records(log, 1);
  log.skip_syncs_for_test();
  append_records(log, 2);
  EXPECT_EQ(walk(log).records, 3);
  log.crash();
  EXPECT_EQ(walk(log).records, 1);
}

TEST(MemoryLog, G3_3_DamageToAnyByteOfARecordIsFoundOnRead) {
  MemoryLog log;
  append_records(log, 3);
  for (std::size_t byte = 0; byte < 56 + payload_of(2).size(); ++byte) {
    log.damage_for_test(2, byte);
    EXPECT_NE(walk(log).error.find("damaged at seq 2"), std::string::npos) << byte;
    log.damage_for_test(2, byte);
  }
  EXPECT_EQ(walk(log).error, "");
}

}  // namespace
}  // namespace slipway::eventstore
