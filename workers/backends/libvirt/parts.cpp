// Images, disks and addresses.
#include <fmt/format.h>

#include "workers/backends/libvirt/steps.hpp"

namespace slipway::workers::libvirt {

using base::Errc;

namespace {

constexpr std::uint64_t kBytesPerMegabyte = std::uint64_t{1} << 20U;

Network find_network(virConnectPtr connection, const std::string& name) {
  return owned<Network>(virNetworkLookupByName(connection, name.c_str()), "find the network");
}

std::string host_entry(const std::string& mac, const std::string& ipv4, const std::string& name) {
  pugi::xml_document document;
  pugi::xml_node host = document.append_child("host");
  host.append_attribute("mac").set_value(mac.c_str());
  if (!name.empty()) host.append_attribute("name").set_value(name.c_str());
  if (!ipv4.empty()) host.append_attribute("ip").set_value(ipv4.c_str());
  return print(document);
}

int update_hosts(virNetworkPtr network, unsigned command, const std::string& entry) {
  return virNetworkUpdate(network, command, VIR_NETWORK_SECTION_IP_DHCP_HOST, -1, entry.c_str(),
                          VIR_NETWORK_UPDATE_AFFECT_LIVE | VIR_NETWORK_UPDATE_AFFECT_CONFIG);
}

}  // namespace

std::string network_of(const Request& r) {
  const domain::WorkOrder& order = r.order();
  if (!order.network_ref.empty()) return order.network_ref;
  return order.network_name.empty() ? r.options().network.name : order.network_name;
}

void reserve_address(virConnectPtr connection, const std::string& network, const std::string& mac,
                     const std::string& ipv4, const std::string& name) {
  const Network at = find_network(connection, network);
  const std::string xml = text_of(virNetworkGetXMLDesc(at.get(), 0), "read the network");
  if (!read_network(xml).enabled || has_dhcp_host(xml, mac)) return;
  if (update_hosts(at.get(), VIR_NETWORK_UPDATE_COMMAND_ADD_LAST, host_entry(mac, ipv4, name)) == 0)
    return;
  if (last_error() != VIR_ERR_NO_SUPPORT) fail_call("reserve the VM's address");
}

// Whether or not it was reserved: what is not there cannot be taken away.
void release_address(virConnectPtr connection, const std::string& network, const std::string& mac) {
  if (network.empty() || mac.empty()) return;
  const Network at(virNetworkLookupByName(connection, network.c_str()));
  if (at == nullptr) return;
  const std::string xml = text_of(virNetworkGetXMLDesc(at.get(), 0), "read the network");
  if (!has_dhcp_host(xml, mac)) return;
  update_hosts(at.get(), VIR_NETWORK_UPDATE_COMMAND_DELETE, host_entry(mac, {}, {}));
}

std::string image_volume(const Request& r, const std::string& ref, const std::string& name) {
  const auto& images = r.options().images;
  for (const std::string* key : {&name, &ref}) {
    if (const auto found = images.find(*key); found != images.end()) return found->second;
  }
  if (ref.empty() && name.empty()) refuse(Errc::InvalidArgument, "it is not said which image");
  return ref.empty() ? name : ref;
}

Image find_image(const Request&, StoragePool& pool, const std::string& name) {
  Image image{pool.find(name), {}};
  if (image.volume == nullptr) {
    refuse(Errc::NotFound, fmt::format("the storage pool has no image '{}'", name));
  }
  image.seen = pool.describe(image.volume.get());
  return image;
}

void make_disk(const Request& r, StoragePool& pool, const std::string& name, std::size_t n,
               std::uint64_t megabytes, const Image* image) {
  VolumeXml volume{.name = name, .bytes = megabytes * kBytesPerMegabyte};
  if (image == nullptr) {
    pool.create(volume);
    return;
  }
  volume.bytes = std::max(volume.bytes, image->seen.capacity_bytes);
  if (r.options().full_clone) {
    r.progress(10, fmt::format("copying disk {}", n));
    pool.copy(volume, image->volume.get());
    return;
  }
  volume.backing_path = image->seen.path;
  volume.backing_format = image->seen.format;
  pool.create(volume);
}

}  // namespace slipway::workers::libvirt
