#include "workers/backends/simulated/cloud.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

namespace slipway::workers::simulated {

using base::Duration;
using base::Errc;

namespace {

constexpr std::string_view kVmRef = "sim-";
constexpr std::string_view kImageRef = "simimg-";
constexpr std::uint64_t kBytesPerGb = 1024ULL * 1024 * 1024;

std::string vm_ref(std::int64_t number) { return fmt::format("{}{}", kVmRef, number); }
std::string image_ref(std::int64_t number) { return fmt::format("{}{}", kImageRef, number); }

// 0, which is never used, for what is no such ref.
std::int64_t number_of(std::string_view ref, std::string_view prefix) {
  if (!ref.starts_with(prefix)) return 0;
  ref.remove_prefix(prefix.size());
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(ref.data(), ref.data() + ref.size(), number);
  return error == std::errc{} && end == ref.data() + ref.size() ? number : 0;
}

// "sim-7/before-upgrade": a snapshot is known by its VM and name.
struct SnapshotRef {
  std::int64_t vm = 0;
  std::string name;
};
SnapshotRef snapshot_ref(std::string_view ref) {
  const std::size_t slash = ref.find('/');
  if (slash == std::string_view::npos) return {number_of(ref, kVmRef), {}};
  return {number_of(ref.substr(0, slash), kVmRef), std::string(ref.substr(slash + 1))};
}

Reply done(std::string ref, Duration after = {}) {
  Reply reply;
  reply.answer.ref = std::move(ref);
  reply.after = after;
  return reply;
}

Reply refused(Errc code, std::string detail) {
  return {.answer = BackendAnswer::failed(
              {.code = code, .detail = std::move(detail), .without_effect = true})};
}

bool only_reads(Operation operation) {
  return operation == Operation::VmAwaitRunning || operation == Operation::VmAwaitMigrated ||
         operation == Operation::ImageAwaitSaved;
}

// splitmix64: a number that follows from its input and from nothing else.
std::uint64_t mix(std::uint64_t x) {
  x += 0x9E3779B97F4A7C15ULL;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ULL;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBULL;
  return x ^ (x >> 31);
}

}  // namespace

Options Options::without_latency() {
  Options options;
  options.create = options.change = options.remove = options.migrate = options.image = {};
  return options;
}

// The caller's place among all that may call under one key.
using Fence = std::pair<domain::TaskId, domain::FencingToken>;

namespace {

Fence fence_of(const KeyRow& key) { return {key.task, key.token}; }

Fence newest_of(const std::vector<KeyRow>& keys) {
  Fence newest;
  for (const KeyRow& key : keys) newest = std::max(newest, fence_of(key));
  return newest;
}

// "slipway-<task>-<step>" -> the task; nil if it is none.
domain::TaskId root_of(std::string_view vm_key) {
  constexpr std::string_view kPrefix = "slipway-";
  if (!vm_key.starts_with(kPrefix)) return {};
  const auto id = base::parse_uuid(vm_key.substr(kPrefix.size(), base::kUuidTextSize));
  return id ? domain::TaskId(*id) : domain::TaskId();
}

}  // namespace

struct Cloud::Request {
  const BackendCall& call;
  base::Time now;
  Operation step;
  Operation operation;
  const KeyRow* key;  // of the operation, if it took effect before
  std::string ref;    // of what the call is about

