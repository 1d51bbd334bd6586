#include "app/secret_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/app/temp_files.hpp"

namespace slipway::app {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(SecretFile, IsReadWithoutItsLineEnd) {
  const TempFiles files;
  const auto secret = read_secret({files.write("s", "hunter2\r\n")});
  ASSERT_TRUE(secret);
  EXPECT_EQ(secret->reveal(), "hunter2");
}

TEST(SecretFile, ThatOthersMayReadIsRefused) {
  const TempFiles files;
  for (const mode_t mode : {0640, 0604, 0620}) {
    const auto secret = read_secret({files.write("s", "hunter2", mode)});
    ASSERT_FALSE(secret) << mode;
    EXPECT_EQ(secret.error().code, base::Errc::Forbidden);
    EXPECT_THAT(secret.error().message, Not(HasSubstr("hunter2")));
  }
}

TEST(SecretFile, MustHoldSomethingAndNotTooMuch) {
  const TempFiles files;
  EXPECT_FALSE(read_secret({files.write("empty", "\n")}));
  EXPECT_FALSE(read_secret({files.write("long", std::string(70'000, 'x'))}));
  EXPECT_FALSE(read_secret({files.dir()}));
  EXPECT_EQ(read_secret({files.dir() + "/none"}).error().code, base::Errc::NotFound);
}

TEST(SecretFile, ABareNameIsACredential) {
  const TempFiles files;
  files.write("token", "from-systemd", 0444);
  ::setenv("CREDENTIALS_DIRECTORY", files.dir().c_str(), 1);
  const auto secret = read_secret({"token"});
  ::unsetenv("CREDENTIALS_DIRECTORY");
  ASSERT_TRUE(secret);
  EXPECT_EQ(secret->reveal(), "from-systemd");
}

}  // namespace
}  // namespace slipway::app
