#include "eventstore/wal_scan.hpp"

#include <gtest/gtest.h>

#include "eventstore/bytes.hpp"
#include "tests/eventstore/log_testing.hpp"

namespace slipway::eventstore {
namespace {

std::string fragment(int type, std::string_view bytes) {
  std::string covered(1, static_cast<char>(type));
  covered += bytes;
  const std::uint32_t crc = base::crc32c(covered);
  std::string out;
  append_le(out, ((crc >> 15U) | (crc << 17U)) + 0xA282EAD8U);
  append_le(out, static_cast<std::uint16_t>(bytes.size()));
  return out + covered;
}
constexpr int kWhole = 1, kFirst = 2, kMiddle = 3, kLast = 4;

TEST(WalScan, AWholeFileIsWhole) {
  const std::string file = fragment(kWhole, "one") + fragment(kFirst, "two") +
                           fragment(kMiddle, "two") + fragment(kLast, "two");
  const WalScan scan = scan_wal(file);
  EXPECT_EQ(scan.batches, 2U);
  EXPECT_EQ(scan.whole_bytes, file.size());
  EXPECT_FALSE(scan.torn());
  EXPECT_FALSE(scan_wal("").torn());
}

TEST(WalScan, ABatchWithoutItsEndIsTorn) {
  const std::string one = fragment(kWhole, "one");
  const WalScan scan = scan_wal(one + fragment(kFirst, "two") + fragment(kMiddle, "two"));
  EXPECT_TRUE(scan.torn());
  EXPECT_EQ(scan.whole_bytes, one.size());
}

TEST(WalScan, ALaterPartOfTheTornBatchItselfIsNoDamage) {
  const std::string file = fragment(kFirst, "two") + std::string(50, '\0') + fragment(kLast, "two");
  EXPECT_TRUE(scan_wal(file).torn());
}

TEST(WalScan, ALaterBatchMakesItDamage) {
  for (const int type : {kWhole, kFirst}) {
    const std::string one = fragment(kWhole, "one");
    const WalScan scan = scan_wal(one + std::string(50, 'x') + fragment(type, "three"));
    ASSERT_TRUE(scan.damage);
    EXPECT_EQ(scan.damage->offset, one.size());
    EXPECT_FALSE(scan.torn());
  }
}

TEST(WalScan, ABatchThatBeginsInsideAnotherIsDamage) {
  EXPECT_TRUE(scan_wal(fragment(kFirst, "two") + fragment(kWhole, "three")).damage);
  EXPECT_FALSE(scan_wal(fragment(kLast, "of nothing")).damage);
}

TEST(WalScan, FragmentsGoOnInTheNextBlock) {
  const std::string big(32768 - 7 - 5, 'x');  // leaves 5 bytes: too few for a fragment
  const std::string file =
      fragment(kWhole, big) + std::string(5, '\0') + fragment(kWhole, "next block");
  const WalScan scan = scan_wal(file);
  EXPECT_EQ(scan.batches, 2U);
  EXPECT_FALSE(scan.torn());
}

TEST(WalScan, AnyFlippedBitIsTornOrDamaged) {
  const std::string file = fragment(kWhole, "one") + fragment(kWhole, "two");
  for (std::size_t at = 0; at < file.size(); ++at) {
    const WalScan scan = scan_wal(flipped(file, at));
    EXPECT_EQ(scan.damage.has_value(), at < file.size() / 2) << at;
    EXPECT_EQ(scan.torn(), at >= file.size() / 2) << at;
  }
}

}  // namespace
}  // namespace slipway::eventstore
