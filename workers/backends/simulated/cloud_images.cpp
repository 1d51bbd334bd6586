// What the simulated cloud does to snapshots and images.
#include <algorithm>
#include <utility>

#include "workers/backends/simulated/cloud_request.hpp"

namespace slipway::workers::simulated {

using base::Errc;

namespace {

constexpr std::uint64_t kBytesPerGb = 1024ULL * 1024 * 1024;

}  // namespace

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
  // Without its memory a running one is booted anew, and no other state can be had.
  const bool as_it_was = found->snapshot.with_memory || found->state == PowerState::Running;
  vm.state = as_it_was ? found->state : PowerState::Stopped;
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
  image.installation = r.order().installation;
  image.root = r.call.root();
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
