#include "workers/backends/openstack/server.hpp"

#include <utility>

#include "core/base/fields.hpp"
#include "workers/backends/openstack/faults.hpp"
#include "workers/backends/openstack/reply.hpp"

namespace slipway::workers::openstack {

using domain::VmState;

namespace {

void read_addresses(base::JsonValue addresses, Server& out) {
  for (base::JsonObjectIterator net(addresses); net; ++net) {
    for (base::JsonArrayIterator it(net.value()); it; ++it) {
      const base::JsonValue address = it.value();
      const std::string_view type = text_of(address, "OS-EXT-IPS:type");
      if (number_of(address, "version") != 4 || type == "floating") continue;
      out.network = net.key();
      out.ipv4 = text_of(address, "addr");
      out.mac = text_of(address, "OS-EXT-IPS-MAC:mac_addr");
      return;
    }
  }
}

void read_flavor(base::JsonValue flavor, Server& out) {
  out.size.flavor = text_of(flavor, "id");
  if (out.size.flavor.empty()) out.size.flavor = text_of(flavor, "original_name");
  out.size.vcpus = small_number_of(flavor, "vcpus");
  out.size.memory_mb = small_number_of(flavor, "ram");
  out.size.disk_gb = small_number_of(flavor, "disk");
}

// What it is busy with says more than where it is at rest.
constexpr std::pair<std::string_view, VmState> kTasks[] = {
    {"powering-off", VmState::Stopping},
    {"powering-on", VmState::Starting},
    {"reboot", VmState::Rebooting},
    {"pausing", VmState::Pausing},
    {"unpausing", VmState::Resuming},
    {"suspending", VmState::Suspending},
    {"resuming", VmState::Resuming},
    {"resize", VmState::Resizing},
    {"rebuild", VmState::Rebuilding},
    {"image", VmState::Snapshotting},
    {"migrating", VmState::Migrating},
    {"deleting", VmState::Deleting},
    {"soft-deleting", VmState::Deleting},
    {"scheduling", VmState::Launching},
    {"block_device_mapping", VmState::Launching},
    {"networking", VmState::Launching},
    {"spawning", VmState::Launching},
};
constexpr std::pair<std::string_view, VmState> kStatuses[] = {
    {"ACTIVE", VmState::Running},
    {"PASSWORD", VmState::Running},
    {"RESCUE", VmState::Running},
    {"BUILD", VmState::Launching},
    {"SHUTOFF", VmState::Stopped},
    {"SHELVED", VmState::Stopped},
    {"SHELVED_OFFLOADED", VmState::Stopped},
    {"PAUSED", VmState::Paused},
    {"SUSPENDED", VmState::Suspended},
    {"REBOOT", VmState::Rebooting},
    {"HARD_REBOOT", VmState::HardRebooting},
    {"RESIZE", VmState::Resizing},
    {"VERIFY_RESIZE", VmState::Resizing},
    {"REVERT_RESIZE", VmState::Resizing},
    {"REBUILD", VmState::Rebuilding},
    {"MIGRATING", VmState::Migrating},
    {"DELETED", VmState::Deleted},
    {"SOFT_DELETED", VmState::Deleted},
};

}  // namespace

Server parse_server(base::JsonValue json) {
  Server out;
  out.id = text_of(json, "id");
  out.name = text_of(json, "name");
  out.status = text_of(json, "status");
  out.task_state = text_of(json, "OS-EXT-STS:task_state");
  out.vm_state = text_of(json, "OS-EXT-STS:vm_state");
  out.host = text_of(json, "OS-EXT-SRV-ATTR:host");
  out.host_is_name = !out.host.empty();
  if (out.host.empty()) out.host = text_of(json, "hostId");
  out.image_id = text_of(member_of(json, "image"), "id");
  read_flavor(member_of(json, "flavor"), out);
  read_addresses(member_of(json, "addresses"), out);
  const base::JsonValue metadata = member_of(json, "metadata");
  out.task = text_of(metadata, "task");
  out.key = text_of(metadata, "slipway_key");
  out.installation = text_of(metadata, "slipway_installation");
  out.vm = text_of(metadata, "slipway_vm");
  out.created = base::parse_rfc3339(text_of(json, "created"));
  if (out.is("ERROR")) out.fault = fault_of_server(member_of(json, "fault"));
  out.gone = out.is("DELETED");
  return out;
}

VmState state_of(const Server& server) {
  if (server.task_state.starts_with("reboot") && server.task_state.ends_with("_hard")) {
    return VmState::HardRebooting;
  }
  for (const auto& [task, state] : kTasks) {
    if (server.task_state.starts_with(task)) return state;
  }
  for (const auto& [status, state] : kStatuses) {
    if (server.status == status) return state;
  }
  return VmState::Error;
}

base::RawJson facts_of(const Server& server) {
  domain::VmFacts facts;
  facts.host = server.host;
  facts.ipv4 = server.ipv4;
  facts.mac = server.mac;
  base::JsonWriter w;
  base::write_json(w, facts);
  return {w.text()};
}

}  // namespace slipway::workers::openstack
