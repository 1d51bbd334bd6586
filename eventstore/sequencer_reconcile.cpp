// The sequencer's dealings with what clouds say they have.
#include <algorithm>

#include "core/domain/reconcile_rules.hpp"
#include "eventstore/sequencer.hpp"

namespace slipway::eventstore {
namespace {

constexpr std::string_view kReconciler = "reconciler";

}  // namespace

void SequencerCore::run_reconciler() {
  if (!reconciler_.is_on()) return;
  for (const auto& [name, backend] : world_.backends()) {
    if (!reconciler_.is_due(name, steady_)) continue;
    const WorkerSession* session = leases_.any_of(backend.worker_pool, heard_since());
    if (session == nullptr) {
      reconciler_.put_off(name, steady_);
      continue;
    }
    const auto& run = reconciler_.begin(name, session->id, steady_);
    effect(session->id, domain::TakeInventory{name, run.number, base::to_string(log_id_)});
  }
}

void SequencerCore::take(const domain::InventoryPage& page) {
  if (is_read_only()) return;
  const domain::Backend* backend = world_.backend(page.backend);
  Reconciler::Run* run = reconciler_.take(page);
  if (backend == nullptr || run == nullptr) return;
  if (!page.error.empty()) {
    if (observer_ != nullptr) observer_->on_reconciled(page.backend, "failed", {});
    reconciler_.end(page.backend);
    return;
  }
  const domain::ReconcileContext context{
      world_, options_.policy, *backend, base::to_string(log_id_), reconciler_.options().orphan_age,
      now_};
  // Those that were lost before this list: once may be a slip of the network.
  for (const domain::SeenHost& host : page.inventory.hosts) {
    if (host.alive) continue;
    for (auto& finding : domain::decide_failover(context, host.name)) {
      note(std::move(finding), page.backend);
    }
  }
  note(domain::decide_catalogue(context, page.inventory), page.backend);
  for (const domain::SeenVm& seen : page.inventory.vms) {
    const domain::VmId id = domain::known_as(context, seen);
    if (!id.is_nil()) run->seen.insert(id);
    if (run->touched.contains(id) || run->touched.contains(seen.vm)) continue;
    note(domain::decide_seen(context, seen), page.backend);
    note(domain::decide_repair(context, seen), page.backend);
  }
  for (const domain::SeenImage& image : page.inventory.images) {
    note(domain::decide_image(context, image), page.backend);
  }
  for (const domain::SeenPart* part : domain::parts_of_no_vm(context, page.inventory.parts)) {
    note(domain::decide_part(context, *part), page.backend);
  }
  if (!page.last) return;
  note_missing(context, *run);
  if (observer_ != nullptr) observer_->on_reconciled(page.backend, "done", steady_ - run->started);
  reconciler_.end(page.backend);
}

// Only at rest, not changed since the list was asked for, and on a host that was listed.
void SequencerCore::note_missing(const domain::ReconcileContext& context,
                                 const Reconciler::Run& run) {
  const auto& silent = run.silent_hosts;
  std::vector<domain::VmId> missing;
  world_.each_vm([&](const domain::Vm& vm) {
    if (vm.spec.backend != context.backend.name || !vm.task.is_nil() || vm.backend_ref.empty() ||
        vm.lost || run.seen.contains(vm.id) || run.touched.contains(vm.id)) {
      return;
    }
    if (std::find(silent.begin(), silent.end(), vm.spec.host) != silent.end()) return;
    missing.push_back(vm.id);
  });
  std::sort(missing.begin(), missing.end());
  for (const domain::VmId& id : missing) {
    note(domain::decide_missing(context, *world_.vm(id)), context.backend.name);
  }
  note(domain::decide_missing_images(context, run.images), context.backend.name);
}

void SequencerCore::note(domain::Finding&& finding, const std::string& backend) {
  if (finding.events.empty()) return;
  if (observer_ != nullptr) observer_->on_finding(backend, finding.kind);
  domain::Envelope envelope;
  envelope.tenant = std::move(finding.tenant);
  envelope.actor = kReconciler;
  envelope.dialect = domain::Dialect::System;
  commit(std::move(envelope), std::move(finding.events));
}

}  // namespace slipway::eventstore
