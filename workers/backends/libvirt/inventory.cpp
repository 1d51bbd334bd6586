// What the cells have. Each is listed on its own; only all of them together say whether a volume is
// still of use.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "workers/backends/libvirt/client.hpp"
#include "workers/backends/libvirt/names.hpp"

namespace slipway::workers::libvirt {

using domain::VmState;

namespace {

constexpr std::uint64_t kBytesPerGigabyte = std::uint64_t{1} << 30U;

base::Duration age_since_us(std::int64_t us) {
  if (us == 0) return {};
  const auto now = std::chrono::time_point_cast<base::Duration>(std::chrono::system_clock::now());
  return std::max(now - base::from_us(us), base::Duration::zero());
}

VmState state_of(virDomainPtr domain, std::string& fault) {
  int state = 0;
  int reason = 0;
  if (virDomainGetState(domain, &state, &reason, 0) < 0) return VmState::Error;
  if (state == VIR_DOMAIN_CRASHED) fault = "the guest crashed";
  if (state == VIR_DOMAIN_PAUSED && reason == VIR_DOMAIN_PAUSED_IOERROR) {
    fault = "paused for an error of its storage";
  }
  if (state == VIR_DOMAIN_PAUSED && reason == VIR_DOMAIN_PAUSED_MIGRATION) {
    return VmState::Migrating;
  }
  if (!fault.empty()) return VmState::Error;
  switch (power_of(domain)) {
    case Power::Running:
      return VmState::Running;
    case Power::Paused:
      return VmState::Paused;
    case Power::Suspended:
      return VmState::Suspended;
    case Power::Stopped:
      return VmState::Stopped;
  }
  return VmState::Error;
}

domain::SeenVm describe(const Cell& cell, virDomainPtr domain, const SeenDomain& seen) {
  domain::SeenVm vm;
  char uuid[VIR_UUID_STRING_BUFLEN] = {};
  checked(virDomainGetUUIDString(domain, uuid), "read the VM's UUID");
  vm.ref = uuid;
  const DomainTag tag = seen.tag.empty() ? DomainTag{} : tag_from_xml(seen.tag);
  vm.tag = tag.tag;
  vm.vm = tag.vm;
  vm.name = seen.title.empty() ? seen.name : seen.title;
  vm.state = state_of(domain, vm.fault);
  vm.host = cell.name();
  vm.size.vcpus = seen.vcpus;
  vm.size.memory_mb = static_cast<std::uint32_t>(seen.memory_mb);
  vm.image_ref = tag.image;
  vm.network_ref = seen.network;
  vm.mac = seen.mac;
  vm.age = age_since_us(tag.created_at);
  return vm;
}

std::uint32_t disk_gb(const SeenDomain& seen, const std::vector<SeenVolume>& volumes) {
  std::uint64_t bytes = 0;
  for (const SeenDisk& disk : seen.disks) {
    const auto volume = std::find_if(volumes.begin(), volumes.end(), [&](const SeenVolume& v) {
      return disk.device == "disk" && v.path == disk.path;
    });
    if (volume != volumes.end()) bytes += volume->capacity_bytes;
  }
  return static_cast<std::uint32_t>((bytes + kBytesPerGigabyte - 1) / kBytesPerGigabyte);
}

void list_vms(Cell& cell, virConnectPtr connection, const std::vector<SeenVolume>& volumes,
              domain::Inventory& out, std::set<std::string>& disks) {
  virDomainPtr* all = nullptr;
  const int count = checked(virConnectListAllDomains(connection, &all, 0), "list the VMs");
  const std::vector<Domain> domains(all, all + count);
  std::free(all);  // NOLINT
  for (const Domain& domain : domains) {
    // One that has gone since is none.
    char* text = virDomainGetXMLDesc(domain.get(), 0);
    if (text == nullptr && last_error() == VIR_ERR_NO_DOMAIN) continue;
    const SeenDomain seen = read_domain(text_of(text, "read the VM"));
    for (const SeenDisk& disk : seen.disks) {
      if (disk.device == "disk") disks.insert(disk.path);
    }
    domain::SeenVm& vm = out.vms.emplace_back(describe(cell, domain.get(), seen));
    vm.size.disk_gb = disk_gb(seen, volumes);
  }
}

// Images are what no VM has as its disk; the disks of VMs that are gone are parts.
void list_volumes(const std::vector<SeenVolume>& volumes, const std::set<std::string>& disks,
                  domain::Inventory& out) {
  for (const SeenVolume& volume : volumes) {
    const auto ours = parse_volume_name(volume.name);
    const base::Duration age = age_since_us(volume.changed_at * 1'000'000);
    if (ours && ours->part != "image.qcow2") {
      out.parts.push_back({"volume", volume.name, ours->tag, age});
      continue;
    }
    const bool iso = volume.format == "iso" || volume.name.ends_with(".iso");
    const bool disk = volume.format == "qcow2" || volume.format == "raw";
    if ((!iso && !disk) || disks.contains(volume.path) || volume.name.ends_with(".log")) continue;
    domain::SeenImage image;
    image.ref = image.name = volume.name;
    if (ours) image.tag = ours->tag;
    image.kind = iso ? domain::ImageKind::Media : domain::ImageKind::Disk;
    image.disk_format = iso ? "iso" : volume.format;
    image.size_bytes = volume.capacity_bytes;
    image.min_disk_gb = static_cast<std::uint32_t>((volume.capacity_bytes + kBytesPerGigabyte - 1) /
                                                   kBytesPerGigabyte);
    out.images.push_back(std::move(image));
  }
}

void list_networks(virConnectPtr connection, domain::Inventory& out) {
  virNetworkPtr* all = nullptr;
  const int count = checked(virConnectListAllNetworks(connection, &all, 0), "list the networks");
  const std::vector<Network> networks(all, all + count);
  std::free(all);  // NOLINT
  for (const Network& network : networks) {
    const SeenDhcp seen =
        read_network(text_of(virNetworkGetXMLDesc(network.get(), 0), "read the network"));
    domain::SeenNetwork item;
    item.ref = item.name = virNetworkGetName(network.get());
    item.mtu = seen.mtu;
    item.first_ipv4 = domain::parse_ipv4(seen.first).value_or(0);
    item.last_ipv4 = domain::parse_ipv4(seen.last).value_or(0);
    out.networks.push_back(std::move(item));
  }
}

domain::SeenHost describe_host(Cell& cell, virConnectPtr connection, std::uint64_t storage_bytes,
                               double cpu_allocation_ratio) {
  virNodeInfo info{};
  checked(virNodeGetInfo(connection, &info), "read the host");
  domain::SeenHost host;
  host.name = cell.name();
  host.address = cell.options().address.empty() ? cell.host_name() : cell.options().address;
  host.vcpus = static_cast<std::uint32_t>(info.cpus * cpu_allocation_ratio);
  host.memory_mb = info.memory / 1024;
  host.disk_gb = storage_bytes / kBytesPerGigabyte;
  return host;
}

}  // namespace

domain::Inventory list_cell(Context& context, Cell& cell) {
  const Connection connection = cell.connection();
  domain::Inventory out;
  StoragePool pool(connection, cell.options());
  // The VMs after the volumes: a disk whose VM is just being made must not seem to have none.
  const std::vector<SeenVolume> volumes = pool.list();
  std::set<std::string> disks;
  list_vms(cell, connection.get(), volumes, out, disks);
  list_volumes(volumes, disks, out);
  list_networks(connection.get(), out);
  out.hosts.push_back(describe_host(cell, connection.get(), pool.capacity_bytes(),
                                    context.options.cpu_allocation_ratio));
  return out;
}

namespace {

template <class T>
void add_new(std::vector<T>& to, std::vector<T>& from) {
  for (T& item : from) {
    const bool known =
        std::any_of(to.begin(), to.end(), [&](const T& other) { return other.ref == item.ref; });
    if (!known) to.push_back(std::move(item));
  }
}

// A volume is an orphan if no VM of its key is left. While a cell is silent nobody can know.
void keep_orphans(domain::Inventory& all) {
  if (!all.silent_hosts.empty()) {
    all.parts.clear();
    return;
  }
  std::set<std::string> alive;
  for (const domain::SeenVm& vm : all.vms) alive.insert(vm.ref);
  std::erase_if(all.parts, [&](const domain::SeenPart& part) {
    return alive.contains(base::to_string(domain_uuid(part.tag.key)));
  });
}

// During a live migration it is on both cells: it is where it runs.
void keep_one_of_each(const Context& context, std::vector<domain::SeenVm>& vms) {
  const auto rank = [](const domain::SeenVm& vm) {
    return vm.state == VmState::Running ? 0 : vm.state == VmState::Migrating ? 2 : 1;
  };
  std::stable_sort(vms.begin(), vms.end(), [&](const auto& a, const auto& b) {
    return a.ref != b.ref ? a.ref < b.ref : rank(a) < rank(b);
  });
  for (std::size_t i = 1; i < vms.size(); ++i) {
    const domain::SeenVm& first = vms[i - 1];
    if (first.ref == vms[i].ref) drop_left_behind(context, first.ref, first.host, vms[i].host);
  }
  const auto last = std::unique(vms.begin(), vms.end(),
                                [](const auto& a, const auto& b) { return a.ref == b.ref; });
  vms.erase(last, vms.end());
}

}  // namespace

domain::Inventory join_cells(const Context& context,
                             std::vector<std::shared_ptr<domain::Inventory>>&& cells) {
  domain::Inventory all;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const std::string& name = context.options.cells[i].name;
    if (cells[i] == nullptr) {
      all.silent_hosts.push_back(name);
      domain::SeenHost host;
      host.name = name;
      host.address = context.options.cells[i].address;
      host.alive = false;
      all.hosts.push_back(std::move(host));
      continue;
    }
    domain::Inventory& cell = *cells[i];
    for (auto& vm : cell.vms) all.vms.push_back(std::move(vm));
    for (auto& host : cell.hosts) all.hosts.push_back(std::move(host));
    add_new(all.images, cell.images);
    add_new(all.networks, cell.networks);
    add_new(all.parts, cell.parts);
  }
  const NetworkOptions& own = context.options.network;
  for (domain::SeenNetwork& network : all.networks) {
    if (network.ref != own.name || own.first_ipv4 == 0) continue;
    network.first_ipv4 = own.first_ipv4;
    network.last_ipv4 = own.last_ipv4;
  }
  keep_one_of_each(context, all.vms);
  keep_orphans(all);
  return all;
}

}  // namespace slipway::workers::libvirt
