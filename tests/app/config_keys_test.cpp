#include "app/config_keys.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>

namespace slipway::app {
namespace {

std::string read_file(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// "http.max_waiters", ... as config.hpp declares them.
std::set<std::string> declared_keys() {
  std::istringstream header(read_file(SLIPWAY_SOURCE_DIR "/app/config.hpp"));
  const std::regex begin("struct (\\w+Config) \\{");
  const std::regex member("  [\\w:]+ (\\w+)(\\{\\}| = .*|\\{.*\\});.*|  TextList (\\w+) = .*");
  const std::regex section("  (\\w+Config) (\\w+)\\{\\};");
  std::map<std::string, std::vector<std::string>> members;
  std::set<std::string> keys;
  std::string current;
  for (std::string line; std::getline(header, line);) {
    std::smatch m;
    if (std::regex_match(line, m, begin)) {
      current = m[1];
    } else if (std::regex_match(line, m, section)) {
      for (const auto& name : members[m[1]]) keys.insert(m[2].str() + '.' + name);
    } else if (std::regex_match(line, m, member)) {
      members[current].push_back(m[1].matched ? m[1].str() : m[3].str());
    }
  }
  return keys;
}

TEST(ConfigKeys, EveryMemberHasItsRow) {
  std::set<std::string> rows;
  for (const auto& key : config_keys()) {
    EXPECT_TRUE(rows.insert(std::string(key.name)).second) << key.name << " twice";
  }
  EXPECT_EQ(declared_keys(), rows);
}

TEST(ConfigKeys, DefaultsAreWithinTheirOwnBounds) {
  const Config defaults;
  for (const auto& key : config_keys()) {
    const auto status = check_bounds(key, defaults);
    EXPECT_TRUE(status) << key.name << ": " << (status ? "" : status.error().message);
    EXPECT_TRUE(key.help.ends_with('.')) << key.name;
  }
}

TEST(ConfigKeys, TheNearestKeyIsWhatWasMeant) {
  EXPECT_EQ(nearest_key("http.max_bdy_bytes"), "http.max_body_bytes");
  EXPECT_EQ(nearest_key("max_waiters"), "http.max_waiters");
  EXPECT_EQ(nearest_key("server.max_waiters"), "http.max_waiters");
  EXPECT_EQ(nearest_key("log.levle"), "log.level");
  EXPECT_EQ(nearest_key("zzzzzzzzzz"), "");
}

}  // namespace
}  // namespace slipway::app
