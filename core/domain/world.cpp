#include "core/domain/world.hpp"

#include <algorithm>
#include <tuple>

#include "core/base/check.hpp"
#include "core/base/maps.hpp"

namespace slipway::domain {

using base::find_in;

namespace {

bool is_stable(VmState s) {
  using enum VmState;
  return s == Running || s == Stopped || s == Paused || s == Suspended || s == Error;
}

}  // namespace

bool Vm::has_snapshot(std::string_view name) const {
  return std::any_of(snapshots.begin(), snapshots.end(),
                     [&](const Snapshot& s) { return s.name == name; });
}

// One overload an event type; each folds into the aggregate that its stream names.
struct WorldEvolver {
  World& w;
  const Envelope& envelope;
  Seq seq;
  const Event& event;

  Task& task() const {
    const auto it = w.tasks_.find(TaskId(event.stream.id));
    CHECK(it != w.tasks_.end(), "seq {}: {} for a task that is not live", seq, event.stream.text());
    return *it->second;
  }
  Vm& vm() const {
    const auto it = w.vms_.find(VmId(event.stream.id));
    CHECK(it != w.vms_.end(), "seq {}: {} is not live", seq, event.stream.text());
    return *it->second;
  }
  LiveImage& image() const {
    const auto it = w.images_.find(ImageId(event.stream.id));
    CHECK(it != w.images_.end(), "seq {}: {} is not live", seq, event.stream.text());
    return it->second;
  }
  void count_version(StreamVersion& version) const {
    CHECK(event.version == version + 1, "seq {}: {} is at version {}, the event says {}", seq,
          event.stream.text(), version, event.version);
    version = event.version;
  }

  // ---- task ----
  void operator()(const CommandAccepted& e) const {
    auto task = std::make_unique<Task>();
    task->id = TaskId(event.stream.id);
    task->tenant = envelope.tenant;
    task->actor = envelope.actor;
    task->dialect = envelope.dialect;
    task->request_id = envelope.request_id;
    task->trace = envelope.trace;
    task->created_at = envelope.time;
    task->last_seq = seq;
    evolve(*task, e);
    ++w.in_flight_[task->tenant];
    const bool is_new = w.tasks_.emplace(task->id, std::move(task)).second;
    CHECK(is_new, "seq {}: {} is accepted twice", seq, event.stream.text());
  }
  template <class E>
  void fold_task(const E& e) const {
    Task& t = task();
    w.unindex_task(t);
    count_version(t.version);
    if (const auto next = state_after(event.body)) {
      CHECK(may_become(t.state, *next), "seq {}: {} from {} to {}", seq, event.stream.text(),
            base::enum_name(t.state), base::enum_name(*next));
      t.state = *next;
      if (*next == TaskState::Ready) t.ready_seq = seq;
    }
    evolve(t, e);
    t.last_seq = seq;
    w.index_task(t);
  }
  void operator()(const TaskQueued& e) const { fold_task(e); }
  void operator()(const TaskBlocked& e) const {
    // Queued as READY by the event before it in the same record: BLOCKED is where it starts.
    Task& t = task();
    CHECK(t.state == TaskState::Ready || t.state == TaskState::Blocked, "seq {}: {} from {}", seq,
          event.stream.text(), base::enum_name(t.state));
    w.unindex_task(t);
    t.state = TaskState::Accepted;
    fold_task(e);
    for (const TaskId& id : e.depends_on) {
      auto& waiting = w.dependents_[id];
      if (std::find(waiting.begin(), waiting.end(), t.id) == waiting.end()) waiting.push_back(t.id);
    }
  }
  void operator()(const TaskReady& e) const { fold_task(e); }
  void operator()(const TaskLeased& e) const { fold_task(e); }
  void operator()(const TaskStepStarted& e) const { fold_task(e); }
  void operator()(const TaskStepDone& e) const { fold_task(e); }
  void operator()(const TaskStepUndone& e) const { fold_task(e); }
  void operator()(const TaskRetryScheduled& e) const { fold_task(e); }
  void operator()(const TaskCancelRequested& e) const { fold_task(e); }
  void operator()(const TaskRedriven& e) const { fold_task(e); }
  void operator()(const TaskProgressed&) const {
    Task& t = task();
    count_version(t.version);
    t.last_seq = seq;
  }
  void operator()(const TaskPriorityChanged& e) const {
    Task& t = task();
    w.unindex_task(t);
    count_version(t.version);
    t.priority = e.priority;
    t.last_seq = seq;
    w.index_task(t);
  }
  void operator()(const TaskSucceeded&) const { finish(TaskState::Succeeded); }
  void operator()(const TaskFailed&) const { finish(TaskState::Failed); }
  void operator()(const TaskCancelled&) const { finish(TaskState::Cancelled); }
  void operator()(const TaskTimedOut&) const { finish(TaskState::TimedOut); }
  void operator()(const TaskDead&) const { finish(TaskState::Dead); }

