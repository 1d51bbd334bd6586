#include "tests/backends/contract/libvirt/witness.hpp"

#include <fmt/format.h>
#include <libvirt/virterror.h>

#include <cstdlib>
#include <pugixml.hpp>
#include <stdexcept>

namespace slipway::workers::contract {
namespace {

constexpr const char* kTagNamespace = "urn:slipway:vm:1";

std::string owned_text(char* text) {
  std::string out = text == nullptr ? "" : text;
  std::free(text);  // NOLINT: libvirt's
  return out;
}

struct Tag {
  std::string installation;
  std::string key;
  std::string image;
};

Tag tag_of(virDomainPtr domain) {
  const std::string xml =
      owned_text(virDomainGetMetadata(domain, VIR_DOMAIN_METADATA_ELEMENT, kTagNamespace, 0));
  pugi::xml_document document;
  if (!document.load_string(xml.c_str())) return {};
  const pugi::xml_node node = document.document_element();
  return {node.attribute("installation").value(), node.attribute("key").value(),
          node.attribute("image").value()};
}

std::string state_of(virDomainPtr domain) {
  int state = 0;
  int reason = 0;
  virDomainGetState(domain, &state, &reason, 0);
  switch (state) {
    case VIR_DOMAIN_RUNNING:
    case VIR_DOMAIN_BLOCKED:
      return "running";
    case VIR_DOMAIN_PAUSED:
      return "paused";
    case VIR_DOMAIN_SHUTOFF:
    case VIR_DOMAIN_CRASHED:
      return virDomainHasManagedSaveImage(domain, 0) == 1 ? "suspended" : "stopped";
    default:
      return fmt::format("state {}", state);
  }
}

std::vector<std::string> snapshots_of(virDomainPtr domain) {
  virDomainSnapshotPtr* all = nullptr;
  const int count = virDomainListAllSnapshots(domain, &all, 0);
  std::vector<std::string> names;
  for (int i = 0; i < count; ++i) {
    names.emplace_back(virDomainSnapshotGetName(all[i]));
    virDomainSnapshotFree(all[i]);
  }
  std::free(all);  // NOLINT: libvirt's
  return names;
}

// Of the medium in its drive: the file's name.
std::string media_of(const pugi::xml_node& domain) {
  for (const pugi::xml_node disk : domain.child("devices").children("disk")) {
    const std::string file = disk.child("source").attribute("file").value();
    const bool seed = file.find("seed.iso") != std::string::npos;
    if (std::string(disk.attribute("device").value()) != "cdrom" || file.empty() || seed) continue;
    return file.substr(file.rfind('/') + 1);
  }
  return {};
}

std::string rest_of(virDomainPtr domain, const pugi::xml_node& xml) {
  int auto_start = 0;
  virDomainGetAutostart(domain, &auto_start);
  std::size_t disks = 0;
  std::string limits;
  for (const pugi::xml_node disk : xml.child("devices").children("disk")) {
    if (std::string(disk.attribute("device").value()) == "disk") ++disks;
    for (const pugi::xml_node limit : disk.child("iotune").children()) {
      if (limit.text().as_ullong() != 0)
        limits += fmt::format(" {}={}", limit.name(), limit.text().get());
    }
  }
  return fmt::format("{} disks, auto start {}{}", disks, auto_start, limits);
}

}  // namespace

LibvirtWitness::LibvirtWitness(CellAddress cell)
    : cell_(std::move(cell)), connection_(virConnectOpen(cell_.uri.c_str()), virConnectClose) {
  if (!connection_) throw std::runtime_error("cannot reach " + cell_.uri);
}

std::vector<LibvirtWitness::Domain> LibvirtWitness::domains() {
  virDomainPtr* all = nullptr;
  const int count = virConnectListAllDomains(connection_.get(), &all, 0);
  if (count < 0) throw std::runtime_error("cannot list the domains of " + cell_.name);
  std::vector<Domain> out;
  for (int i = 0; i < count; ++i) out.emplace_back(all[i], virDomainFree);
  std::free(all);  // NOLINT: libvirt's
  return out;
}

std::vector<CountedVm> LibvirtWitness::vms(const std::string& installation) {
  std::vector<CountedVm> out;
  for (const Domain& domain : domains()) {
    const Tag tag = tag_of(domain.get());
    if (tag.installation != installation) continue;
    pugi::xml_document document;
    document.load_string(owned_text(virDomainGetXMLDesc(domain.get(), 0)).c_str());
    const pugi::xml_node xml = document.child("domain");
    char uuid[VIR_UUID_STRING_BUFLEN] = {};
    virDomainGetUUIDString(domain.get(), uuid);
    pugi::xml_document stored;  // its size at the next start: not all can change while it runs
    stored.load_string(
        owned_text(virDomainGetXMLDesc(domain.get(), VIR_DOMAIN_XML_INACTIVE)).c_str());
    const pugi::xml_node vcpu = stored.child("domain").child("vcpu");
    CountedVm vm;
    vm.key = tag.key;
    vm.ref = uuid;
    vm.name = xml.child("title").text().get();
    vm.state = state_of(domain.get());
    vm.host = cell_.name;
    vm.vcpus = vcpu.attribute("current").as_uint(vcpu.text().as_uint());
    vm.memory_mb = stored.child("domain").child("currentMemory").text().as_uint() / 1024;
    vm.image = tag.image;
    vm.media = media_of(xml);
    vm.snapshots = snapshots_of(domain.get());
    vm.rest = rest_of(domain.get(), xml);
    out.push_back(std::move(vm));
  }
  return out;
}

bool LibvirtWitness::has_vm(const std::string& uuid) {
  return Domain(virDomainLookupByUUIDString(connection_.get(), uuid.c_str()), virDomainFree) !=
         nullptr;
}

LibvirtWitness::Pool LibvirtWitness::pool() {
  Pool pool(virStoragePoolLookupByName(connection_.get(), cell_.pool.c_str()), virStoragePoolFree);
  if (!pool) throw std::runtime_error(cell_.name + " has no pool " + cell_.pool);
  virStoragePoolRefresh(pool.get(), 0);
  return pool;
}

std::vector<OwnVolume> LibvirtWitness::volumes(const std::string& installation) {
  const Pool pool = this->pool();
  virStorageVolPtr* all = nullptr;
  const int count = virStoragePoolListAllVolumes(pool.get(), &all, 0);
  if (count < 0) throw std::runtime_error("cannot list the volumes of " + cell_.name);
  const std::string middle = "." + installation + ".";
  std::vector<OwnVolume> out;
  for (int i = 0; i < count; ++i) {
    const std::string name = virStorageVolGetName(all[i]);
    const std::size_t at = name.find(middle);
    if (at != std::string::npos) {
      out.push_back({name.substr(0, at), name.substr(at + middle.size()), name});
    }
    virStorageVolFree(all[i]);
  }
  std::free(all);  // NOLINT: libvirt's
  return out;
}

void LibvirtWitness::make_volume(const std::string& name, std::uint64_t megabytes,
                                 const std::string& format) {
  const Pool pool = this->pool();
  if (virStorageVolPtr known = virStorageVolLookupByName(pool.get(), name.c_str())) {
    virStorageVolFree(known);
    return;
  }
  const std::string xml = fmt::format(
      "<volume><name>{}</name><capacity unit='MiB'>{}</capacity>"
      "<target><format type='{}'/></target></volume>",
      name, megabytes, format);
  virStorageVolPtr made = virStorageVolCreateXML(pool.get(), xml.c_str(), 0);
  if (made == nullptr) throw std::runtime_error("cannot make the volume " + name);
  virStorageVolFree(made);
}

std::string LibvirtWitness::define_foreign_vm(const std::string& name, const std::string& type) {
  const std::string xml = fmt::format(
      "<domain type='{}'><name>{}</name><memory unit='MiB'>32</memory><vcpu>1</vcpu>"
      "<os><type>hvm</type></os></domain>",
      type, name);
  virDomainPtr made = virDomainDefineXML(connection_.get(), xml.c_str());
  if (made == nullptr) throw std::runtime_error("cannot define a VM of somebody else");
  char uuid[VIR_UUID_STRING_BUFLEN] = {};
  virDomainGetUUIDString(made, uuid);
  virDomainFree(made);
  return uuid;
}

void LibvirtWitness::remove_vm(const std::string& uuid) {
  const Domain domain(virDomainLookupByUUIDString(connection_.get(), uuid.c_str()), virDomainFree);
  if (!domain) return;
  virDomainDestroy(domain.get());
  virDomainUndefineFlags(domain.get(),
                         VIR_DOMAIN_UNDEFINE_MANAGED_SAVE | VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA);
}

void LibvirtWitness::remove_all(const std::string& installation) {
  for (const CountedVm& vm : vms(installation)) remove_vm(vm.ref);
  const Pool pool = this->pool();
  for (const OwnVolume& volume : volumes(installation)) {
    virStorageVolPtr known = virStorageVolLookupByName(pool.get(), volume.name.c_str());
    if (known == nullptr) continue;
    virStorageVolDelete(known, 0);
    virStorageVolFree(known);
  }
}

}  // namespace slipway::workers::contract
