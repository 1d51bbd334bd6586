#include "tests/simulation/cloud.hpp"

#include "core/domain/plan.hpp"
#include "tests/simulation/invariants.hpp"

namespace slipway::simulation {

using workers::Answer;
using workers::BackendAnswer;
using workers::BackendCall;
using namespace workers::simulated;
using namespace std::chrono_literals;  // NOLINT: tests

namespace {

class SharedStore final : public Store {
 public:
  explicit SharedStore(Store& store) : s_(store) {}
  void begin() override { s_.begin(); }
  void commit() override { s_.commit(); }
  std::optional<VmRow> vm(std::int64_t n) override { return s_.vm(n); }
  void put(const VmRow& row) override { s_.put(row); }
  void erase_vm(std::int64_t n) override { s_.erase_vm(n); }
  VmConfig config(std::int64_t vm) override { return s_.config(vm); }
  void put(std::int64_t vm, const VmConfig& config) override { s_.put(vm, config); }
  std::optional<SnapshotRow> snapshot(std::int64_t n, const std::string& name) override {
    return s_.snapshot(n, name);
  }
  void put(const SnapshotRow& row) override { s_.put(row); }
  void erase_snapshot(std::int64_t n, const std::string& name) override {
    s_.erase_snapshot(n, name);
  }
  std::optional<ImageRow> image(std::int64_t n) override { return s_.image(n); }
  void put(const ImageRow& row) override { s_.put(row); }
  void erase_image(std::int64_t n) override { s_.erase_image(n); }
  void keys(const domain::TaskId& root, std::vector<KeyRow>& out) override { s_.keys(root, out); }
  void put(const domain::TaskId& root, const KeyRow& row) override { s_.put(root, row); }
  void append(const LedgerRow& row) override { s_.append(row); }
  Totals totals() override { return s_.totals(); }
  void put(const Totals& totals) override { s_.put(totals); }
  std::vector<VmRow> vms_after(std::int64_t n, std::size_t at_most) override {
    return s_.vms_after(n, at_most);
  }
  void each_vm(const std::function<void(const VmRow&)>& see) override { s_.each_vm(see); }
  void each_snapshot(const std::function<void(const SnapshotRow&)>& see) override {
    s_.each_snapshot(see);
  }
  void each_image(const std::function<void(const ImageRow&)>& see) override { s_.each_image(see); }
  void each_ledger(const std::function<void(const LedgerRow&)>& see) override {
    s_.each_ledger(see);
  }

