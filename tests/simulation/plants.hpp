#pragma once
// For each planted bug, the invariant that must see it. One that is not seen within so many seeds,
// or is seen by another invariant first, shows that the simulator is blind: `make sim-plants`.
#include <array>
#include <cstdint>
#include <string_view>

#include "tests/simulation/base.hpp"

namespace slipway::simulation {

struct PlantedBug {
  Plant plant = Plant::None;
  std::string_view invariant;
  std::uint64_t seeds = 5;  // within which it must be seen
};

inline constexpr std::array kPlantedBugs{
    PlantedBug{Plant::NoFence, "stale-changes-nothing"},
    PlantedBug{Plant::AnswerBeforeSync, "durable"},
    PlantedBug{Plant::NoIdempotency, "one-task-per-key"},
    PlantedBug{Plant::LeasesNeverEnd, "every-task-ends"},
    PlantedBug{Plant::KeyPerAttempt, "no-vm-made-twice"},
    // A narrow place: a late call must come after the deletion of what it would make.
    PlantedBug{Plant::NoFenceInCloud, "inventory", 60},
    PlantedBug{Plant::UndoDoesNothing, "inventory"},
    PlantedBug{Plant::LookupFindsNone, "no-vm-made-twice"},
    PlantedBug{Plant::SnapshotForgets, "folded-equals-live", 20},
    PlantedBug{Plant::DeliverTwice, "one-live-lease"},
    PlantedBug{Plant::ProjectionForgets, "rebuilt-equals-live"},
    PlantedBug{Plant::VersionSkipped, "versions-dense"},
    PlantedBug{Plant::AttemptsUncounted, "attempts-bounded"},
    PlantedBug{Plant::EventAfterTheEnd, "finished-never-changes"},
    PlantedBug{Plant::BusyVmTaken, "one-task-per-vm"},
    PlantedBug{Plant::OrphansHidden, "orphans-go"},
    PlantedBug{Plant::HalfAList, "lost-is-known"},
};
static_assert(kPlantedBugs.size() + 1 == enum_names(Plant::None).size(),
              "each plant has its invariant");

}  // namespace slipway::simulation
