#pragma once
// What commands on a guest's parts mean: cores, memory, disks, media, credentials, limits. Beside
// vm_rules.cpp, which owns the life of a command on a VM and calls these.
#include "core/domain/draft.hpp"

namespace slipway::domain {

// The size that these numbers make, with the flavor that is made for it: "c2m2048d20".
// InvalidArgument for a number that no machine has.
base::Result<Size> size_of_guest(std::uint64_t cores, std::uint64_t memory,
                                 const std::vector<std::uint64_t>& disks);
// Such a flavor is defined by the first VM that has it. Nothing for one that is known.
void define_private_flavor(Draft& draft, const Size& size);

// The name of a VM whose rule of naming waits for its address.
std::string name_by_rule(std::string_view rule, const std::string& prefix, const VmSpec& spec);

// Fills args.size and args.guest->after, or refuses. For the commands it knows nothing of: success.
base::Status resolve_guest(const World& world, const Vm& vm, CommandKind kind, ActionArgs& args);

// The events of its success, before the VM's state is set back.
void add_guest_changes(Draft& draft, const Vm& vm, CommandKind kind, const ActionArgs& args);

}  // namespace slipway::domain
