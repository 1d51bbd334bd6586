#pragma once
// The parameters of the suite's tests: a cloud and a command.
#include <gmock/gmock.h>

#include <string>
#include <tuple>

#include "core/base/fields.hpp"
#include "tests/backends/contract/scenario.hpp"

namespace slipway::workers::contract {

class OnEachCloud : public testing::TestWithParam<CloudKind> {
 protected:
  std::unique_ptr<CloudUnderTest> cloud = GetParam().open();
};

class EachCommand : public testing::TestWithParam<std::tuple<CloudKind, domain::CommandKind>> {
 protected:
  static domain::CommandKind command() { return std::get<1>(GetParam()); }
  static std::unique_ptr<CloudUnderTest> open() { return std::get<0>(GetParam()).open(); }
  bool offered() { return cloud().offers(command()); }
  CloudUnderTest& cloud() {
    if (!cloud_) cloud_ = open();
    return *cloud_;
  }

 private:
  std::unique_ptr<CloudUnderTest> cloud_;
};

inline std::string name_of_test(const testing::TestParamInfo<EachCommand::ParamType>& info) {
  return std::get<0>(info.param).name + "_" + name_of(std::get<1>(info.param));
}
inline std::string name_of_cloud(const testing::TestParamInfo<CloudKind>& info) {
  return info.param.name;
}
inline void PrintTo(const CloudKind& kind, std::ostream* out) { *out << kind.name; }

inline auto each_command() {
  return testing::Combine(testing::ValuesIn(clouds()), testing::ValuesIn(worker_commands()));
}

inline std::string said(const domain::Outcome& outcome) {
  return std::string(base::enum_name(outcome.kind)) + " " + outcome.error.code + ": " +
         outcome.error.detail;
}

}  // namespace slipway::workers::contract
