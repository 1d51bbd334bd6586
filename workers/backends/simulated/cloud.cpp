#include "workers/backends/simulated/cloud.hpp"

#include <algorithm>
#include <utility>

#include "workers/backends/simulated/cloud_request.hpp"

namespace slipway::workers::simulated {

using base::Duration;
using base::Errc;

namespace {

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

Options Options::without_latency() {
  Options options;
  options.create = options.change = options.remove = options.migrate = options.image = {};
  return options;
}

Cloud::Cloud(Options options, std::unique_ptr<Store> store)
    : options_(std::move(options)), store_(std::move(store)) {
  if (!options_.first_vms.empty()) make_first_vms();
}

// In one transaction: of several processes that open the store at once one does it.
void Cloud::make_first_vms() {
  begin();
  Totals& all = totals();
  if (all.last_number == 0) {
    for (const FirstVm& first : options_.first_vms) {
      VmRow vm;
      vm.number = ++all.last_number;
      vm.vm = first.id;
      // Nobody's task made it; like any other it is one of a kind.
      vm.made_by = domain::TaskId(first.id);
      vm.name = first.spec.name;
      vm.size = first.spec.size;
      vm.image = first.spec.image;
      vm.ipv4 = first.spec.ipv4;
      vm.host = first.spec.host;
      store_->put(vm);
      ++all.vms;
      all.vcpus += vm.size.vcpus;
      all.memory_mb += vm.size.memory_mb;
    }
  }
  commit();
}

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
  const KeyRow fence{.task = order.task, .token = order.token, .fence = order.fence};
  if (newest_of(keys_) < fence_of(fence)) store_->put(root, fence);
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
  store_->put(call.root(), {.operation = Operation::None,
                            .task = r.order().task,
                            .token = r.order().token,
                            .fence = r.order().fence,
                            .at = now});
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
  return static_cast<double>(chance(r, 0)) / kMax < options_.failure_rate;
}

// A number that follows from the seed and the call alone.
std::uint64_t Cloud::chance(const Request& r, std::uint64_t salt) const {
  return mix((options_.seed + salt) ^ std::hash<base::Uuid>{}(r.order().task) ^
             (static_cast<std::uint64_t>(r.operation) << 32) ^ (r.order().token << 40));
}

Duration Cloud::duration(const Request& r, const Latency& latency) const {
  if (latency.mean == Duration::zero()) return {};
  constexpr double kMax = 18446744073709551616.0;
  const double spread = static_cast<double>(chance(r, 1)) / kMax * 2 - 1;
  const double us = static_cast<double>(latency.mean.count()) * (1 + latency.jitter * spread);
  return Duration(static_cast<std::int64_t>(us));
}

void Cloud::remember(const Request& r, const std::string& ref) {
  store_->put(r.call.root(), {.operation = r.operation,
                              .task = r.order().task,
                              .token = r.order().token,
                              .fence = r.order().fence,
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
    case PartDelete:
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
    case VmResetSystem:
      return reset_system(r, vm);
    case VmConfigure:
    case VmDiskShrink:
    case VmSetCredential:
    case VmConsoleSecret:
    case MediaInsert:
    case MediaEject:
      return configure(r, vm);
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

}  // namespace slipway::workers::simulated
