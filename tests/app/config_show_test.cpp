#include "app/config_show.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>

#include "app/backends_config.hpp"
#include "app/config_keys.hpp"
#include "tests/app/temp_files.hpp"

namespace slipway::app {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(ConfigShow, SaysEveryValueAndWhereItIsFrom) {
  const auto text = show_config(load_config({.flags = {"--http.io_threads=7"}}));
  EXPECT_THAT(text, HasSubstr("http.io_threads = 7  # --http.io_threads\n"));
  EXPECT_THAT(text, HasSubstr("http.max_body_bytes = \"1MiB\"  # default\n"));
  for (const auto& key : config_keys()) EXPECT_THAT(text, HasSubstr(std::string(key.name) + " = "));
}

TEST(ConfigShow, MasksPasswordsInUrls) {
  const auto text =
      show_config(load_config({.flags = {"--simulated.state_file=https://me:hunter2@host/x"}}));
  EXPECT_THAT(text, HasSubstr("https://me:***@host/x"));
  EXPECT_THAT(text, Not(HasSubstr("hunter2")));
}

// deploy/slipway.toml is the table, written out. After a change: make golden.
TEST(ConfigSample, IsTheFileThatIsShipped) {
  const std::string path = SLIPWAY_SOURCE_DIR "/deploy/slipway.toml";
  if (std::getenv("SLIPWAY_REWRITE_GOLDEN") != nullptr) std::ofstream(path) << sample_config();
  std::ifstream file(path);
  std::stringstream shipped;
  shipped << file.rdbuf();
  EXPECT_EQ(sample_config(), shipped.str());
}

std::string uncommented(const std::string& commented) {
  std::istringstream sample(commented);
  std::string toml;
  for (std::string line; std::getline(sample, line);) {
    EXPECT_LE(line.size(), 101U) << line;
    const bool is_key = line.starts_with('#') && !line.starts_with("# ");
    toml += is_key ? line.substr(1) : line;
    toml += '\n';
  }
  return toml;
}

TEST(ConfigSample, UncommentedItIsTheDefaultsAndABackendOfEachType) {
  const TempFiles files;
  auto loaded = load_config({.file = files.write("all.toml", uncommented(sample_config()))});
  for (const auto& error : loaded.errors) ADD_FAILURE() << error.text();
  std::vector<std::string> types;
  for (const auto& backend : loaded.config.backends) types.push_back(backend.type);
  EXPECT_THAT(types, ElementsAre("openstack", "libvirt", "simulated"));
  // The common keys are in the first example alone.
  std::set<std::string> sampled;
  for (const auto& [key, place] : loaded.origins) sampled.insert(key.substr(key.find("].") + 1));
  for (const auto& setting : backend_settings(loaded.config)) {
    EXPECT_TRUE(sampled.contains(setting.key.substr(setting.key.find("].") + 1))) << setting.key;
  }
  std::erase_if(loaded.origins, [](const auto& o) { return o.first.starts_with("backends["); });
  EXPECT_EQ(loaded.origins.size(), config_keys().size());
  loaded.config.backends.clear();
  EXPECT_TRUE(diff_config(Config{}, loaded.config).empty());
}

// The other configurations under deploy/ use keys that exist and pairs that are possible.
TEST(ConfigSample, TheClustersConfigurationsAreGood) {
  for (const char* name : {"server.toml", "worker.toml"}) {
    const auto loaded =
        load_config({.file = std::string(SLIPWAY_SOURCE_DIR "/deploy/kubernetes/") + name});
    for (const auto& error : loaded.errors) ADD_FAILURE() << error.text();
    EXPECT_FALSE(loaded.origins.empty()) << name;
  }
}

TEST(ConfigSample, TheVariablesOfTheContainersAreGood) {
  for (const char* name : {"compose.yaml", "Dockerfile"}) {
    std::ifstream file(std::string(SLIPWAY_SOURCE_DIR "/deploy/container/") + name);
    ConfigSources sources;
    for (std::string line; std::getline(file, line);) {
      const auto begin = line.find("SLIPWAY_");
      const auto end = line.find_first_of("=:", begin);
      if (begin == std::string::npos || end == std::string::npos) continue;
      const auto variable = line.substr(begin, end - begin);
      auto value = line.substr(line.find_first_not_of(" \"", end + 1));
      if (value.ends_with('"')) value.pop_back();
      if (variable == "SLIPWAY_WORKER__SERVER_PUBLIC_KEY") value = std::string(40, 'x');
      sources.environment.emplace_back(variable, value);
    }
    EXPECT_FALSE(sources.environment.empty()) << name;
    for (const auto& error : load_config(sources).errors) ADD_FAILURE() << error.text();
  }
}

TEST(ConfigDiff, TellsWhatAReloadChangesAndWhatNeedsARestart) {
  const auto fresh = load_config({.flags = {"--log.level=debug", "--http.io_threads=4"}}).config;
  const auto changes = diff_config(Config{}, fresh);
  ASSERT_EQ(changes.size(), 2U);
  EXPECT_EQ(changes[0].key, "http.io_threads");
  EXPECT_TRUE(changes[0].needs_restart);
  EXPECT_EQ(changes[1].key, "log.level");
  EXPECT_EQ(changes[1].from, "info");
  EXPECT_EQ(changes[1].to, "debug");
  EXPECT_FALSE(changes[1].needs_restart);

  Config running;
  apply_reloadable(running, fresh);
  EXPECT_EQ(running.log.level, "debug");
  EXPECT_EQ(running.http.io_threads, Config{}.http.io_threads);
}

TEST(ConfigProbe, FindsWhatTheMachineLacks) {
  const TempFiles files;
  const auto open_secret = files.write("open", "x", 0644);
  const auto file = files.write("file", "x");
  const auto loaded = load_config(
      {.flags = {"--auth.admin_token_file=" + open_secret,
                 "--secrets.master_key_file=" + files.dir() + "/none", "--server.data_dir=" + file,
                 "--admin.listen=no.such.invalid:1", "--allow-insecure"}});
  ASSERT_TRUE(loaded.ok());
  std::string all;
  for (const auto& error : probe_config(loaded)) all += error.text() + '\n';
  EXPECT_THAT(all, HasSubstr("auth.admin_token_file: " + open_secret + " may be read by others"));
  EXPECT_THAT(all, HasSubstr("secrets.master_key_file: open " + files.dir() + "/none"));
  EXPECT_THAT(all, HasSubstr("server.data_dir: " + file + " is no directory"));
  EXPECT_THAT(all, HasSubstr("admin.listen: no.such.invalid:1 does not resolve"));
}

TEST(ConfigProbe, LeavesAGoodConfigurationAlone) {
  const TempFiles files;
  const auto loaded =
      load_config({.flags = {"--server.data_dir=" + files.dir() + "/new/deeper",
                             "--auth.admin_token_file=" + files.write("token", "t\n")}});
  EXPECT_TRUE(probe_config(loaded).empty());
  EXPECT_FALSE(std::filesystem::exists(files.dir() + "/new")) << "a check makes nothing";
}

}  // namespace
}  // namespace slipway::app
