#include "core/domain/reconcile_rules.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <set>

#include "core/base/crypto.hpp"
#include "core/domain/draft.hpp"
#include "core/domain/inner_task.hpp"
#include "core/domain/vm_rules.hpp"

namespace slipway::domain {
namespace {

constexpr std::string_view kKeyPrefix = "slipway-";
constexpr std::size_t kUuidText = 36;

// The task whose correlation key it is; nil for another text.
TaskId root_of(std::string_view key) {
  if (!key.starts_with(kKeyPrefix) || key.size() < kKeyPrefix.size() + kUuidText) return {};
  const auto id = base::parse_uuid(key.substr(kKeyPrefix.size(), kUuidText));
  return id ? TaskId(*id) : TaskId();
}

bool is_at_rest(VmState s) {
  using enum VmState;
  return s == Running || s == Stopped || s == Paused || s == Suspended || s == Error;
}

// Whether an unfinished task may still want what carries this key.
bool is_claimed(const World& world, const std::string& key) {
  const TaskId root = root_of(key);
  if (root.is_nil() || world.task(root) != nullptr) return true;
  bool claimed = false;
  world.each_task([&](const Task& task) {
    claimed = claimed || task.correlation_root() == root ||
              (is_orphan_delete(task.command) && task.args.text.find(key) != std::string::npos);
  });
  return claimed;
}

// A task of reconciliation's own: nobody has asked for it.
void begin(Draft& draft, const ReconcileContext& c, const TaskId& task, const ActOnVm& act,
           std::vector<ResourceRef> resources) {
  base::JsonWriter args;
  base::write_json(args, act);
  draft.add(StreamKind::Command, task,
            CommandAccepted{act.kind, {args.text()}, std::move(resources)});
  draft.add(StreamKind::Task, task, queued_by_service(c.policy, act.kind, &c.backend, c.now));
}

// ---- VMs that are ours and in the log ----

struct Difference {
  std::string what;
  std::string expected;
  std::string found;
};

std::optional<Difference> difference(const Vm& vm, const Backend& backend, const SeenVm& seen) {
  if (seen.state != vm.state) {
    return Difference{"state", std::string(base::enum_name(vm.state)),
                      std::string(base::enum_name(seen.state))};
  }
  if (!seen.name.empty() && seen.name != vm.spec.name) {
    return Difference{"name", vm.spec.name, seen.name};
  }
  const Size& size = vm.spec.size;
  if (seen.size.vcpus != 0 &&
      (seen.size.vcpus != size.vcpus || seen.size.memory_mb != size.memory_mb)) {
    return Difference{"size", fmt::format("{} vCPUs, {} MB", size.vcpus, size.memory_mb),
                      fmt::format("{} vCPUs, {} MB", seen.size.vcpus, seen.size.memory_mb)};
  }
  if (backend.places_hosts && !seen.host.empty() && seen.host != vm.spec.host) {
    return Difference{"host", vm.spec.host, seen.host};
  }
  return std::nullopt;
}

void adopt(Draft& draft, const Vm& vm, const Difference& d, const SeenVm& seen) {
  if (d.what == "state" && seen.state == VmState::Error) {
    draft.add(StreamKind::Vm, vm.id, VmFailed{seen.fault.empty() ? "CLOUD" : seen.fault});
  } else if (d.what == "state") {
    draft.add(StreamKind::Vm, vm.id, VmStateChanged{seen.state, TaskId()});
  } else if (d.what == "name") {
    draft.add(StreamKind::Vm, vm.id, VmRenamed{seen.name});
  } else if (d.what == "host") {
    draft.add(StreamKind::Vm, vm.id, VmMigrated{seen.host});
  } else {
    Size size = vm.spec.size;
    size.flavor.clear();
    size.vcpus = seen.size.vcpus;
    size.memory_mb = seen.size.memory_mb;
    if (seen.size.disk_gb != 0) size.disk_gb = seen.size.disk_gb;
    draft.add(StreamKind::Vm, vm.id, VmResized{std::move(size)});
  }
  draft.add(StreamKind::Vm, vm.id, VmReconciled{d.what, "adopted"});
}

// The command that makes `to` of a VM that is `from`; nullopt: there is none.
std::optional<CommandKind> way_back(VmState from, VmState to) {
  using enum VmState;
  if (to == Running) {
    if (from == Stopped || from == Error) return CommandKind::VmStart;
    if (from == Paused) return CommandKind::VmUnpause;
    if (from == Suspended) return CommandKind::VmResume;
  }
  if (from == Running) {
    if (to == Stopped) return CommandKind::VmStop;
    if (to == Paused) return CommandKind::VmPause;
    if (to == Suspended) return CommandKind::VmSuspend;
  }
  return std::nullopt;
}

// What a cloud that places by itself has decided.
void note_place(Draft& draft, const Vm& vm, const SeenVm& seen) {
  const std::uint32_t ipv4 = parse_ipv4(seen.ipv4).value_or(0);
  const bool moved = !seen.host.empty() && seen.host != vm.spec.host;
  const bool addressed = ipv4 != 0 && ipv4 != vm.spec.ipv4;
  if (moved || addressed) {
    draft.add(StreamKind::Vm, vm.id, VmPlaced{seen.host, ipv4, seen.mac});
  }
}

Finding compare(const ReconcileContext& c, const Vm& vm, const SeenVm& seen) {
  Draft draft(c.world, c.now);
  std::string_view kind = "found";
  if (vm.lost) draft.add(StreamKind::Vm, vm.id, VmFound{});
  if (!c.backend.places_hosts) {
    note_place(draft, vm, seen);
    if (!draft.events.empty()) kind = "placed";
  }
  const auto now = is_at_rest(seen.state) ? difference(vm, c.backend, seen) : std::nullopt;
  if (now && (!vm.drift || *vm.drift != Drift{now->what, now->expected, now->found})) {
    draft.add(StreamKind::Vm, vm.id, VmDrifted{now->what, now->expected, now->found});
    kind = "drifted";
  }
  // What nobody made through this service is as its cloud has it.
  if (now && (c.backend.policy == ReconcilePolicy::Adopt || vm.foreign)) {
    adopt(draft, vm, *now, seen);
    kind = "adopted";
  } else if (!now && vm.drift && is_at_rest(seen.state)) {
    draft.add(StreamKind::Vm, vm.id, VmReconciled{vm.drift->what, "ended"});
    kind = "ended";
  }
  return {vm.tenant, kind, std::move(draft.events)};
}

// ---- what nobody here made ----

NetworkId network_of(const World& world, const Backend& backend, std::string_view ref) {
  for (const Network& n : world.networks()) {
    if (n.backend == backend.name && n.backend_ref == ref && !ref.empty()) return n.id;
  }
  return NetworkId();
}

Finding welcome(const ReconcileContext& c, const SeenVm& seen) {
  if (c.backend.tenant.empty() || !is_at_rest(seen.state)) return {};
  const VmId id(derived_id(c.now, base::Uuid(), base::Uuid(), c.backend.name + "/" + seen.ref));
  VmSpec spec;
  spec.name = seen.name;
  spec.project = c.backend.tenant;
  spec.size = seen.size;
  // A flavor of the cloud counts here only if the log knows it as the same.
  const Flavor* flavor = c.world.flavor(seen.size.flavor);
  if (flavor == nullptr || flavor->vcpus != seen.size.vcpus) spec.size.flavor.clear();
  spec.network = network_of(c.world, c.backend, seen.network_ref);
  spec.backend = c.backend.name;
  spec.host = seen.host;
  spec.ipv4 = parse_ipv4(seen.ipv4).value_or(0);
  if (!seen.mac.empty()) {
    spec.guest.emplace();
    spec.guest->mac = seen.mac;
  }
  Draft draft(c.world, c.now);
  draft.add(StreamKind::Vm, id, VmRequested{std::move(spec), TaskId()});
  draft.add(StreamKind::Vm, id, VmLaunched{seen.ref});
  draft.add(StreamKind::Vm, id, VmFound{true});
  if (seen.state == VmState::Error) {
    draft.add(StreamKind::Vm, id, VmFailed{seen.fault.empty() ? "CLOUD" : seen.fault});
  } else if (seen.state != VmState::Running) {
    draft.add(StreamKind::Vm, id, VmStateChanged{seen.state, TaskId()});
  }
  return {c.backend.tenant, "found", std::move(draft.events)};
}

// ---- orphans ----

Finding sweep(const ReconcileContext& c, OrphanRef orphan, CommandKind command,
              base::Duration age) {
  if (age < c.orphan_age || is_claimed(c.world, orphan.key)) return {};
  Draft draft(c.world, c.now);
  const TaskId task(
      derived_id(c.now, base::Uuid(), base::Uuid(), c.backend.name + "/" + orphan.ref));
  draft.add(StreamKind::Backend, c.backend.name,
            OrphanFound{orphan.kind, orphan.ref, orphan.key, task});
  ActOnVm act;
  act.kind = command;
  act.args.orphan = std::move(orphan);
  begin(draft, c, task, act, {});
  return {c.backend.name, "orphan", std::move(draft.events)};
}

const Vm* ours(const ReconcileContext& c, const SeenVm& seen) {
  if (seen.tag.installation != c.installation) return nullptr;
  const Vm* vm = c.world.vm(seen.vm);
  const bool same = vm != nullptr && vm->spec.backend == c.backend.name &&
                    correlation_key(vm->creator, "vm.create") == seen.tag.key;
  return same ? vm : nullptr;
}

// Two backends may be of one cloud: what the other's list has too is no orphan of this one's.
bool is_anothers(const ReconcileContext& c, const SeenVm& seen) {
  const Vm* vm = c.world.vm(seen.vm);
  return vm != nullptr && vm->spec.backend != c.backend.name &&
         correlation_key(vm->creator, "vm.create") == seen.tag.key;
}

// One of two that carry the same key: the log has the other.
bool is_double(const Vm& vm, const SeenVm& seen) {
  return vm.task.is_nil() && !vm.backend_ref.empty() && vm.backend_ref != seen.ref;
}

}  // namespace

VmId known_as(const ReconcileContext& c, const SeenVm& seen) {
  if (const Vm* vm = ours(c, seen)) return is_double(*vm, seen) ? VmId() : vm->id;
  if (seen.tag.installation == c.installation) return VmId();
  // Made before tags were written, or there from the beginning.
  const Vm* vm = c.world.vm(seen.vm);
  if (vm != nullptr && vm->spec.backend == c.backend.name && vm->backend_ref == seen.ref) {
    return vm->id;
  }
  return c.world.foreign_vm(c.backend.name, seen.ref);
}

Finding decide_seen(const ReconcileContext& c, const SeenVm& seen) {
  if (const Vm* vm = c.world.vm(known_as(c, seen))) {
    return vm->task.is_nil() ? compare(c, *vm, seen) : Finding{};
  }
  if (seen.tag.installation != c.installation) return welcome(c, seen);
  if (const Vm* vm = ours(c, seen); vm != nullptr && !vm->task.is_nil()) return {};
  if (is_anothers(c, seen)) return {};
  return sweep(c, {"vm", seen.ref, seen.tag.key}, CommandKind::OrphanVmDelete, seen.age);
}

Finding decide_repair(const ReconcileContext& c, const SeenVm& seen) {
  const Vm* vm = c.world.vm(known_as(c, seen));
  if (c.backend.policy != ReconcilePolicy::Repair || vm == nullptr || vm->foreign || !vm->drift ||
      !vm->task.is_nil() || vm->drift->what != "state") {
    return {};
  }
  const auto command = way_back(seen.state, vm->state);
  if (!command) return {};
  ActOnVm act;
  act.kind = *command;
  act.vm = vm->id;
  Draft draft(c.world, c.now);
  const TaskId task(derived_id(c.now, base::Uuid(), vm->id, "repair"));
  // The command starts from what the cloud has: the log says so first.
  draft.add(StreamKind::Vm, vm->id, VmStateChanged{seen.state, TaskId()});
  begin(draft, c, task, act, {{StreamKind::Vm, vm->id, vm->spec.name}});
  draft.add(StreamKind::Vm, vm->id, VmStateChanged{*vm_rule(*command)->during, task});
  draft.add(StreamKind::Vm, vm->id, VmReconciled{"state", "repaired"});
  return {vm->tenant, "repaired", std::move(draft.events)};
}

std::vector<const SeenPart*> parts_of_no_vm(const ReconcileContext& c,
                                            const std::vector<SeenPart>& seen) {
  std::set<TaskId> nobodys;
  for (const SeenPart& part : seen) {
    if (part.tag.installation == c.installation) nobodys.insert(root_of(part.tag.key));
  }
  std::vector<const SeenPart*> out;
  if (nobodys.empty()) return out;
  c.world.each_vm([&](const Vm& vm) { nobodys.erase(vm.creator); });
  for (const SeenPart& part : seen) {
    const bool ours = part.tag.installation == c.installation;
    if (ours && nobodys.contains(root_of(part.tag.key))) out.push_back(&part);
  }
  return out;
}

Finding decide_part(const ReconcileContext& c, const SeenPart& seen) {
  return sweep(c, {seen.kind, seen.ref, seen.tag.key}, CommandKind::OrphanPartDelete, seen.age);
}

Finding decide_image(const ReconcileContext& c, const SeenImage& seen) {
  if (seen.tag.installation != c.installation) return {};
  const TaskId root = root_of(seen.tag.key);
  bool owned = false;
  c.world.each_image([&](const LiveImage& i) { owned = owned || i.creator == root; });
  if (owned) return {};
  return sweep(c, {"image", seen.ref, seen.tag.key}, CommandKind::OrphanPartDelete, c.orphan_age);
}

std::vector<Finding> decide_failover(const ReconcileContext& c, const std::string& host) {
  std::vector<Finding> out;
  const auto live = c.world.hosts().find(host);
  if (live == c.world.hosts().end() || live->second.host.alive) return out;
  const Pool* pool = c.world.infrastructure().pool(live->second.host.pool);
  if (pool == nullptr || !pool->failover || pool->storage.empty()) return out;
  std::vector<const Vm*> guests;
  c.world.each_vm([&](const Vm& vm) {
    const bool starts = vm.spec.guest && vm.spec.guest->auto_start;
    if (vm.spec.host == host && starts && vm.state == VmState::Running && vm.task.is_nil()) {
      guests.push_back(&vm);
    }
  });
  std::sort(guests.begin(), guests.end(), [](auto* a, auto* b) { return a->id < b->id; });
  for (const Vm* vm : guests) {
    ActOnVm act;
    act.kind = CommandKind::VmMigrate;
    act.vm = vm->id;
    act.args.evacuate = true;
    act.args.pool = pool->name;
    Draft draft(c.world, c.now);
    if (begin_on_vm(draft, c.policy, vm->tenant, base::Uuid(), "failover", std::move(act))) {
      out.push_back({vm->tenant, "failover", std::move(draft.events)});
    }
  }
  return out;
}

Finding decide_missing(const ReconcileContext& c, const Vm& vm) {
  Draft draft(c.world, c.now);
  if (vm.foreign) {
    draft.add(StreamKind::Vm, vm.id, VmDeleted{});
    return {vm.tenant, "gone", std::move(draft.events)};
  }
  if (vm.lost) return {};
  draft.add(StreamKind::Vm, vm.id, VmLost{});
  return {vm.tenant, "lost", std::move(draft.events)};
}

}  // namespace slipway::domain
