#include "workers/backends/libvirt/volumes.hpp"

#include <algorithm>

namespace slipway::workers::libvirt {

StoragePool::StoragePool(Connection connection, const CellOptions& cell)
    : connection_(std::move(connection)),
      pool_(owned<Pool>(virStoragePoolLookupByName(connection_.get(), cell.storage_pool.c_str()),
                        "find the storage pool")) {}

void StoragePool::refresh() {
  fresh_ = true;
  // Fails while another call makes a volume there; what is known already must do then.
  virStoragePoolRefresh(pool_.get(), 0);
}

Volume StoragePool::find(const std::string& name) {
  const auto look = [&] {
    return owned_or_absent<Volume>(virStorageVolLookupByName(pool_.get(), name.c_str()),
                                   VIR_ERR_NO_STORAGE_VOL, "find the volume");
  };
  Volume volume = look();
  if (volume != nullptr || fresh_) return volume;
  refresh();
  return look();
}

SeenVolume StoragePool::describe(virStorageVolPtr volume) const {
  return read_volume(text_of(virStorageVolGetXMLDesc(volume, 0), "read the volume"));
}

Volume StoragePool::create(const VolumeXml& volume) {
  return owned<Volume>(virStorageVolCreateXML(pool_.get(), volume_xml(volume).c_str(), 0),
                       "make the volume");
}

Volume StoragePool::copy(const VolumeXml& volume, virStorageVolPtr from) {
  return owned<Volume>(virStorageVolCreateXMLFrom(pool_.get(), volume_xml(volume).c_str(), from, 0),
                       "copy the volume");
}

void StoragePool::upload(virStorageVolPtr volume, const std::string& bytes) {
  const auto stream = owned<Stream>(virStreamNew(connection_.get(), 0), "open a stream");
  checked(virStorageVolUpload(volume, stream.get(), 0, bytes.size(), 0), "write the volume");
  std::size_t sent = 0;
  while (sent < bytes.size()) {
    constexpr std::size_t kPiece = 64 * 1024;
    const std::size_t size = std::min(kPiece, bytes.size() - sent);
    sent += static_cast<std::size_t>(
        checked(virStreamSend(stream.get(), bytes.data() + sent, size), "write the volume"));
  }
  checked(virStreamFinish(stream.get()), "write the volume");
}

// Through this process, a piece at a time: the file as it is, so of an overlay only what is its
// own.
void StoragePool::transfer(virStorageVolPtr from, virConnectPtr from_connection,
                           const SeenVolume& seen) {
  VolumeXml volume{.name = seen.name, .format = seen.format, .bytes = seen.capacity_bytes};
  volume.backing_path = seen.backing_path;
  volume.backing_format = seen.backing_path.empty() ? "" : "qcow2";
  const Volume to = create(volume);
  const auto in = owned<Stream>(virStreamNew(from_connection, 0), "open a stream");
  const auto out = owned<Stream>(virStreamNew(connection_.get(), 0), "open a stream");
  checked(virStorageVolDownload(from, in.get(), 0, 0, 0), "read the volume");
  checked(virStorageVolUpload(to.get(), out.get(), 0, 0, 0), "write the volume");
  std::vector<char> piece(std::size_t{256} * 1024);
  while (true) {
    const int got = checked(virStreamRecv(in.get(), piece.data(), piece.size()), "read the volume");
    if (got == 0) break;
    for (int sent = 0; sent < got;) {
      sent += checked(
          virStreamSend(out.get(), piece.data() + sent, static_cast<std::size_t>(got - sent)),
          "write the volume");
    }
  }
  checked(virStreamFinish(in.get()), "read the volume");
  checked(virStreamFinish(out.get()), "write the volume");
}

bool StoragePool::remove(const std::string& name) {
  const Volume volume = find(name);
  if (volume == nullptr) return false;
  if (virStorageVolDelete(volume.get(), 0) < 0 && last_error() != VIR_ERR_NO_STORAGE_VOL) {
    fail_call("delete the volume");
  }
  return true;
}

std::vector<SeenVolume> StoragePool::list() {
  refresh();
  virStorageVolPtr* all = nullptr;
  const int count = checked(virStoragePoolListAllVolumes(pool_.get(), &all, 0), "list the volumes");
  std::vector<Volume> volumes(all, all + count);
  std::free(all);  // NOLINT
  std::vector<SeenVolume> seen;
  for (const Volume& volume : volumes) {
    // One that has gone meanwhile is no error.
    char* text = virStorageVolGetXMLDesc(volume.get(), 0);
    if (text != nullptr) seen.push_back(read_volume(text_of(text, "read the volume")));
  }
  return seen;
}

std::uint64_t StoragePool::capacity_bytes() {
  virStoragePoolInfo info{};
  checked(virStoragePoolGetInfo(pool_.get(), &info), "read the storage pool");
  return info.capacity;
}

}  // namespace slipway::workers::libvirt
