#pragma once
// Every event, its fields and its stream (docs/EVENTS.md is the page for readers). An event states,
// in the past tense, and is never edited once released: new meaning is a new type or a new schema
// number with an upcast in record.cpp, and the old bytes stay under tests/golden.
#include <variant>

#include "core/base/one_of.hpp"
#include "core/domain/assignment_events.hpp"
#include "core/domain/catalog_events.hpp"
#include "core/domain/lease_events.hpp"
#include "core/domain/membership_events.hpp"
#include "core/domain/people_events.hpp"
#include "core/domain/pool_events.hpp"
#include "core/domain/reconcile_events.hpp"
#include "core/domain/system_events.hpp"
#include "core/domain/task_events.hpp"
#include "core/domain/vm_events.hpp"

namespace slipway::domain {

// clang-format off
using EventVariant = std::variant<
    // command, task
    CommandAccepted, TaskQueued, TaskBlocked, TaskReady, TaskLeased, TaskProgressed,
    TaskStepStarted, TaskStepDone, TaskStepUndone, TaskRetryScheduled, TaskSucceeded,
    TaskFailed, TaskCancelRequested, TaskCancelled, TaskTimedOut, TaskDead, TaskRedriven,
    TaskPriorityChanged,
    // batch
    BatchOpened, BatchItemSucceeded, BatchItemFailed, BatchClosed,
    // vm
    VmRequested, VmLaunching, VmLaunched, VmStateChanged, VmResized, VmRebuilt, VmRenamed,
    VmMigrated, VmFailed, VmDeleting, VmDeleted, SnapshotCreated, SnapshotRestored,
    SnapshotDeleted, VmConfigured, VmCredentialSet, VmMediaInserted, VmMediaEjected,
    // image
    ImageRegistered, ImageSaving, ImageSaved, ImageFailed, ImageDeleting, ImageDeleted,
    ImageQueued, ImageStored, ImageUpdated,
    // what a cloud has
    FlavorDefined, NetworkDefined, HostAttached, BackendRegistered, ProjectCreated,
    ProjectQuotaSet,
    // people
    UserCreated, UserPasswordChanged, UserDeleted, TokenCreated, TokenDeleted,
    // system
    SystemInitialized, StatSampled, BackupTaken, ProjectionRebuilt,
    // leases of hosts
    LeaseCreated, ReservationAllocated, ReservationReleased, LeaseStarting, LeaseStarted,
    LeaseBeforeEnd, LeaseEnding, LeaseEnded, LeaseUpdated, LeaseDegraded, LeaseHealed,
    LeaseFailed, LeaseChecked, LeaseDeleting, LeaseDeleted, TimerSet, TimerFired, TimerDone,
    TimerFailed, HostEnrolled, HostCapabilitySet, HostWithdrawn, HostLost, HostSeen,
    HostPropertyChanged, FloatingIpCreated, FloatingIpDeleted,
    // what a data centre is divided into
    PoolCreated, PoolUpdated, PoolDeleted, HostDetached, HostEnabled, HostDisabled,
    StoragePoolCreated, StoragePoolUpdated, StoragePoolDeleted, AddressPoolCreated,
    AddressPoolUpdated, AddressPoolDeleted, AddressRangeAdded, AddressRangeRemoved,
    TemplateDefined, TemplateDeleted, SecurityGroupDefined, SecurityGroupDeleted,
    VmSecurityChanged,
    // roles, groups, sessions, notes
    RoleCreated, RoleUpdated, RoleDeleted, GroupCreated, GroupUpdated, GroupDeleted,
    GroupMemberAdded, GroupMemberRemoved, UserUpdated, SessionOpened, SessionRenewed,
    SessionClosed, AuditNoted, AuditHidden,
    // to whom VMs are given
    VmAssigned, VmReleased,
    // what was found in a cloud
    VmPlaced, VmLost, VmFound, VmDrifted, VmReconciled, OrphanFound>;
// clang-format on

struct EventBody : EventVariant {
  SLIPWAY_ONE_OF(EventBody, EventVariant)
};

struct Event {
  StreamId stream;
  StreamVersion version = 0;  // 1 is the stream's first
  EventBody body;
};

std::string_view event_type(const EventBody& body);

}  // namespace slipway::domain
