#include "app/clouds.hpp"

#include <gtest/gtest.h>

namespace slipway::app {
namespace {

TEST(Clouds, OneIsWrittenAsNameOrNameAndFace) {
  struct Row {
    std::string text;
    bool good;
    std::string name;
    std::string face;
  };
  for (const Row& row :
       {Row{"a", true, "a", ""}, Row{"fake_driver:dummy", true, "fake_driver", "dummy"},
        Row{"", false, "", ""}, Row{":dummy", false, "", ""}, Row{"a:", false, "", ""},
        Row{"a:b:c", false, "", ""}, Row{"../a", false, "", ""}, Row{"a b", false, "", ""},
        Row{std::string(65, 'a'), false, "", ""}}) {
    const auto cloud = parse_cloud(row.text);
    ASSERT_EQ(cloud.has_value(), row.good) << row.text;
    if (!cloud) continue;
    EXPECT_EQ(cloud->name, row.name);
    EXPECT_EQ(cloud->face, row.face);
  }
}

TEST(Clouds, EachHasAFileOfItsOwn) {
  Config config;
  const auto all = simulated_clouds(config, "/data");
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].name, "simulated");
  EXPECT_EQ(all[0].file, "/data/simulated.db");
  EXPECT_EQ(all[1].name, "fake_driver");
  EXPECT_EQ(all[1].face, "dummy");
  EXPECT_EQ(all[1].file, "/data/simulated-fake_driver.db");
}

TEST(Clouds, ThereAreNoneWhereTheyAreSwitchedOff) {
  Config config;
  config.simulated.enabled = false;
  EXPECT_TRUE(simulated_clouds(config, "/data").empty());
}

}  // namespace
}  // namespace slipway::app