  void finish(TaskState outcome) const {
    Task& t = task();
    count_version(t.version);
    CHECK(may_become(t.state, outcome), "seq {}: {} from {} to {}", seq, event.stream.text(),
          base::enum_name(t.state), base::enum_name(outcome));
    remove(t, outcome);
  }
  void remove(Task& t, TaskState outcome) const {
    w.unindex_task(t);
    const TaskId id = t.id;
    const bool succeeded = outcome == TaskState::Succeeded;
    if (const auto n = w.in_flight_.find(t.tenant); n != w.in_flight_.end() && --n->second == 0) {
      w.in_flight_.erase(n);
    }
    forget_dependency(t);
    w.tasks_.erase(id);
    w.remember_outcome(id, outcome);
    if (const auto waiting = w.dependents_.find(id); waiting != w.dependents_.end()) {
      for (const TaskId& dependent : waiting->second) {
        const auto it = w.tasks_.find(dependent);
        if (it != w.tasks_.end()) lose_dependency(*it->second, id, succeeded);
      }
      w.dependents_.erase(waiting);
    }
  }
  // What this means for the dependent is said by events of the same record, unless they were too
  // many for one: then a timer that is due at once says it later (see end_dependents).
  void lose_dependency(Task& t, const TaskId& id, bool succeeded) const {
    w.unindex_task(t);
    std::erase(t.depends_on, id);
    if (t.state == TaskState::Blocked) {
      if (!succeeded && !t.cancel_requested()) {
        t.cancel_reason = CancelReason::Dependency;
        t.give_up_at = envelope.time;
      } else if (t.depends_on.empty() && !t.wake_at) {
        t.wake_at = envelope.time;
      }
    }
    w.index_task(t);
  }
  void forget_dependency(const Task& t) const {
    for (const TaskId& id : t.depends_on) {
      if (auto* waiting = find_in(w.dependents_, id)) std::erase(*waiting, t.id);
    }
  }

  // ---- batch: folds into the task of the same id ----
  Task& batch() const {
    Task& t = task();
    if (!t.batch) t.batch.emplace();
    count_version(t.batch->version);
    return t;
  }
  void operator()(const BatchOpened& e) const {
    w.unindex_task(task());
    Task& t = batch();
    t.batch->total = e.total;
    t.state = TaskState::Running;
    w.index_task(t);
  }
  void operator()(const BatchItemSucceeded&) const { ++batch().batch->succeeded; }
  void operator()(const BatchItemFailed& e) const {
    Task& t = batch();
    ++(e.state == TaskState::Cancelled ? t.batch->cancelled : t.batch->failed);
  }
  void operator()(const BatchClosed& e) const {
    Task& t = batch();
    CHECK(may_become(t.state, e.state) && t.batch->finished() == t.batch->total,
          "seq {}: {} closes with {} of {} items ended", seq, event.stream.text(),
          t.batch->finished(), t.batch->total);
    remove(t, e.state);
  }

