// What the simulated cloud does to VMs.
#include <algorithm>
#include <array>
#include <utility>

#include "workers/backends/simulated/cloud_request.hpp"

namespace slipway::workers::simulated {

using base::Duration;
using base::Errc;

namespace {

VmConfig config_of(const domain::GuestSpec& guest) {
  VmConfig config;
  config.auto_start = guest.auto_start;
  config.qos = guest.qos;
  config.media = guest.media;
  return config;
}

}  // namespace

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
  vm.installation = r.order().installation;
  vm.root = r.call.root();
  vm.name = spec.name;
  vm.size = spec.size;
  vm.image = spec.image;
  vm.ipv4 = spec.ipv4;
  const auto host = static_cast<std::uint64_t>(vm.number) % std::max(options_.hosts, 1U) + 1;
  vm.host = spec.host.empty() ? fmt::format("sim-{}", host) : spec.host;
  vm.created_at = vm.started_at = r.now;
  vm.ready_at = r.now + duration(r, options_.create);
  store_->put(vm);
  if (spec.guest) store_->put(vm.number, config_of(*spec.guest));
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

namespace {

// Where the log leaves the choice to the cloud, it is told.
void tell_host(const domain::WorkOrder& order, const VmRow& vm, Reply& reply) {
  if (!order.args.host.empty()) return;
  reply.answer.result.text = fmt::format(R"({{"host":"{}"}})", vm.host);
}

// Another one of "sim-1" to "sim-<hosts>".
std::string next_host(const std::string& host, std::uint32_t hosts) {
  std::uint32_t n = 0;
  if (host.starts_with("sim-")) std::from_chars(host.data() + 4, host.data() + host.size(), n);
  return fmt::format("sim-{}", n % std::max(hosts, 1U) + 1);
}

}  // namespace

Reply Cloud::await_vm(const Request& r, const VmRow& vm) {
  if (vm.ready_at <= r.now) {
    Reply reply = done(r.ref);
    if (r.operation == Operation::VmAwaitMigrated) tell_host(r.order(), vm, reply);
    return reply;
  }
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
  if (r.operation == Operation::VmStart) boot(r, vm);
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
  vm.old_host.clear();  // under way is this, and no migration
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
  const std::string& wanted = r.order().args.host;
  if (r.key != nullptr && (wanted.empty() ? !vm.old_host.empty() : vm.host == wanted)) {
    outcome_ = Outcome::Repeated;
    tell_host(r.order(), vm, reply);
    reply.answer.settled = vm.ready_at <= r.now;
    return reply;
  }
  if (vm.ready_at > r.now) return refused(Errc::ResourceBusy, "the VM is not at rest");
  const std::string to = wanted.empty() ? next_host(vm.host, options_.hosts) : wanted;
  vm.old_host = std::exchange(vm.host, to);
  tell_host(r.order(), vm, reply);
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

}  // namespace slipway::workers::simulated
