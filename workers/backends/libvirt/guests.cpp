// What a VM's owner sets: name, media, limits, secrets.
#include <fmt/format.h>

#include <algorithm>

#include "workers/backends/libvirt/steps.hpp"

namespace slipway::workers::libvirt {

using base::Errc;

namespace {

unsigned affected(const Located& vm) {
  unsigned flags = VIR_DOMAIN_AFFECT_CONFIG;
  if (virDomainIsActive(vm.domain.get()) == 1) flags |= VIR_DOMAIN_AFFECT_LIVE;
  return flags;
}

const domain::GuestChange& change_of(const Request& r) {
  if (!r.order().args.guest) refuse(Errc::InvalidArgument, "it is not said what to change");
  return *r.order().args.guest;
}

void change_medium(const Request& r, const Located& vm, const std::string& path) {
  const SeenDomain seen = read_domain(live_xml(vm.domain.get()));
  const auto drive = std::find_if(seen.disks.begin(), seen.disks.end(),
                                  [](const SeenDisk& disk) { return disk.device == "cdrom"; });
  if (drive == seen.disks.end()) refuse(Errc::BackendRefused, "the VM has no drive for media");
  if (drive->path == path) return;
  r.may_change();
  checked(virDomainUpdateDeviceFlags(
              vm.domain.get(), cdrom_xml(path, drive->target, drive->bus).c_str(), affected(vm)),
          "change the medium");
}

// Typed parameters, freed with this.
class Parameters {
 public:
  Parameters() = default;
  ~Parameters() { virTypedParamsFree(items_, count_); }
  Parameters(const Parameters&) = delete;
  Parameters& operator=(const Parameters&) = delete;
  void add(const char* name, unsigned long long value) {
    checked(virTypedParamsAddULLong(&items_, &count_, &room_, name, value), "set a limit");
  }
  void add_uint(const char* name, unsigned value) {
    checked(virTypedParamsAddUInt(&items_, &count_, &room_, name, value), "set a limit");
  }
  virTypedParameterPtr get() const { return items_; }
  int count() const { return count_; }

