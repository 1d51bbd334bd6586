#pragma once
// What the simulated cloud can be asked. Stored by number: append only, never renumber.
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "core/base/fields.hpp"

namespace slipway::workers::simulated {

enum class Operation : std::uint8_t {
  None,  // in `keys`: only the newest token of the task
  VmCreate,
  VmAwaitRunning,
  VmDelete,
  VmStart,
  VmStop,
  VmReboot,
  VmPause,
  VmUnpause,
  VmSuspend,
  VmResume,
  VmResize,
  VmResizeConfirm,
  VmResizeRevert,
  VmRebuild,
  VmRename,
  VmMigrate,
  VmMigrateAbort,
  VmAwaitMigrated,
  SnapshotCreate,
  SnapshotRestore,
  SnapshotDelete,
  ImageCreate,
  ImageAwaitSaved,
  ImageDelete,
  Lookup,
  VmConfigure,
  VmDiskShrink,
  VmResetSystem,
  VmSetCredential,
  VmConsoleSecret,
  MediaInsert,
  MediaEject,
  PartDelete,  // of what nobody owns: an image
};
constexpr std::array<std::string_view, 34> enum_names(Operation) {
  return {"none",
          "vm.create",
          "vm.await_running",
          "vm.delete",
          "vm.start",
          "vm.stop",
          "vm.reboot",
          "vm.pause",
          "vm.unpause",
          "vm.suspend",
          "vm.resume",
          "vm.resize",
          "vm.resize_confirm",
          "vm.resize_revert",
          "vm.rebuild",
          "vm.rename",
          "vm.migrate",
          "vm.migrate_abort",
          "vm.await_migrated",
          "snapshot.create",
          "snapshot.restore",
          "snapshot.delete",
          "image.create",
          "image.await_saved",
          "image.delete",
          "lookup",
          "vm.configure",
          "vm.disk_shrink",
          "vm.reset_system",
          "vm.set_credential",
          "vm.console_secret",
          "media.insert",
          "media.eject",
          "part.delete"};
}

// How a call ended, in the ledger.
enum class Outcome : std::uint8_t {
  Done,
  Repeated,  // done before under this key: nothing new came of it
  Waiting,   // a step that waits, and what it waits for is not there yet
  Stale,     // a token older than the newest of the task
  Refused,   // cannot be: wrong state, no such thing, over quota
  Failed,    // by chance or by an injected fault, before any effect
  Lost,      // an injected fault: no answer was given
};
constexpr std::array<std::string_view, 7> enum_names(Outcome) {
  return {"done", "repeated", "waiting", "stale", "refused", "failed", "lost"};
}

enum class PowerState : std::uint8_t { Running, Stopped, Paused, Suspended };
constexpr std::array<std::string_view, 4> enum_names(PowerState) {
  return {"running", "stopped", "paused", "suspended"};
}

}  // namespace slipway::workers::simulated
