// Another system on the first disk of a VM that is there.
#include "workers/backends/libvirt/names.hpp"
#include "workers/backends/libvirt/steps.hpp"

namespace slipway::workers::libvirt {

namespace {

// They are within the disk that goes.
void forget_snapshots(virDomainPtr domain) {
  virDomainSnapshotPtr* all = nullptr;
  const int count = checked(virDomainListAllSnapshots(domain, &all, 0), "list the snapshots");
  const std::vector<DomainSnapshot> snapshots(all, all + count);
  std::free(all);  // NOLINT
  for (const DomainSnapshot& snapshot : snapshots) {
    checked(virDomainSnapshotDelete(snapshot.get(), VIR_DOMAIN_SNAPSHOT_DELETE_METADATA_ONLY),
            "forget a snapshot");
  }
}

void renew_disk(const Request& r, const Located& vm, const std::string& image) {
  StoragePool pool(vm.connection, vm.cell->options());
  const Image from = find_image(r, pool, image);
  const std::string name = volume_name(vm.tag.tag, "disk0.qcow2");
  const std::uint64_t megabytes =
      domain::in_megabytes(domain::guest_of(r.order().spec).disks.front());
  pool.remove(name);
  r.may_change();
  make_disk(r, pool, name, 0, megabytes, &from);
}

}  // namespace

BackendAnswer rebuild_vm(const Request& r) {
  Located vm = r.take();
  if (r.is_done(vm)) return r.done(vm);
  if (!vm.is_ours()) {
    refuse(base::Errc::BackendRefused, "the disk of a VM made elsewhere is not replaced");
  }
  const bool rebuild = r.order().command == domain::CommandKind::VmRebuild;
  const Power power = power_of(vm.domain.get());
  // A start that failed on an earlier attempt has lost what it was before: it counts as running.
  const bool run = rebuild || power == Power::Running || power == Power::Paused;
  const std::string image = image_volume(r, r.order().image_ref, r.order().image_name);
  r.may_change();
  destroy(vm.domain.get());
  if (virDomainHasManagedSaveImage(vm.domain.get(), 0) == 1) {
    checked(virDomainManagedSaveRemove(vm.domain.get(), 0), "drop the saved memory");
  }
  forget_snapshots(vm.domain.get());
  renew_disk(r, vm, image);
  if (run) checked(virDomainCreate(vm.domain.get()), "start the VM");
  vm.tag.image = image;
  r.mark_done(vm);
  BackendAnswer answer = r.done(vm);
  answer.settled = !run || power_of(vm.domain.get()) == Power::Running;
  return answer;
}

}  // namespace slipway::workers::libvirt
