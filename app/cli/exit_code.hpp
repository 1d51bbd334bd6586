#pragma once
// What a script sees of how a command went. Part of the interface: never renumbered.
#include <array>
#include <string_view>

namespace slipway::app::cli {

enum class Exit : int {
  Done = 0,
  Failed = 1,  // anything that no other code says
  Usage = 2,   // the command line, the configuration, or an argument the server refuses
  NotFound = 3,
  NotAllowed = 4,
  Conflict = 5,  // the present state, a version, a precondition
  Unreachable = 6,
  Busy = 7,          // rate limited or full, also after the tries of --retries
  StillRunning = 8,  // time up or Ctrl-C while following; the task goes on
  TaskFailed = 10,
  TaskCancelled = 11,
  BatchPartial = 12,
};

struct ExitMeaning {
  Exit code;
  std::string_view meaning;
};
inline constexpr std::array<ExitMeaning, 12> kExitMeanings{{
    {Exit::Done, "done"},
    {Exit::Failed, "failed for another reason than those below"},
    {Exit::Usage, "wrong usage, configuration or argument"},
    {Exit::NotFound, "not found"},
    {Exit::NotAllowed, "not allowed, or not logged in"},
    {Exit::Conflict, "conflict with the present state, or a precondition failed"},
    {Exit::Unreachable, "server unreachable"},
    {Exit::Busy, "rate limited, or the server is full"},
    {Exit::StillRunning, "stopped following (time up, Ctrl-C) while the task goes on"},
    {Exit::TaskFailed, "the task failed"},
    {Exit::TaskCancelled, "the task was cancelled"},
    {Exit::BatchPartial, "some items of the batch failed"},
}};

}  // namespace slipway::app::cli
