#include "api/core_api/vm_body.hpp"

#include "api/task_body.hpp"

namespace slipway::api {
namespace {

using base::JsonWriter;

template <class Id>
void id_or_null(JsonWriter& w, std::string_view name, const Id& id) {
  w.key(name);
  id.is_nil() ? w.null() : w.value(static_cast<const base::Uuid&>(id));
}

void text_or_null(JsonWriter& w, std::string_view name, const std::string& text) {
  w.key(name);
  text.empty() ? w.null() : w.value(text);
}

void write_addresses(JsonWriter& w, const domain::VmSpec& spec) {
  w.key("addresses").begin_array();
  if (spec.ipv4 != 0) {
    w.begin_object().member("network", spec.network);
    w.member("address", domain::ipv4_text(spec.ipv4)).member("mac", domain::mac_of(spec.ipv4));
    w.end_object();
  }
  w.end_array();
}

void write_snapshots(JsonWriter& w, const std::vector<eventstore::SnapshotRow>& rows) {
  w.key("snapshots").begin_array();
  for (const eventstore::SnapshotRow& row : rows) {
    w.begin_object().member("name", row.snapshot.name);
    w.member("description", row.snapshot.description);
    text_or_null(w, "parent", row.snapshot.parent);
    w.member("current", row.current).member("with_memory", row.snapshot.with_memory);
    w.member("created_at", row.snapshot.created_at).end_object();
  }
  w.end_array();
}

}  // namespace

void write_vm(JsonWriter& w, const eventstore::VmRow& vm,
              const std::vector<eventstore::SnapshotRow>* snapshots) {
  const domain::VmSpec& spec = vm.spec;
  w.begin_object().member("id", vm.id).member("name", spec.name);
  w.member("state", base::enum_name(vm.state)).member("tenant", vm.tenant());
  w.member("project", spec.project);
  text_or_null(w, "flavor", spec.size.flavor);
  w.member("vcpus", spec.size.vcpus).member("memory_mb", spec.size.memory_mb);
  w.member("disk_gb", spec.size.disk_gb);
  id_or_null(w, "image", spec.image);
  id_or_null(w, "network", spec.network);
  write_addresses(w, spec);
  text_or_null(w, "host", spec.host);
  w.member("backend", spec.backend);
  text_or_null(w, "backend_ref", vm.backend_ref);
  text_or_null(w, "keypair", spec.keypair);
  w.key("labels");
  base::write_json(w, spec.labels);
  id_or_null(w, "task", vm.task);
  text_or_null(w, "error", vm.error);
  w.member("lost", vm.lost).member("foreign", vm.foreign).key("drift");
  base::write_json(w, vm.drift);
  if (snapshots != nullptr) write_snapshots(w, *snapshots);
  w.member("created_at", vm.created_at).member("launched_at", vm.launched_at);
  w.member("updated_at", vm.updated_at).member("deleted_at", vm.deleted_at);
  w.member("version", vm.version).member("seq", vm.seq);
  w.key("links").begin_object();
  w.member("self", href_of(domain::StreamKind::Vm, vm.id));
  w.member("tasks", "/core/v1/tasks?resource=" + base::to_string(vm.id));
  w.member("console", "/console/vms/" + base::to_string(vm.id)).end_object();
  w.end_object();
}

}  // namespace slipway::api