 private:
  Store& s_;
};

}  // namespace

SharedCloud::SharedCloud(Timeline& timeline, Random& random, Plant plant)
    : timeline_(timeline), random_(random), plant_(plant), store_(make_memory_store()) {}

Fault SharedCloud::draw() {
  Fault fault;
  if (!faults.on) return fault;
  if (random_.chance(faults.error)) fault.kind = Fault::Kind::Error;
  if (random_.chance(faults.refusal)) fault.kind = Fault::Kind::Refusal;
  if (random_.chance(faults.lost_answer)) fault.kind = Fault::Kind::LostAnswer;
  if (random_.chance(faults.hang)) fault.kind = Fault::Kind::Hang;
  if (random_.chance(faults.slow)) fault.slower = random_.between(1s, 20s);
  return fault;
}

std::unique_ptr<InlineBackend> SharedCloud::connect(std::uint64_t seed, std::string name) {
  Options options;
  options.name = std::move(name);
  options.seed = seed;
  options.fault = [this](const BackendCall&) { return draw(); };
  return std::make_unique<InlineBackend>(std::move(options),
                                         std::make_unique<SharedStore>(*store_));
}

NetworkBackend::NetworkBackend(SharedCloud& cloud, std::uint64_t seed, std::string name)
    : cloud_(cloud), inner_(cloud.connect(seed, std::move(name))) {}

BackendCall NetworkBackend::planted(const BackendCall& call, bool late) const {
  BackendCall out = call;
  auto work = std::make_shared<workers::LeasedWork>();
  work->order = call.order();
  const Plant plant = cloud_.plant_;
  if (plant == Plant::KeyPerAttempt || plant == Plant::LookupFindsNone) {
    domain::TaskId key = call.root();
    key.bytes[15] = static_cast<std::uint8_t>(key.bytes[15] + call.order().token);
    work->order.root = key;
  } else if (plant == Plant::NoFenceInCloud && late) {
    work->order.fence = 1000000000;
  } else {
    return out;
  }
  out.work = work;
  return out;
}

void NetworkBackend::perform(const BackendCall& call, Answer answer) {
  Random& random = cloud_.random_;
  if (cloud_.plant_ == Plant::UndoDoesNothing && call.undo) return answer(BackendAnswer{});
  if (cloud_.faults.on && random.chance(cloud_.faults.throttled)) {
    return answer(BackendAnswer::failed({.code = base::Errc::BackendUnavailable,
                                         .detail = "slow down",
                                         .retryable = true,
                                         .throttled = true,
                                         .without_effect = true,
                                         .retry_after = 2s}));
  }
  if (cloud_.faults.on && random.chance(cloud_.faults.late)) return arrive_late(call);
  inner_->perform(planted(call, false), std::move(answer));
  Invariants::no_double(cloud_.store());
}

// Within the call's time and the settle time for most; for what has an undo and so a key that
// fences it, at any time, as from a process that was frozen just before the call.
void NetworkBackend::arrive_late(const BackendCall& call) {
  Random& random = cloud_.random_;
  const domain::Step* step = domain::find_step(call.order().command, call.step);
  const bool fenced = step != nullptr && step->name == "vm.create" && !call.undo;
  const Duration bound = call_timeout() + settle_time();
  const Duration delay =
      fenced && random.chance(0.5) ? random.between(0s, 300s) : random.between(0s, bound);
  cloud_.timeline_.after(delay, [this, late = planted(call, true)] {
    inner_->on_timer(cloud_.now());
    inner_->perform(late, [](BackendAnswer&&) {});
    Invariants::no_double(cloud_.store());
  });
}

void NetworkBackend::lookup(const BackendCall& call, Answer answer) {
  if (cloud_.plant_ == Plant::LookupFindsNone) return answer(BackendAnswer{});
  inner_->lookup(planted(call, false), std::move(answer));
}

void NetworkBackend::inventory(const workers::InventoryCall& call, Answer answer) {
  if (cloud_.faults.on && cloud_.random_.chance(cloud_.faults.no_list)) {
    return answer(BackendAnswer::failed({.detail = "no list today", .retryable = true}));
  }
  inner_->inventory(call, [this, answer](BackendAnswer&& told) {
    if (told.inventory != nullptr) hide_planted(told.inventory->vms);
    answer(std::move(told));
  });
}

void NetworkBackend::hide_planted(std::vector<domain::SeenVm>& vms) const {
  const Plant plant = cloud_.plant_;
  std::size_t n = 0;
  std::erase_if(vms, [&](const domain::SeenVm& vm) {
    const auto number = std::stoll(vm.ref.substr(vm.ref.find('-') + 1));  // "sim-7"
    const bool orphan = cloud_.meddling.orphans.contains(number);
    return orphan ? plant == Plant::OrphansHidden : plant == Plant::HalfAList && ++n % 2 == 0;
  });
}

void SharedCloud::meddle() {
  std::vector<VmRow> at_rest;
  store_->each_vm([&](const VmRow& row) {
    const bool settled = row.ready_at <= now() && !row.old_size;
    if (settled && !meddling.strangers.contains(row.number)) at_rest.push_back(row);
  });
  if (at_rest.empty()) return;
  VmRow row = random_.pick(at_rest);
  store_->begin();
  if (random_.chance(0.4)) {
    meddling.lost.insert(row.vm);
    meddling.orphans.erase(row.number);
    store_->erase_vm(row.number);
  } else {
    Totals totals = store_->totals();
    row.number = ++totals.last_number;
    row.vm = random_.id<domain::VmId>(now());
    row.root = random_.id<domain::TaskId>(now());
    row.created_at = row.started_at = row.ready_at = now();
    const bool orphan = random_.chance(0.5);
    if (!orphan) row.installation = "another";
    ++meddling.added;
    (orphan ? meddling.orphans : meddling.strangers).insert(row.number);
    store_->put(row);
    store_->put(totals);
  }
  store_->commit();
}

}  // namespace slipway::simulation
