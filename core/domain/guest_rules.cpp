#include "core/domain/guest_rules.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

namespace slipway::domain {

using base::Errc;
using base::fail;
using base::Status;

namespace {

constexpr std::uint64_t kMostCores = 4096;
constexpr std::uint64_t kMostMegabytes = std::uint64_t{1} << 30U;  // a petabyte

// An image of the tenant's own or a public one, SAVED, of that kind.
base::Result<ImageId> usable_image(const World& world, const Vm& vm, const ImageId& id,
                                   ImageKind kind) {
  const LiveImage* image = world.image(id);
  const bool is_kind = image != nullptr && image->image.is_media() == (kind == ImageKind::Media);
  if (!is_kind || (!image->image.is_public && image->image.tenant != vm.tenant)) {
    return fail(Errc::UnprocessableArgument,
                fmt::format("no {} image '{}'", base::enum_name(kind), base::to_string(id)));
  }
  if (image->state != ImageState::Saved) {
    return fail(Errc::IllegalTransition,
                fmt::format("image '{}' has no data yet", base::to_string(id)));
  }
  return id;
}

Status check_disk(const GuestSpec& guest, const std::optional<std::uint32_t>& disk) {
  if (disk && *disk < guest.disks.size()) return {};
  return fail(Errc::UnprocessableArgument, fmt::format("invalid disk index {}: the guest has {}",
                                                       disk.value_or(0), guest.disks.size()));
}

Status change_size(const Vm& vm, CommandKind kind, GuestSpec& guest, ActionArgs& args) {
  const GuestChange& change = *args.guest;
  std::uint64_t cores = vm.spec.size.vcpus;
  if (kind == CommandKind::VmSetCores) cores = change.cores.value_or(0);
  if (kind == CommandKind::VmSetMemory) guest.memory = change.memory.value_or(0);
  if (kind == CommandKind::VmDiskResize) {
    if (auto status = check_disk(guest, change.disk); !status) return status;
    std::uint64_t& disk = guest.disks[*change.disk];
    const std::uint64_t wanted = change.disk_size.value_or(0);
    if (in_megabytes(wanted) < in_megabytes(disk)) {
      return fail(Errc::UnprocessableArgument, "a disk cannot be made smaller");
    }
    disk = wanted;
  }
  auto size = size_of_guest(cores, guest.memory, guest.disks);
  if (!size) return fail(size.error());
  args.size = std::move(*size);
  return {};
}

void set_limits(GuestSpec& guest, const GuestChange& change) {
  if (!guest.qos) guest.qos.emplace();
  Qos& now = *guest.qos;
  const Qos& wanted = *change.qos;
  if (change.qos_part == "cpu") {
    now.cpu_priority = wanted.cpu_priority;
  } else if (change.qos_part == "disk") {
    now.read_bytes = wanted.read_bytes;
    now.write_bytes = wanted.write_bytes;
    now.read_iops = wanted.read_iops;
    now.write_iops = wanted.write_iops;
  } else {
    now.receive_bytes = wanted.receive_bytes;
    now.send_bytes = wanted.send_bytes;
  }
}

// Those that make no sense without a GuestChange.
bool changes_guest(CommandKind kind) {
  return (kind >= CommandKind::VmSetCores && kind <= CommandKind::VmConsoleResetSecret) &&
         kind != CommandKind::VmResetSystem;
}

Status resolve_boot(const World& world, const Vm& vm, const GuestChange& change) {
  if (change.media.is_nil()) return {};
  const auto image = usable_image(world, vm, change.media, ImageKind::Media);
  return image ? Status{} : Status{fail(image.error())};
}

}  // namespace

base::Result<Size> size_of_guest(std::uint64_t cores, std::uint64_t memory,
                                 const std::vector<std::uint64_t>& disks) {
  const auto refuse = [](std::string_view what) {
    return fail(Errc::UnprocessableArgument, fmt::format("invalid {}", what));
  };
  if (cores == 0 || cores > kMostCores) return refuse("number of cores");
  const std::uint64_t memory_mb = in_megabytes(memory);
  if (memory == 0 || memory_mb > kMostMegabytes) return refuse("memory");
  std::uint64_t disk_mb = 0;
  for (const std::uint64_t disk : disks) {
    const std::uint64_t megabytes = in_megabytes(disk);
    if (disk == 0 || megabytes > kMostMegabytes) return refuse("disk size");
    disk_mb += megabytes;
  }
  if (disks.empty()) return refuse("disks: at least one is needed");
  const std::uint64_t disk_gb = (disk_mb - 1) / kMegabytesPerGigabyte + 1;
  if (disk_gb > kMostMegabytes) return refuse("disk size");
  return Size{fmt::format("c{}m{}d{}", cores, memory_mb, disk_gb),
              static_cast<std::uint32_t>(cores), static_cast<std::uint32_t>(memory_mb),
              static_cast<std::uint32_t>(disk_gb)};
}

void define_private_flavor(Draft& draft, const Size& size) {
  if (size.flavor.empty() || draft.world.flavor(size.flavor) != nullptr) return;
  if (!draft.flavors_defined.insert(size.flavor).second) return;
  Flavor flavor;
  flavor.id = flavor.name = size.flavor;
  flavor.vcpus = size.vcpus;
  flavor.memory_mb = size.memory_mb;
  flavor.disk_gb = size.disk_gb;
  flavor.is_public = false;
  draft.add(StreamKind::Flavor, size.flavor, FlavorDefined{std::move(flavor)});
}

// Names are letters, digits, '_' and '-': what separates the parts becomes one of these.
std::string name_by_rule(std::string_view rule, const std::string& prefix, const VmSpec& spec) {
  std::string own = rule == "MAC" ? mac_of(spec) : ipv4_text(spec.ipv4);
  std::erase(own, ':');
  std::replace(own.begin(), own.end(), '.', '-');
  return prefix.empty() ? own : fmt::format("{}_{}", prefix, own);
}

Status resolve_guest(const World& world, const Vm& vm, CommandKind kind, ActionArgs& args) {
  if (!args.guest) {
    return changes_guest(kind) ? fail(Errc::UnprocessableArgument, "it is not said what to change")
                               : Status{};
  }
  GuestSpec after = guest_of(vm.spec);
  const GuestChange& change = *args.guest;
  Status status;
  switch (kind) {
    case CommandKind::VmSetCores:
    case CommandKind::VmSetMemory:
    case CommandKind::VmDiskResize:
      status = change_size(vm, kind, after, args);
      break;
    case CommandKind::VmDiskShrink:
      return check_disk(after, change.disk);
    case CommandKind::VmSetAutoStart:
      after.auto_start = change.auto_start.value_or(false);
      break;
    case CommandKind::VmSetQos:
      if (!change.qos) return fail(Errc::UnprocessableArgument, "no limit was named");
      set_limits(after, change);
      break;
    case CommandKind::VmConsoleResetSecret:
      after.monitor_secret = change.secret;
      break;
    case CommandKind::VmMediaEject:
      if (after.media.is_nil()) {
        return fail(Errc::IllegalTransition, "no media is attached");
      }
      return {};
    case CommandKind::VmMediaInsert:
      if (!after.media.is_nil()) {
        return fail(Errc::IllegalTransition, "a media is attached already");
      }
      return resolve_boot(world, vm, change);
    case CommandKind::VmStart:
      return resolve_boot(world, vm, change);
    default:
      return {};
  }
  if (status) args.guest->after = std::move(after);
  return status;
}

void add_guest_changes(Draft& draft, const Vm& vm, CommandKind kind, const ActionArgs& args) {
  if (!args.guest) return;
  const GuestChange& change = *args.guest;
  if (change.after) draft.add(StreamKind::Vm, vm.id, VmConfigured{*change.after});
  if (kind == CommandKind::VmSetCredential) {
    draft.add(StreamKind::Vm, vm.id, VmCredentialSet{change.admin_name, change.secret});
  }
  if (kind == CommandKind::VmMediaEject) draft.add(StreamKind::Vm, vm.id, VmMediaEjected{});
  if (!change.media.is_nil()) {
    draft.add(StreamKind::Vm, vm.id, VmMediaInserted{change.media});
  }
}

}  // namespace slipway::domain
