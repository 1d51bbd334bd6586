#include "eventstore/record_codec.hpp"

#include <gtest/gtest.h>

#include "tests/eventstore/log_testing.hpp"

namespace slipway::eventstore {
namespace {

std::string encoded(const base::Digest& previous, Seq seq, std::uint32_t events,
                    std::string_view payload) {
  const RecordHeader header = encode_header(previous, seq, events, payload);
  return std::string(header.data(), header.size()).append(payload);
}

constexpr std::string_view kPayload = R"({"seq":42,"events":[{"type":"TaskQueued"}]})";

base::Digest previous_of_the_golden() { return base::blake2b("the record before"); }

TEST(RecordCodec, DecodesWhatItEncoded) {
  const std::string bytes = encoded({}, 42, 3, kPayload);
  const auto record = decode_record(bytes);
  ASSERT_TRUE(record) << record.error().message;
  EXPECT_EQ(record->seq, 42U);
  EXPECT_EQ(record->event_count, 3U);
  EXPECT_EQ(record->next_seq(), 45U);
  EXPECT_EQ(record->payload, kPayload);
  EXPECT_TRUE(follows({}, bytes, *record));
}

TEST(RecordCodec, AnEmptyPayloadIsARecord) { EXPECT_TRUE(decode_record(encoded({}, 1, 1, ""))); }

TEST(RecordCodec, G3_3_EveryFlippedBitIsFound) {
  const std::string bytes = encoded({}, 42, 3, kPayload);
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      EXPECT_FALSE(decode_record(flipped(bytes, at, bit))) << at << ":" << bit;
    }
  }
}

TEST(RecordCodec, EveryOtherLengthIsRefused) {
  const std::string bytes = encoded({}, 42, 3, kPayload);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(decode_record(std::string_view(bytes).substr(0, size))) << size;
  }
  EXPECT_FALSE(decode_record(bytes + '\0'));
}

TEST(RecordCodec, G3_3_ARecordFollowsOnlyTheOneItWasChainedTo) {
  const std::string first = encoded({}, 1, 1, "first");
  const auto one = decode_record(first);
  const std::string second = encoded(one->hash, 2, 1, "second");
  const auto two = decode_record(second);
  EXPECT_TRUE(follows(one->hash, second, *two));
  EXPECT_FALSE(follows({}, second, *two));
  EXPECT_FALSE(follows(two->hash, second, *two));
  // An edited record with a checksum made anew: only the chain tells.
  const std::string edited = encoded(one->hash, 1, 1, "edited");
  EXPECT_FALSE(follows({}, edited, *decode_record(edited)));
}

// Reading these bytes is promised for ever: never edit the file; a new layout adds another.
TEST(RecordCodec, G3_8_TheGoldenRecordIsStillReadAndWritten) {
  const std::string golden = slurp(SLIPWAY_SOURCE_DIR "/tests/golden/record/format-1.bin");
  const auto record = decode_record(golden);
  ASSERT_TRUE(record) << record.error().message;
  EXPECT_EQ(record->seq, 42U);
  EXPECT_EQ(record->event_count, 3U);
  EXPECT_EQ(record->payload, kPayload);
  EXPECT_TRUE(follows(previous_of_the_golden(), golden, *record));
  EXPECT_EQ(base::hex(record->hash).substr(0, 16), "d26d648aa93dfc3f");
  EXPECT_EQ(encoded(previous_of_the_golden(), 42, 3, kPayload), golden);
}

}  // namespace
}  // namespace slipway::eventstore
