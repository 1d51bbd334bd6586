#include "workers/backends/openstack/inventory.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>
#include <utility>

#include "core/base/clock.hpp"
#include "workers/backends/openstack/tags.hpp"

namespace slipway::workers::openstack {

using domain::Inventory;

namespace {

constexpr std::size_t kMaxPages = 1000;
constexpr std::uint32_t kHypervisorVersion = 53;  // later ones leave capacity to Placement

struct List {
  Service service;
  std::string_view path;    // with a query
  std::string_view member;  // of the answer: the array
  std::uint32_t microversion = 0;
  bool may_be_forbidden = false;
};

// Nova and Neutron tell in "<member>_links" that there is more, Glance in "next"; all take a
// marker.
bool has_more(const Reply& reply, const List& list) {
  if (list.service == Service::Image) return !text_of(reply.json, "next").empty();
  const std::string links = std::string(list.member) + "_links";
  for (base::JsonArrayIterator it(reply[links]); it; ++it) {
    if (text_of(it.value(), "rel") == "next") return true;
  }
  return false;
}

class Reader {
 public:
  Reader(Cloud& cloud, base::SteadyTime deadline) : cloud_(cloud), deadline_(deadline) {}

  // Each element of each page; what went wrong, if anything did.
  Async<std::optional<BackendError>> each(List list, std::function<void(base::JsonValue)> take) {
    std::string marker;
    for (std::size_t page = 0; page < kMaxPages; ++page) {
      Call call{.service = list.service,
                .path = fmt::format("{}{}limit={}{}", list.path,
                                    list.path.find('?') == std::string_view::npos ? "?" : "&",
                                    cloud_.options.page_size, marker),
                .deadline = deadline_,
                .microversion = list.microversion};
      const Reply reply = co_await cloud_.api.call(std::move(call));
      if (list.may_be_forbidden && reply.is(403)) co_return std::nullopt;
      if (!reply.ok()) co_return reply.error;
      if (reply.date) now_ = *reply.date;
      std::string last;
      for (base::JsonArrayIterator it(reply[list.member]); it; ++it) {
        last = text_of(it.value(), "id");
        take(it.value());
      }
      if (last.empty() || !has_more(reply, list)) co_return std::nullopt;
      marker = "&marker=" + encoded(last);
    }
    co_return BackendError{.code = base::Errc::BackendRefused,
                           .detail = fmt::format("the list of {} does not end", list.member)};
  }

  base::Duration age(const std::optional<base::Time>& made) const {
    return made ? std::max(now_ - *made, base::Duration{}) : base::Duration{};
  }

