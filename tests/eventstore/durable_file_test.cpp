#include "eventstore/durable_file.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "tests/eventstore/log_testing.hpp"

namespace slipway::eventstore {
namespace {

constexpr unsigned kOwnerOnly = 0600;

TEST(CreateFileAtomically, MakesTheFileAndLeavesNothingBesideIt) {
  const TempDir dir;
  ASSERT_TRUE(create_file_atomically(dir.path() / "key", "secret", kOwnerOnly));
  EXPECT_EQ(slurp(dir.path() / "key"), "secret");
  struct stat about {};
  ASSERT_EQ(::stat((dir.path() / "key").c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777, kOwnerOnly);
  EXPECT_EQ(about.st_nlink, 1U);
}

TEST(CreateFileAtomically, GoesOnWhereACutLeftHalfOfIt) {
  const TempDir dir;
  spit(dir.path() / "key.tmp", "sec");
  ASSERT_TRUE(create_file_atomically(dir.path() / "key", "secret", kOwnerOnly));
  EXPECT_EQ(slurp(dir.path() / "key"), "secret");
  EXPECT_FALSE(std::filesystem::exists(dir.path() / "key.tmp"));
}

TEST(CreateFileAtomically, LeavesAFileThatIsThereAlone) {
  const TempDir dir;
  spit(dir.path() / "key", "older");
  EXPECT_FALSE(create_file_atomically(dir.path() / "key", "secret", kOwnerOnly));
  EXPECT_EQ(slurp(dir.path() / "key"), "older");
}

}  // namespace
}  // namespace slipway::eventstore
