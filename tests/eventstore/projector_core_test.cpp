#include "eventstore/projector_core.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <random>

#include "history.hpp"
#include "temp_dir.hpp"

namespace slipway::eventstore {
namespace {

using testing::Recorder;
using testing::TempDir;
using testing::through_the_log;

std::unique_ptr<ProjectorCore> open(const std::string& directory, std::size_t max_hot = 50000) {
  ProjectorCore::Options options;
  options.directory = directory;
  options.max_hot_tasks = max_hot;
  auto core = ProjectorCore::open(options, "log-1");
  EXPECT_TRUE(core) << core.error().message;
  return std::move(*core);
}

// In lots of so many batches, as `next_lot` says.
template <class NextLot>
void apply(ProjectorCore& core, const std::vector<CommittedBatchPtr>& batches, NextLot next_lot) {
  std::span<const CommittedBatchPtr> rest(batches);
  while (!rest.empty()) {
    const std::size_t n = std::min<std::size_t>(rest.size(), next_lot());
    const auto status = core.apply(rest.first(n));
    ASSERT_TRUE(status) << status.error().message;
    rest = rest.subspan(n);
  }
}

std::string dump(const ProjectorCore& core) {
  auto text = core.dump_for_test();
  EXPECT_TRUE(text);
  return *text;
}

std::string first_difference(const std::string& a, const std::string& b) {
  const auto at = std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first - a.begin();
  const auto from = static_cast<std::size_t>(std::max<std::ptrdiff_t>(0, at - 300));
  return a.substr(from, 400) + "\n---- or ----\n" + b.substr(std::min(from, b.size()), 400);
}

TEST(G3_9_Projections, AreTheSameBytesHoweverTheLogIsCutIntoLots) {
  const Recorder history = testing::random_history(1, 600);
  TempDir whole_dir;
  auto whole = open(whole_dir.path());
  apply(*whole, through_the_log(history.batches(1000)), [] { return 1000; });
  const std::string expected = dump(*whole);
  EXPECT_GT(expected.size(), 200000U);
  for (std::uint64_t seed = 0; seed < 4; ++seed) {
    TempDir dir;
    std::mt19937_64 random(seed);
    auto core = open(dir.path(), seed % 2 == 0 ? 3 : 50000);
    apply(*core, history.batches(1 + random() % 30), [&] { return 1 + random() % 12; });
    const std::string got = dump(*core);
    ASSERT_TRUE(got == expected) << first_difference(expected, got);
  }
}

TEST(G3_9_Projections, AreTheSameBytesAfterAnyNumberOfRestarts) {
  const Recorder history = testing::random_history(2, 200);
  TempDir whole_dir;
  auto whole = open(whole_dir.path());
  apply(*whole, history.batches(1000), [] { return 1000; });
  TempDir dir;
  std::mt19937_64 random(7);
  for (const CommittedBatchPtr& batch : history.batches(60)) {
    auto core = open(dir.path());
    ASSERT_TRUE(core->dropped_because().empty()) << core->dropped_because();
    ASSERT_TRUE(core->apply({&batch, 1}));
  }
  const std::string got = dump(*open(dir.path()));
  ASSERT_TRUE(got == dump(*whole)) << first_difference(dump(*whole), got);
}

// What a process that was killed leaves: its files as they were, none of them closed.
void copy_files(const std::string& from, const std::string& to) {
  for (const auto& file : std::filesystem::directory_iterator(from)) {
    std::filesystem::copy(file.path(), std::filesystem::path(to) / file.path().filename());
  }
}

std::uintmax_t wal_bytes(const std::string& directory) {
  std::uintmax_t bytes = 0;
  for (const auto& file : std::filesystem::directory_iterator(directory)) {
    if (file.path().string().ends_with("-wal")) bytes += file.file_size();
  }
  return bytes;
}

TEST(ProjectorCore, BeginsALongWalAnewAtOpenSoThatKillsDoNotMakeItGrow) {
  const Recorder history = testing::random_history(3, 300);
  TempDir first;
  TempDir second;
  auto core = open(first.path());
  apply(*core, through_the_log(history.batches(20)), [] { return 1; });
  copy_files(first.path(), second.path());
  ASSERT_GT(wal_bytes(second.path()), 100U * 4120);

  ProjectorCore::Options options;
  options.directory = second.path();
  options.checkpoint_pages = 100;
  const auto again = ProjectorCore::open(options, "log-1");
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(wal_bytes(second.path()), 0U);
  EXPECT_EQ((*again)->dropped_because(), "");
  EXPECT_EQ(dump(**again), dump(*core));
}

TEST(ProjectorCore, LeavesAShortWalAloneAtOpen) {
  const Recorder history = testing::random_history(4, 50);
  TempDir first;
  TempDir second;
  auto core = open(first.path());
  apply(*core, through_the_log(history.batches(20)), [] { return 1; });
  copy_files(first.path(), second.path());
  const auto before = wal_bytes(second.path());
  ASSERT_GT(before, 0U);
  const auto again = open(second.path());
  EXPECT_EQ(wal_bytes(second.path()), before);
}

}  // namespace
}  // namespace slipway::eventstore
