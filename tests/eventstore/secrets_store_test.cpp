#include "eventstore/secrets_store.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "tests/eventstore/log_testing.hpp"

namespace slipway::eventstore {
namespace {

namespace fs = std::filesystem;
using base::Secret;

class SecretsStoreTest : public testing::Test {
 protected:
  fs::path key_file() const { return dir_.path() / "master.key"; }
  SecretsStore open() const {
    auto store = SecretsStore::open(key_file());
    EXPECT_TRUE(store) << store.error().message;
    return std::move(*store);
  }
  // Another key in front of those there are.
  void rotate() const {
    const std::string old = slurp(key_file());
    fs::remove(key_file());
    open();
    spit(key_file(), slurp(key_file()) + old);
  }
  TempDir dir_;
};

TEST_F(SecretsStoreTest, G6_2_OpensWhatItSealedForThatRefAndTenantOnly) {
  const auto store = open();
  const std::string sealed = store.seal("ref", "tenant", Secret("hunter2"));
  EXPECT_EQ(sealed.find("hunter2"), std::string::npos);
  EXPECT_EQ(store.open_sealed(sealed, "ref", "tenant")->reveal(), "hunter2");
  EXPECT_FALSE(store.open_sealed(sealed, "other", "tenant"));
  EXPECT_FALSE(store.open_sealed(sealed, "ref", "other"));
  EXPECT_FALSE(store.open_sealed(sealed, "re", "ftenant"));
}

TEST_F(SecretsStoreTest, G6_2_EachSecretHasItsOwnDataKey) {
  const auto store = open();
  const std::string a = store.seal("ref", "t", Secret("same"));
  const std::string b = store.seal("ref", "t", Secret("same"));
  ASSERT_EQ(a.size(), b.size());
  // Value of one under the data key of the other.
  const std::size_t value_at = a.size() - (24 + 4 + 16);
  EXPECT_FALSE(store.open_sealed(a.substr(0, value_at) + b.substr(value_at), "ref", "t"));
}

TEST_F(SecretsStoreTest, EveryFlippedBitAndEveryCutIsRefused) {
  const auto store = open();
  const std::string sealed = store.seal("ref", "tenant", Secret("value"));
  for (std::size_t at = 0; at < sealed.size(); ++at) {
    if (at < 11 || at >= 17) {  // the tenant in the clear is for people; the asked one counts
      EXPECT_FALSE(store.open_sealed(flipped(sealed, at), "ref", "tenant")) << at;
    }
    EXPECT_FALSE(store.open_sealed(sealed.substr(0, at), "ref", "tenant")) << at;
  }
}

TEST_F(SecretsStoreTest, TheKeyFileIsItsOwnersAlone) {
  open();
  EXPECT_EQ(fs::status(key_file()).permissions(), fs::perms::owner_read | fs::perms::owner_write);
  for (const ::mode_t mode : {0640U, 0604U, 0660U}) {
    ::chmod(key_file().c_str(), mode);
    const auto refused = SecretsStore::open(key_file());
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, base::Errc::Forbidden);
  }
}

TEST_F(SecretsStoreTest, AKeyFileThatIsNotOneIsRefused) {
  open();
  for (const char* text : {"", "\n", "abc", "zz"}) {
    spit(key_file(), text);
    EXPECT_FALSE(SecretsStore::open(key_file())) << text;
  }
  EXPECT_EQ(SecretsStore::open(dir_.path() / "absent", false).error().code, base::Errc::NotFound);
}

TEST_F(SecretsStoreTest, TheSameFileOpensTheSecretsAfterARestart) {
  const std::string sealed = open().seal("ref", "t", Secret("value"));
  EXPECT_EQ(open().open_sealed(sealed, "ref", "t")->reveal(), "value");
}

TEST_F(SecretsStoreTest, G6_2_RotationWrapsTheDataKeyAnewAndNothingElse) {
  const std::string sealed = open().seal("ref", "t", Secret("value"));
  EXPECT_FALSE(open().needs_rewrap(sealed));
  rotate();
  const auto store = open();
  EXPECT_TRUE(store.needs_rewrap(sealed));
  EXPECT_EQ(store.open_sealed(sealed, "ref", "t")->reveal(), "value") << "the old key still opens";
  const auto wrapped = store.rewrap(sealed, "ref", "t");
  ASSERT_TRUE(wrapped);
  EXPECT_FALSE(store.needs_rewrap(*wrapped));
  const std::size_t value = 24 + 5 + 16;
  EXPECT_EQ(wrapped->substr(wrapped->size() - value), sealed.substr(sealed.size() - value));

  spit(key_file(), slurp(key_file()).substr(0, 65));  // the old line is dropped
  EXPECT_EQ(open().open_sealed(*wrapped, "ref", "t")->reveal(), "value");
  EXPECT_FALSE(open().open_sealed(sealed, "ref", "t"));
}

}  // namespace
}  // namespace slipway::eventstore
