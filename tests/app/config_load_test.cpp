#include "app/config_load.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/app/temp_files.hpp"

namespace slipway::app {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ConfigLoad : public ::testing::Test {
 protected:
  LoadedConfig load(std::string_view toml, ConfigSources sources = {}) {
    sources.file = path_ = files_.write("slipway.toml", toml);
    return load_config(sources);
  }
  // The errors, each with the path of the file left out.
  std::vector<std::string> errors_of(std::string_view toml) {
    std::vector<std::string> texts;
    for (const auto& error : load(toml).errors) {
      auto text = error.text();
      if (text.starts_with(path_)) text.erase(0, path_.size());
      texts.push_back(std::move(text));
    }
    return texts;
  }
  TempFiles files_;
  std::string path_;
};

TEST_F(ConfigLoad, NothingAtAllGivesTheDefaults) {
  const auto loaded = load_config({});
  EXPECT_TRUE(loaded.ok());
  EXPECT_TRUE(loaded.warnings.empty());
  EXPECT_EQ(loaded.config.server.listen, "127.0.0.1:8081");
  EXPECT_TRUE(loaded.is_default("server.listen"));
}

TEST_F(ConfigLoad, LaterSourcesWin) {
  const auto loaded = load(
      "[http]\nmax_waiters = 1\nio_threads = 2\nquery_threads = 3\n",
      {.environment = {{"SLIPWAY_HTTP__IO_THREADS", "20"}, {"SLIPWAY_HTTP__QUERY_THREADS", "30"}},
       .flags = {"--http.query_threads=33"}});
  ASSERT_TRUE(loaded.ok());
  EXPECT_EQ(loaded.config.http.max_waiters, 1U);
  EXPECT_EQ(loaded.config.http.io_threads, 20U);
  EXPECT_EQ(loaded.config.http.query_threads, 33U);
  EXPECT_EQ(loaded.origins.at("http.max_waiters").text(), path_ + ":2:1");
  EXPECT_EQ(loaded.origins.at("http.io_threads").text(), "SLIPWAY_HTTP__IO_THREADS");
  EXPECT_EQ(loaded.origins.at("http.query_threads").text(), "--http.query_threads");
}

TEST_F(ConfigLoad, ANameInBracketsThatIsNoneIsAnErrorAndNotTheEnd) {
  for (const char* text : {"[(http]\n", "[ #]\n", "[[(]]\n"}) {
    EXPECT_THAT(errors_of(text), ElementsAre(HasSubstr("a name in brackets is none"))) << text;
  }
}

TEST_F(ConfigLoad, AnyLetterOutsideATextIsAnErrorWithItsPlace) {
  for (const char* text : {"x = \u00fc\n", "x = 1\u03be\n", "x = 0\u0416\n"}) {
    EXPECT_THAT(errors_of(text), ElementsAre(HasSubstr(":1:"))) << text;
  }
}

TEST_F(ConfigLoad, ReadsEveryTypeFromTheFile) {
  const auto loaded = load(R"(
[server]
read_only = true
listeners = ["main"]
drain_timeout = "1m30s"
[http]
max_body_bytes = "2MiB"
max_wait_seconds = 30
[simulated]
failure_rate = 0.25
)");
  ASSERT_TRUE(loaded.ok()) << loaded.errors[0].text();
  EXPECT_TRUE(loaded.config.server.read_only);
  EXPECT_THAT(loaded.config.server.listeners, ElementsAre("main"));
  EXPECT_EQ(loaded.config.server.drain_timeout, seconds(90));
  EXPECT_EQ(loaded.config.http.max_body_bytes, 2U << 20U);
  EXPECT_EQ(loaded.config.http.max_wait_seconds, seconds(30));
  EXPECT_EQ(loaded.config.simulated.failure_rate, 0.25);
}

TEST_F(ConfigLoad, AllMistakesAreReportedWithTheirPlace) {
  EXPECT_THAT(
      errors_of("[http]\nmax_bdy_bytes = 5\nmax_waiters = \"many\"\nio_threads = 0\n"
                "idle_timeout = \"10 minutes\"\nmax_body_bytes = \"1MB\"\n"
                "[eventlog]\nsync = \"often\"\nsync_ = true\n[server]\nlisten = 2021-01-01\n"),
      ElementsAre(":2:1: unknown key http.max_bdy_bytes: did you mean http.max_body_bytes?",
                  ":3:1: http.max_waiters: expected a whole number, found another type",
                  ":4:1: http.io_threads: 0 is below the least, 1",
                  HasSubstr(":5:1: http.idle_timeout: expected a duration such as \"30s\""),
                  HasSubstr(":6:1: http.max_body_bytes: expected a size such as \"64MiB\""),
                  ":8:1: eventlog.sync: \"often\" is not one of always|none",
                  ":9:1: unknown key eventlog.sync_: did you mean eventlog.sync?",
                  ":11:1: server.listen: expected a text, found a date or a time"));
}

TEST_F(ConfigLoad, ASyntaxErrorHasItsPlace) {
  const auto errors = errors_of("[http]\nio_threads = = 3\n");
  ASSERT_EQ(errors.size(), 1U);
  EXPECT_THAT(errors[0], HasSubstr(":2:"));
}

TEST_F(ConfigLoad, AFileThatIsNotThereIsAnError) {
  const auto loaded = load_config({.file = files_.dir() + "/none.toml"});
  ASSERT_EQ(loaded.errors.size(), 1U);
  EXPECT_THAT(loaded.errors[0].text(), HasSubstr("none.toml: cannot be read"));
}

TEST_F(ConfigLoad, VariablesWithoutASectionAreNotOurs) {
  EXPECT_TRUE(
      load_config({.environment = {{"SLIPWAY_SERVER", "x"}, {"SLIPWAY_TOKEN_FILE", "y"}}}).ok());
  const auto loaded = load_config({.environment = {{"SLIPWAY_LOG__LEVLE", "info"}}});
  ASSERT_EQ(loaded.errors.size(), 1U);
  EXPECT_EQ(loaded.errors[0].text(),
            "SLIPWAY_LOG__LEVLE: unknown key log.levle: did you mean log.level?");
}

TEST_F(ConfigLoad, FlagsComeInThreeForms) {
  const auto loaded = load_config({.flags = {"--listen", "127.0.0.1:0", "--read-only",
                                             "--http.io_threads=7", "--listeners=main"}});
  ASSERT_TRUE(loaded.ok()) << loaded.errors[0].text();
  EXPECT_EQ(loaded.config.server.listen, "127.0.0.1:0");
  EXPECT_TRUE(loaded.config.server.read_only);
  EXPECT_EQ(loaded.config.http.io_threads, 7U);
  EXPECT_THAT(loaded.config.server.listeners, ElementsAre("main"));
}

TEST_F(ConfigLoad, BadFlagsAreSaidToBe) {
  const auto loaded = load_config({.flags = {"--http.io_threads", "--nope=1", "stray"}});
  std::vector<std::string> texts;
  for (const auto& error : loaded.errors) texts.push_back(error.text());
  EXPECT_THAT(texts,
              ElementsAre("--http.io_threads: a value is missing", "--nope: unknown key nope",
                          "stray: is no flag: expected --section.key=value"));
}

TEST_F(ConfigLoad, KnowsWhichFlagsAreKeys) {
  EXPECT_EQ(key_of_flag("--listen=x"), "server.listen");
  EXPECT_EQ(key_of_flag("--log.level"), "log.level");
  EXPECT_EQ(key_of_flag("--config"), "");
  EXPECT_EQ(key_of_flag("listen"), "");
}

}  // namespace
}  // namespace slipway::app
