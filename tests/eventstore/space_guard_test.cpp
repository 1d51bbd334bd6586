#include "eventstore/space_guard.hpp"

#include <gtest/gtest.h>

namespace slipway::eventstore {
namespace {

TEST(SpaceGuard, G3_11_RefusesBelowTheReserveAndIsReadOnlyBelowAQuarterOfIt) {
  std::uint64_t free = 0;
  SpaceGuard guard(1000, [&] { return free; });
  struct Row {
    std::uint64_t free;
    SpaceState state;
  };
  // In this order: each row starts from the state of the one before.
  for (const Row row : {Row{5000, SpaceState::Normal}, Row{1000, SpaceState::Normal},
                        Row{999, SpaceState::RefuseNew}, Row{1050, SpaceState::RefuseNew},
                        Row{1100, SpaceState::Normal}, Row{250, SpaceState::RefuseNew},
                        Row{249, SpaceState::ReadOnly}, Row{260, SpaceState::ReadOnly},
                        Row{275, SpaceState::RefuseNew}, Row{0, SpaceState::ReadOnly},
                        Row{1050, SpaceState::RefuseNew}, Row{0, SpaceState::ReadOnly},
                        Row{1100, SpaceState::Normal}}) {
    free = row.free;
    EXPECT_EQ(guard.poll(), row.state) << row.free;
    EXPECT_EQ(guard.state(), row.state) << row.free;
  }
}

TEST(SpaceGuard, AReserveOfZeroSwitchesItOff) {
  SpaceGuard guard(0, [] { return std::uint64_t{0}; });
  EXPECT_EQ(guard.poll(), SpaceState::Normal);
}

}  // namespace
}  // namespace slipway::eventstore
