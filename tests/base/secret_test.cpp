#include "core/base/secret.hpp"

#include <gtest/gtest.h>

#include <concepts>
#include <ostream>
#include <type_traits>

namespace slipway::base {
namespace {

template <class T>
concept Printable = requires(std::ostream& out, const T& value) {
  out << value;
};

TEST(Secret, G6_1_CanNotBePrintedComparedOrCopied) {
  static_assert(!Printable<Secret>);
  static_assert(!std::equality_comparable<Secret>);
  static_assert(!std::is_copy_constructible_v<Secret>);
  static_assert(!std::is_convertible_v<Secret, std::string_view>);
}

TEST(Secret, TakesTheBytesOfAString) {
  std::string text = "hunter2";
  const Secret secret(std::move(text));
  EXPECT_EQ(secret.reveal(), "hunter2");
  EXPECT_TRUE(text.empty());
}

TEST(Secret, LeavesNothingBehindWhenMoved) {
  Secret first(std::string_view("hunter2"));
  Secret second = std::move(first);
  EXPECT_TRUE(first.empty());
  EXPECT_EQ(second.clone().reveal(), "hunter2");
  second = Secret();
  EXPECT_TRUE(second.empty());
}

TEST(LockedKey, HoldsTheKey) {
  crypto_init();
  const Key key = random_key();
  EXPECT_EQ(LockedKey(key).get(), key);
}

}  // namespace
}  // namespace slipway::base