  // ---- vm ----
  void operator()(const VmRequested& e) const {
    auto vm = std::make_unique<Vm>();
    vm->id = VmId(event.stream.id);
    vm->version = event.version;
    vm->tenant = envelope.tenant;
    vm->task = e.task;
    vm->creator = e.task;
    vm->spec = e.spec;
    w.infrastructure_.vm_requested(vm->spec);
    if (auto* range = own_range(*vm)) range->take(vm->spec.ipv4);
    w.nodes_.on_requested(vm->spec);
    w.use(*vm);
    const bool is_new = w.vms_.emplace(vm->id, std::move(vm)).second;
    CHECK(is_new, "seq {}: {} is requested twice", seq, event.stream.text());
  }
  // Of its network, where it has its address from; nullptr: from an address pool, or nowhere.
  AddressRange* own_range(const Vm& vm) const {
    return vm.spec.address_pool.empty() ? find_in(w.addresses_, vm.spec.network) : nullptr;
  }
  void set_state(Vm& vm, VmState state, const TaskId& by) const {
    vm.state = state;
    vm.task = by;
    if (is_stable(state)) vm.stable_state = state;
    claim(vm);
  }
  // What a resize or migration will take is held from its acceptance to its end.
  void claim(Vm& vm) const {
    const bool has = vm.resize_to || !vm.migrate_to.empty();
    const bool wants = vm.state == VmState::Resizing || vm.state == VmState::Migrating;
    if (!has && !wants) return;
    w.unuse(vm);
    vm.resize_to.reset();
    vm.migrate_to.clear();
    if (const Task* t = wants ? w.task(vm.task) : nullptr) {
      const ActionArgs args = action_args(*t);
      if (is_resize(t->command)) vm.resize_to = args.size;
      if (t->command == CommandKind::VmMigrate) vm.migrate_to = args.host;
    }
    w.use(vm);
  }
  Vm& versioned_vm() const {
    Vm& v = vm();
    count_version(v.version);
    return v;
  }
  void operator()(const VmLaunching&) const {
    Vm& v = versioned_vm();
    v.state = VmState::Launching;
  }
  void operator()(const VmLaunched& e) const {
    Vm& v = versioned_vm();
    v.backend_ref = e.backend_ref;
    set_state(v, VmState::Running, TaskId());
  }
  void operator()(const VmStateChanged& e) const { set_state(versioned_vm(), e.state, e.task); }
  void operator()(const VmFailed&) const {
    Vm& v = versioned_vm();
    v.failed_by = v.task;
    set_state(v, VmState::Error, TaskId());
  }
  void operator()(const VmDeleting& e) const {
    set_state(versioned_vm(), VmState::Deleting, e.task);
  }
  void operator()(const VmResized& e) const {
    Vm& v = versioned_vm();
    w.unuse(v);
    v.spec.size = e.size;
    w.use(v);
  }
  void operator()(const VmRebuilt& e) const { versioned_vm().spec.image = e.image; }
  GuestSpec& guest() const {
    VmSpec& spec = versioned_vm().spec;
    if (!spec.guest) spec.guest.emplace();
    return *spec.guest;
  }
  void operator()(const VmConfigured& e) const { guest() = e.guest; }
  void operator()(const VmCredentialSet& e) const {
    guest().admin_name = e.admin_name;
    vm().spec.admin_secret = e.secret;
  }
  void operator()(const VmMediaInserted& e) const { guest().media = e.image; }
  void operator()(const VmMediaEjected&) const { guest().media = ImageId(); }
  void operator()(const VmRenamed& e) const { versioned_vm().spec.name = e.name; }
  void operator()(const VmMigrated& e) const {
    Vm& v = versioned_vm();
    w.unuse(v);
    v.spec.host = e.host;
    w.use(v);
  }
  void operator()(const VmPlaced& e) const {
    Vm& v = versioned_vm();
    w.unuse(v);
    if (!e.host.empty()) v.spec.host = e.host;
    if (e.ipv4 != 0) v.spec.ipv4 = e.ipv4;
    if (!e.mac.empty()) {
      if (!v.spec.guest) v.spec.guest.emplace();
      v.spec.guest->mac = e.mac;
    }
    w.use(v);
  }
  void operator()(const VmLost&) const { versioned_vm().lost = true; }
  void operator()(const VmFound& e) const {
    Vm& v = versioned_vm();
    v.lost = false;
    if (!e.foreign) return;
    v.foreign = true;
    w.foreign_[{v.spec.backend, v.backend_ref}] = v.id;
  }
  void operator()(const VmDrifted& e) const {
    versioned_vm().drift = Drift{e.what, e.expected, e.found};
  }
  void operator()(const VmReconciled&) const { versioned_vm().drift.reset(); }
  void operator()(const OrphanFound&) const { count_named(); }
  void operator()(const VmDeleted&) const {
    Vm& v = versioned_vm();
    if (v.foreign) w.foreign_.erase({v.spec.backend, v.backend_ref});
    w.unuse(v);
    w.infrastructure_.vm_deleted(v.id, v.spec);
    if (auto* range = own_range(v)) range->release(v.spec.ipv4);
    w.nodes_.on_deleted(v.id);
    w.vms_.erase(v.id);
  }
  void operator()(const SnapshotCreated& e) const {
    Vm& v = versioned_vm();
    v.snapshots.push_back(e.snapshot);
    v.current_snapshot = e.snapshot.name;
  }
  void operator()(const SnapshotRestored& e) const { versioned_vm().current_snapshot = e.name; }
  void operator()(const SnapshotDeleted& e) const {
    Vm& v = versioned_vm();
    std::string parent;
    for (const Snapshot& s : v.snapshots) {
      if (s.name == e.name) parent = s.parent;
    }
    std::erase_if(v.snapshots, [&](const Snapshot& s) { return s.name == e.name; });
    for (Snapshot& s : v.snapshots) {
      if (s.parent == e.name) s.parent = parent;
    }
    if (v.current_snapshot == e.name) v.current_snapshot = parent;
  }

