// Cores, memory and disks of a VM that is there. What cannot change while it runs is set for its
// next start, and the task's progress says so.
#include <fmt/format.h>

#include "workers/backends/libvirt/steps.hpp"

namespace slipway::workers::libvirt {

using base::Errc;

namespace {

constexpr unsigned long kKibibytesPerMebibyte = 1024;
constexpr std::uint64_t kBytesPerMebibyte = std::uint64_t{1} << 20U;

// The library's flags are enums of several types.
constexpr unsigned kStored = VIR_DOMAIN_AFFECT_CONFIG;
constexpr unsigned kMostCores = kStored | unsigned{VIR_DOMAIN_VCPU_MAXIMUM};
constexpr unsigned kMostMemory = kStored | unsigned{VIR_DOMAIN_MEM_MAXIMUM};

bool is_active(const Located& vm) { return virDomainIsActive(vm.domain.get()) == 1; }

void at_next_start(const Request& r, const char* what) {
  r.progress(90, fmt::format("{} change at the VM's next start", what));
}

void set_cores(const Request& r, const Located& vm, std::uint32_t cores) {
  virDomainPtr domain = vm.domain.get();
  const int most = virDomainGetVcpusFlags(domain, kMostCores);
  if (static_cast<std::uint32_t>(checked(most, "read the VM's cores")) < cores) {
    checked(virDomainSetVcpusFlags(domain, cores * r.options().hot_vcpus, kMostCores),
            "set the most cores");
  }
  checked(virDomainSetVcpusFlags(domain, cores, VIR_DOMAIN_AFFECT_CONFIG), "set the cores");
  if (!is_active(vm)) return;
  const int now = virDomainGetVcpusFlags(domain, VIR_DOMAIN_AFFECT_LIVE);
  if (now == static_cast<int>(cores)) return;
  if (virDomainSetVcpusFlags(domain, cores, VIR_DOMAIN_AFFECT_LIVE) < 0) at_next_start(r, "cores");
}

void set_memory(const Request& r, const Located& vm, std::uint32_t megabytes) {
  virDomainPtr domain = vm.domain.get();
  const unsigned long wanted = megabytes * kKibibytesPerMebibyte;
  const auto set = [&](unsigned long kibibytes, unsigned flags) {
    return virDomainSetMemoryFlags(domain, kibibytes, flags);
  };
  // Never above the most, so the most is raised first and lowered last.
  const unsigned long most = wanted * r.options().hot_memory;
  const SeenDomain stored = read_domain(stored_xml(domain));
  const bool grows = megabytes > stored.memory_mb;
  if (grows) checked(set(most, kMostMemory), "set the most memory");
  checked(set(wanted, VIR_DOMAIN_AFFECT_CONFIG), "set the memory");
  if (!grows) checked(set(most, kMostMemory), "set the most memory");
  if (!is_active(vm)) return;
  if (wanted > virDomainGetMaxMemory(domain) || set(wanted, VIR_DOMAIN_AFFECT_LIVE) < 0) {
    at_next_start(r, "memory");
  }
}

void grow_disk(const Located& vm, const SeenDisk& disk, std::uint64_t bytes) {
  const auto volume = owned<Volume>(
      virStorageVolLookupByPath(vm.connection.get(), disk.path.c_str()), "find the disk's volume");
  const SeenVolume now =
      read_volume(text_of(virStorageVolGetXMLDesc(volume.get(), 0), "read the volume"));
  if (is_active(vm)) {
    virDomainBlockInfo info{};
    checked(virDomainGetBlockInfo(vm.domain.get(), disk.target.c_str(), &info, 0), "read the disk");
    if (info.capacity >= bytes) return;
    checked(virDomainBlockResize(vm.domain.get(), disk.target.c_str(), bytes,
                                 VIR_DOMAIN_BLOCK_RESIZE_BYTES),
            "grow the disk");
  } else if (now.capacity_bytes < bytes) {
    checked(virStorageVolResize(volume.get(), bytes, 0), "grow the disk");
  }
}

// Which disk, and how many megabytes it is to have; nullopt: none changes. Of a VM with several
// disks a size says only what they have together.
struct Growth {
  std::size_t disk = 0;
  std::uint64_t megabytes = 0;
};
std::optional<Growth> growth(const Request& r) {
  const domain::ActionArgs& args = r.order().args;
  if (args.guest && args.guest->disk_size) {
    return Growth{args.guest->disk.value_or(0), domain::in_megabytes(*args.guest->disk_size)};
  }
  if (domain::guest_of(r.order().spec).disks.size() != 1) return std::nullopt;
  if (args.size->disk_gb == r.order().spec.size.disk_gb) return std::nullopt;
  return Growth{0, args.size->disk_gb * domain::kMegabytesPerGigabyte};
}

void set_disk(const Request& r, const Located& vm, const SeenDomain& seen) {
  const auto wanted = growth(r);
  if (!wanted) return;
  std::vector<SeenDisk> disks;
  for (const SeenDisk& disk : seen.disks) {
    if (disk.device == "disk") disks.push_back(disk);
  }
  if (wanted->disk >= disks.size()) refuse(Errc::InvalidArgument, "the VM has no such disk");
  grow_disk(vm, disks[wanted->disk], wanted->megabytes * kBytesPerMebibyte);
}

void remember_old_size(const Request& r, Located& vm, const SeenDomain& seen) {
  if (!vm.is_ours() || vm.tag.old_vcpus != 0) return;
  vm.tag.old_vcpus = seen.vcpus;
  vm.tag.old_memory_mb = static_cast<std::uint32_t>(seen.memory_mb);
  r.may_change();
  write_tag(vm.domain.get(), vm.tag);
}

void forget_old_size(Located& vm) {
  if (vm.tag.old_vcpus == 0) return;
  vm.tag.old_vcpus = vm.tag.old_memory_mb = 0;
  write_tag(vm.domain.get(), vm.tag);
}

}  // namespace

BackendAnswer resize_vm(const Request& r) {
  Located vm = r.take();
  if (r.is_done(vm)) return r.done(vm);
  const auto& size = r.order().args.size;
  if (!size) refuse(Errc::InvalidArgument, "a resize without a size");
  const SeenDomain seen = read_domain(stored_xml(vm.domain.get()));
  remember_old_size(r, vm, seen);
  r.may_change();
  // The disk first: it is what can fail for want of room, and it does not shrink again.
  set_disk(r, vm, seen);
  if (seen.vcpus != size->vcpus) set_cores(r, vm, size->vcpus);
  if (seen.memory_mb != size->memory_mb) set_memory(r, vm, size->memory_mb);
  r.mark_done(vm);
  return r.done(vm);
}

BackendAnswer confirm_resize(const Request& r) {
  Located vm = r.take();
  r.may_change();
  forget_old_size(vm);
  return r.done(vm);
}

// A disk that has grown stays so: what the guest has written there cannot be known.
BackendAnswer revert_resize(const Request& r) {
  Located vm = r.locate();
  if (vm.domain == nullptr) return r.done();
  vm = r.take();
  domain::Size old = r.order().spec.size;
  if (vm.tag.old_vcpus != 0) {
    old.vcpus = vm.tag.old_vcpus;
    old.memory_mb = vm.tag.old_memory_mb;
  }
  r.may_change();
  set_cores(r, vm, old.vcpus);
  set_memory(r, vm, old.memory_mb);
  vm.tag.done.clear();
  forget_old_size(vm);
  return r.done(vm);
}

// Only the guest knows which blocks are free, and its agent tells.
BackendAnswer shrink_disk(const Request& r) {
  const Located vm = r.take();
  if (power_of(vm.domain.get()) != Power::Running) {
    refuse(Errc::IllegalTransition,
           "unused blocks are given back by the guest itself: the VM must run");
  }
  r.may_change();
  if (virDomainFSTrim(vm.domain.get(), nullptr, 0, 0) < 0) {
    refuse(Errc::BackendRefused,
           "the guest's agent does not answer, and only it can give back "
           "unused blocks");
  }
  return r.done();
}

}  // namespace slipway::workers::libvirt
