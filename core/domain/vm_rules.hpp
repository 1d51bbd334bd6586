#pragma once
// The VM's transition table: which command is allowed in which state, what the VM is meanwhile, and
// where success leaves it.
#include <cstdint>
#include <optional>

#include "core/domain/states.hpp"

namespace slipway::domain {

struct VmRule {
  std::uint32_t allowed = 0;  // bit set of VmState
  // The state while the command is under way; nullopt: unchanged.
  std::optional<VmState> during;
  // The state after success; nullopt: the stable state it came from.
  std::optional<VmState> after;
  // A failed attempt that left nothing behind puts the VM back where it was instead of into ERROR.
  bool failure_is_harmless = false;
};

// nullptr for a command that is not one on an existing VM.
const VmRule* vm_rule(CommandKind command);
constexpr std::uint32_t bit(VmState s) { return 1U << static_cast<unsigned>(s); }

}  // namespace slipway::domain
