// A VM whose cell does not answer is defined anew on another cell that sees its disks, and started
// there. Should the guest still run on the lost cell, QEMU's locks on its disks refuse the start,
// as far as the shared storage knows locks; what is defined is then taken back.
#include <fmt/format.h>

#include "workers/backends/libvirt/client.hpp"
#include "workers/backends/libvirt/steps.hpp"

namespace slipway::workers::libvirt {

using base::Errc;

bool is_evacuation(const Request& r) {
  if (!r.order().args.evacuate) return false;
  std::optional<CallFailed> silent;
  const Located source = look_at(r, r.home(), silent);
  if (silent) return true;
  // It is back with nothing started: an evacuation that has begun is ended or undone as one.
  std::optional<CallFailed> unknown;
  const Located target = look_at(r, target_of(r), unknown);
  return target.domain != nullptr && source.domain != nullptr &&
         source.tag.fence < target.tag.fence && virDomainIsActive(source.domain.get()) != 1;
}

BackendAnswer evacuate_vm(const Request& r) {
  Cell& to = target_of(r);
  if (!r.home().options().shared || !to.options().shared) {
    refuse(Errc::BackendRefused, "the VM's disks are on the storage of the host that is lost");
  }
  Located vm = r.locate_on(to);
  if (vm.domain == nullptr) define_vm(r, vm);
  if (virDomainIsActive(vm.domain.get()) != 1) {
    try {
      start_defined(r, vm);
    } catch (const CallFailed&) {
      undefine(vm.domain.get());
      throw;
    }
  }
  return r.done(vm);
}

// Not the only definition there is.
BackendAnswer abort_evacuation(const Request& r) {
  std::optional<CallFailed> silent;
  const Located source = look_at(r, r.home(), silent);
  const Located target = r.locate_on(target_of(r));
  if (target.domain != nullptr && (silent || source.domain != nullptr)) {
    r.may_change();
    destroy(target.domain.get());
    undefine(target.domain.get());
  }
  return r.done();
}

std::vector<FoundResource> find_evacuated(const Request& r) {
  const Located vm = r.locate_on(target_of(r));
  const bool runs = vm.domain != nullptr && virDomainIsActive(vm.domain.get()) == 1;
  if (!runs) return {};
  return {{.ref = r.uuid()}};
}

// Its cell would start it again, at its own next start.
void drop_left_behind(const Context& context, const std::string& ref, const std::string& runs_on,
                      const std::string& left_on) {
  try {
    const Located now = find_on(*context.cell(runs_on), ref);
    const Located before = find_on(*context.cell(left_on), ref);
    const bool left_behind = now.domain != nullptr && before.domain != nullptr &&
                             virDomainIsActive(now.domain.get()) == 1 &&
                             virDomainIsActive(before.domain.get()) == 0 && before.is_ours() &&
                             before.tag.tag == now.tag.tag && before.tag.fence < now.tag.fence;
    if (left_behind) undefine(before.domain.get());
  } catch (const CallFailed&) {
    // At the next listing.
  }
}

}  // namespace slipway::workers::libvirt
