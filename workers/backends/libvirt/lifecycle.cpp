// Creation and deletion.
#include <fmt/format.h>

#include "core/base/crypto.hpp"
#include "workers/backends/libvirt/names.hpp"
#include "workers/backends/libvirt/steps.hpp"

namespace slipway::workers::libvirt {

using base::Errc;

namespace {

constexpr const char* kSeed = "seed.iso";

std::string disk_part(std::size_t n) { return fmt::format("disk{}.qcow2", n); }

domain::Tag vm_tag(const Request& r) { return {r.order().installation, r.vm_key()}; }

std::string disk_target(std::size_t n) {
  return fmt::format("vd{}", static_cast<char>('a' + static_cast<char>(n)));
}

DomainTag new_tag(const Request& r, const std::string& image) {
  DomainTag tag;
  tag.tag = vm_tag(r);
  tag.vm = r.order().vm;
  if (r.order().spec.guest) tag.owner = r.order().spec.guest->owner;
  tag.fence = r.order().fence;
  tag.created_at =
      base::to_us(std::chrono::time_point_cast<base::Duration>(std::chrono::system_clock::now()));
  tag.image = image;
  return tag;
}

// The volumes of the VM, in the order of its disks; what an earlier attempt made is taken as it is,
// and what an evacuation does not find is lost.
void make_disks(const Request& r, StoragePool& pool, const std::string& image, DomainXml& xml) {
  const domain::GuestSpec guest = domain::guest_of(r.order().spec);
  const domain::Tag tag = vm_tag(r);
  const bool may_make = !r.order().args.evacuate;
  Image from;
  if (may_make) from = find_image(r, pool, image);
  for (std::size_t n = 0; n < guest.disks.size(); ++n) {
    const std::string name = volume_name(tag, disk_part(n));
    Volume volume = pool.find(name);
    if (volume == nullptr && may_make) {
      r.may_change();
      make_disk(r, pool, name, n, domain::in_megabytes(guest.disks[n]), n == 0 ? &from : nullptr);
      volume = pool.find(name);
    }
    if (volume == nullptr) refuse(Errc::NotFound, fmt::format("disk {} is not there", n));
    xml.disks.push_back({pool.describe(volume.get()).path, "qcow2", disk_target(n)});
  }
}

void add_seed(const Request& r, StoragePool& pool, DomainXml& xml) {
  if (!r.options().cloud_init) return;
  const std::string name = volume_name(vm_tag(r), kSeed);
  Volume volume = pool.find(name);
  if (volume == nullptr && r.order().args.evacuate) return;  // its secrets are not at hand
  if (volume == nullptr) {
    const std::string iso = make_seed(r);
    r.may_change();
    volume = pool.create({.name = name, .format = "raw", .bytes = iso.size()});
    pool.upload(volume.get(), iso);
  }
  xml.seed = pool.describe(volume.get()).path;
}

// One that nobody knows, until one is set, if none was asked for.
std::string console_password(const Request& r) {
  const auto& guest = r.order().spec.guest;
  const base::Secret* asked = guest ? r.call().work->secrets.find(guest->monitor_secret) : nullptr;
  if (asked == nullptr || asked->empty()) return base::random_password(kVncPassword);
  return std::string(asked->reveal().substr(0, kVncPassword));
}

DomainXml definition(const Request& r, StoragePool& pool) {
  const domain::VmSpec& spec = r.order().spec;
  const std::string image = image_volume(r, r.order().image_ref, r.order().image_name);
  DomainXml xml;
  xml.uuid = r.uuid();
  xml.name = domain_name(spec.name, domain_uuid(r.vm_key()));
  xml.title = spec.name;
  xml.metadata = to_xml(new_tag(r, image));
  xml.vcpus = std::max(spec.size.vcpus, 1U);
  xml.memory_mb = spec.size.memory_mb;
  if (spec.ipv4 != 0) xml.ipv4 = domain::ipv4_text(spec.ipv4);
  const bool has_mac = spec.ipv4 != 0 || (spec.guest && !spec.guest->mac.empty());
  if (has_mac) xml.mac = domain::mac_of(spec);
  xml.network = network_of(r);
  xml.vnc_password = console_password(r);
  make_disks(r, pool, image, xml);
  add_seed(r, pool, xml);
  return xml;
}

}  // namespace

void define_vm(const Request& r, Located& vm) {
  StoragePool pool(vm.connection, vm.cell->options());
  DomainXml xml = definition(r, pool);
  r.may_change();
  if (!xml.mac.empty() && !xml.ipv4.empty()) {
    reserve_address(vm.connection.get(), xml.network, xml.mac, xml.ipv4, xml.name);
  }
  r.progress(50, "its disks are made");
  std::string text = domain_xml(r.options(), xml);
  base::wipe(xml.vnc_password);
  virDomainPtr defined = virDomainDefineXML(vm.connection.get(), text.c_str());
  base::wipe(text);
  vm.domain = owned<Domain>(defined, "define the VM");
  vm.tag = tag_from_xml(xml.metadata);
  const auto& guest = r.order().spec.guest;
  if (guest && guest->qos) set_limits(r, vm, *guest->qos);
}

void start_defined(const Request& r, const Located& vm) {
  r.may_change();
  if (r.order().spec.guest && r.order().spec.guest->auto_start) {
    checked(virDomainSetAutostart(vm.domain.get(), 1), "start the VM with its host");
  }
  checked(virDomainCreate(vm.domain.get()), "start the VM");
}

// The volumes first, then the definition, then the start: what is there already is passed over, so
// an attempt goes on where an earlier one ended.
BackendAnswer create_vm(const Request& r) {
  Located vm = r.locate_on(r.home());
  if (vm.domain != nullptr) vm = r.take();
  if (vm.domain == nullptr) define_vm(r, vm);
  if (virDomainIsActive(vm.domain.get()) != 1) start_defined(r, vm);
  BackendAnswer answer = r.done(vm);
  answer.settled = power_of(vm.domain.get()) == Power::Running;
  return answer;
}

BackendAnswer await_running(const Request& r) {
  const Located vm = r.locate();
  if (vm.domain == nullptr) refuse(Errc::NotFound, "the VM is not there");
  int state = 0;
  int reason = 0;
  checked(virDomainGetState(vm.domain.get(), &state, &reason, 0), "read the VM's state");
  if (state == VIR_DOMAIN_RUNNING || state == VIR_DOMAIN_BLOCKED) return r.done(vm);
  if (state == VIR_DOMAIN_PAUSED && reason == VIR_DOMAIN_PAUSED_IOERROR) {
    refuse(Errc::CapacityExhausted, "the VM was paused for an error of its storage");
  }
  if (state == VIR_DOMAIN_PAUSED) return Request::not_yet(std::chrono::milliseconds(200));
  // Stopped before, so it is again.
  if (r.order().command == domain::CommandKind::VmResetSystem) return r.done(vm);
  if (state == VIR_DOMAIN_CRASHED || reason == VIR_DOMAIN_SHUTOFF_CRASHED) {
    refuse(Errc::BackendRefused, "the VM crashed as it started");
  }
  return r.done(vm);  // it ran, and switched itself off
}

void destroy(virDomainPtr domain) {
  if (virDomainIsActive(domain) != 1) return;
  const int result = virDomainDestroy(domain);
  if (result < 0 && last_error() != VIR_ERR_OPERATION_INVALID &&
      last_error() != VIR_ERR_NO_DOMAIN) {
    fail_call("switch the VM off");
  }
}

void undefine(virDomainPtr domain) {
  constexpr unsigned kBesides = VIR_DOMAIN_UNDEFINE_MANAGED_SAVE |
                                VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA |
                                VIR_DOMAIN_UNDEFINE_CHECKPOINTS_METADATA;
  int result = virDomainUndefineFlags(domain, kBesides | VIR_DOMAIN_UNDEFINE_NVRAM);
  const bool unknown_flag =
      last_error() == VIR_ERR_INVALID_ARG || last_error() == VIR_ERR_NO_SUPPORT;
  if (result < 0 && unknown_flag) {
    result = virDomainUndefineFlags(
        domain, VIR_DOMAIN_UNDEFINE_MANAGED_SAVE | VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA);
  }
  if (result < 0 && last_error() != VIR_ERR_NO_DOMAIN) fail_call("undefine the VM");
}

// Only what was made for this VM: the disks of one that somebody else made are theirs.
void remove_volumes(const Request& r, StoragePool& pool, std::size_t at_least) {
  const domain::Tag tag = vm_tag(r);
  if (tag.key.empty()) return;
  std::size_t n = 0;
  while (pool.remove(volume_name(tag, disk_part(n))) || n < at_least) ++n;
  pool.remove(volume_name(tag, kSeed));
}

namespace {

void remove_serial_log(virConnectPtr connection, const std::string& path) {
  if (path.empty()) return;
  const Volume log(virStorageVolLookupByPath(connection, path.c_str()));
  if (log != nullptr) virStorageVolDelete(log.get(), 0);
}

void remove_domain(const Request& r, const Located& vm) {
  const SeenDomain seen = read_domain(live_xml(vm.domain.get()));
  r.may_change();
  destroy(vm.domain.get());
  release_address(vm.connection.get(), seen.network, seen.mac);
  // With the definition goes what names the volumes, where the log's key is not known.
  undefine(vm.domain.get());
  if (vm.is_ours()) remove_serial_log(vm.connection.get(), seen.serial_path);
}

}  // namespace

BackendAnswer delete_vm(const Request& r) {
  Located vm = r.locate();
  if (vm.domain != nullptr) vm = r.take();
  const std::size_t disks = domain::guest_of(r.order().spec).disks.size();
  if (vm.domain == nullptr) {
    Cell* home = r.context().cell(r.order().spec.host);
    if (home == nullptr) return r.done();
    StoragePool pool(home->connection(), home->options());
    r.may_change();
    remove_volumes(r, pool, disks);
    return r.done();
  }
  remove_domain(r, vm);
  StoragePool pool(vm.connection, vm.cell->options());
  remove_volumes(r, pool, disks);
  return r.done();
}

namespace {

// One that never ran is taken up by creating it again; for an undo also its volumes count.
bool was_created(const Request& r, const Located& vm) {
  if (vm.domain != nullptr) return r.call().undo || virDomainIsActive(vm.domain.get()) == 1;
  if (!r.call().undo) return false;
  StoragePool pool(r.home().connection(), r.home().options());
  return pool.find(volume_name(vm_tag(r), disk_part(0))) != nullptr ||
         pool.find(volume_name(vm_tag(r), kSeed)) != nullptr;
}

}  // namespace

std::vector<FoundResource> find_made(const Request& r) {
  const std::string_view step = r.call().step;
  if (step == "image.create") return find_image_copy(r);
  if (step == "vm.migrate") return find_migration(r);
  const Located vm = r.locate();
  std::string ref = r.uuid();
  bool found = false;
  if (step == "vm.create") {
    found = was_created(r, vm);
  } else if (step == "snapshot.create") {
    found = vm.domain != nullptr && has_snapshot(r, vm);
    ref = fmt::format("{}/{}", ref, r.order().args.snapshot);
  } else if (vm.domain != nullptr) {
    // Half a resize counts where it is to be undone.
    const bool begun = step == "vm.resize" && r.call().undo && vm.tag.old_vcpus != 0;
    found = r.is_done(vm) || begun;
  }
  if (!found) return {};
  return {{.ref = std::move(ref)}};
}

}  // namespace slipway::workers::libvirt
