// What a cloud has to choose from, as far as the log does not know it yet: the part of
// reconciliation that is about images, flavors, networks and hosts.
#include <fmt/format.h>

#include <algorithm>

#include "core/domain/draft.hpp"
#include "core/domain/inner_task.hpp"
#include "core/domain/reconcile_rules.hpp"

namespace slipway::domain {
namespace {

// The cloud's own id where it is a UUID that nobody has here; else one made from its name.
base::Uuid id_for(const ReconcileContext& c, std::string_view ref, bool taken_if_uuid) {
  const auto own = base::parse_uuid(ref);
  if (own && !taken_if_uuid) return *own;
  return derived_id(c.now, base::Uuid(), base::Uuid(), fmt::format("{}/{}", c.backend.name, ref));
}

bool same_numbers(const Flavor& a, const Flavor& b) {
  return a.vcpus == b.vcpus && a.memory_mb == b.memory_mb && a.disk_gb == b.disk_gb;
}

// A flavor is a size, whatever cloud it came from; each backend finds what fits the numbers. So one
// is news only where no flavor of its id or name is there; one that is, with other numbers, keeps
// them, and the cloud's gets the cloud's name before its own.
void note_flavors(Draft& draft, const ReconcileContext& c, const Inventory& seen) {
  for (Flavor flavor : seen.flavors) {
    const Flavor* by_id = c.world.flavor(flavor.id);
    const Flavor* by_name = c.world.flavor(flavor.name);
    if ((by_id != nullptr && same_numbers(*by_id, flavor)) ||
        (by_name != nullptr && same_numbers(*by_name, flavor))) {
      continue;
    }
    if (by_id != nullptr) flavor.id = fmt::format("{}-{}", c.backend.name, flavor.id);
    if (by_name != nullptr) flavor.name = fmt::format("{}-{}", c.backend.name, flavor.name);
    const Flavor* known = c.world.flavor(flavor.id);
    if (known != nullptr && *known == flavor) continue;
    draft.add(StreamKind::Flavor, flavor.id, FlavorDefined{flavor});
  }
}

const Network* known_network(const ReconcileContext& c, std::string_view ref) {
  for (const Network& n : c.world.networks()) {
    if (n.backend == c.backend.name && n.backend_ref == ref) return &n;
  }
  return nullptr;
}

void note_networks(Draft& draft, const ReconcileContext& c, const Inventory& seen) {
  for (const SeenNetwork& s : seen.networks) {
    const Network* known = known_network(c, s.ref);
    Network n;
    if (known != nullptr) n = *known;
    n.name = s.name;
    n.shared = s.shared;
    n.external = s.external;
    n.mtu = s.mtu;
    n.backend = c.backend.name;
    n.backend_ref = s.ref;
    n.tenant = c.backend.tenant.empty() ? c.backend.name : c.backend.tenant;
    if (known == nullptr) {
      const auto own = base::parse_uuid(s.ref);
      n.id = NetworkId(id_for(c, s.ref, own && c.world.network(NetworkId(*own)) != nullptr));
    }
    // A range that addresses have been given of is not moved under them.
    if (n.first_ipv4 == 0) {
      n.first_ipv4 = s.first_ipv4;
      n.last_ipv4 = s.last_ipv4;
    }
    n.subnets.clear();
    for (const std::string& subnet : s.subnets) {
      if (const auto id = base::parse_uuid(subnet)) n.subnets.push_back(*id);
    }
    if (known != nullptr && *known == n) continue;
    if (known != nullptr) ++n.revision;
    draft.add(StreamKind::Network, n.id, NetworkDefined{n});
  }
}

const LiveImage* known_image(const ReconcileContext& c, std::string_view ref) {
  const LiveImage* found = nullptr;
  c.world.each_image([&](const LiveImage& live) {
    if (live.image.backend == c.backend.name && live.image.backend_ref == ref) found = &live;
  });
  return found;
}

void note_images(Draft& draft, const ReconcileContext& c, const Inventory& seen) {
  for (const SeenImage& s : seen.images) {
    // One of ours is known by its task, or is an orphan, which is another page's business.
    if (s.tag.installation == c.installation || known_image(c, s.ref) != nullptr) continue;
    Image image;
    const auto own = base::parse_uuid(s.ref);
    image.id = ImageId(id_for(c, s.ref, own && c.world.image(ImageId(*own)) != nullptr));
    image.name = s.name;
    image.tenant = c.backend.tenant.empty() ? c.backend.name : c.backend.tenant;
    image.disk_format = s.disk_format;
    image.size_bytes = s.size_bytes;
    image.checksum_md5 = s.checksum_md5;
    image.is_public = s.is_public;
    image.min_ram_mb = s.min_ram_mb;
    image.min_disk_gb = s.min_disk_gb;
    image.backend = c.backend.name;
    image.backend_ref = s.ref;
    image.foreign = true;
    if (s.kind == ImageKind::Media) {
      image.traits.emplace();
      image.traits->kind = s.kind;
    }
    draft.add(StreamKind::Image, image.id, ImageRegistered{std::move(image)});
  }
}

std::uint64_t next_number(const World& world) {
  std::uint64_t last = 0;
  for (const auto& [name, live] : world.hosts()) last = std::max(last, live.host.number);
  return last + 1;
}

void note_hosts(Draft& draft, const ReconcileContext& c, const Inventory& seen) {
  if (seen.hosts.empty()) return;
  const std::string& pool = c.backend.name;
  if (c.world.infrastructure().pool(pool) == nullptr) {
    Pool fresh;
    fresh.name = pool;
    draft.add(StreamKind::Pool, pool, PoolCreated{std::move(fresh)});
  }
  std::uint64_t number = next_number(c.world);
  for (const SeenHost& s : seen.hosts) {
    const auto it = c.world.hosts().find(s.name);
    const Host* known = it == c.world.hosts().end() ? nullptr : &it->second.host;
    // Of two clouds with a host of one name, the first has it.
    if (known != nullptr && known->backend != c.backend.name) continue;
    Host host;
    if (known != nullptr) host = *known;
    host.name = s.name;
    host.backend = c.backend.name;
    if (s.alive || known == nullptr) {  // of one that does not answer nothing new is known
      host.address = s.address;
      host.vcpus = s.vcpus;
      host.memory_mb = s.memory_mb;
      host.disk_gb = s.disk_gb;
    }
    if (known == nullptr) {
      host.number = number++;
      host.pool = pool;
      host.enabled = s.enabled;
    }
    if (known == nullptr || !(*known == host)) {
      draft.add(StreamKind::Host, s.name, HostAttached{host});
    }
    if (s.alive != host.alive) {
      draft.add(StreamKind::Host, s.name, s.alive ? EventBody(HostSeen{}) : EventBody(HostLost{}));
    }
  }
}

}  // namespace

Finding decide_catalogue(const ReconcileContext& c, const Inventory& seen) {
  Draft draft(c.world, c.now);
  note_flavors(draft, c, seen);
  note_networks(draft, c, seen);
  note_images(draft, c, seen);
  note_hosts(draft, c, seen);
  return {c.backend.name, "catalogue", std::move(draft.events)};
}

Finding decide_missing_images(const ReconcileContext& c, const std::vector<std::string>& seen) {
  Draft draft(c.world, c.now);
  c.world.each_image([&](const LiveImage& live) {
    const Image& image = live.image;
    if (image.backend != c.backend.name || !image.foreign) return;
    if (!live.task.is_nil() || live.state != ImageState::Saved) return;
    if (std::find(seen.begin(), seen.end(), image.backend_ref) != seen.end()) return;
    draft.add(StreamKind::Image, image.id, ImageDeleted{});
  });
  return {c.backend.name, "image-gone", std::move(draft.events)};
}

}  // namespace slipway::domain
