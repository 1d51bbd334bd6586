#pragma once
// From a parsed command to the sequencer: secrets sealed, passwords hashed, and what a command
// about an existing task needs of the read models looked up first.
#include "api/core_api/context.hpp"
#include "api/core_api/parse_command.hpp"

namespace slipway::api {

// Answers the call in the end. `args_at_root`: the body was the arguments alone.
void send_command(CoreContext& ctx, Call call, ParsedCommand parsed, bool args_at_root);

// The body of a finished task again, for a new attempt at it; nullopt for one that has none (a
// batch, a cancellation).
std::optional<domain::WorkBody> work_of(const eventstore::TaskRow& task);

// The re-drive of a task, its chain followed to the first. Runs on the query pool.
base::Result<domain::RedriveTask> redrive_of(eventstore::Reader& reader,
                                             const eventstore::Scope& scope,
                                             const eventstore::TaskRow& task);

}  // namespace slipway::api
