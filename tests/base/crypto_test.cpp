#include "core/base/crypto.hpp"

#include <gtest/gtest.h>

namespace slipway::base {
namespace {

TEST(Crc32c, MatchesThePublishedVector) {
  EXPECT_EQ(crc32c("123456789"), 0xE3069283U);  // RFC 3720 appendix B.4's polynomial
  EXPECT_EQ(crc32c("6789", crc32c("12345")), 0xE3069283U);
}

TEST(Sha256, MatchesThePublishedVector) {
  EXPECT_EQ(hex(sha256("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Blake2b, OfTwoPartsIsThatOfTheWhole) { EXPECT_EQ(blake2b2("ab", "c"), blake2b("abc")); }

TEST(Seal, OpensOnlyWithTheSameKeyBytesAndAssociatedData) {
  crypto_init();
  const Key key = random_key();
  const std::string sealed = seal(key, "secret", "ref");
  EXPECT_EQ(*open_sealed(key, sealed, "ref"), "secret");
  EXPECT_FALSE(open_sealed(key, sealed, "other"));
  EXPECT_FALSE(open_sealed(random_key(), sealed, "ref"));
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    std::string flipped = sealed;
    flipped[i] = static_cast<char>(flipped[i] ^ 1);
    EXPECT_FALSE(open_sealed(key, flipped, "ref")) << i;
  }
  EXPECT_FALSE(open_sealed(key, "", "ref"));
}

TEST(Password, G6_7_VerifiesOnlyItself) {
  crypto_init();
  const std::string hash = hash_password("test");
  EXPECT_TRUE(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$")) << hash;
  EXPECT_TRUE(verify_password(hash, "test"));
  EXPECT_FALSE(verify_password(hash, "Test"));
}

}  // namespace
}  // namespace slipway::base
