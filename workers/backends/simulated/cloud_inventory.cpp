// What the simulated cloud says it has.
#include <utility>

#include "workers/backends/simulated/cloud_request.hpp"

namespace slipway::workers::simulated {

using domain::VmState;

namespace {

constexpr std::size_t kPiece = 2000;  // VMs: some milliseconds

domain::Tag tag_of(const std::string& installation, const domain::TaskId& root,
                   std::string_view step) {
  if (installation.empty()) return {};
  return {installation, domain::correlation_key(root, step)};
}

VmState state_of(const VmRow& row, base::Time now) {
  if (row.ready_at > now) {
    if (!row.old_host.empty()) return VmState::Migrating;
    return row.started_at > row.created_at ? VmState::Rebuilding : VmState::Launching;
  }
  if (row.old_size) return VmState::Resizing;
  switch (row.state) {
    case PowerState::Running:
      return VmState::Running;
    case PowerState::Stopped:
      return VmState::Stopped;
    case PowerState::Paused:
      return VmState::Paused;
    case PowerState::Suspended:
      return VmState::Suspended;
  }
  return VmState::Error;
}

domain::SeenVm seen(VmRow&& row, base::Time now) {
  domain::SeenVm vm;
  vm.ref = vm_ref(row.number);
  vm.tag = tag_of(row.installation, row.root, "vm.create");
  vm.vm = row.vm;
  vm.state = state_of(row, now);
  vm.name = std::move(row.name);
  vm.host = std::move(row.host);
  vm.size = std::move(row.size);
  if (row.ipv4 != 0) vm.ipv4 = domain::ipv4_text(row.ipv4);
  vm.age = now - row.created_at;
  return vm;
}

domain::SeenImage seen(const ImageRow& row) {
  domain::SeenImage image;
  image.ref = image_ref(row.number);
  image.tag = tag_of(row.installation, row.root, "image.create");
  image.name = row.name;
  image.size_bytes = row.size_bytes;
  image.is_public = false;
  return image;
}

}  // namespace

bool Cloud::list(Listing& listing, base::Time now) {
  std::vector<VmRow> rows = store_->vms_after(listing.last, kPiece);
  for (VmRow& row : rows) {
    listing.last = row.number;
    listing.seen.vms.push_back(seen(std::move(row), now));
  }
  if (rows.size() == kPiece) return false;
  store_->each_image([&](const ImageRow& row) {
    if (row.ready_at <= now) listing.seen.images.push_back(seen(row));
  });
  return true;
}

}  // namespace slipway::workers::simulated
