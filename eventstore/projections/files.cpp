#include "eventstore/projections/files.hpp"

#include <fmt/format.h>

#include <charconv>
#include <filesystem>
#include <vector>

namespace slipway::eventstore {
namespace {

constexpr std::string_view kPrefix = "read_models-";
constexpr std::string_view kSuffix = ".sqlite";

std::uint64_t number_of(const std::string& name) {
  if (!name.starts_with(kPrefix) || !name.ends_with(kSuffix)) return 0;
  const char* const end = name.data() + name.size() - kSuffix.size();
  std::uint64_t number = 0;
  const auto result = std::from_chars(name.data() + kPrefix.size(), end, number);
  return result.ec == std::errc() && result.ptr == end ? number : 0;
}

std::vector<std::uint64_t> numbers(const std::string& directory) {
  std::vector<std::uint64_t> out;
  std::error_code error;
  for (std::filesystem::directory_iterator it(directory, error), end; !error && it != end;
       it.increment(error)) {
    if (const auto number = number_of(it->path().filename().string())) out.push_back(number);
  }
  return out;
}

}  // namespace

std::string numbered_file(const std::string& directory, std::uint64_t number) {
  return fmt::format("{}/{}{}{}", directory, kPrefix, number, kSuffix);
}
std::string building_file(const std::string& directory) {
  return directory + "/read_models.building";
}

std::uint64_t serving_number(const std::string& directory) {
  std::uint64_t highest = 0;
  for (const std::uint64_t number : numbers(directory)) highest = std::max(highest, number);
  return highest;
}

void remove_with_wal(const std::string& file) {
  std::error_code ignored;
  for (const char* suffix : {"", "-wal", "-shm", "-journal"}) {
    std::filesystem::remove(file + suffix, ignored);
  }
}

void remove_others(const std::string& directory, std::uint64_t keep) {
  for (const std::uint64_t number : numbers(directory)) {
    if (number != keep) remove_with_wal(numbered_file(directory, number));
  }
}

}  // namespace slipway::eventstore
