// What is asked of a running VM without changing it.
#include <fmt/format.h>

#include <array>

#include "workers/backends/libvirt/steps.hpp"
#include "workers/backends/vm_stats.hpp"

namespace slipway::workers::libvirt {

using base::Errc;

namespace {

// Not take(): a look leaves no mark, so that no lease's fence moves.
Located running_vm(const Request& r) {
  Located vm = r.locate();
  if (vm.domain == nullptr) refuse(Errc::NotFound, "the VM is not there");
  const Power power = power_of(vm.domain.get());
  if (power != Power::Running && power != Power::Paused) {
    refuse(Errc::IllegalTransition, fmt::format("the VM is {}", power_name(power)));
  }
  return vm;
}

constexpr std::uint64_t at_least_zero(long long n) {
  return n < 0 ? 0 : static_cast<std::uint64_t>(n);  // libvirt's -1: not known
}

void add_memory(virDomainPtr domain, VmStats& out) {
  std::array<virDomainMemoryStatStruct, VIR_DOMAIN_MEMORY_STAT_NR> memory{};
  const int n = virDomainMemoryStats(domain, memory.data(), memory.size(), 0);
  for (int i = 0; i < n; ++i) {
    const auto& stat = memory[static_cast<std::size_t>(i)];
    if (stat.tag == VIR_DOMAIN_MEMORY_STAT_RSS) out.memory_used_mb = stat.val / 1024;
  }
}

}  // namespace

BackendAnswer read_stats(const Request& r) {
  const Located vm = running_vm(r);
  VmStats out;
  virDomainInfo info{};
  checked(virDomainGetInfo(vm.domain.get(), &info), "read what the VM uses");
  out.cpu_time_us = info.cpuTime / 1000;
  out.memory_used_mb = info.memory / 1024;
  add_memory(vm.domain.get(), out);
  const SeenDomain seen = read_domain(live_xml(vm.domain.get()));
  for (const SeenDisk& disk : seen.disks) {
    virDomainBlockStatsStruct block{};
    if (disk.device != "disk" ||
        virDomainBlockStats(vm.domain.get(), disk.target.c_str(), &block, sizeof(block)) < 0) {
      continue;
    }
    out.disk_read_bytes += at_least_zero(block.rd_bytes);
    out.disk_written_bytes += at_least_zero(block.wr_bytes);
  }
  virDomainInterfaceStatsStruct net{};
  if (!seen.mac.empty() &&
      virDomainInterfaceStats(vm.domain.get(), seen.mac.c_str(), &net, sizeof(net)) == 0) {
    out.network_received_bytes = at_least_zero(net.rx_bytes);  // by the guest
    out.network_sent_bytes = at_least_zero(net.tx_bytes);
  }
  BackendAnswer answer = r.done();
  answer.result.text = out.json();
  return answer;
}

// Its password is the one that a client has set: libvirt does not tell it.
BackendAnswer open_console(const Request& r) {
  const Located vm = running_vm(r);
  const std::string display = display_of(*vm.cell, read_domain(live_xml(vm.domain.get())));
  if (display.empty()) refuse(Errc::BackendRefused, "the VM has no console");
  base::JsonWriter w;
  w.begin_object().member("type", "vnc").member("url", "vnc://" + display).end_object();
  BackendAnswer answer = r.done();
  answer.result.text = w.text();
  return answer;
}

}  // namespace slipway::workers::libvirt
