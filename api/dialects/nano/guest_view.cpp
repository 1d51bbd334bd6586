#include "api/dialects/nano/guest_view.hpp"
#include "api/whole_list.hpp"

#include <fmt/format.h>

#include <numeric>

namespace slipway::api::nano {

using domain::VmState;
using eventstore::VmRow;

namespace {

constexpr std::string_view kDisplayProtocol = "vnc";
constexpr std::uint32_t kAlmost = 99;

void write_address(base::JsonWriter& w, std::string_view network, std::string_view display,
                   bool allocated) {
  w.begin_object().member("network_address", network).member("display_address", display);
  if (allocated) w.member("allocated_address", network);
  w.end_object();
}

void write_addresses(base::JsonWriter& w, const VmRow& vm, const domain::GuestSpec& guest) {
  w.key("internal");
  write_address(w, vm.spec.ipv4 == 0 ? "" : domain::ipv4_text(vm.spec.ipv4), guest.display, true);
  w.key("external");
  write_address(w, "", "", false);
}

void write_qos(base::JsonWriter& w, const domain::Qos& qos) {
  w.key("qos").begin_object();
  w.member("cpu_priority", qos.cpu_priority.empty() ? "medium" : qos.cpu_priority);
  w.member("read_speed", qos.read_bytes).member("write_speed", qos.write_bytes);
  w.member("read_iops", qos.read_iops).member("write_iops", qos.write_iops);
  w.member("receive_speed", qos.receive_bytes).member("send_speed", qos.send_bytes);
  w.end_object();
}

std::uint64_t total_disk(const domain::GuestSpec& guest) {
  return std::accumulate(guest.disks.begin(), guest.disks.end(), std::uint64_t{0});
}

// No backend measures a guest from inside: what it was given is what it has left.
void write_runtime(base::JsonWriter& w, const domain::GuestSpec& guest) {
  w.member("cpu_usage", 0.0).member("memory_available", guest.memory);
  w.member("disk_available", total_disk(guest));
  for (const char* name : {"bytes_read", "bytes_written", "bytes_received", "bytes_sent"}) {
    w.member(name, 0);
  }
}

}  // namespace

const std::string& GuestScene::pool_of(const VmRow& vm) const {
  static const std::string kNone;
  if (const auto cell = cells.find(vm.spec.host); cell != cells.end()) return cell->second.pool;
  return vm.spec.guest ? vm.spec.guest->pool : kNone;
}

std::vector<std::string> GuestScene::cells_of(std::string_view pool) const {
  std::vector<std::string> names;
  for (const auto& [name, host] : cells) {
    if (host.pool == pool) names.push_back(name);
  }
  return names;
}

base::Result<GuestScene> read_scene(Context& context, eventstore::Reader& reader,
                                    const std::string& tenant) {
  GuestScene scene;
  const auto status = each_row(
      [&](const auto& page) { return reader.list_hosts(eventstore::Scope::tenant(tenant), page); },
      [&](eventstore::HostRow&& row) { scene.cells[row.host.name] = std::move(row.host); });
  if (!status) return base::fail(status.error());
  scene.progress = [&services = context.services](const domain::TaskId& task) -> std::uint32_t {
    if (const auto live = services.progress.get(task)) return live->percent;
    const auto row = services.hot_tasks.find(task);
    return row == nullptr ? 0 : row->doc.percent.value_or(0);
  };
  scene.secret = [&services = context.services, tenant](const domain::SecretRef& ref) {
    const auto value = ref.empty() ? base::Secret() : [&] {
      auto opened = services.open_secret(ref, tenant);
      return opened ? std::move(*opened) : base::Secret();
    }();
    return std::string(value.reveal());
  };
  return scene;
}

bool is_created(const VmRow& vm) { return vm.launched_at && vm.state != VmState::Rebuilding; }

bool is_running(const VmRow& vm) {
  switch (vm.state) {
    case VmState::Running:
    case VmState::Stopping:
    case VmState::Rebooting:
    case VmState::HardRebooting:
      return true;
    case VmState::Resizing:
    case VmState::Snapshotting:
    case VmState::Migrating:
    case VmState::Rebuilding:
      return vm.running;
    default:
      return false;
  }
}

std::uint32_t progress_of(const GuestScene& scene, const VmRow& vm) {
  return vm.task.is_nil() ? 0 : std::min(scene.progress(vm.task), kAlmost);
}

void write_unfinished(base::JsonWriter& w, const GuestScene& scene, const VmRow& vm) {
  w.begin_object().member("name", vm.spec.name).member("created", false);
  w.member("progress", progress_of(scene, vm)).end_object();
}

void write_guest(base::JsonWriter& w, const GuestScene& scene, const VmRow& vm, GuestParts parts) {
  const domain::GuestSpec guest = domain::guest_of(vm.spec);
  const bool created = is_created(vm);
  w.begin_object().member("name", vm.spec.name).member("id", vm.id).member("created", created);
  if (!created) w.member("progress", progress_of(scene, vm));
  w.member("running", is_running(vm)).member("owner", guest.owner);
  w.member("group", guest.group.empty() ? vm.spec.project : guest.group);
  w.member("pool", scene.pool_of(vm)).member("cell", vm.spec.host);
  w.member("cores", vm.spec.size.vcpus).member("memory", guest.memory);
  w.member("total_disk", total_disk(guest)).key("disks").begin_array();
  for (const std::uint64_t disk : guest.disks) w.value(disk);
  w.end_array().member("auto_start", guest.auto_start).member("system", guest.system);
  if (!guest.system_version.empty()) w.member("system_version", guest.system_version);
  w.member("ethernet_address", domain::mac_of(vm.spec));
  w.member("display_protocol", kDisplayProtocol);
  if (parts.monitor_secret) w.member("monitor_secret", scene.secret(guest.monitor_secret));
  write_addresses(w, vm, guest);
  w.member("create_time", local_time(vm.created_at));
  w.member("media_attached", !guest.media.is_nil());
  w.member("media_source", guest.media.is_nil() ? "" : base::to_string(guest.media));
  if (guest.qos) write_qos(w, *guest.qos);
  if (!vm.error.empty() && vm.state == VmState::Error) w.member("error", vm.error);
  if (parts.runtime) write_runtime(w, guest);
  w.end_object();
}

bool GuestWish::fits(const VmRow& vm) const {
  if (!owner.empty() && (!vm.spec.guest || vm.spec.guest->owner != owner)) return false;
  const bool named = vm.spec.guest && !vm.spec.guest->group.empty();
  const std::string& own_group = named ? vm.spec.guest->group : vm.spec.project;
  if (!group.empty() && own_group != group) return false;
  if (!keyword.empty() && vm.spec.name.find(keyword) == std::string::npos) return false;
  return (!running || *running == is_running(vm)) && (!created || *created == is_created(vm));
}

base::Result<std::optional<bool>> flag_of(const Request& request, std::string_view name) {
  const std::string_view text = request.query_value(name).value_or("");
  if (text.empty()) return std::optional<bool>();
  if (text == "1" || text == "true") return std::optional(true);
  if (text == "0" || text == "false") return std::optional(false);
  return base::fail(base::Errc::InvalidArgument, fmt::format("invalid {} '{}'", name, text));
}

}  // namespace slipway::api::nano
