// What the simulated cloud sets of a VM beside its size and power.
#include <utility>

#include "core/base/crypto.hpp"
#include "workers/backends/simulated/cloud_request.hpp"

namespace slipway::workers::simulated {

using base::Errc;

// Another system on its first disk; it runs, or does not, as before.
Reply Cloud::reset_system(const Request& r, VmRow& vm) {
  if (r.key != nullptr) {
    outcome_ = Outcome::Repeated;
    return done(r.ref);
  }
  vm.image = r.order().args.image;
  vm.old_host.clear();
  vm.started_at = r.now;
  vm.ready_at = r.now + duration(r, options_.create);
  store_->put(vm);
  remember(r, r.ref);
  Reply reply = done(r.ref);
  reply.answer.settled = vm.ready_at <= r.now;
  return reply;
}

void Cloud::boot(const Request& r, const VmRow& vm) {
  const auto& change = r.order().args.guest;
  VmConfig config = store_->config(vm.number);
  const VmConfig before = config;
  config.boot = change ? change->boot : "";
  if (change && !change->media.is_nil()) config.media = change->media;
  if (config != before) store_->put(vm.number, config);
}

// The secrets themselves are not kept: what they were can be proved, not read.
void Cloud::set_secret(const Request& r, VmConfig& config) const {
  const domain::GuestChange& change = *r.order().args.guest;
  const base::Secret* value = r.call.work->secrets.find(change.secret);
  std::string text(value == nullptr ? "" : value->reveal());
  const bool console = r.operation == Operation::VmConsoleSecret;
  if (!console) text.insert(0, change.admin_name + ":");
  (console ? config.console_secret : config.credential) = base::hex(base::sha256(text));
  base::wipe(text);
}

Reply Cloud::configure(const Request& r, const VmRow& vm) {
  const auto& change = r.order().args.guest;
  if (!change) return refused(Errc::InvalidArgument, "it is not said what to change");
  VmConfig config = store_->config(vm.number);
  const VmConfig before = config;
  switch (r.operation) {
    case Operation::VmConfigure:
      if (change->after) config.auto_start = change->after->auto_start;
      if (change->after) config.qos = change->after->qos;
      break;
    case Operation::VmDiskShrink:
      if (r.key == nullptr) ++config.shrinks;
      break;
    case Operation::MediaInsert:
      if (vm.state != PowerState::Running) {
        return refused(Errc::IllegalTransition, "the VM does not run");
      }
      config.media = change->media;
      break;
    case Operation::MediaEject:
      config.media = {};
      break;
    default:
      set_secret(r, config);
      break;
  }
  if (config == before) outcome_ = Outcome::Repeated;
  store_->put(vm.number, config);
  remember(r, r.ref);
  return done(r.ref, duration(r, options_.change));
}

}  // namespace slipway::workers::simulated
