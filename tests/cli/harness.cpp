#include "tests/cli/harness.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

namespace slipway::test {

void expect_golden(const std::string& name, const std::string& text) {
  const auto path = std::string(SLIPWAY_GOLDEN_DIR) + "/" + name;
  if (std::getenv("SLIPWAY_REWRITE_GOLDEN") != nullptr) {
    std::ofstream(path, std::ios::binary) << text;
    return;
  }
  std::ifstream file(path, std::ios::binary);
  std::ostringstream golden;
  golden << file.rdbuf();
  ASSERT_TRUE(file) << path << " is missing; SLIPWAY_REWRITE_GOLDEN=1 writes it";
  EXPECT_EQ(text, golden.str()) << path;
}

std::string task_json(const std::string& id, const std::string& state, int version,
                      const std::string& more) {
  const bool ended = state == "SUCCEEDED" || state == "FAILED" || state == "CANCELLED" ||
                     state == "DEAD" || state == "TIMED_OUT" || state == "PARTIAL";
  return fmt::format(
      R"({{"id":"{}","command":"vm.create","state":"{}","terminal":{},{}"created_at":)"
      R"("2026-03-01T11:55:00.000000Z","finished_at":{},"version":{}}})",
      id, state, ended, more.empty() ? "" : more + ",",
      ended ? R"("2026-03-01T11:55:02.500000Z")" : "null", version);
}

}  // namespace slipway::test
