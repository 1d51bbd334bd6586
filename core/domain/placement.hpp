#pragma once
// Chooses a host: the enabled one of the backend with the smallest share of its CPUs given away,
// that has room for all of CPU, memory and disk. A tie goes to the first name. Pure.
#include "core/domain/draft.hpp"

namespace slipway::domain {

struct PlaceWish {
  std::string host{};    // this one only; empty: any
  std::string except{};  // not this one: a migration's source
  std::string pool{};    // of these only; empty: any
};

// Empty if none has room.
std::string place(const Draft& draft, std::string_view backend, const Size& size,
                  const PlaceWish& wish);

}  // namespace slipway::domain
