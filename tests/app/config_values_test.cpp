#include "app/config_values.hpp"

#include <gtest/gtest.h>

namespace slipway::app {
namespace {

TEST(Size, ReadsPowersOf1024) {
  EXPECT_EQ(parse_size("64MiB")->bytes, 64U << 20U);
  EXPECT_EQ(parse_size("1TiB")->bytes, std::uint64_t{1} << 40U);
  EXPECT_EQ(parse_size("512")->bytes, 512U);
}

TEST(Size, RefusesWhatIsAmbiguousOrTooLarge) {
  for (const char* text : {"", "MiB", "1MB", "1M", "-1", "1.5MiB", "1 MiB", "16777216TiB"}) {
    EXPECT_FALSE(parse_size(text)) << text;
  }
}

TEST(Value, WhatIsWrittenIsWhatIsRead) {
  for (const char* text : {"0s", "1us", "250ms", "90s", "2m", "36h"}) {
    base::Duration d{};
    ASSERT_TRUE(parse_value(text, &d)) << text;
    base::Duration again{};
    ASSERT_TRUE(parse_value(format_duration(d), &again));
    EXPECT_EQ(d, again);
  }
  for (const char* text : {"0", "1023", "1KiB", "1536KiB", "3GiB"}) {
    ByteSize size{};
    ASSERT_TRUE(parse_value(text, &size)) << text;
    EXPECT_EQ(format_size(size), text);
  }
}

TEST(Value, AListIsSplitAtCommas) {
  TextList list;
  ASSERT_TRUE(parse_value("main, nano ,", &list));
  EXPECT_EQ(list, (TextList{"main", "nano"}));
  ASSERT_TRUE(parse_value("", &list));
  EXPECT_TRUE(list.empty());
}

TEST(Value, RefusesAnotherType) {
  bool flag = false;
  std::uint64_t number = 0;
  double share = 0;
  base::Duration d{};
  EXPECT_FALSE(parse_value("yes", &flag));
  EXPECT_FALSE(parse_value("-1", &number));
  EXPECT_FALSE(parse_value("1k", &number));
  EXPECT_FALSE(parse_value("nan", &share));
  EXPECT_FALSE(parse_value("30 sec", &d));
}

TEST(Value, TomlTextIsQuotedAndEscaped) {
  std::string text = "a\"b\\c\n";
  EXPECT_EQ(format_toml(&text), R"("a\"b\\c\u000a")");
}

}  // namespace
}  // namespace slipway::app
