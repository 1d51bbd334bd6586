#pragma once
// Commands on clouds, and on whom a VM is given to. See command.hpp.
#include "core/domain/specs.hpp"

namespace slipway::domain {

// Gives a VM to a user of its tenant's, for an application. Refused while it is given to anybody.
struct AssignVm {
  VmId vm;
  std::string user;
  std::string vm_type;
};
struct ReleaseVm {
  VmId vm;
};
// Makes a further cloud known, with the nodes that its face has from the beginning: they are its
// own, in the tenant of its name, for which the caller must act.
struct RegisterBackend {
  Backend backend;
};

}  // namespace slipway::domain