  template <class E>
  requires requires(NodeBook& book, const VmId& id, const E& e) { book.fold(id, e); }
  void operator()(const E& e) const { w.nodes_.fold(versioned_vm().id, e); }

  // ---- image ----
  void add_image(const Image& image, ImageState state, const TaskId& by) const {
    const bool is_new =
        w.images_.emplace(image.id, LiveImage{image, event.version, state, state, by, by}).second;
    CHECK(is_new, "seq {}: {} is made twice", seq, event.stream.text());
    w.image_ids_.emplace(image.name, image.id);
  }
  void forget_name(const Image& image) const {
    const auto [begin, end] = w.image_ids_.equal_range(image.name);
    for (auto it = begin; it != end; ++it) {
      if (it->second == image.id) {
        w.image_ids_.erase(it);
        break;
      }
    }
  }
  LiveImage& versioned_image() const {
    LiveImage& i = image();
    count_version(i.version);
    return i;
  }
  void operator()(const ImageRegistered& e) const {
    add_image(e.image, ImageState::Saved, TaskId());
  }
  void operator()(const ImageSaving& e) const { add_image(e.image, ImageState::Saving, e.task); }
  void operator()(const ImageSaved& e) const {
    LiveImage& i = versioned_image();
    i.state = i.stable_state = ImageState::Saved;
    i.task = TaskId();
    i.image.size_bytes = e.size_bytes;
    i.image.backend_ref = e.backend_ref;
  }
  void operator()(const ImageFailed&) const {
    LiveImage& i = versioned_image();
    i.state = i.stable_state = ImageState::Error;
    i.task = TaskId();
  }
  void operator()(const ImageQueued& e) const { add_image(e.image, ImageState::Queued, TaskId()); }
  void operator()(const ImageStored& e) const {
    LiveImage& i = versioned_image();
    i.state = i.stable_state = ImageState::Saved;
    i.image.size_bytes = e.size_bytes;
    i.image.checksum_md5 = e.checksum_md5;
    i.image.checksum_sha512 = e.checksum_sha512;
    if (!i.image.traits) i.image.traits.emplace();
    i.image.traits->stored = true;
  }
  void operator()(const ImageUpdated& e) const {
    LiveImage& i = versioned_image();
    forget_name(i.image);
    i.image.name = e.name;
    i.image.traits = e.traits;
    w.image_ids_.emplace(i.image.name, i.image.id);
  }
  void operator()(const ImageDeleting& e) const {
    LiveImage& i = versioned_image();
    i.state = ImageState::Deleting;
    i.task = e.task;
  }
  void operator()(const ImageDeleted&) const {
    forget_name(versioned_image().image);
    w.images_.erase(ImageId(event.stream.id));
  }

