#pragma once
// A VM given to a user, and taken back. See events.hpp. In the stream vm-<id>.
#include "core/domain/event.hpp"

namespace slipway::domain {

// `number` is the assignment's own, never used twice; `vm_type` the application that the VM is for.
struct VmAssigned {
  std::uint64_t number = 0;
  std::string user;
  std::string vm_type;
  SLIPWAY_EVENT(VmAssigned, v("number", s.number); v("user", s.user); v("vm_type", s.vm_type);)
};
// VmDeleted says the same of a VM that is gone.
struct VmReleased {
  SLIPWAY_EVENT(VmReleased, )
};

}  // namespace slipway::domain
