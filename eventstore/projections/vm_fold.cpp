#include "eventstore/projections/vm_fold.hpp"

#include <algorithm>

namespace slipway::eventstore {

using domain::VmState;

namespace {

// What was being done to a VM that failed: the label of slipway_vm_failures_total.
std::string_view operation_of(VmState state) {
  switch (state) {
    case VmState::Queued:
    case VmState::Launching:
      return "create";
    case VmState::Stopping:
      return "stop";
    case VmState::Starting:
      return "start";
    case VmState::Rebooting:
    case VmState::HardRebooting:
      return "reboot";
    case VmState::Pausing:
      return "pause";
    case VmState::Suspending:
      return "suspend";
    case VmState::Resuming:
      return "resume";
    case VmState::Resizing:
      return "resize";
    case VmState::Rebuilding:
      return "rebuild";
    case VmState::Snapshotting:
      return "snapshot";
    case VmState::Migrating:
      return "migrate";
    case VmState::Deleting:
      return "delete";
    case VmState::Running:
    case VmState::Stopped:
    case VmState::Paused:
    case VmState::Suspended:
    case VmState::Error:
    case VmState::Deleted:
      return "other";
  }
  return "other";
}

bool is_at_rest(VmState s) {
  return s == VmState::Running || s == VmState::Stopped || s == VmState::Paused ||
         s == VmState::Suspended || s == VmState::Error;
}

}  // namespace

VmFold::VmFold(Database& db, Tallies& tallies, StatsFold& stats, std::size_t max_kept)
    : tallies_(tallies), stats_(stats), store_(db), max_kept_(max_kept) {}

void VmFold::on(const FoldContext& ctx, const domain::VmRequested& e) {
  const domain::VmId id(ctx.event.stream.id);
  Entry& entry = vms_[id];
  entry = {};
  entry.fresh = entry.touched = true;
  touched_.push_back(id);
  VmRow& row = entry.row;
  row.created_seq = row.seq = ctx.seq;
  row.id = id;
  row.spec = e.spec;
  if (row.spec.project.empty()) row.spec.project = ctx.envelope.tenant;
  row.task = e.task;
  row.created_at = row.updated_at = ctx.time();
  row.version = 1;
  hold(row, +1);
  const Label backend = tallies_.label(row.spec.backend);
  tallies_.add(Tally::VmsByState, backend, tallies_.label(row.state));
  tallies_.add(Tally::VmsCreated, backend);
  stats_.vm_exists(row.tenant(), ctx.time(), +1);
}

VmFold::Entry* VmFold::touch(const FoldContext& ctx) {
  Entry* entry = find(domain::VmId(ctx.event.stream.id));
  if (entry == nullptr || entry->row.state == VmState::Deleted) return nullptr;
  if (!entry->touched) {
    entry->touched = true;
    touched_.push_back(entry->row.id);
  }
  ++entry->row.version;
  entry->row.seq = ctx.seq;
  entry->row.updated_at = ctx.time();
  return entry;
}

VmFold::Entry* VmFold::find(const domain::VmId& id) {
  if (const auto it = vms_.find(id); it != vms_.end()) return &it->second;
  VmRow row;
  if (!store_.find(id, row)) return nullptr;
  Entry& entry = vms_[id];
  entry.row = std::move(row);
  return &entry;
}

void VmFold::become(Entry& entry, VmState state, const domain::TaskId& task) {
  VmRow& row = entry.row;
  const Label backend = tallies_.label(row.spec.backend);
  if (row.state != VmState::Deleted) {
    tallies_.add(Tally::VmsByState, backend, tallies_.label(row.state), 0, -1);
  }
  if (state != VmState::Deleted) {
    tallies_.add(Tally::VmsByState, backend, tallies_.label(state), 0, +1);
  }
  if (state == VmState::Running) row.error.clear();
  if (is_at_rest(state)) row.running = state == VmState::Running;
  row.state = state;
  row.task = task;
}

void VmFold::hold(const VmRow& row, int sign) {
  stats_.use(UsageKind::Host, row.spec.host, row.spec.size, sign);
  stats_.use(UsageKind::Project, row.spec.project, row.spec.size, sign);
}

void VmFold::on(const FoldContext& ctx, const domain::VmLaunching&) {
  if (Entry* entry = touch(ctx)) become(*entry, VmState::Launching, entry->row.task);
}

void VmFold::on(const FoldContext& ctx, const domain::VmLaunched& e) {
  Entry* entry = touch(ctx);
  if (entry == nullptr) return;
  become(*entry, VmState::Running, {});
  if (!e.backend_ref.empty()) entry->row.backend_ref = e.backend_ref;
  if (!entry->row.launched_at) entry->row.launched_at = ctx.time();
}

void VmFold::on(const FoldContext& ctx, const domain::VmStateChanged& e) {
  if (Entry* entry = touch(ctx)) become(*entry, e.state, e.task);
}

void VmFold::on(const FoldContext& ctx, const domain::VmResized& e) {
  Entry* entry = touch(ctx);
  if (entry == nullptr) return;
  hold(entry->row, -1);
  entry->row.spec.size = e.size;
  hold(entry->row, +1);
  entry->spec_changed = true;
}

void VmFold::on(const FoldContext& ctx, const domain::VmRebuilt& e) {
  Entry* entry = touch(ctx);
  if (entry == nullptr) return;
  entry->row.spec.image = e.image;
  entry->spec_changed = true;
}

void VmFold::on(const FoldContext& ctx, const domain::VmRenamed& e) {
  Entry* entry = touch(ctx);
  if (entry == nullptr) return;
  entry->row.spec.name = e.name;
  entry->spec_changed = true;
}

// Its guest, about to be changed; null for a VM that is not there.
domain::GuestSpec* VmFold::touch_guest(const FoldContext& ctx) {
  Entry* entry = touch(ctx);
  if (entry == nullptr) return nullptr;
  entry->spec_changed = true;
  if (!entry->row.spec.guest) entry->row.spec.guest.emplace();
  return &*entry->row.spec.guest;
}

void VmFold::on(const FoldContext& ctx, const domain::VmConfigured& e) {
  if (domain::GuestSpec* guest = touch_guest(ctx)) *guest = e.guest;
}

void VmFold::on(const FoldContext& ctx, const domain::VmCredentialSet& e) {
  domain::GuestSpec* guest = touch_guest(ctx);
  if (guest == nullptr) return;
  guest->admin_name = e.admin_name;
  find(domain::VmId(ctx.event.stream.id))->row.spec.admin_secret = e.secret;
}

void VmFold::on(const FoldContext& ctx, const domain::VmMediaInserted& e) {
  if (domain::GuestSpec* guest = touch_guest(ctx)) guest->media = e.image;
}

void VmFold::on(const FoldContext& ctx, const domain::VmMediaEjected&) {
  if (domain::GuestSpec* guest = touch_guest(ctx)) guest->media = domain::ImageId();
}

void VmFold::on(const FoldContext& ctx, const domain::VmMigrated& e) {
  Entry* entry = touch(ctx);
  if (entry == nullptr) return;
  hold(entry->row, -1);
  entry->row.spec.host = e.host;
  hold(entry->row, +1);
  entry->spec_changed = true;
}

void VmFold::on(const FoldContext& ctx, const domain::VmPlaced& e) {
  Entry* entry = touch(ctx);
  if (entry == nullptr) return;
  domain::VmSpec& spec = entry->row.spec;
  hold(entry->row, -1);
  if (!e.host.empty()) spec.host = e.host;
  if (e.ipv4 != 0) spec.ipv4 = e.ipv4;
  if (!e.mac.empty()) {
    if (!spec.guest) spec.guest.emplace();
    spec.guest->mac = e.mac;
  }
  hold(entry->row, +1);
  entry->spec_changed = true;
}

void VmFold::on(const FoldContext& ctx, const domain::VmLost&) {
  if (Entry* entry = touch(ctx)) entry->row.lost = entry->spec_changed = true;
}

void VmFold::on(const FoldContext& ctx, const domain::VmFound& e) {
  Entry* entry = touch(ctx);
  if (entry == nullptr) return;
  entry->row.lost = false;
  entry->row.foreign = entry->row.foreign || e.foreign;
  entry->spec_changed = true;
}

void VmFold::on(const FoldContext& ctx, const domain::VmDrifted& e) {
  Entry* entry = touch(ctx);
  if (entry == nullptr) return;
  entry->row.drift = domain::Drift{e.what, e.expected, e.found};
  entry->spec_changed = true;
}

void VmFold::on(const FoldContext& ctx, const domain::VmReconciled&) {
  Entry* entry = touch(ctx);
  if (entry == nullptr) return;
  entry->row.drift.reset();
  entry->spec_changed = true;
}

void VmFold::on(const FoldContext& ctx, const domain::VmFailed& e) {
  Entry* entry = touch(ctx);
  if (entry == nullptr) return;
  tallies_.add(Tally::VmFailures, tallies_.label(entry->row.spec.backend),
               tallies_.label(operation_of(entry->row.state)));
  become(*entry, VmState::Error, {});
  entry->row.error = e.reason;
}

void VmFold::on(const FoldContext& ctx, const domain::VmDeleting& e) {
  if (Entry* entry = touch(ctx)) become(*entry, VmState::Deleting, e.task);
}

void VmFold::on(const FoldContext& ctx, const domain::VmSecurityChanged&) { touch(ctx); }

void VmFold::on(const FoldContext& ctx, const domain::VmDeleted&) {
  Entry* entry = touch(ctx);
  if (entry == nullptr) return;
  become(*entry, VmState::Deleted, {});
  VmRow& row = entry->row;
  row.deleted_at = ctx.time();
  entry->spec_changed = true;
  hold(row, -1);
  tallies_.add(Tally::VmsDeleted, tallies_.label(row.spec.backend));
  stats_.vm_exists(row.tenant(), ctx.time(), -1);
  if (entry->fresh) {
    snapshots_.erase(row.id);
  } else {
    snapshots_[row.id].clear();
  }
}

// ---- snapshots: few; all of a VM's are written anew when one changes ----

std::vector<SnapshotRow>& VmFold::snapshots(const FoldContext& ctx) {
  const domain::VmId vm(ctx.event.stream.id);
  const auto it = snapshots_.find(vm);
  if (it != snapshots_.end()) return it->second;
  return snapshots_[vm] = store_.snapshots(vm);
}

void VmFold::on(const FoldContext& ctx, const domain::SnapshotCreated& e) {
  if (touch(ctx) == nullptr) return;
  auto& rows = snapshots(ctx);
  for (SnapshotRow& row : rows) row.current = false;
  std::erase_if(rows, [&](const SnapshotRow& row) { return row.snapshot.name == e.snapshot.name; });
  rows.push_back({ctx.seq, domain::VmId(ctx.event.stream.id), e.snapshot, true});
}

void VmFold::on(const FoldContext& ctx, const domain::SnapshotRestored& e) {
  if (touch(ctx) == nullptr) return;
  for (SnapshotRow& row : snapshots(ctx)) row.current = row.snapshot.name == e.name;
}

void VmFold::on(const FoldContext& ctx, const domain::SnapshotDeleted& e) {
  if (touch(ctx) == nullptr) return;
  std::erase_if(snapshots(ctx),
                [&](const SnapshotRow& row) { return row.snapshot.name == e.name; });
}

// ---- writing ----

void VmFold::flush() {
  for (const domain::VmId& id : touched_) {
    const auto it = vms_.find(id);
    Entry& entry = it->second;
    if (entry.fresh) {
      store_.insert(entry.row);
    } else if (entry.spec_changed) {
      store_.update(entry.row);
    } else {
      store_.update_state(entry.row);
    }
    if (entry.row.task.is_nil() || vms_.size() > max_kept_) {
      vms_.erase(it);
    } else {
      entry.fresh = entry.touched = entry.spec_changed = false;
    }
  }
  touched_.clear();
  for (const auto& [vm, rows] : snapshots_) store_.replace_snapshots(vm, rows);
  snapshots_.clear();
}

}  // namespace slipway::eventstore
