#pragma once
// The events of VMs and images. See events.hpp.
#include "core/domain/event.hpp"

namespace slipway::domain {

// ---- vm-<id> ----

// QUEUED. Quota, host and address are taken with it.
struct VmRequested {
  VmSpec spec;
  TaskId task;
  SLIPWAY_EVENT(VmRequested, v("spec", s.spec); v("task", s.task);)
};
struct VmLaunching {
  SLIPWAY_EVENT(VmLaunching, )
};
// RUNNING: the backend has it and says it is active.
struct VmLaunched {
  std::string backend_ref;
  SLIPWAY_EVENT(VmLaunched, v("backend_ref", s.backend_ref);)
};
// `task` is set while a command is under way and nil in a stable state.
struct VmStateChanged {
  VmState state = VmState::Running;
  TaskId task;
  SLIPWAY_EVENT(VmStateChanged, v("state", s.state); v("task", s.task);)
};
struct VmResized {
  Size size;
  SLIPWAY_EVENT(VmResized, v("size", s.size);)
};
struct VmRebuilt {
  ImageId image;
  SLIPWAY_EVENT(VmRebuilt, v("image", s.image);)
};
struct VmRenamed {
  std::string name;
  SLIPWAY_EVENT(VmRenamed, v("name", s.name);)
};
struct VmMigrated {
  std::string host;
  SLIPWAY_EVENT(VmMigrated, v("host", s.host);)
};
// Its guest as it is from now on: owner, disks, start with the host, limits.
struct VmConfigured {
  GuestSpec guest;
  SLIPWAY_EVENT(VmConfigured, v("guest", s.guest);)
};
// The administrator's name and password are these.
struct VmCredentialSet {
  std::string admin_name;
  SecretRef secret;
  SLIPWAY_EVENT(VmCredentialSet, v("admin_name", s.admin_name); v("secret", s.secret);)
};
struct VmMediaInserted {
  ImageId image;
  SLIPWAY_EVENT(VmMediaInserted, v("image", s.image);)
};
struct VmMediaEjected {
  SLIPWAY_EVENT(VmMediaEjected, )
};
// ERROR: the task ended badly and the VM's state is not known to be good.
struct VmFailed {
  std::string reason;
  SLIPWAY_EVENT(VmFailed, v("reason", s.reason);)
};
struct VmDeleting {
  TaskId task;
  SLIPWAY_EVENT(VmDeleting, v("task", s.task);)
};
// Quota, host and address are free again.
struct VmDeleted {
  SLIPWAY_EVENT(VmDeleted, )
};
struct SnapshotCreated {
  Snapshot snapshot;
  SLIPWAY_EVENT(SnapshotCreated, v("snapshot", s.snapshot);)
};
struct SnapshotRestored {
  std::string name;
  SLIPWAY_EVENT(SnapshotRestored, v("name", s.name);)
};
struct SnapshotDeleted {
  std::string name;
  SLIPWAY_EVENT(SnapshotDeleted, v("name", s.name);)
};

// ---- image-<id> ----

// SAVED: known and usable at once.
struct ImageRegistered {
  Image image;
  SLIPWAY_EVENT(ImageRegistered, v("image", s.image);)
};
// QUEUED: known by name; its bytes are still to come.
struct ImageQueued {
  Image image;
  SLIPWAY_EVENT(ImageQueued, v("image", s.image);)
};
// SAVED: its bytes are in the server's own directory of images.
struct ImageStored {
  std::uint64_t size_bytes = 0;
  std::string checksum_md5;
  std::string checksum_sha512;
  SLIPWAY_EVENT(ImageStored, v("size_bytes", s.size_bytes); v("checksum_md5", s.checksum_md5);
                v("checksum_sha512", s.checksum_sha512);)
};
struct ImageUpdated {
  std::string name;
  ImageTraits traits;
  SLIPWAY_EVENT(ImageUpdated, v("name", s.name); v("traits", s.traits);)
};
struct ImageSaving {
  Image image;
  TaskId task;
  SLIPWAY_EVENT(ImageSaving, v("image", s.image); v("task", s.task);)
};
struct ImageSaved {
  std::uint64_t size_bytes = 0;
  std::string backend_ref;
  SLIPWAY_EVENT(ImageSaved, v("size_bytes", s.size_bytes); v("backend_ref", s.backend_ref);)
};
struct ImageFailed {
  std::string reason;
  SLIPWAY_EVENT(ImageFailed, v("reason", s.reason);)
};
struct ImageDeleting {
  TaskId task;
  SLIPWAY_EVENT(ImageDeleting, v("task", s.task);)
};
struct ImageDeleted {
  SLIPWAY_EVENT(ImageDeleted, )
};

}  // namespace slipway::domain
