#include "core/domain/vm_rules.hpp"

#include <fmt/format.h>

#include "core/domain/draft.hpp"
#include "core/domain/guest_rules.hpp"
#include "core/domain/image_rules.hpp"
#include "core/domain/node_rules.hpp"
#include "core/domain/placement.hpp"
#include "core/domain/plan.hpp"

namespace slipway::domain {
namespace {

using base::Errc;
using base::fail;

constexpr std::uint32_t kUp = bit(VmState::Running);
constexpr std::uint32_t kOff = bit(VmState::Stopped);
constexpr std::uint32_t kStable =
    bit(VmState::Running) | bit(VmState::Stopped) | bit(VmState::Paused) | bit(VmState::Suspended);
constexpr std::uint32_t kAny = kStable | bit(VmState::Error);
constexpr bool kHarmless = true;

std::string suggestion(const World& world, std::string_view wanted) {
  // The flavor with the longest common prefix is the likeliest slip of the pen.
  std::string best;
  std::size_t best_length = 2;
  for (const auto& [id, flavor] : world.flavors()) {
    std::size_t n = 0;
    while (n < flavor.name.size() && n < wanted.size() && flavor.name[n] == wanted[n]) ++n;
    if (n > best_length) {
      best_length = n;
      best = flavor.name;
    }
  }
  return best.empty() ? "" : fmt::format("; did you mean '{}'?", best);
}

std::uint32_t growth(std::uint32_t from, std::uint32_t to) { return to > from ? to - from : 0; }

// The larger size is taken at once, by quota and on the host.
base::Status make_room_to_grow(Draft& draft, const Vm& vm, const Size& to) {
  const Size& from = vm.spec.size;
  const Usage more{0, growth(from.vcpus, to.vcpus), growth(from.memory_mb, to.memory_mb),
                   growth(from.disk_gb, to.disk_gb)};
  if (auto status = check_quota(draft, vm.spec.project, more); !status) return status;
  const auto live = draft.world.hosts().find(vm.spec.host);
  Usage& added = draft.host_added[vm.spec.host];
  if (live != draft.world.hosts().end()) {
    const Host& host = live->second.host;
    const Usage& used = live->second.used;
    if (used.vcpus + added.vcpus + more.vcpus > host.vcpus ||
        used.memory_mb + added.memory_mb + more.memory_mb > host.memory_mb ||
        used.disk_gb + added.disk_gb + more.disk_gb > host.disk_gb) {
      return fail(Errc::CapacityExhausted, "the VM's host has no room for this size");
    }
  }
  for (Usage* u : {&added, &draft.usage_added[vm.spec.project]}) {
    u->vcpus += more.vcpus;
    u->memory_mb += more.memory_mb;
    u->disk_gb += more.disk_gb;
  }
  return {};
}

base::Status resolve_resize(Draft& draft, const Vm& vm, const ActOnVm& act, ActionArgs& args) {
  const World& world = draft.world;
  if (!act.flavor.empty()) {
    args.size = size_on(world, vm.spec.backend, act.flavor);
    if (!args.size) {
      return fail(base::Error{
          Errc::UnprocessableArgument,
          fmt::format("no flavor '{}'", act.flavor),
          {{"/args/flavor", "unknown-flavor",
            fmt::format("no flavor '{}'{}", act.flavor, suggestion(world, act.flavor))}}});
    }
  }
  if (!args.size) return fail(Errc::UnprocessableArgument, "a resize needs a flavor or a size");
  if (args.size->disk_gb < vm.spec.size.disk_gb) {
    return fail(Errc::UnprocessableArgument, "a resize cannot shrink the disk");
  }
  return make_room_to_grow(draft, vm, *args.size);
}

base::Status resolve_rebuild(const World& world, const Vm& vm, const ActOnVm& act,
                             ActionArgs& args) {
  const auto id = base::parse_uuid(act.image);
  const LiveImage* image =
      id ? world.image(ImageId(*id)) : world.image_by_name(act.image, vm.tenant);
  if (act.image.empty()) image = world.image(vm.spec.image);
  const bool there = image != nullptr && lies_on(world, *image, vm.spec.backend);
  if (!there || (!image->image.is_public && image->image.tenant != vm.tenant)) {
    return fail(base::Error{Errc::UnprocessableArgument,
                            fmt::format("no image '{}'", act.image),
                            {{"/args/image", "unknown-image", "no such image"}}});
  }
  if (image->state != ImageState::Saved) {
    return fail(Errc::IllegalTransition, "the image is not SAVED");
  }
  if (image->image.is_media()) {
    return fail(Errc::UnprocessableArgument, "a media image holds no system");
  }
  args.image = image->image.id;
  return {};
}

base::Status resolve_migrate(Draft& draft, const Vm& vm, ActionArgs& args) {
  const Backend* backend = draft.world.backend(vm.spec.backend);
  if (backend == nullptr || !backend->places_hosts) return {};
  if (!args.host.empty() && args.host == vm.spec.host) {
    return fail(base::Error{Errc::UnprocessableArgument,
                            "the VM is on that host already",
                            {{"/args/host", "same-host", "the VM is on that host already"}}});
  }
  if (!args.host.empty() && !draft.world.hosts().contains(args.host)) {
    return fail(base::Error{Errc::UnprocessableArgument,
                            fmt::format("no host '{}'", args.host),
                            {{"/args/host", "unknown-host", "no such host"}}});
  }
  args.host = place(draft, {vm.spec.backend, vm.spec.project, args.host, vm.spec.host, args.pool},
                    vm.spec.size);
  if (args.host.empty()) return fail(Errc::CapacityExhausted, "no host has room for this VM");
  Usage& added = draft.host_added[args.host];
  added.vcpus += vm.spec.size.vcpus;
  added.memory_mb += vm.spec.size.memory_mb;
  added.disk_gb += vm.spec.size.disk_gb;
  args.live = vm.state == VmState::Running && !args.evacuate;
  return {};
}

base::Status check_snapshot(const Vm& vm, CommandKind kind, const ActionArgs& args) {
  if (args.snapshot.empty()) return fail(Errc::UnprocessableArgument, "a snapshot needs a name");
  const bool exists = vm.has_snapshot(args.snapshot);
  if (kind == CommandKind::VmSnapshotCreate && exists) {
    return fail(Errc::NameTaken, fmt::format("the VM has a snapshot '{}' already", args.snapshot));
  }
  if (kind != CommandKind::VmSnapshotCreate && !exists) {
    return fail(Errc::NotFound, fmt::format("the VM has no snapshot '{}'", args.snapshot));
  }
  return {};
}

base::Status resolve(Draft& draft, const Vm& vm, const ActOnVm& act, ActionArgs& args) {
  switch (act.kind) {
    case CommandKind::VmResize:
      return resolve_resize(draft, vm, act, args);
    case CommandKind::VmRebuild:
    case CommandKind::VmResetSystem:
      return resolve_rebuild(draft.world, vm, act, args);
    case CommandKind::VmSetCores:
    case CommandKind::VmSetMemory:
    case CommandKind::VmDiskResize:
      if (auto status = resolve_guest(draft.world, vm, act.kind, args); !status) return status;
      return args.size ? make_room_to_grow(draft, vm, *args.size)
                       : fail(Errc::UnprocessableArgument, "no size was named");
    case CommandKind::VmMigrate:
      return resolve_migrate(draft, vm, args);
    case CommandKind::VmSnapshotCreate:
    case CommandKind::VmSnapshotRestore:
    case CommandKind::VmSnapshotDelete:
      return check_snapshot(vm, act.kind, args);
    case CommandKind::VmRename:
      if (args.name.empty()) return fail(Errc::UnprocessableArgument, "a rename needs a name");
      return {};
    case CommandKind::ImageCapture:
      if (args.name.empty()) return fail(Errc::UnprocessableArgument, "an image needs a name");
      if (draft.world.image(act.new_image) != nullptr) {
        return fail(Errc::ResourceBusy, "an image with this id exists");
      }
      return {};
    case CommandKind::VmDelete:
      if (act.force == false && vm.state == VmState::Running) {
        return fail(Errc::IllegalTransition,
                    fmt::format("instance '{}' is still running", base::to_string(vm.id)));
      }
      return {};
    default:
      return resolve_guest(draft.world, vm, act.kind, args);
  }
}

VmState state_during(const VmRule& rule, const Vm& vm, const ActOnVm& act) {
  if (act.kind == CommandKind::VmReboot && act.args.hard) return VmState::HardRebooting;
  return rule.during.value_or(vm.state);
}

void start_capture(Draft& draft, const Vm& vm, const ActOnVm& act, const TaskId& task) {
  Image image;
  image.id = act.new_image;
  image.name = act.args.name;
  image.tenant = vm.tenant;
  image.backend = vm.spec.backend;
  image.source_vm = vm.id;
  image.min_disk_gb = vm.spec.size.disk_gb;
  if (!act.args.description.empty()) image.properties["description"] = act.args.description;
  image.traits = act.args.traits;
  draft.add(StreamKind::Image, image.id, ImageSaving{std::move(image), task});
}

const StepRecord* first_done(const Ending& ending) {
  for (const StepRecord& r : ending.steps) {
    if (r.state == StepState::Done) return &r;
  }
  return nullptr;
}

void add_changes(Draft& draft, const Vm& vm, const Task& task) {
  const ActionArgs args = action_args(task);
  switch (task.command) {
    case CommandKind::VmResize:
    case CommandKind::VmSetCores:
    case CommandKind::VmSetMemory:
    case CommandKind::VmDiskResize:
      if (args.size) draft.add(StreamKind::Vm, vm.id, VmResized{*args.size});
      break;
    case CommandKind::VmRebuild:
    case CommandKind::VmResetSystem:
      draft.add(StreamKind::Vm, vm.id, VmRebuilt{args.image});
      break;
    case CommandKind::VmRename:
      draft.add(StreamKind::Vm, vm.id, VmRenamed{args.name});
      break;
    case CommandKind::VmMigrate:
      if (!args.host.empty()) draft.add(StreamKind::Vm, vm.id, VmMigrated{args.host});
      break;
    case CommandKind::VmSnapshotCreate:
      draft.add(
          StreamKind::Vm, vm.id,
          SnapshotCreated{{args.snapshot, args.description, vm.current_snapshot, args.with_memory,
                           vm.stable_state == VmState::Running, draft.now}});
      break;
    case CommandKind::VmSnapshotRestore:
      draft.add(StreamKind::Vm, vm.id, SnapshotRestored{args.snapshot});
      break;
    case CommandKind::VmSnapshotDelete:
      draft.add(StreamKind::Vm, vm.id, SnapshotDeleted{args.snapshot});
      break;
    default:
      break;
  }
  add_guest_changes(draft, vm, task.command, args);
}

// What is known to the cloud alone: where its display is served, and of one that places by itself
// the host and the address. May change with any command.
void note_facts(Draft& draft, const Vm& vm, const base::RawJson& result) {
  thread_local base::JsonParser parser({.depth = 64});
  if (result.text.empty()) return;
  const auto json = parser.parse_trusted(result.text);
  VmFacts facts;
  if (!json || !base::read_json(*json, facts)) return;
  if (!facts.display.empty() && !(vm.spec.guest && vm.spec.guest->display == facts.display)) {
    GuestSpec guest = vm.spec.guest ? *vm.spec.guest : GuestSpec{};
    guest.display = facts.display;
    draft.add(StreamKind::Vm, vm.id, VmConfigured{std::move(guest)});
  }
  const Backend* backend = draft.world.backend(vm.spec.backend);
  if (backend == nullptr || backend->places_hosts) return;
  const std::uint32_t ipv4 = parse_ipv4(facts.ipv4).value_or(0);
  if ((!facts.host.empty() && facts.host != vm.spec.host) || (ipv4 != 0 && ipv4 != vm.spec.ipv4)) {
    draft.add(StreamKind::Vm, vm.id, VmPlaced{facts.host, ipv4, facts.mac});
  }
}

// A snapshot brings back whether the VM ran.
VmState state_of_snapshot(const Vm& vm, const Task& task) {
  const std::string wanted = action_args(task).snapshot;
  for (const Snapshot& s : vm.snapshots) {
    if (s.name == wanted) return s.running ? VmState::Running : VmState::Stopped;
  }
  return vm.stable_state;
}

void succeed_on_vm(Draft& draft, const Vm& vm, const Task& task, const Ending& ending) {
  if (task.command < CommandKind::VmSetCores) note_facts(draft, vm, ending.result);
  if (task.command == CommandKind::VmCreate) {
    const StepRecord* made = first_done(ending);
    draft.add(StreamKind::Vm, vm.id, VmLaunched{made == nullptr ? "" : made->backend_ref});
    return;
  }
  if (task.command == CommandKind::VmDelete) {
    draft.add(StreamKind::Vm, vm.id, VmDeleted{});
    return;
  }
  add_changes(draft, vm, task);
  const VmRule* rule = vm_rule(task.command);
  VmState after = vm.stable_state;
  if (rule != nullptr && rule->after) {
    after = *rule->after;
  }
  if (task.command == CommandKind::VmSnapshotRestore) after = state_of_snapshot(vm, task);
  draft.add(StreamKind::Vm, vm.id, VmStateChanged{after, TaskId()});
}

// Whether it is known that the backend has it as it was before the task. A repeatable step leaves
// no record, so of what an earlier lease did with one nothing is known.
bool is_as_before(const Task& task, const Ending& ending) {
  if (has_steps_to_undo(task.command, ending.steps)) return false;
  if (task.token == 0) return true;  // no worker ever had it
  const auto plan = plan_of(task.command);
  return ending.left_as_found && (task.token == 1 || (!plan.empty() && !plan[0].repeatable));
}

void end_badly_on_vm(Draft& draft, const Vm& vm, const Task& task, const Ending& ending) {
  const bool clean = !has_steps_to_undo(task.command, ending.steps);
  VmFailed failed{std::string(base::enum_name(ending.state))};
  if (task.command == CommandKind::VmCreate) {
    if (ending.state == TaskState::Cancelled && clean) {
      draft.add(StreamKind::Vm, vm.id, VmDeleted{});
    } else {
      draft.add(StreamKind::Vm, vm.id, std::move(failed));
    }
    return;
  }
  const VmRule* rule = vm_rule(task.command);
  const bool harmless = rule != nullptr && rule->failure_is_harmless && clean;
  if (harmless || is_as_before(task, ending)) {
    draft.add(StreamKind::Vm, vm.id, VmStateChanged{vm.stable_state, TaskId()});
  } else {
    draft.add(StreamKind::Vm, vm.id, std::move(failed));
  }
}

void settle_image_deletion(Draft& draft, const LiveImage& live, const Task& task,
                           const Ending& ending) {
  const ImageId id = live.image.id;
  if (ending.state == TaskState::Succeeded) {
    draft.add(StreamKind::Image, id, ImageDeleted{});
  } else if (is_as_before(task, ending) && live.stable_state == ImageState::Saved) {
    draft.add(StreamKind::Image, id, ImageSaved{live.image.size_bytes, live.image.backend_ref});
  } else {
    draft.add(StreamKind::Image, id, ImageFailed{std::string(base::enum_name(ending.state))});
  }
}

void settle_image(Draft& draft, const LiveImage& live, const Task& task, const Ending& ending) {
  const TaskState outcome = ending.state;
  const ImageId id = live.image.id;
  if (task.command == CommandKind::ImageDelete) {
    return settle_image_deletion(draft, live, task, ending);
  }
  if (outcome == TaskState::Succeeded) {
    const StepRecord* made = first_done(ending);
    const std::uint64_t size = std::uint64_t{live.image.min_disk_gb} << 30U;
    draft.add(StreamKind::Image, id, ImageSaved{size, made == nullptr ? "" : made->backend_ref});
  } else if (outcome == TaskState::Cancelled && !has_steps_to_undo(task.command, ending.steps)) {
    draft.add(StreamKind::Image, id, ImageDeleted{});
  } else {
    draft.add(StreamKind::Image, id, ImageFailed{std::string(base::enum_name(outcome))});
  }
}

}  // namespace

const VmRule* vm_rule(CommandKind command) {
  using enum VmState;
  static constexpr VmRule kDelete{kAny, Deleting, Deleted};
  static constexpr VmRule kStart{kOff | bit(Error), Starting, Running};
  static constexpr VmRule kStop{kUp, Stopping, Stopped};
  static constexpr VmRule kReboot{kUp | bit(Error), Rebooting, Running};
  static constexpr VmRule kPause{kUp, Pausing, Paused};
  static constexpr VmRule kUnpause{bit(Paused), Resuming, Running};
  static constexpr VmRule kSuspend{kUp, Suspending, Suspended};
  static constexpr VmRule kResume{bit(Suspended) | bit(Paused), Resuming, Running};
  static constexpr VmRule kResize{kUp | kOff, Resizing, std::nullopt, kHarmless};
  static constexpr VmRule kRebuild{kUp | kOff | bit(Error), Rebuilding, Running};
  static constexpr VmRule kResetSystem{kUp | kOff, Rebuilding, std::nullopt};
  static constexpr VmRule kInsert{kUp, std::nullopt, std::nullopt, kHarmless};
  static constexpr VmRule kParts{kUp | kOff, std::nullopt, std::nullopt, kHarmless};
  static constexpr VmRule kRename{kAny, std::nullopt, std::nullopt, kHarmless};
  static constexpr VmRule kMigrate{kUp | kOff, Migrating, std::nullopt, kHarmless};
  static constexpr VmRule kSnapshot{kUp | kOff, Snapshotting, std::nullopt, kHarmless};
  // It changes disk and power at once: one that failed may have, or an earlier attempt of it.
  static constexpr VmRule kRestore{kUp | kOff, Snapshotting};
  static constexpr VmRule kCapture{kUp | kOff | bit(Paused) | bit(Suspended), Snapshotting,
                                   std::nullopt, kHarmless};
  switch (command) {
    case CommandKind::VmDelete:
      return &kDelete;
    case CommandKind::VmStart:
      return &kStart;
    case CommandKind::VmStop:
      return &kStop;
    case CommandKind::VmReboot:
      return &kReboot;
    case CommandKind::VmPause:
      return &kPause;
    case CommandKind::VmUnpause:
      return &kUnpause;
    case CommandKind::VmSuspend:
      return &kSuspend;
    case CommandKind::VmResume:
      return &kResume;
    case CommandKind::VmResize:
    case CommandKind::VmSetCores:
    case CommandKind::VmSetMemory:
    case CommandKind::VmDiskResize:
      return &kResize;
    case CommandKind::VmResetSystem:
      return &kResetSystem;
    case CommandKind::VmMediaInsert:
      return &kInsert;
    case CommandKind::VmMediaEject:
    case CommandKind::VmDiskShrink:
    case CommandKind::VmSetCredential:
      return &kParts;
    case CommandKind::VmRebuild:
      return &kRebuild;
    case CommandKind::VmRename:
    case CommandKind::VmSetAutoStart:
    case CommandKind::VmSetQos:
    case CommandKind::VmConsoleResetSecret:
      return &kRename;
    case CommandKind::VmMigrate:
      return &kMigrate;
    case CommandKind::VmSnapshotCreate:
    case CommandKind::VmSnapshotDelete:
      return &kSnapshot;
    case CommandKind::VmSnapshotRestore:
      return &kRestore;
    case CommandKind::ImageCapture:
      return &kCapture;
    default:
      return nullptr;
  }
}

base::Status check_quota(const Draft& draft, const std::string& name, const Usage& more) {
  const Project* project = draft.world.project(name);
  if (project == nullptr) return {};
  const Quota& quota = project->quota;
  const Usage used = draft.world.usage(name);
  const auto found = draft.usage_added.find(name);
  const Usage added = found == draft.usage_added.end() ? Usage{} : found->second;
  const auto over = [](std::uint64_t limit, std::uint64_t now, std::uint64_t wanted) {
    return limit != 0 && wanted != 0 && now + wanted > limit;
  };
  if (over(quota.vms, used.vms + added.vms, more.vms)) {
    return fail(Errc::QuotaExceeded, fmt::format("the project may have {} VMs", quota.vms));
  }
  if (over(quota.vcpus, used.vcpus + added.vcpus, more.vcpus)) {
    return fail(Errc::QuotaExceeded, fmt::format("the project may have {} vCPUs", quota.vcpus));
  }
  if (over(quota.memory_mb, used.memory_mb + added.memory_mb, more.memory_mb)) {
    return fail(Errc::QuotaExceeded,
                fmt::format("the project may have {} MB of memory", quota.memory_mb));
  }
  return {};
}

base::Status start_on_vm(Draft& draft, const Command& command, const ActOnVm& act,
                         const TaskId& task, const TaskId& redriven) {
  const Vm* vm = draft.world.vm(act.vm);
  if (vm == nullptr || !command.caller.owns(vm->tenant)) {
    return fail(Errc::NotFound, fmt::format("no VM {}", base::to_string(act.vm)));
  }
  if (command.if_match && *command.if_match != vm->version) {
    return fail(Errc::VersionMismatch,
                fmt::format("the VM is at version {}, not {}", vm->version, *command.if_match));
  }
  const VmRule* rule = vm_rule(act.kind);
  if (rule == nullptr) return fail(Errc::UnknownCommand, "not a command on a VM");
  if (!vm->task.is_nil() || draft.vms_touched.contains(act.vm)) {
    return fail(Errc::ResourceBusy,
                fmt::format("task {} is at work on this VM", base::to_string(vm->task)));
  }
  const bool goes_on =
      vm->state == VmState::Error && !redriven.is_nil() && vm->failed_by == redriven;
  if ((rule->allowed & bit(vm->state)) == 0 && !goes_on) {
    return fail(Errc::IllegalTransition,
                fmt::format("{} is not possible while the VM is {}", base::enum_name(act.kind),
                            base::enum_name(vm->state)));
  }
  ActOnVm resolved = act;
  if (auto status = resolve(draft, *vm, act, resolved.args); !status) return status;
  draft.vms_touched.insert(act.vm);

  base::JsonWriter args;
  base::write_json(args, resolved);
  auto& accepted = std::get<CommandAccepted>(draft.events.back().body);
  accepted.args.text = args.text();
  accepted.resources.push_back({StreamKind::Vm, vm->id, vm->spec.name});
  if (act.kind == CommandKind::ImageCapture) {
    accepted.resources.push_back({StreamKind::Image, act.new_image, act.args.name});
  }
  if (resolved.args.size) define_private_flavor(draft, *resolved.args.size);
  draft.add(StreamKind::Vm, vm->id,
            act.kind == CommandKind::VmDelete
                ? EventBody(VmDeleting{task})
                : EventBody(VmStateChanged{state_during(*rule, *vm, act), task}));
  if (act.kind == CommandKind::ImageCapture) start_capture(draft, *vm, act, task);
  return {};
}

void settle_resources(Draft& draft, const Task& task, const Ending& ending) {
  if (const Vm* vm = draft.world.vm(task.vm()); vm != nullptr && vm->task == task.id) {
    if (ending.state == TaskState::Succeeded) {
      succeed_on_vm(draft, *vm, task, ending);
    } else {
      end_badly_on_vm(draft, *vm, task, ending);
    }
  }
  if (const LiveImage* image = draft.world.image(task.image());
      image != nullptr && image->task == task.id) {
    settle_image(draft, *image, task, ending);
  }
}

}  // namespace slipway::domain