 private:
  Cloud& cloud_;
  base::SteadyTime deadline_;
  base::Time now_ = base::SystemClock().now();  // the cloud's clock, once it has told it
};

domain::VmId vm_id(std::string_view text) {
  const auto id = base::parse_uuid(text);
  return id ? domain::VmId(*id) : domain::VmId();
}

domain::SeenVm seen_vm(const Server& server, base::Duration age) {
  domain::SeenVm vm;
  vm.ref = server.id;
  vm.tag = {server.installation, server.key};
  vm.vm = vm_id(server.vm);
  vm.name = server.name;
  vm.state = state_of(server);
  if (server.fault) vm.fault = server.fault->detail;
  vm.host = server.host;
  vm.size = server.size;
  vm.image_ref = server.image_id;
  vm.network_ref = server.network;  // its name, until networks are known
  vm.ipv4 = server.ipv4;
  vm.mac = server.mac;
  vm.age = age;
  return vm;
}

domain::SeenImage seen_image(base::JsonValue json, const TaggedImage& tagged) {
  domain::SeenImage image;
  image.ref = tagged.id;
  if (tagged.is_ours) image.tag = {tagged.installation, tagged.key};
  image.name = tagged.name;
  image.disk_format = text_of(json, "disk_format");
  if (image.disk_format == "iso") image.kind = domain::ImageKind::Media;
  image.size_bytes = tagged.size_bytes;
  image.min_ram_mb = small_number_of(json, "min_ram");
  image.min_disk_gb = small_number_of(json, "min_disk");
  image.checksum_md5 = text_of(json, "checksum");
  const std::string_view visibility = text_of(json, "visibility");
  image.is_public = visibility == "public" || visibility == "community";
  return image;
}

domain::SeenNetwork seen_network(base::JsonValue json) {
  domain::SeenNetwork network;
  network.ref = text_of(json, "id");
  network.name = text_of(json, "name");
  network.shared = flag_of(json, "shared");
  network.external = flag_of(json, "router:external");
  const std::uint32_t mtu = small_number_of(json, "mtu");
  if (mtu != 0) network.mtu = mtu;
  for (base::JsonArrayIterator it(member_of(json, "subnets")); it; ++it) {
    network.subnets.emplace_back(it.value().string().value_or(""));
  }
  return network;
}

domain::SeenHost seen_host(base::JsonValue json) {
  domain::SeenHost host;
  host.name = text_of(member_of(json, "service"), "host");  // as servers name it
  host.address = text_of(json, "host_ip");
  host.enabled = text_of(json, "status") == "enabled";
  host.alive = text_of(json, "state") == "up";
  host.vcpus = number_of(json, "vcpus");
  host.memory_mb = number_of(json, "memory_mb");
  host.disk_gb = number_of(json, "local_gb");
  return host;
}

// Names that Nova gives in place of ids; a name that two have tells nothing.
void resolve_names(Inventory& inventory, const Catalog& catalog) {
  std::map<std::string, std::string> networks;
  for (const auto& network : inventory.networks) {
    const auto [at, fresh] = networks.emplace(network.name, network.ref);
    if (!fresh) at->second.clear();
  }
  for (auto& vm : inventory.vms) {
    const auto at = networks.find(vm.network_ref);
    vm.network_ref = at == networks.end() ? "" : at->second;
    vm.size.flavor = catalog.flavor_id(vm.size.flavor);
  }
}

// Ports that a creation left, and that no server has.
Async<std::optional<BackendError>> read_parts(Reader& reader, Inventory& out) {
  const List ports{Service::Network,
                   "/v2.0/ports?device_id=&fields=id&fields=name&fields=device_id"
                   "&fields=description&fields=created_at",
                   "ports"};
  const std::function<void(base::JsonValue)> take = [&](base::JsonValue json) {
    const std::string installation = installation_of(text_of(json, "description"));
    if (installation.empty() || !text_of(json, "device_id").empty()) return;
    out.parts.push_back({.kind = "port",
                         .ref = std::string(text_of(json, "id")),
                         .tag = {installation, std::string(text_of(json, "name"))},
                         .age = reader.age(base::parse_rfc3339(text_of(json, "created_at")))});
  };
  co_return co_await reader.each(ports, take);
}

// Snapshots are no images to make servers of.
Async<std::optional<BackendError>> read_images(Reader& reader, Inventory& out) {
  const List images{Service::Image, "/v2/images", "images"};
  const std::function<void(base::JsonValue)> take = [&](base::JsonValue json) {
    const TaggedImage tagged = parse_tagged(json);
    if (tagged.status != "active") return;
    if (tagged.is_ours && !tagged.snapshot.empty()) return;
    out.images.push_back(seen_image(json, tagged));
  };
  co_return co_await reader.each(images, take);
}

}  // namespace

Async<Outcome<std::shared_ptr<Inventory>>> take_inventory(Cloud& cloud, base::SteadyTime deadline) {
  auto out = std::make_shared<Inventory>();
  Reader reader(cloud, deadline);
  // Ports first: one that gets its server meanwhile is then at worst listed as a young orphan.
  auto error = co_await read_parts(reader, *out);
  if (!error) {
    const List servers{Service::Compute, "/servers/detail", "servers"};
    error = co_await reader.each(servers, [&](base::JsonValue json) {
      const Server server = parse_server(json);
      out->vms.push_back(seen_vm(server, reader.age(server.created)));
    });
  }
  if (!error) error = co_await read_images(reader, *out);
  if (!error) {
    const List networks{Service::Network, "/v2.0/networks", "networks"};
    error = co_await reader.each(
        networks, [&](base::JsonValue json) { out->networks.push_back(seen_network(json)); });
  }
  if (!error) {
    const List hosts{Service::Compute, "/os-hypervisors/detail", "hypervisors", kHypervisorVersion,
                     true};
    error = co_await reader.each(
        hosts, [&](base::JsonValue json) { out->hosts.push_back(seen_host(json)); });
  }
  if (error) co_return tl::unexpected<BackendError>(*error);
  auto flavors = co_await cloud.catalog.flavors(deadline);
  if (!flavors) co_return tl::unexpected<BackendError>(flavors.error());
  out->flavors = std::move(*flavors);
  resolve_names(*out, cloud.catalog);
  co_return out;
}

}  // namespace slipway::workers::openstack