  // ---- catalogue and people: versions by name ----
  void count_named() const {
    if (auto* version = find_in(w.named_versions_, event.stream.text())) {
      count_version(*version);
    } else {
      count_version(w.named_versions_[event.stream.text()]);
    }
  }
  void operator()(const FlavorDefined& e) const {
    count_named();
    if (const auto* old = find_in(w.flavors_, e.flavor.id)) w.flavor_ids_.erase(old->name);
    w.flavors_[e.flavor.id] = e.flavor;
    w.flavor_ids_[e.flavor.name] = e.flavor.id;
  }
  void operator()(const NetworkDefined& e) const {
    count_named();
    std::erase_if(w.networks_, [&](const Network& n) { return n.id == e.network.id; });
    w.networks_.push_back(e.network);
    if (e.network.first_ipv4 != 0 && !w.addresses_.contains(e.network.id)) {
      w.addresses_.emplace(e.network.id, AddressRange(e.network.first_ipv4, e.network.last_ipv4));
    }
  }
  void operator()(const HostAttached& e) const {
    count_named();
    const bool is_new = !w.hosts_.contains(e.host.name);
    w.hosts_[e.host.name].host = e.host;
    // A cloud that places by itself may have put VMs on a host that was not known yet.
    if (is_new) w.count_guests(e.host.name);
  }
  void operator()(const BackendRegistered& e) const {
    count_named();
    w.backends_[e.backend.name] = e.backend;
    w.nodes_.on_registered(e.backend.name);
  }
  void operator()(const ProjectCreated& e) const {
    count_named();
    w.projects_[e.project.name] = e.project;
  }
  void operator()(const ProjectQuotaSet& e) const {
    count_named();
    w.projects_[event.stream.name].quota = e.quota;
  }
  void operator()(const UserCreated& e) const {
    count_named();
    w.users_[e.user.name] = e.user;
  }
  void operator()(const UserPasswordChanged& e) const {
    count_named();
    w.users_[event.stream.name].password = e.password;
  }
  void operator()(const UserDeleted&) const {
    count_named();
    w.users_.erase(event.stream.name);
  }
  void operator()(const TokenCreated& e) const {
    count_named();
    w.tokens_[e.token.id] = e.token;
  }
  void operator()(const TokenDeleted&) const {
    count_named();
    w.tokens_.erase(TokenId(event.stream.id));
  }