  const domain::WorkOrder& order() const { return call.order(); }
  Fence fence() const { return {order().task, order().token}; }
  std::uint64_t chance(std::uint64_t seed) const {
    return mix(seed ^ std::hash<base::Uuid>{}(order().task) ^
               (static_cast<std::uint64_t>(operation) << 32) ^ (order().token << 40));
  }
};

Cloud::Cloud(Options options, std::unique_ptr<Store> store)
    : options_(std::move(options)), store_(std::move(store)) {}

void Cloud::commit() {
  if (totals_) store_->put(*totals_);
  totals_.reset();  // another process may change them before our next transaction
  store_->commit();
}

Totals& Cloud::totals() {
  if (!totals_) totals_ = store_->totals();
  return *totals_;
}

Reply Cloud::perform(const BackendCall& call, base::Time now, bool again) {
  const auto step = base::enum_from_name<Operation>(call.step).value_or(Operation::None);
  const auto operation = base::enum_from_name<Operation>(call.operation).value_or(Operation::None);
  Request r{call, now, step, operation, nullptr, subject(call)};
  store_->keys(call.root(), keys_);
  if (options_.forgetful) keys_.clear();
  for (const KeyRow& key : keys_) {
    if (key.operation == operation) r.key = &key;
  }
  const Fault fault = options_.fault && !again ? options_.fault(call) : Fault{};
  outcome_ = Outcome::Done;
  Reply reply;
  if (r.fence() < newest_of(keys_)) {
    outcome_ = Outcome::Stale;
    reply.answer = BackendAnswer::failed({.code = Errc::LeaseLost,
                                          .detail = "a newer attempt of this task has called",
                                          .retryable = true,
                                          .without_effect = true});
  } else if (fault.kind == Fault::Kind::Hang) {
    outcome_ = Outcome::Lost;
    reply.silent = true;
  } else if (fault.kind == Fault::Kind::Refusal) {
    outcome_ = Outcome::Failed;
    reply = refused(Errc::BackendRefused, "injected refusal");
  } else if (fault.kind == Fault::Kind::Error || (!again && fails_by_chance(r))) {
    outcome_ = Outcome::Failed;
    reply.answer = BackendAnswer::failed({.code = Errc::BackendUnavailable,
                                          .detail = "simulated failure",
                                          .retryable = true,
                                          .without_effect = true});
  } else {
    reply = carry_out(r);
    if (reply.answer.kind == BackendAnswer::Kind::Failed) outcome_ = Outcome::Refused;
    if (fault.kind == Fault::Kind::LostAnswer) reply.silent = true;
  }
  reply.after += fault.slower;
  if (!again) record(r, outcome_);
  return reply;
}

// The VM of a command whose own id for it never became known is found by the key of its creation;
// so is the image of a deletion. What is not there must not come any more either: the creation is
// fenced off.
std::string Cloud::subject(const BackendCall& call) {
  const domain::WorkOrder& order = call.order();
  const bool image = order.command == domain::CommandKind::ImageDelete;
  const std::string& made_under = image ? order.image_key : order.vm_key;
  if (!call.ref.empty() || made_under.empty()) return call.ref;
  const domain::TaskId root = root_of(made_under);
  if (root == call.root()) return {};
  store_->keys(root, keys_);
  std::string ref;
  for (const KeyRow& key : keys_) {
    if (key.operation == (image ? Operation::ImageCreate : Operation::VmCreate)) ref = key.ref;
  }
  store_->put(root, {.operation = Operation::None, .task = order.task, .token = order.token});
  return ref;
}

// Fences too: once it has said "none", a late call of an older attempt must not make it.
Reply Cloud::lookup(const BackendCall& call, base::Time now) {
  const auto step = base::enum_from_name<Operation>(call.step).value_or(Operation::None);
  store_->keys(call.root(), keys_);
  if (options_.forgetful) keys_.clear();
  const Request r{call, now, step, Operation::Lookup, nullptr, {}};
  if (r.fence() < newest_of(keys_)) {
    record(r, Outcome::Stale);
    return {.answer = BackendAnswer::failed({.code = Errc::LeaseLost, .retryable = true})};
  }
  Reply reply;
  for (const KeyRow& key : keys_) {
    if (key.operation == step && exists(step, key, r.order())) {
      reply.answer.found.push_back({key.ref, now - key.at});
    }
  }
  store_->put(
      call.root(),
      {.operation = Operation::None, .task = r.order().task, .token = r.order().token, .at = now});
  record(r, Outcome::Done);
  return reply;
}

// Whether the effect of a step that was carried out once is still there: its undo may have been
// too.
bool Cloud::exists(Operation step, const KeyRow& key, const domain::WorkOrder& order) {
  switch (step) {
    case Operation::ImageCreate:
      return store_->image(number_of(key.ref, kImageRef)).has_value();
    case Operation::SnapshotCreate: {
      const SnapshotRef at = snapshot_ref(key.ref);
      return store_->snapshot(at.vm, at.name).has_value();
    }
    case Operation::VmResize: {
      const auto vm = store_->vm(number_of(key.ref, kVmRef));
      const auto& wanted = order.args.size;
      return vm && (vm->old_size || (wanted && vm->size == *wanted && *wanted != order.spec.size));
    }
    case Operation::VmMigrate: {
      const auto vm = store_->vm(number_of(key.ref, kVmRef));
      return vm && vm->host == order.args.host;
    }
    default:
      return store_->vm(number_of(key.ref, kVmRef)).has_value();
  }
}

bool Cloud::fails_by_chance(const Request& r) const {
  if (options_.failure_rate <= 0 || only_reads(r.operation)) return false;
  constexpr double kMax = 18446744073709551616.0;
  return static_cast<double>(r.chance(options_.seed)) / kMax < options_.failure_rate;
}

Duration Cloud::duration(const Request& r, const Latency& latency) const {
  if (latency.mean == Duration::zero()) return {};
  constexpr double kMax = 18446744073709551616.0;
  const double spread = static_cast<double>(r.chance(options_.seed + 1)) / kMax * 2 - 1;
  const double us = static_cast<double>(latency.mean.count()) * (1 + latency.jitter * spread);
  return Duration(static_cast<std::int64_t>(us));
}

void Cloud::remember(const Request& r, const std::string& ref) {
  store_->put(r.call.root(), {.operation = r.operation,
                              .task = r.order().task,
                              .token = r.order().token,
                              .ref = ref,
                              .at = r.now});
}

void Cloud::record(const Request& r, Outcome outcome) {
  if (!options_.ledger) return;
  store_->append({.at = r.now,
                  .task = r.order().task,
                  .token = r.order().token,
                  .step = r.step,
                  .operation = r.operation,
                  .outcome = outcome});
}

Reply Cloud::carry_out(const Request& r) {
  using enum Operation;
  switch (r.operation) {
    case VmCreate:
      return create(r);
    case VmDelete:
      return remove(r);
    case ImageAwaitSaved:
      return await_image(r);
    case ImageDelete:
      return remove_image(r);
    default:
      break;
  }
  auto found = store_->vm(snapshot_ref(r.ref).vm);
  if (!found) {
    if (r.call.undo || r.operation == SnapshotDelete) return done(r.ref);
    return refused(Errc::NotFound, "the VM is not there");
  }
  VmRow& vm = *found;
  switch (r.operation) {
    case VmAwaitRunning:
    case VmAwaitMigrated:
      return await_vm(r, vm);
    case VmStart:
    case VmStop:
    case VmPause:
    case VmUnpause:
    case VmSuspend:
    case VmResume:
      return change_power(r, vm);
    case VmReboot:
      return reboot(r, vm);
    case VmResize:
      return resize(r, vm);
    case VmResizeConfirm:
    case VmResizeRevert:
      return end_resize(r, vm);
    case VmRebuild:
      return rebuild(r, vm);
    case VmRename:
      return rename(r, vm);
    case VmMigrate:
      return migrate(r, vm);
    case VmMigrateAbort:
      return abort_migration(r, vm);
    case SnapshotCreate:
    case SnapshotRestore:
    case SnapshotDelete:
      return snapshot(r, vm);
    case ImageCreate:
      return make_image(r, vm);
    default:
      return refused(Errc::UnknownCommand, "the simulated cloud has no such operation");
  }
}

// ---- VMs ----

Reply Cloud::create(const Request& r) {
  if (r.key != nullptr) {
    const auto known = store_->vm(number_of(r.key->ref, kVmRef));
    if (known) {
      outcome_ = Outcome::Repeated;
      Reply reply = done(r.key->ref);
      reply.answer.settled = known->ready_at <= r.now;
      return reply;
    }
    // Made and deleted again, by an undo: only a later attempt may make it anew.
    if (r.fence() <= fence_of(*r.key)) return refused(Errc::NotFound, "it was deleted");
  }
  const domain::VmSpec& spec = r.order().spec;
  Totals& all = totals();
  if (options_.quota_vms != 0 && all.vms >= options_.quota_vms) {
    return refused(Errc::QuotaExceeded, "the backend's quota of VMs is used up");
  }
  if (options_.capacity_vms != 0 && all.vms >= options_.capacity_vms) {
    return refused(Errc::CapacityExhausted, "the backend has no room for another VM");
  }
  VmRow vm;
  vm.number = ++all.last_number;
  ++all.vms;
  all.vcpus += spec.size.vcpus;
  all.memory_mb += spec.size.memory_mb;
  vm.vm = r.order().vm;
  vm.made_by = r.order().task;
  vm.name = spec.name;
  vm.size = spec.size;
  vm.image = spec.image;
  vm.ipv4 = spec.ipv4;
  const auto host = static_cast<std::uint64_t>(vm.number) % std::max(options_.hosts, 1U) + 1;
  vm.host = spec.host.empty() ? fmt::format("sim-{}", host) : spec.host;
  vm.created_at = vm.started_at = r.now;
  vm.ready_at = r.now + duration(r, options_.create);
  store_->put(vm);
  Reply reply = done(vm_ref(vm.number));
  remember(r, reply.answer.ref);
  reply.answer.settled = vm.ready_at <= r.now;
  if (spec.host.empty()) reply.answer.result.text = fmt::format(R"({{"host":"{}"}})", vm.host);
  return reply;
}

Reply Cloud::remove(const Request& r) {
  const auto vm = store_->vm(number_of(r.ref, kVmRef));
  remember(r, r.ref);
  if (!vm) {
    outcome_ = Outcome::Repeated;
    return done(r.ref);
  }
  Totals& all = totals();
  --all.vms;
  all.vcpus -= std::min<std::uint64_t>(all.vcpus, vm->size.vcpus);
  all.memory_mb -= std::min<std::uint64_t>(all.memory_mb, vm->size.memory_mb);
  store_->erase_vm(vm->number);
  return done(r.ref, duration(r, options_.remove));
}

Reply Cloud::await_vm(const Request& r, const VmRow& vm) {
  if (vm.ready_at <= r.now) return done(r.ref);
  outcome_ = Outcome::Waiting;
  return {.ask_again_at = vm.ready_at, .since = vm.started_at};
}

namespace {

struct PowerChange {
  Operation operation;
  PowerState to;
  std::uint8_t from;  // a bit a state
};
constexpr std::uint8_t bit(PowerState s) {
  return static_cast<std::uint8_t>(1U << static_cast<unsigned>(s));
}
constexpr std::uint8_t operator|(PowerState a, PowerState b) {
  return static_cast<std::uint8_t>(bit(a) | bit(b));
}
constexpr std::array kPowerChanges{
    PowerChange{Operation::VmStart, PowerState::Running, bit(PowerState::Stopped)},
    PowerChange{Operation::VmStop, PowerState::Stopped, PowerState::Running | PowerState::Paused},
    PowerChange{Operation::VmPause, PowerState::Paused, bit(PowerState::Running)},
    PowerChange{Operation::VmUnpause, PowerState::Running, bit(PowerState::Paused)},
    PowerChange{Operation::VmSuspend, PowerState::Suspended, bit(PowerState::Running)},
    PowerChange{Operation::VmResume, PowerState::Running,
                PowerState::Suspended | PowerState::Paused},
};

}  // namespace

Reply Cloud::change_power(const Request& r, VmRow& vm) {
  const auto change = std::find_if(kPowerChanges.begin(), kPowerChanges.end(),
                                   [&](const auto& c) { return c.operation == r.operation; });
  if (vm.state == change->to) {
    outcome_ = Outcome::Repeated;
    remember(r, r.ref);
    return done(r.ref);
  }
  if ((change->from & bit(vm.state)) == 0) {
    return refused(Errc::IllegalTransition, fmt::format("the VM is {}", base::enum_name(vm.state)));
  }
  vm.state = change->to;
  store_->put(vm);
  remember(r, r.ref);
  return done(r.ref, duration(r, options_.change));
}

Reply Cloud::reboot(const Request& r, VmRow& vm) {
  if (r.key != nullptr) {
    outcome_ = Outcome::Repeated;
    return done(r.ref);
  }
  if (vm.state != PowerState::Running) {
    return refused(Errc::IllegalTransition, fmt::format("the VM is {}", base::enum_name(vm.state)));
  }
  ++vm.reboots;
  store_->put(vm);
  remember(r, r.ref);
  return done(r.ref, duration(r, options_.change));
}

Reply Cloud::resize(const Request& r, VmRow& vm) {
  if (r.key != nullptr && vm.old_size) {
    outcome_ = Outcome::Repeated;
    return done(r.ref);
  }
  if (vm.old_size) return refused(Errc::ResourceBusy, "another resize is not confirmed");
  if (!r.order().args.size) return refused(Errc::InvalidArgument, "a resize without a size");
  vm.old_size = vm.size;
  vm.size = *r.order().args.size;
  store_->put(vm);
  remember(r, r.ref);
  return done(r.ref, duration(r, options_.change));
}

Reply Cloud::end_resize(const Request& r, VmRow& vm) {
  const bool revert = r.operation == Operation::VmResizeRevert;
  if (revert && !vm.old_size && vm.size != r.order().spec.size) {
    return refused(Errc::IllegalTransition, "the resize is confirmed already");
  }
  remember(r, r.ref);
  if (!vm.old_size) {
    outcome_ = Outcome::Repeated;
    return done(r.ref);
  }
  Totals& all = totals();
  if (revert) {
    vm.size = *vm.old_size;
  } else {
    all.vcpus += vm.size.vcpus - std::min<std::uint64_t>(all.vcpus, vm.old_size->vcpus);
    all.memory_mb +=
        vm.size.memory_mb - std::min<std::uint64_t>(all.memory_mb, vm.old_size->memory_mb);
  }
  vm.old_size.reset();
  store_->put(vm);
  return done(r.ref, duration(r, options_.change));
}

Reply Cloud::rebuild(const Request& r, VmRow& vm) {
  if (r.key != nullptr) {
    outcome_ = Outcome::Repeated;
    return done(r.ref);
  }
  vm.image = r.order().args.image;
  vm.state = PowerState::Running;
  vm.started_at = r.now;
  vm.ready_at = r.now + duration(r, options_.create);
  store_->put(vm);
  remember(r, r.ref);
  Reply reply = done(r.ref);
  reply.answer.settled = vm.ready_at <= r.now;
  return reply;
}

Reply Cloud::rename(const Request& r, VmRow& vm) {
  vm.name = r.order().args.name;
  store_->put(vm);
  remember(r, r.ref);
  return done(r.ref, duration(r, options_.change));
}

// Live when it runs, cold otherwise; here they differ in nothing but the name.
Reply Cloud::migrate(const Request& r, VmRow& vm) {
  Reply reply = done(r.ref);
  if (r.key != nullptr && vm.host == r.order().args.host) {
    outcome_ = Outcome::Repeated;
    reply.answer.settled = vm.ready_at <= r.now;
    return reply;
  }
  if (vm.ready_at > r.now) return refused(Errc::ResourceBusy, "the VM is not at rest");
  vm.old_host = std::exchange(vm.host, r.order().args.host);
  vm.started_at = r.now;
  vm.ready_at = r.now + duration(r, options_.migrate);
  store_->put(vm);
  remember(r, r.ref);
  reply.answer.settled = vm.ready_at <= r.now;
  return reply;
}

// Back where it was, however far it had come.
Reply Cloud::abort_migration(const Request& r, VmRow& vm) {
  remember(r, r.ref);
  if (vm.old_host.empty()) {
    outcome_ = Outcome::Repeated;
    return done(r.ref);
  }
  vm.host = std::exchange(vm.old_host, {});
  vm.ready_at = r.now;
  store_->put(vm);
  return done(r.ref, duration(r, options_.change));
}

// ---- snapshots and images ----

Reply Cloud::snapshot(const Request& r, VmRow& vm) {
  const std::string& name = r.order().args.snapshot;
  if (r.operation == Operation::SnapshotCreate) return make_snapshot(r, vm);
  const auto found = store_->snapshot(vm.number, name);
  remember(r, r.ref);
  if (r.operation == Operation::SnapshotDelete) {
    if (!found || (r.call.undo && found->made_by != r.order().task)) {
      outcome_ = Outcome::Repeated;
      return done(r.ref);
    }
    store_->erase_snapshot(vm.number, name);
    return done(r.ref, duration(r, options_.change));
  }
  if (!found) return refused(Errc::NotFound, "no such snapshot");
  vm.state = found->snapshot.with_memory ? found->state : PowerState::Stopped;
  if (!found->snapshot.with_memory && found->state == PowerState::Running) {
    vm.state = PowerState::Running;  // booted from the disk as it was
  }
  store_->put(vm);
  return done(r.ref, duration(r, options_.change));
}

Reply Cloud::make_snapshot(const Request& r, const VmRow& vm) {
  const domain::ActionArgs& args = r.order().args;
  if (const auto known = store_->snapshot(vm.number, args.snapshot)) {
    if (known->made_by != r.order().task) {
      return refused(Errc::NameTaken, "the VM has a snapshot of that name");
    }
    outcome_ = Outcome::Repeated;
    return done(fmt::format("{}/{}", vm_ref(vm.number), args.snapshot));
  }
  SnapshotRow row{.vm = vm.number, .made_by = r.order().task, .snapshot = {}, .state = vm.state};
  row.snapshot.name = args.snapshot;
  row.snapshot.description = args.description;
  row.snapshot.with_memory = args.with_memory;
  row.snapshot.created_at = r.now;
  store_->put(row);
  std::string ref = fmt::format("{}/{}", vm_ref(vm.number), args.snapshot);
  remember(r, ref);
  return done(std::move(ref), duration(r, options_.change));
}

Reply Cloud::make_image(const Request& r, const VmRow& vm) {
  if (r.key != nullptr) {
    if (const auto known = store_->image(number_of(r.key->ref, kImageRef))) {
      outcome_ = Outcome::Repeated;
      return done(r.key->ref);
    }
    if (r.fence() <= fence_of(*r.key)) return refused(Errc::NotFound, "it was deleted");
  }
  ImageRow image;
  image.number = ++totals().last_number;
  image.image = r.order().args.image;
  image.made_by = r.order().task;
  image.name = r.order().args.name;
  image.size_bytes = std::max(vm.size.disk_gb, 1U) * kBytesPerGb;
  image.started_at = r.now;
  image.ready_at = r.now + duration(r, options_.image);
  store_->put(image);
  Reply reply = done(image_ref(image.number));
  remember(r, reply.answer.ref);
  return reply;  // not settled: the waiting step brings the size
}

Reply Cloud::await_image(const Request& r) {
  const auto image = store_->image(number_of(r.ref, kImageRef));
  if (!image) return refused(Errc::NotFound, "the image is not there");
  if (image->ready_at > r.now) {
    outcome_ = Outcome::Waiting;
    return {.ask_again_at = image->ready_at, .since = image->started_at};
  }
  Reply reply = done(r.ref);
  reply.answer.result.text = fmt::format(R"({{"size_bytes":{}}})", image->size_bytes);
  return reply;
}

Reply Cloud::remove_image(const Request& r) {
  const std::int64_t number = number_of(r.ref, kImageRef);
  if (!store_->image(number)) outcome_ = Outcome::Repeated;
  store_->erase_image(number);
  remember(r, r.ref);
  return done(r.ref, duration(r, options_.remove));
}

}  // namespace slipway::workers::simulated