 private:
  virTypedParameterPtr items_ = nullptr;
  int count_ = 0;
  int room_ = 0;
};

void limit_disks(const Located& vm, const SeenDomain& seen, const domain::Qos& qos,
                 unsigned flags) {
  for (const SeenDisk& disk : seen.disks) {
    if (disk.device != "disk") continue;
    Parameters p;
    p.add(VIR_DOMAIN_BLOCK_IOTUNE_READ_BYTES_SEC, qos.read_bytes);
    p.add(VIR_DOMAIN_BLOCK_IOTUNE_WRITE_BYTES_SEC, qos.write_bytes);
    p.add(VIR_DOMAIN_BLOCK_IOTUNE_READ_IOPS_SEC, qos.read_iops);
    p.add(VIR_DOMAIN_BLOCK_IOTUNE_WRITE_IOPS_SEC, qos.write_iops);
    checked(
        virDomainSetBlockIoTune(vm.domain.get(), disk.target.c_str(), p.get(), p.count(), flags),
        "limit the disk");
  }
}

// In the host's direction: what the guest receives is "inbound". libvirt counts KiB; a limit below
// one would be none.
void limit_network(const Located& vm, const SeenDomain& seen, const domain::Qos& qos,
                   unsigned flags) {
  if (seen.mac.empty()) return;
  const auto kibibytes = [](std::uint64_t bytes) {
    return static_cast<unsigned>((bytes + 1023) / 1024);
  };
  Parameters p;
  p.add_uint(VIR_DOMAIN_BANDWIDTH_IN_AVERAGE, kibibytes(qos.receive_bytes));
  p.add_uint(VIR_DOMAIN_BANDWIDTH_OUT_AVERAGE, kibibytes(qos.send_bytes));
  checked(
      virDomainSetInterfaceParameters(vm.domain.get(), seen.mac.c_str(), p.get(), p.count(), flags),
      "limit the network");
}

unsigned long long shares(const std::string& priority) {
  constexpr unsigned long long kMedium = 1024;  // the kernel's own
  if (priority == "high") return 2 * kMedium;
  return priority == "low" ? kMedium / 2 : kMedium;
}

// Of a running one only where the host has control groups; else from its next start.
void weigh_cpu(const Request& r, const Located& vm, const domain::Qos& qos, unsigned flags) {
  Parameters p;
  p.add(VIR_DOMAIN_SCHEDULER_CPU_SHARES, shares(qos.cpu_priority));
  if (virDomainSetSchedulerParametersFlags(vm.domain.get(), p.get(), p.count(), flags) == 0) return;
  if ((flags & VIR_DOMAIN_AFFECT_LIVE) == 0) fail_call("set the CPU's share");
  checked(virDomainSetSchedulerParametersFlags(vm.domain.get(), p.get(), p.count(),
                                               VIR_DOMAIN_AFFECT_CONFIG),
          "set the CPU's share");
  r.progress(90, "the CPU's share changes at the VM's next start");
}

}  // namespace

void set_limits(const Request& r, const Located& vm, const domain::Qos& qos) {
  const SeenDomain seen = read_domain(live_xml(vm.domain.get()));
  const unsigned flags = affected(vm);
  const domain::Qos none;
  const bool limits_disks = qos.read_bytes + qos.write_bytes + qos.read_iops + qos.write_iops != 0;
  const auto& before = r.order().spec.guest;
  const domain::Qos& old = before && before->qos ? *before->qos : none;
  const bool had_disks = old.read_bytes + old.write_bytes + old.read_iops + old.write_iops != 0;
  const bool network = qos.receive_bytes + qos.send_bytes + old.receive_bytes + old.send_bytes != 0;
  // What was never limited is not touched: not every driver can.
  if (limits_disks || had_disks) limit_disks(vm, seen, qos, flags);
  if (network) limit_network(vm, seen, qos, flags);
  if (!qos.cpu_priority.empty() || !old.cpu_priority.empty()) weigh_cpu(r, vm, qos, flags);
}

// The title: a domain's own name has to be unique, and cannot change while it runs.
BackendAnswer rename_vm(const Request& r) {
  const Located vm = r.take();
  std::string title = r.order().args.name;
  std::replace(title.begin(), title.end(), '\n', ' ');
  r.may_change();
  checked(virDomainSetMetadata(vm.domain.get(), VIR_DOMAIN_METADATA_TITLE, title.c_str(), nullptr,
                               nullptr, affected(vm)),
          "rename the VM");
  return r.done();
}

BackendAnswer insert_medium(const Request& r) {
  const Located vm = r.take();
  StoragePool pool(vm.connection, vm.cell->options());
  const std::string name = image_volume(r, r.order().media_ref, r.order().media_name);
  change_medium(r, vm, find_image(r, pool, name).seen.path);
  return r.done();
}

BackendAnswer eject_medium(const Request& r) {
  const Located vm = r.take();
  change_medium(r, vm, {});
  return r.done();
}

BackendAnswer configure_vm(const Request& r) {
  const Located vm = r.take();
  const domain::GuestChange& change = change_of(r);
  if (!change.after) refuse(Errc::InvalidArgument, "it is not said what to change");
  r.may_change();
  if (r.order().command == domain::CommandKind::VmSetAutoStart) {
    checked(virDomainSetAutostart(vm.domain.get(), change.after->auto_start ? 1 : 0),
            "set whether the VM starts with its host");
  } else if (change.after->qos) {
    set_limits(r, vm, *change.after->qos);
  }
  return r.done();
}

namespace {

const base::Secret& secret_of(const Request& r) {
  const base::Secret* secret = r.call().work->secrets.find(change_of(r).secret);
  if (secret == nullptr) refuse(Errc::InvalidArgument, "the secret did not come with the order");
  return *secret;
}

}  // namespace

// By the guest's agent. The library's text is not passed on: it may hold what was sent.
BackendAnswer set_credential(const Request& r) {
  const Located vm = r.take();
  if (power_of(vm.domain.get()) != Power::Running) {
    refuse(Errc::IllegalTransition, "a password is set by the guest itself: the VM must run");
  }
  const std::string& name = change_of(r).admin_name;
  std::string password(secret_of(r).reveal());
  r.may_change();
  const int result = virDomainSetUserPassword(vm.domain.get(), name.empty() ? "root" : name.c_str(),
                                              password.c_str(), 0);
  base::wipe(password);
  if (result < 0) {
    refuse(
        Errc::BackendRefused,
        fmt::format("the guest's agent does not set passwords (libvirt error {})", last_error()));
  }
  return r.done();
}

// Into the stored definition and, where it runs, the running one. The library's text is not passed
// on here either.
BackendAnswer set_console_secret(const Request& r) {
  const Located vm = r.take();
  const std::string_view password = secret_of(r).reveal().substr(0, kVncPassword);
  const auto update = [&](const std::string& domain, unsigned flags) {
    std::string xml = graphics_xml(domain, password);
    r.may_change();
    const int result = virDomainUpdateDeviceFlags(vm.domain.get(), xml.c_str(), flags);
    base::wipe(xml);
    return result == 0;
  };
  if (!update(stored_xml(vm.domain.get()), VIR_DOMAIN_AFFECT_CONFIG)) {
    refuse(Errc::BackendRefused,
           fmt::format("the console's password cannot be set (libvirt error {})", last_error()));
  }
  const bool active = virDomainIsActive(vm.domain.get()) == 1;
  // One that was started without a password, by somebody else, takes none.
  if (active && !update(live_xml(vm.domain.get()), VIR_DOMAIN_AFFECT_LIVE)) {
    r.progress(90, "the console's password changes at the VM's next start");
  }
  return r.done(vm);
}

}  // namespace slipway::workers::libvirt
