#include "app/config_keys.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <vector>

namespace slipway::app {
namespace {

std::string read_file(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// "http.max_waiters", ... as config.hpp declares them: `struct HttpConfig {`, `  type name...`, and
// at the end `  HttpConfig http{};`.
std::set<std::string> declared_keys() {
  std::istringstream header(read_file(SLIPWAY_SOURCE_DIR "/app/config.hpp"));
  std::map<std::string, std::vector<std::string>> members;
  std::set<std::string> keys;
  std::string current;
  for (std::string line; std::getline(header, line);) {
    std::istringstream words(line);
    std::string type;
    std::string name;
    words >> type >> name;
    if (type == "struct") {
      current = name.ends_with("Config") ? name : "";
    } else if (line.starts_with("  ") && !line.starts_with("   ") && !current.empty()) {
      name = name.substr(0, name.find_first_of("{;"));
      if (!type.ends_with("Config")) members[current].push_back(name);
      for (const auto& member : members[type]) keys.insert(name + '.' + member);
    }
  }
  return keys;
}

TEST(ConfigKeys, EveryMemberHasItsRow) {
  std::set<std::string> rows;
  for (const auto& key : config_keys()) {
    EXPECT_TRUE(rows.insert(std::string(key.name)).second) << key.name << " twice";
  }
  EXPECT_GT(rows.size(), 80U);
  EXPECT_EQ(declared_keys(), rows);
}

// A key that nothing reads would promise what does not happen.
TEST(ConfigKeys, EveryKeyIsReadBySomething) {
  std::string code;
  for (const char* file : {"engine", "backends", "clouds", "service", "dialects", "listeners",
                           "serve", "worker_commands", "worker_watch", "config_rules"}) {
    code += read_file(std::string(SLIPWAY_SOURCE_DIR "/app/") + file + ".cpp");
  }
  for (const auto& key : config_keys()) {
    EXPECT_NE(code.find("." + std::string(key.member())), std::string::npos) << key.name;
  }
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
