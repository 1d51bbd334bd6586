#pragma once
// A host of libvirt's test driver with a base image in its pool, and orders for VMs on it. Every
// test has its own VMs; the host is the process's, as long as this holds it.
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include "tests/backends/libvirt/driver.hpp"
#include "workers/backends/libvirt/connection.hpp"
#include "workers/backends/libvirt/libvirt_backend.hpp"
#include "workers/backends/libvirt/names.hpp"
#include "workers/backends/libvirt/xml.hpp"

namespace slipway::workers::libvirt::test {

inline constexpr const char* kUri = "test:///default";

inline Options test_options() {
  Options options;
  options.name = "lv";
  options.cells = {{.name = "host-1", .uri = kUri, .storage_pool = "default-pool"}};
  options.domain_type = "test";
  options.arch = "i686";
  options.machine.clear();
  options.cloud_init = false;  // the driver takes no uploads
  return options;
}

class TestHost {
 public:
  TestHost() {
    start_library();
    connection_ = virConnectOpen(kUri);
    pool_ = virStoragePoolLookupByName(connection_, "default-pool");
    if (auto* old = virStorageVolLookupByName(pool_, "base.qcow2")) {
      virStorageVolFree(old);
    } else {
      add_volume("base.qcow2");
    }
  }
  ~TestHost() {
    virStoragePoolFree(pool_);
    virConnectClose(connection_);
  }
  void add_volume(const std::string& name) {
    const std::string xml = volume_xml({.name = name, .bytes = 64U << 20U});
    virStorageVolFree(virStorageVolCreateXML(pool_, xml.c_str(), 0));
  }
  std::vector<std::string> volumes() {
    virStorageVolPtr* all = nullptr;
    const int count = virStoragePoolListAllVolumes(pool_, &all, 0);
    std::vector<std::string> names;
    for (int i = 0; i < count; ++i) {
      names.emplace_back(virStorageVolGetName(all[i]));
      virStorageVolFree(all[i]);
    }
    std::free(all);  // NOLINT
    return names;
  }
  Domain domain(const std::string& uuid) {
    return Domain(virDomainLookupByUUIDString(connection_, uuid.c_str()));
  }
  int state(const std::string& uuid) {
    int state = -1;
    const Domain found = domain(uuid);
    if (found != nullptr) virDomainGetState(found.get(), &state, nullptr, 0);
    return state;
  }
  virConnectPtr connection() { return connection_; }

 private:
  virConnectPtr connection_ = nullptr;
  virStoragePoolPtr pool_ = nullptr;
};

inline domain::WorkOrder create_order(std::uint64_t n) {
  domain::WorkOrder order = workers::test::order_for(CommandKind::VmCreate, n);
  order.backend = "lv";
  order.fence = n * 100;
  order.spec.host = "host-1";
  order.spec.size = {"small", 1, 128, 1};
  order.spec.ipv4 = 0xC0A87A0AU + static_cast<std::uint32_t>(n);  // 192.168.122.x
  order.image_name = "base.qcow2";
  order.installation = "0197aaaa-0000-7000-8000-000000000001";
  order.vm_key = domain::correlation_key(order.task, "vm.create");
  return order;
}

// A later command on the VM that `created` made.
inline domain::WorkOrder order_on(const domain::WorkOrder& created, CommandKind kind,
                                  const std::string& ref, std::uint64_t n) {
  domain::WorkOrder order = created;
  order.command = kind;
  order.task = workers::test::id<domain::TaskId>(n);
  order.vm_ref = ref;
  order.fence = created.fence + n;
  return order;
}

}  // namespace slipway::workers::libvirt::test
