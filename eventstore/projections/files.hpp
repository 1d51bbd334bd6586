#pragma once
// The files in the directory of the read models:
//
//   read_models-7.sqlite        serves (the highest number), with its -wal and -shm
//   read_models.building        a second copy that is being built beside it
//
// A new file always gets a new number, never an old name: readers may still hold the old one and
// its WAL open. They notice that it is gone and open the one that serves.
#include <cstdint>
#include <optional>
#include <string>

namespace slipway::eventstore {

std::string numbered_file(const std::string& directory, std::uint64_t number);
std::string building_file(const std::string& directory);
// 0: there is none.
std::uint64_t serving_number(const std::string& directory);
void remove_with_wal(const std::string& file);
// Every numbered file but `keep`.
void remove_others(const std::string& directory, std::uint64_t keep);

}  // namespace slipway::eventstore
