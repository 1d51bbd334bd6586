#include "core/domain/host_filter.hpp"

#include <gtest/gtest.h>

#include <map>

namespace slipway::domain::testing {
namespace {

const std::map<std::string, std::string, std::less<>> kHost = {{"hypervisor_hostname", "compute-1"},
                                                               {"vcpus", "16"},
                                                               {"memory_mb", "5968"},
                                                               {"colour", "red"},
                                                               {"gpu", "true"},
                                                               {"version", "2.10"}};

std::optional<std::string> look_up(std::string_view property) {
  const auto it = kHost.find(property);
  return it == kHost.end() ? std::nullopt : std::optional(it->second);
}

bool matches(std::string_view text) {
  const auto filter = HostFilter::parse(text);
  EXPECT_TRUE(filter.has_value()) << text;
  return filter && filter->matches(look_up);
}

TEST(HostFilter, SaysWhichHostsItMatches) {
  struct Row {
    std::string_view text;
    bool expected;
  };
  for (const Row& row : std::initializer_list<Row>{
           {"", true},
           {"[]", true},
           {R"(["==", "$hypervisor_hostname", "compute-1"])", true},
           {R"(["=", "$hypervisor_hostname", "compute-1"])", true},
           {R"(["==", "$hypervisor_hostname", "compute-2"])", false},
           {R"(["!=", "$colour", "blue"])", true},
           {R"(["!=", "$colour", "red"])", false},
           {R"(["<", "$vcpus", "17"])", true},
           {R"(["<", "$vcpus", 16])", false},
           {R"([">", "$vcpus", 8])", true},
           {R"(["<=", "$vcpus", 16])", true},
           {R"([">=", "$vcpus", 16.5])", false},
           {R"([">", "$colour", "blue"])", true},
           {R"(["==", "$vcpus", "16.0"])", true},
           {R"(["==", "$gpu", true])", true},
           {R"(["in", "$colour", "blue", "red"])", true},
           {R"(["in", "$colour", ["blue", "green"]])", false},
           {R"(["and", ["==", "$gpu", "true"], [">", "$memory_mb", "4000"]])", true},
           {R"(["and", ["==", "$gpu", "true"], [">", "$memory_mb", "6000"]])", false},
           {R"(["or", ["==", "$gpu", "false"], [">", "$memory_mb", "4000"]])", true},
           {R"(["or", ["==", "$gpu", "false"]])", false},
           {R"(["not", ["==", "$colour", "blue"]])", true},
           {R"(["not", ["or", ["==", "$colour", "red"], ["==", "$colour", "blue"]]])", false},
       }) {
    EXPECT_EQ(matches(row.text), row.expected) << row.text;
  }
}

TEST(HostFilter, AHostWithoutThePropertyMatchesNoComparison) {
  EXPECT_FALSE(matches(R"(["==", "$rack", "7"])"));
  EXPECT_FALSE(matches(R"(["!=", "$rack", "7"])"));
  EXPECT_TRUE(matches(R"(["not", ["==", "$rack", "7"]])"));
}

TEST(HostFilter, ComparesNumbersAsNumbersAndTheRestAsText) {
  EXPECT_TRUE(matches(R"(["<", "$vcpus", "100"])"));
  EXPECT_TRUE(matches(R"(["<", "$vcpus", "1e3"])"));
  EXPECT_TRUE(matches(R"(["<", "$hypervisor_hostname", "compute-10"])"));
}

TEST(HostFilter, RefusesWhatIsNone) {
  for (const std::string_view text :
       {"x", "{}", "5", R"(["==", "$a"])", R"(["==", "a", "b"])", R"(["==", "$", "b"])",
        R"(["==", "$a", "b", "c"])", R"(["==", "$a", ["b"]])", R"(["~", "$a", "b"])", R"(["and"])",
        R"(["not", ["==","$a","b"], ["==","$a","b"]])", R"(["in", "$a"])", R"(["and", "x"])",
        R"([["==", "$a", "b"]])", R"(["==", "$a", null])"}) {
    const auto filter = HostFilter::parse(text);
    ASSERT_FALSE(filter.has_value()) << text;
    EXPECT_EQ(filter.error().message, "Malformed requirements " + std::string(text));
  }
}

TEST(HostFilter, RefusesWhatIsNestedTooDeep) {
  std::string text = R"(["==", "$colour", "red"])";
  for (int i = 0; i < 16; ++i) text = R"(["not", )" + text + "]";
  EXPECT_TRUE(matches(text));
  EXPECT_FALSE(HostFilter::parse(R"(["not", )" + text + "]").has_value());
}

TEST(HostFilter, KnowsWhatItAsksFor) {
  const auto filter =
      HostFilter::parse(R"(["and", ["==", "$gpu", "true"], ["not", ["in", "$colour", "red"]]])");
  ASSERT_TRUE(filter.has_value());
  EXPECT_TRUE(filter->mentions("gpu"));
  EXPECT_TRUE(filter->mentions("colour"));
  EXPECT_FALSE(filter->mentions("vcpus"));
}

}  // namespace
}  // namespace slipway::domain::testing
