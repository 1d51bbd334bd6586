#pragma once
// Which steps a worker takes to carry out a command, in order, and how each is undone. The same
// plan holds for every backend; a backend that needs no such step answers it at once.
#include <span>
#include <string_view>

#include "core/domain/states.hpp"

namespace slipway::domain {

struct Step {
  std::string_view name;
  std::string_view undo;  // empty: nothing to undo
  // A repeat is harmless by nature (it reads first, or "already so" and "not found" are success),
  // so no TaskStepStarted is owed before the call.
  bool repeatable = false;
};

// Empty for a command that no worker carries out.
std::span<const Step> plan_of(CommandKind command);
const Step* find_step(CommandKind command, std::string_view name);
inline bool needs_worker(CommandKind command) { return !plan_of(command).empty(); }

}  // namespace slipway::domain
