#pragma once
// The id at the end of a path, with or without ".json".
#include <fmt/format.h>

#include "api/edge/router.hpp"
#include "core/domain/ids.hpp"

namespace slipway::api::reservation {

inline std::string_view path_part(const Call& call) {
  std::string_view part = call.params["id"];
  constexpr std::string_view kJsonEnd = ".json";
  if (part.ends_with(kJsonEnd)) part.remove_suffix(kJsonEnd.size());
  return part;
}

// The text that clients look for.
inline base::Error no_object(std::string_view key, std::string_view value) {
  return {base::Errc::NotFound,
          fmt::format("Object with {{'{}': '{}'}} not found", key, value.substr(0, 64)),
          {}};
}

inline base::Result<domain::LeaseId> lease_id(const Call& call) {
  const auto id = base::parse_uuid(path_part(call));
  if (!id) return base::fail(no_object("lease_id", path_part(call)));
  return domain::LeaseId(*id);
}

}  // namespace slipway::api::reservation
