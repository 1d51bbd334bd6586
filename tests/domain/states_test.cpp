#include "core/domain/states.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "core/domain/vm_rules.hpp"

namespace slipway::domain {
namespace {

using enum TaskState;

TEST(TaskStates, TheTableIsTheDiagram) {
  const std::map<TaskState, std::set<TaskState>> table = {
      {Accepted, {Blocked, Ready, Running, Cancelled, TimedOut, Failed}},
      {Blocked, {Ready, Cancelled, TimedOut}},
      {Ready, {Running, Cancelled, TimedOut, Dead}},
      {Running, {Ready, RetryWait, Succeeded, Failed, Cancelled, TimedOut, Dead, Partial}},
      {RetryWait, {Ready, Cancelled, TimedOut, Dead}},
  };
  for (int from = 0; from < 11; ++from) {
    for (int to = 0; to < 11; ++to) {
      const auto f = static_cast<TaskState>(from);
      const auto t = static_cast<TaskState>(to);
      const auto row = table.find(f);
      EXPECT_EQ(may_become(f, t), row != table.end() && row->second.contains(t))
          << base::enum_name(f) << " -> " << base::enum_name(t);
    }
  }
}

TEST(TaskStates, AFinishedTaskNeverChanges) {
  for (const TaskState from : {Succeeded, Failed, Cancelled, TimedOut, Dead, Partial}) {
    EXPECT_TRUE(is_terminal(from));
    for (int to = 0; to < 11; ++to) EXPECT_FALSE(may_become(from, static_cast<TaskState>(to)));
  }
}

// Every command on a VM in every state: the table of docs/domain-model 3.1.
TEST(VmRules, AllowExactlyTheDiagram) {
  using enum CommandKind;
  using S = VmState;
  const std::set<S> up = {S::Running};
  const std::set<S> resting = {S::Running, S::Stopped};
  const std::set<S> any = {S::Running, S::Stopped, S::Paused, S::Suspended, S::Error};
  const std::map<CommandKind, std::set<S>> table = {
      {VmDelete, any},
      {VmStart, {S::Stopped, S::Error}},
      {VmStop, up},
      {VmReboot, {S::Running, S::Error}},
      {VmPause, up},
      {VmUnpause, {S::Paused}},
      {VmSuspend, up},
      {VmResume, {S::Suspended, S::Paused}},
      {VmResize, resting},
      {VmRebuild, {S::Running, S::Stopped, S::Error}},
      {VmRename, any},
      {VmMigrate, resting},
      {VmSnapshotCreate, resting},
      {VmSnapshotRestore, resting},
      {VmSnapshotDelete, resting},
      {ImageCapture, {S::Running, S::Stopped, S::Paused, S::Suspended}},
      {VmSetCores, resting},
      {VmSetMemory, resting},
      {VmDiskResize, resting},
      {VmDiskShrink, resting},
      {VmResetSystem, resting},
      {VmSetAutoStart, any},
      {VmSetQos, any},
      {VmSetCredential, resting},
      {VmMediaInsert, up},
      {VmMediaEject, resting},
      {VmConsoleResetSecret, any},
  };
  for (std::size_t k = 0; k < enum_names(CommandKind{}).size(); ++k) {
    const auto kind = static_cast<CommandKind>(k);
    const VmRule* rule = vm_rule(kind);
    const auto row = table.find(kind);
    ASSERT_EQ(rule != nullptr, row != table.end()) << base::enum_name(kind);
    if (rule == nullptr) continue;
    for (int s = 0; s < 20; ++s) {
      const auto state = static_cast<S>(s);
      EXPECT_EQ((rule->allowed & bit(state)) != 0, row->second.contains(state))
          << base::enum_name(kind) << " while " << base::enum_name(state);
    }
  }
}

}  // namespace
}  // namespace slipway::domain
