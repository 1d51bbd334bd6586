#pragma once
// The parameters of the suite's tests: a cloud and a command.
#include <gmock/gmock.h>

#include <string>
#include <tuple>
#include <vector>

#include "core/base/fields.hpp"
#include "tests/backends/contract/scenario.hpp"

namespace slipway::workers::contract {

class OnEachCloud : public testing::TestWithParam<CloudKind> {
 protected:
  const CloudKind& kind() const { return GetParam(); }
  std::unique_ptr<CloudUnderTest> cloud = GetParam().open();
};

using CloudAndCommand = std::tuple<CloudKind, domain::CommandKind>;

class EachCommand : public testing::TestWithParam<CloudAndCommand> {
 protected:
  static domain::CommandKind command() { return std::get<1>(GetParam()); }
  static std::unique_ptr<CloudUnderTest> open() { return std::get<0>(GetParam()).open(); }
};

// Those of all clouds and commands of which `is_one(kind, command)`.
template <class Filter>
auto each_command(const Filter& is_one) {
  std::vector<CloudAndCommand> out;
  for (const CloudKind& kind : clouds()) {
    for (const domain::CommandKind command : worker_commands()) {
      if (is_one(kind, command)) out.emplace_back(kind, command);
    }
  }
  return testing::ValuesIn(out);
}
inline bool offered(const CloudKind& kind, domain::CommandKind command) {
  return kind.offers(command);
}

template <class Filter>
auto each_cloud(const Filter& is_one) {
  std::vector<CloudKind> out;
  for (const CloudKind& kind : clouds()) {
    if (is_one(kind)) out.push_back(kind);
  }
  return testing::ValuesIn(out);
}
inline bool any_cloud(const CloudKind&) { return true; }

inline std::string name_of_test(const testing::TestParamInfo<CloudAndCommand>& info) {
  return std::get<0>(info.param).name + "_" + name_of(std::get<1>(info.param));
}
inline std::string name_of_cloud(const testing::TestParamInfo<CloudKind>& info) {
  return info.param.name;
}
inline void PrintTo(const CloudKind& kind, std::ostream* out) { *out << kind.name; }

inline std::string said(const domain::Outcome& outcome) {
  return std::string(base::enum_name(outcome.kind)) + " " + outcome.error.code + ": " +
         outcome.error.detail;
}

}  // namespace slipway::workers::contract
