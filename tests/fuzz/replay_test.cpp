// Every fuzz target over its corpus, and over each input cut short and with a byte changed: what
// was found once stays found, and no compiler or sanitizer of ours goes without.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "target.hpp"

namespace slipway::fuzz {
namespace {

struct Input {
  std::string file;
  std::string bytes;
};

std::vector<Input> corpus(std::string_view name) {
  const std::filesystem::path folder =
      std::filesystem::path(SLIPWAY_SOURCE_DIR) / "tests/fuzz/corpus" / name;
  std::vector<Input> inputs;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    std::ifstream file(entry.path(), std::ios::binary);
    std::ostringstream bytes;
    bytes << file.rdbuf();
    inputs.push_back({entry.path().filename(), bytes.str()});
  }
  std::sort(inputs.begin(), inputs.end(),
            [](const Input& a, const Input& b) { return a.file < b.file; });
  return inputs;
}

class Replay : public ::testing::TestWithParam<Target> {};

TEST_P(Replay, EveryInputOfTheCorpusPasses) {
  const auto inputs = corpus(GetParam().name);
  ASSERT_FALSE(inputs.empty());
  for (const Input& input : inputs) {
    SCOPED_TRACE(input.file);
    GetParam().run(input.bytes);
  }
}

TEST_P(Replay, SoDoesWhatIsCutShortOrChanged) {
  constexpr std::size_t kSteps = 16;  // of each input: a test, not a search
  for (const Input& input : corpus(GetParam().name)) {
    SCOPED_TRACE(input.file);
    for (std::size_t i = 0; i < kSteps && !input.bytes.empty(); ++i) {
      const std::size_t at = i * input.bytes.size() / kSteps;
      GetParam().run(input.bytes.substr(0, at));
      std::string changed = input.bytes;
      changed[at] = static_cast<char>(changed[at] ^ (1 << (i % 8)));
      GetParam().run(changed);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Fuzz, Replay, ::testing::ValuesIn(targets()),
                         [](const auto& one) { return std::string(one.param.name); });

}  // namespace
}  // namespace slipway::fuzz