  // ---- the books: what a data centre is divided into, and groups ----
  template <class E>
  void fold_part(const E& e) const {
    count_named();
    w.infrastructure_.fold(event.stream.name, e);
  }
  template <class E>
  void fold_thing(const E& e) const {
    count_named();
    w.infrastructure_.fold(event.stream.id, e);
  }
  template <class E>
  void fold_people(const E& e) const {
    count_named();
    w.membership_.fold(event.stream.name, e);
  }
  void operator()(const PoolCreated& e) const { fold_part(e); }
  void operator()(const PoolUpdated& e) const { fold_part(e); }
  void operator()(const PoolDeleted& e) const { fold_part(e); }
  void operator()(const StoragePoolCreated& e) const { fold_part(e); }
  void operator()(const StoragePoolUpdated& e) const { fold_part(e); }
  void operator()(const StoragePoolDeleted& e) const { fold_part(e); }
  void operator()(const AddressPoolCreated& e) const { fold_part(e); }
  void operator()(const AddressPoolUpdated& e) const { fold_part(e); }
  void operator()(const AddressPoolDeleted& e) const { fold_part(e); }
  void operator()(const AddressRangeAdded& e) const { fold_part(e); }
  void operator()(const AddressRangeRemoved& e) const { fold_part(e); }
  void operator()(const TemplateDefined& e) const { fold_thing(e); }
  void operator()(const TemplateDeleted& e) const { fold_thing(e); }
  void operator()(const SecurityGroupDefined& e) const { fold_thing(e); }
  void operator()(const SecurityGroupDeleted& e) const { fold_thing(e); }
  void operator()(const RoleCreated& e) const { fold_people(e); }
  void operator()(const RoleUpdated& e) const { fold_people(e); }
  void operator()(const RoleDeleted& e) const { fold_people(e); }
  void operator()(const GroupCreated& e) const { fold_people(e); }
  void operator()(const GroupUpdated& e) const { fold_people(e); }
  void operator()(const GroupDeleted& e) const { fold_people(e); }
  void operator()(const VmSecurityChanged& e) const {
    versioned_vm();
    w.infrastructure_.fold(event.stream.id, e);
  }
  Host& named_host() const {
    count_named();
    return w.hosts_[event.stream.name].host;
  }
  void operator()(const HostDetached&) const { named_host().pool.clear(); }
  void operator()(const HostEnabled&) const { named_host().enabled = true; }
  void operator()(const HostDisabled&) const { named_host().enabled = false; }
  void operator()(const GroupMemberAdded& e) const {
    count_named();
    join(w.users_[e.user], event.stream.name);
  }
  void operator()(const GroupMemberRemoved& e) const {
    count_named();
    leave(w.users_[e.user]);
  }
  void operator()(const UserUpdated& e) const {
    count_named();
    w.users_[event.stream.name].nick = e.nick;
    w.users_[event.stream.name].mail = e.mail;
  }
  // Sessions come and go by the thousand: their versions are counted while they are open.
  void operator()(const SessionOpened& e) const {
    count_named();
    w.membership_.fold(event.stream.id, e);
  }
  void operator()(const SessionRenewed&) const { count_named(); }
  void operator()(const SessionClosed& e) const {
    count_named();
    w.membership_.fold(event.stream.id, e);
    w.named_versions_.erase(event.stream.text());
  }
  void operator()(const AuditNoted&) const { count_named(); }
  void operator()(const AuditHidden&) const { count_named(); }

  // ---- system ----
  void operator()(const SystemInitialized&) const {
    count_named();
    w.initialized_ = true;
  }
  // ---- leases and the hosts given to them: folded by their book ----
  LeaseBook::Context lease_context() const {
    return {envelope.tenant, envelope.time, event.stream, event.version};
  }
  template <class E>
  requires requires(LeaseBook& book, const LeaseBook::Context& ctx, const E& e) {
    book.fold(ctx, e);
  }
  void operator()(const E& e) const {
    if (event.stream.kind != StreamKind::Lease) count_named();
    if constexpr (std::is_same_v<E, HostLost> || std::is_same_v<E, HostSeen>) {
      auto* live = find_in(w.hosts_, event.stream.name);
      if (live != nullptr) live->host.alive = std::is_same_v<E, HostSeen>;
      if (!w.leases_.hosts().contains(event.stream.name)) return;  // given to no leases
    }
    w.leases_.fold(lease_context(), e);
    if constexpr (std::is_same_v<E, HostEnrolled>) w.hosts_[event.stream.name].reservable = true;
    if constexpr (std::is_same_v<E, HostWithdrawn>) {
      w.hosts_[event.stream.name].reservable = false;
      w.hosts_[event.stream.name].guests.clear();
    }
  }

