#pragma once
// What one libvirtd has, by libvirt's C API and the XML that it gives.
#include <libvirt/libvirt.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/backends/contract/cloud.hpp"

namespace slipway::workers::contract {

struct CellAddress {
  std::string name;
  std::string uri;
  std::string pool;
};

struct OwnVolume {
  std::string key;
  std::string part;  // "disk0.qcow2", "seed.iso", "image.qcow2"
  std::string name;
};

class LibvirtWitness {
 public:
  // Throws std::runtime_error if it cannot be reached.
  explicit LibvirtWitness(CellAddress cell);

  const CellAddress& cell() const { return cell_; }
  std::vector<CountedVm> vms(const std::string& installation);
  bool has_vm(const std::string& uuid);
  std::vector<OwnVolume> volumes(const std::string& installation);

  // A disk of that name and size, empty, unless it is there.
  void make_volume(const std::string& name, std::uint64_t megabytes, const std::string& format);
  // Returns its UUID.
  std::string define_foreign_vm(const std::string& name, const std::string& type);
  void remove_vm(const std::string& uuid);
  void remove_all(const std::string& installation);

 private:
  using Connection = std::unique_ptr<virConnect, int (*)(virConnectPtr)>;
  using Domain = std::unique_ptr<virDomain, int (*)(virDomainPtr)>;
  using Pool = std::unique_ptr<virStoragePool, int (*)(virStoragePoolPtr)>;

  std::vector<Domain> domains();
  Pool pool();

  CellAddress cell_;
  Connection connection_;
};

}  // namespace slipway::workers::contract
