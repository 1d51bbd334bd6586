#include "eventstore/snapshots.hpp"

#include <gtest/gtest.h>

#include "tests/eventstore/log_testing.hpp"

namespace slipway::eventstore {
namespace {

namespace fs = std::filesystem;

class SnapshotsTest : public testing::Test {
 protected:
  const std::string log_id_ = "0197a265-0000-7000-8000-000000000001";
  const base::Digest layout_ = base::blake2b("layout");

  void write(Seq seq, const std::vector<std::string>& chunks) {
    auto writer = store_.begin({seq, base::blake2b("hash"), layout_, log_id_});
    ASSERT_TRUE(writer) << writer.error().message;
    for (const auto& chunk : chunks) ASSERT_TRUE((*writer)->append(chunk));
    ASSERT_TRUE((*writer)->commit());
  }
  std::vector<SnapshotStore::Found> list() {
    skipped_.clear();
    return store_.list(log_id_, layout_, skipped_);
  }
  base::Result<std::vector<std::string>> read(const SnapshotStore::Found& found) {
    std::vector<std::string> chunks;
    const auto ok = store_.read(found, [&](std::string_view chunk) {
      chunks.emplace_back(chunk);
      return base::Status{};
    });
    if (!ok) return base::fail(ok.error());
    return chunks;
  }

  TempDir dir_;
  SnapshotStore store_{dir_.path() / "snapshots"};
  std::vector<std::string> skipped_;
};

TEST_F(SnapshotsTest, GivesBackTheChunksAsTheyWereWritten) {
  const std::vector<std::string> chunks = {"one", std::string(3U << 20U, 'x'), "three"};
  EXPECT_TRUE(list().empty());
  write(7, chunks);
  const auto found = list();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].header.seq, 7U);
  EXPECT_EQ(found[0].header.log_hash, base::blake2b("hash"));
  EXPECT_EQ(*read(found[0]), chunks);
}

TEST_F(SnapshotsTest, AnEmptyStateIsASnapshot) {
  write(7, {});
  EXPECT_TRUE(read(list()[0])->empty());
}

TEST_F(SnapshotsTest, KeepsTheNewestTwo) {
  for (const Seq seq : {9U, 10U, 100U}) write(seq, {"state"});
  const auto found = list();
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].header.seq, 100U);
  EXPECT_EQ(found[1].header.seq, 10U);
}

TEST_F(SnapshotsTest, AnUncommittedOneLeavesNothing) {
  {
    auto writer = store_.begin({7, {}, layout_, log_id_});
    ASSERT_TRUE((*writer)->append("state"));
  }
  EXPECT_TRUE(list().empty());
  EXPECT_TRUE(fs::is_empty(dir_.path() / "snapshots"));
}

TEST_F(SnapshotsTest, OneOfAnotherLogOrLayoutIsPassedOver) {
  write(7, {"state"});
  EXPECT_TRUE(store_.list("0197a265-0000-7000-8000-000000000002", layout_, skipped_).empty());
  EXPECT_TRUE(store_.list(log_id_, base::blake2b("other"), skipped_).empty());
  EXPECT_EQ(skipped_.size(), 2U);
}

TEST_F(SnapshotsTest, EveryFlippedBitAndEveryCutIsFound) {
  write(7, {"one", "two"});
  const auto found = list();
  const fs::path path = found[0].path;
  const std::string bytes = slurp(path);
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    spit(path, flipped(bytes, at, static_cast<int>(at % 8)));
    EXPECT_FALSE(read(found[0])) << at;
    spit(path, bytes.substr(0, at));
    EXPECT_FALSE(read(found[0])) << at;
  }
  spit(path, bytes + "x");
  EXPECT_FALSE(read(found[0]));
}

TEST_F(SnapshotsTest, ADamagedHeaderIsPassedOverWithAWarning) {
  write(7, {"old"});
  write(8, {"new"});
  const fs::path newest = list()[0].path;
  spit(newest, flipped(slurp(newest), 10));
  EXPECT_EQ(list()[0].header.seq, 7U);
  EXPECT_EQ(skipped_.size(), 1U);
}

}  // namespace
}  // namespace slipway::eventstore