  void operator()(const StatSampled&) const { count_named(); }
  void operator()(const BackupTaken&) const { count_named(); }
  void operator()(const ProjectionRebuilt&) const { count_named(); }
};

void World::evolve(const RecordBody& record) {
  Seq seq = record.envelope.seq;
  for (const Event& event : record.events) evolve(record.envelope, seq++, event);
}

void World::evolve(const Envelope& envelope, Seq seq, const Event& event) {
  CHECK(seq == next_seq_, "the log goes from seq {} to {}", next_seq_ - 1, seq);
  std::visit(WorldEvolver{*this, envelope, seq, event}, event.body);
  ++next_seq_;
}

template <class F>
void World::each_timer(const Task& task, F&& f) {
  // A batch ends with its items, which have deadlines of their own.
  if (task.deadline != base::Time{} && !task.batch && !task.cancel_requested()) {
    f(Timer{task.deadline, TimerKind::Deadline, task.id});
  }
  if (task.wake_at) f(Timer{*task.wake_at, TimerKind::Wake, task.id});
  if (task.give_up_at) f(Timer{*task.give_up_at, TimerKind::GiveUp, task.id});
}

void World::index_task(const Task& task) {
  if (task.state == TaskState::Ready && !task.worker_pool.empty()) {
    ready_[task.worker_pool].insert({9 - std::min(task.priority, 9U), task.ready_seq, task.id});
  }
  each_timer(task, [this](const Timer& t) { timers_.insert(t); });
}

void World::unindex_task(const Task& task) {
  if (task.state == TaskState::Ready && !task.worker_pool.empty()) {
    ready_[task.worker_pool].erase({9 - std::min(task.priority, 9U), task.ready_seq, task.id});
  }
  each_timer(task, [this](const Timer& t) { timers_.erase(t); });
}

namespace {

// The larger of what it has and what it is to get.
Size claimed(const Vm& vm) {
  Size size = vm.spec.size;
  if (!vm.resize_to) return size;
  size.vcpus = std::max(size.vcpus, vm.resize_to->vcpus);
  size.memory_mb = std::max(size.memory_mb, vm.resize_to->memory_mb);
  size.disk_gb = std::max(size.disk_gb, vm.resize_to->disk_gb);
  return size;
}

}  // namespace

void World::use(const Vm& vm) {
  const Size size = claimed(vm);
  const auto add = [&](Usage& u) {
    ++u.vms;
    u.vcpus += size.vcpus;
    u.memory_mb += size.memory_mb;
    u.disk_gb += size.disk_gb;
  };
  const auto stay = [&](LiveHost& host) {
    add(host.used);
    if (host.reservable) host.guests.insert(vm.id);
  };
  add(usage_[vm.spec.project]);
  if (auto* host = find_in(hosts_, vm.spec.host)) stay(*host);
  if (vm.migrate_to == vm.spec.host) return;
  if (auto* host = find_in(hosts_, vm.migrate_to)) stay(*host);
}

void World::count_guests(const std::string& host) {
  Usage& used = hosts_.at(host).used;
  for (const auto& [id, vm] : vms_) {
    if (vm->spec.host != host && vm->migrate_to != host) continue;
    const Size size = claimed(*vm);
    ++used.vms;
    used.vcpus += size.vcpus;
    used.memory_mb += size.memory_mb;
    used.disk_gb += size.disk_gb;
  }
}

void World::unuse(const Vm& vm) {
  const Size size = claimed(vm);
  const auto subtract = [&](Usage& u) {
    --u.vms;
    u.vcpus -= size.vcpus;
    u.memory_mb -= size.memory_mb;
    u.disk_gb -= size.disk_gb;
  };
  const auto project = usage_.find(vm.spec.project);
  subtract(project->second);
  if (project->second == Usage{}) usage_.erase(project);
  const auto leave = [&](LiveHost& host) {
    subtract(host.used);
    host.guests.erase(vm.id);
  };
  if (auto* host = find_in(hosts_, vm.spec.host)) leave(*host);
  if (vm.migrate_to == vm.spec.host) return;
  if (auto* host = find_in(hosts_, vm.migrate_to)) leave(*host);
}

void World::remember_outcome(const TaskId& id, TaskState state) {
  recent_[id] = state;
  recent_order_.push_back(id);
  if (recent_order_.size() > kRecentOutcomes) {
    recent_.erase(recent_order_.front());
    recent_order_.pop_front();
  }
}

const Task* World::task(const TaskId& id) const {
  const auto it = tasks_.find(id);
  return it == tasks_.end() ? nullptr : it->second.get();
}
const Vm* World::vm(const VmId& id) const {
  const auto it = vms_.find(id);
  return it == vms_.end() ? nullptr : it->second.get();
}
const LiveImage* World::image(const ImageId& id) const { return find_in(images_, id); }
const LiveImage* World::image_by_name(std::string_view name, std::string_view tenant,
                                      std::string_view backend) const {
  const auto rank = [&](const LiveImage& i) {
    const bool lies_there = i.image.backend.empty() || i.image.backend == backend;
    return std::tuple(i.state == ImageState::Saved, lies_there, i.image.tenant == tenant,
                      i.image.id);
  };
  const LiveImage* best = nullptr;
  const auto [begin, end] = image_ids_.equal_range(name);
  for (auto it = begin; it != end; ++it) {
    const LiveImage* found = image(it->second);
    if (!found->image.is_public && found->image.tenant != tenant) continue;
    if (best == nullptr || rank(*best) < rank(*found)) best = found;
  }
  return best;
}
const Flavor* World::flavor(std::string_view id_or_name) const {
  if (const auto* id = find_in(flavor_ids_, id_or_name)) return find_in(flavors_, *id);
  return find_in(flavors_, std::string(id_or_name));
}
const Network* World::network(const NetworkId& id) const {
  const auto it = std::find_if(networks_.begin(), networks_.end(),
                               [&](const Network& n) { return n.id == id; });
  return it == networks_.end() ? nullptr : &*it;
}
const Network* World::network_by_name(std::string_view name) const {
  const auto it = std::find_if(networks_.begin(), networks_.end(),
                               [&](const Network& n) { return n.name == name; });
  return it == networks_.end() ? nullptr : &*it;
}
VmId World::foreign_vm(std::string_view backend, std::string_view ref) const {
  const auto it = foreign_.find({std::string(backend), std::string(ref)});
  return it == foreign_.end() ? VmId() : it->second;
}

const Backend* World::backend(std::string_view name) const {
  return find_in(backends_, std::string(name));
}
const Project* World::project(std::string_view name) const { return find_in(projects_, name); }
const User* World::user(std::string_view name) const { return find_in(users_, name); }
const AccessToken* World::token(const TokenId& id) const { return find_in(tokens_, id); }
std::vector<TaskId> World::dependents(const TaskId& id) const {
  const auto* waiting = find_in(dependents_, id);
  if (waiting == nullptr) return {};
  // A world read from a snapshot holds them in another order than one that was replayed.
  std::vector<TaskId> sorted = *waiting;
  std::sort(sorted.begin(), sorted.end());
  return sorted;
}
std::optional<TaskState> World::recent_outcome(const TaskId& id) const {
  const auto* state = find_in(recent_, id);
  return state == nullptr ? std::nullopt : std::optional(*state);
}
const AddressRange* World::addresses(const NetworkId& id) const { return find_in(addresses_, id); }
Usage World::usage(std::string_view project) const {
  const auto* used = find_in(usage_, project);
  return used == nullptr ? Usage{} : *used;
}
std::uint64_t World::tasks_in_flight(std::string_view tenant) const {
  const auto* n = find_in(in_flight_, tenant);
  return n == nullptr ? 0 : *n;
}
const World::ReadyQueue* World::ready(std::string_view pool) const { return find_in(ready_, pool); }

StreamVersion World::next_version(const StreamId& stream) const {
  switch (stream.kind) {
    case StreamKind::Command:
      return 1;
    case StreamKind::Task: {
      const Task* t = task(TaskId(stream.id));
      return t == nullptr ? 1 : t->version + 1;
    }
    case StreamKind::Batch: {
      const Task* t = task(TaskId(stream.id));
      return t == nullptr || !t->batch ? 1 : t->batch->version + 1;
    }
    case StreamKind::Vm: {
      const Vm* v = vm(VmId(stream.id));
      return v == nullptr ? 1 : v->version + 1;
    }
    case StreamKind::Image: {
      const LiveImage* i = image(ImageId(stream.id));
      return i == nullptr ? 1 : i->version + 1;
    }
    case StreamKind::Lease: {
      const Lease* l = leases_.lease(LeaseId(stream.id));
      return l == nullptr ? 1 : l->version + 1;
    }
    default: {
      const auto* version = find_in(named_versions_, stream.text());
      return version == nullptr ? 1 : *version + 1;
    }
  }
}

}  // namespace slipway::domain
