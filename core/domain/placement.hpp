#pragma once
// Chooses a host: the enabled one of the backend, in an enabled pool, with the smallest share of
// its CPUs given away, that has room for all of CPU, memory and disk. A tie goes to the first name.
// Pure.
#include "core/domain/draft.hpp"

namespace slipway::domain {

struct PlaceWanted {
  std::string_view backend;
  std::string_view tenant;
  std::string_view host;    // non-empty: that one only
  std::string_view except;  // left out: a migration's source
  std::string_view pool{};  // non-empty: hosts of that one only
};

// Empty if none has room. A host that is given to leases takes VMs of a tenant only while a
// reservation of that tenant is active on it, and none while it is lost.
std::string place(const Draft& draft, const PlaceWanted& wanted, const Size& size);

}  // namespace slipway::domain
