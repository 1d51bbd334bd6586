#pragma once
// VMs and their snapshots: folds their events into VmRows and writes each changed row once. Only
// VMs with a task under way are kept between lots; there may be millions of the others.
#include <map>
#include <unordered_map>

#include "core/domain/events.hpp"
#include "eventstore/projections/fold_context.hpp"
#include "eventstore/projections/stats_fold.hpp"
#include "eventstore/projections/tallies.hpp"
#include "eventstore/projections/vm_store.hpp"

namespace slipway::eventstore {

class VmFold {
 public:
  VmFold(Database& db, Tallies& tallies, StatsFold& stats, std::size_t max_kept);

  void on(const FoldContext&, const domain::VmRequested&);
  void on(const FoldContext&, const domain::VmLaunching&);
  void on(const FoldContext&, const domain::VmLaunched&);
  void on(const FoldContext&, const domain::VmStateChanged&);
  void on(const FoldContext&, const domain::VmResized&);
  void on(const FoldContext&, const domain::VmRebuilt&);
  void on(const FoldContext&, const domain::VmRenamed&);
  void on(const FoldContext&, const domain::VmConfigured&);
  void on(const FoldContext&, const domain::VmCredentialSet&);
  void on(const FoldContext&, const domain::VmMediaInserted&);
  void on(const FoldContext&, const domain::VmMediaEjected&);
  void on(const FoldContext&, const domain::VmMigrated&);
  void on(const FoldContext&, const domain::VmPlaced&);
  void on(const FoldContext&, const domain::VmLost&);
  void on(const FoldContext&, const domain::VmFound&);
  void on(const FoldContext&, const domain::VmDrifted&);
  void on(const FoldContext&, const domain::VmReconciled&);
  void on(const FoldContext&, const domain::VmFailed&);
  void on(const FoldContext&, const domain::VmDeleting&);
  void on(const FoldContext&, const domain::VmSecurityChanged&);
  void on(const FoldContext&, const domain::VmDeleted&);
  void on(const FoldContext&, const domain::SnapshotCreated&);
  void on(const FoldContext&, const domain::SnapshotRestored&);
  void on(const FoldContext&, const domain::SnapshotDeleted&);
  // Counted in its version; the rest is AssignmentFold's.
  void on(const FoldContext& ctx, const domain::VmAssigned&) { touch(ctx); }
  void on(const FoldContext& ctx, const domain::VmReleased&) { touch(ctx); }
  template <class E>
  void on(const FoldContext&, const E&) {}

  void flush();

 private:
  struct Entry {
    VmRow row;
    bool fresh = false;         // has no row in the table yet
    bool touched = false;       // in this lot
    bool spec_changed = false;  // or deleted: more columns, more indexes
  };
  domain::GuestSpec* touch_guest(const FoldContext&);
  Entry* touch(const FoldContext&);
  Entry* find(const domain::VmId& id);
  void become(Entry& entry, domain::VmState state, const domain::TaskId& task);
  void hold(const VmRow& row, int sign);
  std::vector<SnapshotRow>& snapshots(const FoldContext&);

  Tallies& tallies_;
  StatsFold& stats_;
  VmStore store_;
  const std::size_t max_kept_;
  std::unordered_map<domain::VmId, Entry> vms_;
  std::vector<domain::VmId> touched_;
  std::map<domain::VmId, std::vector<SnapshotRow>> snapshots_;  // changed in this lot
};

}  // namespace slipway::eventstore
