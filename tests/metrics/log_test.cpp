#include "metrics/log.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <thread>
#include <type_traits>
#include <vector>

#include "core/base/json_read.hpp"

namespace slipway::metrics {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::uint64_t g_seconds = 0;

class LogTest : public ::testing::Test {
 protected:
  void SetUp() override {
    g_seconds += 1000;
    configure_log({});
    set_log_clock_for_test([] { return g_seconds; });
    set_log_sink_for_test([this](std::string_view line) { lines_.emplace_back(line); });
  }
  void TearDown() override {
    set_log_sink_for_test({});
    set_log_clock_for_test(nullptr);
    configure_log({});
  }
  // The only line, parsed.
  base::JsonValue only() {
    EXPECT_EQ(lines_.size(), 1U);
    auto parsed = parser_.parse(lines_.at(0));
    EXPECT_TRUE(parsed) << lines_.at(0);
    return parsed ? *parsed : base::JsonValue();
  }
  std::string text(std::string_view name) {
    return std::string(only().find(name)->string().value_or("?"));
  }

  std::vector<std::string> lines_;
  base::JsonParser parser_;
};

TEST_F(LogTest, WritesOneObjectALine) {
  log_info("task ended", {{"task_id", base::Uuid{}},
                          {"attempt", 2},
                          {"ok", true},
                          {"took", base::Duration(1'250'000)},
                          {"at", base::from_us(0)},
                          {"who", std::string("w-1")}});
  ASSERT_EQ(lines_.size(), 1U);
  EXPECT_TRUE(lines_[0].ends_with("}\n"));
  EXPECT_THAT(lines_[0], HasSubstr(R"("level":"info","message":"task ended",)"
                                   R"("task_id":"00000000-0000-0000-0000-000000000000",)"
                                   R"("attempt":2,"ok":true,"took":1.25,)"
                                   R"("at":"1970-01-01T00:00:00.000000Z","who":"w-1"})"));
}

TEST_F(LogTest, AnErrorIsItsCodeAndMessage) {
  log_error("append failed", {{"error", base::Error{base::Errc::StorageFull, "no room", {}}}});
  EXPECT_EQ(text("error"), "read-only: no room");
}

TEST_F(LogTest, TextFromAnyoneIsMadeSafe) {
  log_warn("odd", {{"utf8", std::string("a\xff\xc3\xa9\xe2\x82 b\x01\n\"")}});
  EXPECT_EQ(text("utf8"), "a?\xc3\xa9?? b?\n\"");
}

TEST_F(LogTest, ALineIsNeverLongerThanAPipeKeepsWhole) {
  const std::string quotes(100'000, '"');
  log_info("long", {{"a", quotes}, {"b", quotes}, {"c", quotes}, {"d", quotes}, {"e", 5}});
  EXPECT_LE(lines_.at(0).size(), kMaxLogLine);
  EXPECT_GT(lines_.at(0).size(), kMaxLogLine / 2);
  EXPECT_TRUE(only().find("truncated")->boolean().value());
}

TEST_F(LogTest, ManyFieldsAreCutToo) {
  const std::string name(90, 'n');
  const LogField f(name, 1);
  log_info("wide", {f, f, f, f, f, f, f, f, f, f, f, f, f, f, f, f, f, f, f, f, f, f, f, f,
                    f, f, f, f, f, f, f, f, f, f, f, f, f, f, f, f, f, f, f, f, f, f, f, f});
  EXPECT_LE(lines_.at(0).size(), kMaxLogLine);
  EXPECT_THAT(lines_.at(0), HasSubstr("\"truncated\":true}\n"));
}

TEST_F(LogTest, TheLevelIsSwitchedWhileRunning) {
  log_debug("quiet");
  EXPECT_TRUE(lines_.empty());
  configure_log({.level = LogLevel::Debug});
  log_debug("quiet");
  EXPECT_EQ(lines_.size(), 1U);
  configure_log({.level = LogLevel::Error});
  log_warn("quiet");
  EXPECT_EQ(lines_.size(), 1U);
}

TEST_F(LogTest, MessagesAreCountedByLevelTheHeldBackOnesToo) {
  configure_log({.level = LogLevel::Info, .burst = 1});
  const auto before = log_count(LogLevel::Warn);
  for (int i = 0; i < 3; ++i) log_warn("counted");
  log_debug("not this");
  EXPECT_EQ(log_count(LogLevel::Warn), before + 3);
  EXPECT_EQ(lines_.size(), 1U);
}

TEST_F(LogTest, ARepeatedMessageIsHeldBackAndOwnedUpTo) {
  configure_log({.level = LogLevel::Info, .burst = 2});
  const auto repeat = [] { log_warn("repeated", {{"n", 1}}); };
  for (int i = 0; i < 5; ++i) repeat();
  log_warn("another message");
  EXPECT_EQ(lines_.size(), 3U);
  g_seconds += 10;
  lines_.clear();
  repeat();
  repeat();
  ASSERT_EQ(lines_.size(), 2U);
  EXPECT_THAT(lines_[0], HasSubstr("\"suppressed\":3}"));
  EXPECT_THAT(lines_[1], Not(HasSubstr("suppressed")));
}

TEST(LogField, RefusesASecret) {
  EXPECT_FALSE((std::is_constructible_v<LogField, std::string_view, const base::Secret&>));
  EXPECT_FALSE((std::is_constructible_v<LogField, std::string_view, base::Secret>));
  EXPECT_TRUE((std::is_constructible_v<LogField, std::string_view, std::string>));
}

TEST(Log, LinesOfManyThreadsDoNotMix) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const int stderr_before = ::dup(STDERR_FILENO);
  ::dup2(ends[1], STDERR_FILENO);
  ::close(ends[1]);
  configure_log({.burst = 0});
  std::string all;
  {
    std::jthread reader([&] {
      std::array<char, 4096> buffer{};
      for (ssize_t n = 0; (n = ::read(ends[0], buffer.data(), buffer.size())) > 0;) {
        all.append(buffer.data(), static_cast<std::size_t>(n));
      }
    });
    {
      std::vector<std::jthread> writers;
      for (int t = 0; t < 4; ++t) {
        writers.emplace_back([t] {
          const std::string filler(900, static_cast<char>('a' + t));
          for (int i = 0; i < 200; ++i) log_info("mixed", {{"filler", filler}, {"i", i}});
        });
      }
    }
    ::dup2(stderr_before, STDERR_FILENO);  // closes the pipe's last writing end
  }
  ::close(stderr_before);
  ::close(ends[0]);
  configure_log({});
  std::size_t lines = 0;
  base::JsonParser parser;
  for (std::size_t at = 0; at < all.size(); ++lines) {
    const auto end = all.find('\n', at);
    ASSERT_NE(end, std::string::npos);
    ASSERT_TRUE(parser.parse(std::string_view(all).substr(at, end - at)));
    at = end + 1;
  }
  EXPECT_EQ(lines, 800U);
}

TEST(Log, WhatStderrRefusesIsDroppedAndCounted) {
  const int stderr_before = ::dup(STDERR_FILENO);
  const int full = ::open("/dev/full", O_WRONLY | O_CLOEXEC);
  ASSERT_GE(full, 0);
  ::dup2(full, STDERR_FILENO);
  const auto before = log_lines_dropped();
  log_error("lost");
  ::dup2(stderr_before, STDERR_FILENO);
  ::close(stderr_before);
  ::close(full);
  EXPECT_EQ(log_lines_dropped(), before + 1);
}

}  // namespace
}  // namespace slipway::metrics
