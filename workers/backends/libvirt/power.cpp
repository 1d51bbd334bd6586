// Start, stop and what lies between.
#include <fmt/format.h>

#include "workers/backends/libvirt/steps.hpp"

namespace slipway::workers::libvirt {

using base::Errc;
using base::SteadyTime;

namespace {

constexpr base::Duration kStopPoll = std::chrono::milliseconds(500);

[[noreturn]] void refuse_state(Power power) {
  throw CallFailed{{.code = Errc::IllegalTransition,
                    .detail = fmt::format("the VM is {}", power_name(power)),
                    .without_effect = true}};
}

// One start boots from a medium or the network, the next from the disk again.
void set_boot(const Located& vm, const std::string& boot) {
  const std::string xml = stored_xml(vm.domain.get());
  const std::string device = boot == "media" ? "cdrom" : boot == "network" ? "network" : "hd";
  if (boots_from(xml) == device) return;
  owned<Domain>(virDomainDefineXML(vm.connection.get(), with_boot(xml, device).c_str()),
                "set what the VM boots from");
}

// Since when the guest of this task has been asked.
SteadyTime first_asked(const Request& r, SteadyTime now) {
  Context& context = r.context();
  base::Lock lock(context.mu);
  constexpr std::size_t kMost = 10000;  // of tasks that ended elsewhere
  if (context.asked_to_stop.size() > kMost) context.asked_to_stop.clear();
  return context.asked_to_stop.emplace(r.order().task, now).first->second;
}

BackendAnswer stopped(const Request& r) {
  base::Lock lock(r.context().mu);
  r.context().asked_to_stop.erase(r.order().task);
  return r.done();
}

}  // namespace

BackendAnswer start_vm(const Request& r) {
  const Located vm = r.take();
  const Power power = power_of(vm.domain.get());
  if (power == Power::Running) return r.done(vm);
  if (power == Power::Paused) refuse_state(power);
  r.may_change();
  const auto& change = r.order().args.guest;
  if (power == Power::Stopped && !r.options().direct_boot) set_boot(vm, change ? change->boot : "");
  checked(virDomainCreate(vm.domain.get()), "start the VM");
  return r.done(vm);
}

// By the power button, asked again at each call, for a guest that has not booted yet does not heed
// it; by force when the grace is over. A paused one could not heed it at all.
BackendAnswer stop_vm(const Request& r) {
  const Located vm = r.take();
  const Power power = power_of(vm.domain.get());
  if (power == Power::Stopped) return stopped(r);
  if (power == Power::Suspended) refuse_state(power);
  r.may_change();
  const auto now = std::chrono::time_point_cast<base::Duration>(std::chrono::steady_clock::now());
  const bool by_force = r.order().args.hard || power == Power::Paused ||
                        now - first_asked(r, now) >= r.options().stop_grace;
  if (by_force) {
    destroy(vm.domain.get());
    return stopped(r);
  }
  if (virDomainShutdownFlags(vm.domain.get(), VIR_DOMAIN_SHUTDOWN_DEFAULT) < 0 &&
      last_error() != VIR_ERR_OPERATION_INVALID) {
    fail_call("ask the guest to switch off");
  }
  if (power_of(vm.domain.get()) == Power::Stopped) return stopped(r);
  return Request::not_yet(kStopPoll);
}

// Soft: the guest is asked, and starts anew when it has gone down; that is not waited for.
BackendAnswer reboot_vm(const Request& r) {
  Located vm = r.take();
  if (r.is_done(vm)) return r.done(vm);
  const Power power = power_of(vm.domain.get());
  if (power != Power::Running) refuse_state(power);
  r.may_change();
  if (r.order().args.hard) {
    // Not every driver can reset; switching off and on comes to the same for the guest.
    if (virDomainReset(vm.domain.get(), 0) < 0) {
      if (last_error() != VIR_ERR_NO_SUPPORT) fail_call("reset the VM");
      destroy(vm.domain.get());
      checked(virDomainCreate(vm.domain.get()), "start the VM");
    }
  } else {
    checked(virDomainReboot(vm.domain.get(), VIR_DOMAIN_REBOOT_DEFAULT), "reboot the VM");
  }
  r.mark_done(vm);
  return r.done(vm);
}

BackendAnswer pause_vm(const Request& r) {
  const Located vm = r.take();
  const Power power = power_of(vm.domain.get());
  if (power == Power::Paused) return r.done();
  if (power != Power::Running) refuse_state(power);
  r.may_change();
  checked(virDomainSuspend(vm.domain.get()), "pause the VM");
  return r.done();
}

BackendAnswer unpause_vm(const Request& r) {
  const Located vm = r.take();
  const Power power = power_of(vm.domain.get());
  if (power == Power::Running) return r.done();
  if (power != Power::Paused) refuse_state(power);
  r.may_change();
  checked(virDomainResume(vm.domain.get()), "let the VM go on");
  return r.done();
}

// Its memory goes to the host's disk.
BackendAnswer suspend_vm(const Request& r) {
  const Located vm = r.take();
  const Power power = power_of(vm.domain.get());
  if (power == Power::Suspended) return r.done();
  if (power != Power::Running) refuse_state(power);
  r.may_change();
  checked(virDomainManagedSave(vm.domain.get(), 0), "save the VM's memory");
  return r.done();
}

BackendAnswer resume_vm(const Request& r) {
  const Located vm = r.take();
  const Power power = power_of(vm.domain.get());
  if (power == Power::Running) return r.done(vm);
  if (power == Power::Stopped) refuse_state(power);
  r.may_change();
  if (power == Power::Paused) {
    checked(virDomainResume(vm.domain.get()), "let the VM go on");
  } else {
    checked(virDomainCreate(vm.domain.get()), "start the VM with its saved memory");
  }
  return r.done(vm);
}

}  // namespace slipway::workers::libvirt
