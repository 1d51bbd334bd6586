#pragma once
// Chooses a host: the enabled one of the backend, in an enabled pool, with the smallest share of
// its CPUs given away, that has room for all of CPU, memory and disk. A tie goes to the first name.
// Pure.
#include "core/domain/draft.hpp"

namespace slipway::domain {

// Empty if none has room. `except` is left out (a migration's source); `wanted` non-empty asks for
// that one only.
std::string place(const Draft& draft, std::string_view backend, const Size& size,
                  std::string_view wanted, std::string_view except);

}  // namespace slipway::domain
