#pragma once
// Every state a client can see, with its one spelling. Stored by name.
#include <array>
#include <cstdint>
#include <string_view>

#include "core/base/fields.hpp"

namespace slipway::domain {

//  ACCEPTED -> BLOCKED (depends_on, not_before) -> READY
//  READY -> RUNNING (a worker holds a task lease with a fencing token)
//  RUNNING -> SUCCEEDED | FAILED | CANCELLED
//  RUNNING -> RETRY_WAIT (attempt failed or its lease ran out) -> READY
//  RUNNING -> READY (handed back by a draining worker; no attempt counted)
//  ACCEPTED|READY|BLOCKED|RETRY_WAIT -> CANCELLED | TIMED_OUT
//  RUNNING -> TIMED_OUT (deadline);  RUNNING|RETRY_WAIT -> DEAD
//  READY -> DEAD (attempts used up, and no worker came to undo what is done)
//  BLOCKED|RETRY_WAIT -> READY also to be undone
//  a batch: RUNNING -> SUCCEEDED | FAILED | CANCELLED | PARTIAL, folded from its items
enum class TaskState : std::uint8_t {
  Accepted,
  Blocked,
  Ready,
  Running,
  RetryWait,
  Succeeded,
  Failed,
  Cancelled,
  TimedOut,
  Dead,
  Partial,
};
constexpr std::array<std::string_view, 11> enum_names(TaskState) {
  return {"ACCEPTED", "BLOCKED",   "READY",     "RUNNING", "RETRY_WAIT", "SUCCEEDED",
          "FAILED",   "CANCELLED", "TIMED_OUT", "DEAD",    "PARTIAL"};
}
constexpr bool is_terminal(TaskState s) { return s >= TaskState::Succeeded; }
// Whether the life of a task has that arrow (see the diagram above).
bool may_become(TaskState from, TaskState to);

// Why a task is being undone, which decides the state it ends in: CANCELLED, TIMED_OUT or DEAD.
enum class CancelReason : std::uint8_t { None, Client, Dependency, Deadline, AttemptsExhausted };
constexpr std::array<std::string_view, 5> enum_names(CancelReason) {
  return {"none", "client", "dependency", "deadline", "attempts-exhausted"};
}

// What is done where a cloud has a VM otherwise than the log: say so; follow the cloud; change it
// back.
enum class ReconcilePolicy : std::uint8_t { Report, Adopt, Repair };
constexpr std::array<std::string_view, 3> enum_names(ReconcilePolicy) {
  return {"report", "adopt", "repair"};
}

enum class VmState : std::uint8_t {
  Queued,
  Launching,
  Running,
  Stopping,
  Stopped,
  Starting,
  Rebooting,
  HardRebooting,
  Pausing,
  Paused,
  Suspending,
  Suspended,
  Resuming,
  Resizing,
  Rebuilding,
  Snapshotting,
  Migrating,
  Error,
  Deleting,
  Deleted,
};
constexpr std::array<std::string_view, 20> enum_names(VmState) {
  return {"QUEUED",       "LAUNCHING", "RUNNING",        "STOPPING", "STOPPED",
          "STARTING",     "REBOOTING", "HARD_REBOOTING", "PAUSING",  "PAUSED",
          "SUSPENDING",   "SUSPENDED", "RESUMING",       "RESIZING", "REBUILDING",
          "SNAPSHOTTING", "MIGRATING", "ERROR",          "DELETING", "DELETED"};
}

enum class ImageState : std::uint8_t { Queued, Saving, Saved, Error, Deleting, Deleted };
constexpr std::array<std::string_view, 6> enum_names(ImageState) {
  return {"QUEUED", "SAVING", "SAVED", "ERROR", "DELETING", "DELETED"};
}

enum class Dialect : std::uint8_t {
  Core,
  VmFront,
  Orchestrator,
  Reservation,
  Nano,
  Perspective,
  System
};
constexpr std::array<std::string_view, 7> enum_names(Dialect) {
  return {"core", "vmfront", "orchestrator", "reservation", "nano", "perspective", "system"};
}

enum class Role : std::uint8_t { None, Viewer, Operator, Admin };
constexpr std::array<std::string_view, 4> enum_names(Role) {
  return {"none", "viewer", "operator", "admin"};
}

enum class CommandKind : std::uint8_t {
  VmCreate,
  VmDelete,
  VmStart,
  VmStop,
  VmReboot,
  VmPause,
  VmUnpause,
  VmSuspend,
  VmResume,
  VmResize,
  VmRebuild,
  VmRename,
  VmMigrate,
  VmSnapshotCreate,
  VmSnapshotRestore,
  VmSnapshotDelete,
  ImageCapture,
  ImageDelete,
  BatchCommands,
  BatchVmCreate,
  BatchVmDelete,
  BatchTaskCancel,
  BatchTaskRedrive,
  TaskCancel,
  TaskRedrive,
  TaskSetPriority,
  UserCreate,
  UserSetPassword,
  UserDelete,
  TokenCreate,
  TokenDelete,
  QuotaSet,
  SystemInitialize,
  LeaseCreate,
  LeaseUpdate,
  LeaseDelete,
  ReservableHostEnroll,
  ReservableHostUpdate,
  ReservableHostWithdraw,
  HostPropertySet,
  HostSetAlive,
  FloatingIpCreate,
  FloatingIpDelete,
  VmSetCores,
  VmSetMemory,
  VmDiskResize,
  VmDiskShrink,
  VmResetSystem,
  VmSetAutoStart,
  VmSetQos,
  VmSetCredential,
  VmMediaInsert,
  VmMediaEject,
  VmConsoleResetSecret,
  BatchVmStop,
  MigrationStart,
  ImageRegister,
  ImageUpdate,
  ImageUpload,
  ImageSync,
  PoolCreate,
  PoolUpdate,
  PoolDelete,
  HostAttach,
  HostDetach,
  HostSetEnabled,
  StoragePoolCreate,
  StoragePoolUpdate,
  StoragePoolDelete,
  AddressPoolCreate,
  AddressPoolUpdate,
  AddressPoolDelete,
  AddressRangeAdd,
  AddressRangeRemove,
  TemplateDefine,
  TemplateDelete,
  SecurityGroupDefine,
  SecurityGroupChangeRules,
  SecurityGroupDelete,
  VmChangeSecurity,
  RoleCreate,
  RoleUpdate,
  RoleDelete,
  GroupCreate,
  GroupUpdate,
  GroupDelete,
  GroupMemberAdd,
  GroupMemberRemove,
  UserUpdate,
  SystemFound,
  SessionOpen,
  SessionRenew,
  SessionClose,
  AuditAppend,
  AuditHide,
  VmAssign,
  VmRelease,
  BackendRegister,
  OrphanVmDelete,
  OrphanPartDelete,
};
constexpr std::array<std::string_view, 100> enum_names(CommandKind) {
  return {"vm.create",
          "vm.delete",
          "vm.start",
          "vm.stop",
          "vm.reboot",
          "vm.pause",
          "vm.unpause",
          "vm.suspend",
          "vm.resume",
          "vm.resize",
          "vm.rebuild",
          "vm.rename",
          "vm.migrate",
          "vm.snapshot.create",
          "vm.snapshot.restore",
          "vm.snapshot.delete",
          "image.capture",
          "image.delete",
          "batch.commands",
          "batch.vm.create",
          "batch.vm.delete",
          "batch.task.cancel",
          "batch.task.redrive",
          "task.cancel",
          "task.redrive",
          "task.set_priority",
          "user.create",
          "user.set_password",
          "user.delete",
          "token.create",
          "token.delete",
          "quota.set",
          "system.initialize",
          "lease.create",
          "lease.update",
          "lease.delete",
          "reservable_host.enroll",
          "reservable_host.update",
          "reservable_host.withdraw",
          "host.property.set",
          "host.set_alive",
          "floating_ip.create",
          "floating_ip.delete",
          "vm.set_cores",
          "vm.set_memory",
          "vm.disk.resize",
          "vm.disk.shrink",
          "vm.reset_system",
          "vm.set_auto_start",
          "vm.set_qos",
          "vm.set_credential",
          "vm.media.insert",
          "vm.media.eject",
          "vm.console.reset_secret",
          "batch.vm.stop",
          "migration.start",
          "image.register",
          "image.update",
          "image.upload",
          "image.sync",
          "pool.create",
          "pool.update",
          "pool.delete",
          "host.attach",
          "host.detach",
          "host.set_enabled",
          "storage_pool.create",
          "storage_pool.update",
          "storage_pool.delete",
          "address_pool.create",
          "address_pool.update",
          "address_pool.delete",
          "address_range.add",
          "address_range.remove",
          "template.define",
          "template.delete",
          "security_group.define",
          "security_group.change_rules",
          "security_group.delete",
          "vm.change_security",
          "role.create",
          "role.update",
          "role.delete",
          "group.create",
          "group.update",
          "group.delete",
          "group.member.add",
          "group.member.remove",
          "user.update",
          "system.found",
          "session.open",
          "session.renew",
          "session.close",
          "audit.append",
          "audit.hide",
          "vm.assign",
          "vm.release",
          "backend.register",
          "orphan.vm.delete",
          "orphan.part.delete"};
}
constexpr bool is_batch(CommandKind k) {
  return (k >= CommandKind::BatchCommands && k <= CommandKind::BatchTaskRedrive) ||
         k == CommandKind::BatchVmStop || k == CommandKind::MigrationStart;
}
// Those that reconciliation begins, and no client may.
constexpr bool is_orphan_delete(CommandKind k) {
  return k == CommandKind::OrphanVmDelete || k == CommandKind::OrphanPartDelete;
}
// Those that give a VM another size.
constexpr bool is_resize(CommandKind k) {
  return k == CommandKind::VmResize || k == CommandKind::VmSetCores ||
         k == CommandKind::VmSetMemory || k == CommandKind::VmDiskResize;
}

}  // namespace slipway::domain
