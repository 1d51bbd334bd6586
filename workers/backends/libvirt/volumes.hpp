#pragma once
// Volumes of one storage pool of one cell. Throws CallFailed.
#include <string>
#include <vector>

#include "workers/backends/libvirt/connection.hpp"
#include "workers/backends/libvirt/xml.hpp"

namespace slipway::workers::libvirt {

class StoragePool {
 public:
  StoragePool(Connection connection, const CellOptions& cell);

  // Null if it is not there. A pool that others write too is read anew before it says so.
  Volume find(const std::string& name);
  SeenVolume describe(virStorageVolPtr volume) const;
  Volume create(const VolumeXml& volume);
  // Of the bytes of `from`, without what that is an overlay on.
  Volume copy(const VolumeXml& volume, virStorageVolPtr from);
  void upload(virStorageVolPtr volume, const std::string& bytes);
  // The bytes of another pool's volume, for a new one of the same name.
  void transfer(virStorageVolPtr from, virConnectPtr from_connection, const SeenVolume& seen);
  // True if it was there.
  bool remove(const std::string& name);
  std::vector<SeenVolume> list();
  std::uint64_t capacity_bytes();

 private:
  void refresh();

  Connection connection_;
  Pool pool_;
  bool fresh_ = false;
};

}  // namespace slipway::workers::libvirt
