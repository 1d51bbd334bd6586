// Failure by enumeration: for every command and every call that its plan makes, that call fails,
// loses its answer or is refused. Then nothing is left behind, and nothing is there twice.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "core/base/fields.hpp"
#include "tests/workers/harness.hpp"
#include "workers/backends/simulated/inventory.hpp"
#include "workers/backends/simulated/simulated_backend.hpp"

namespace slipway::workers::simulated {
namespace {

using namespace test;  // NOLINT

// A cloud with one VM ("sim-1") that has a snapshot, and an image; then the command under test.
class World {
 public:
  World() : backend_(options(), make_memory_store()), bench_(backend_) {
    bench_.lease(order_for(CommandKind::VmCreate, 1));
    bench_.advance(1s);
    WorkOrder snapshot = on_vm(CommandKind::VmSnapshotCreate, 2);
    snapshot.args.snapshot = "old";
    bench_.lease(snapshot);
    bench_.lease(on_vm(CommandKind::ImageCapture, 3));
    bench_.advance(1s);
    EXPECT_TRUE(bench_.task(3).ended());
    before_ = text();
    calls_ = 0;
  }

  static WorkOrder order_of(CommandKind command) {
    WorkOrder order = on_vm(command, 10);
    if (command == CommandKind::VmCreate) order.vm_ref.clear();
    order.image_ref = "simimg-2";
    order.args.name = "renamed";
    order.args.host = "sim-5";
    order.args.size = domain::Size{"big", 8, 16384, 80};
    order.args.image = id<domain::ImageId>(77);
    order.args.snapshot = command == CommandKind::VmSnapshotCreate ? "new" : "old";
    domain::GuestChange& change = order.args.guest.emplace();
    change.secret = "admin-1";
    change.admin_name = "root";
    change.media = id<domain::ImageId>(78);
    change.after.emplace().auto_start = true;
    change.after->qos.emplace().read_iops = 100;
    return order;
  }

  void fault(std::size_t call, Fault fault) {
    at_ = call;
    fault_ = fault;
  }
  // Until the task has ended: each retry is leased again, as the sequencer would after its backoff.
  OutcomeKind run(CommandKind command) {
    prepare(command);
    bench_.lease(order_of(command));
    for (int attempt = 0; attempt < 10 && !bench_.task(10).ended(); ++attempt) {
      bench_.advance(31s);
      if (bench_.task(10).ended()) break;
      bench_.stand_in.lease_again(id<TaskId>(10));
      bench_.turn();
      bench_.advance(31s);
    }
    EXPECT_TRUE(bench_.task(10).ended()) << base::enum_name(command);
    return bench_.task(10).outcome ? bench_.task(10).outcome->kind : OutcomeKind::Retry;
  }
  std::size_t calls() const { return calls_; }

  std::string text() {
    Inventory inventory = take_inventory(backend_.cloud().store(), bench_.clock.now());
    inventory.calls.clear();
    for (InventoryVm& vm : inventory.vms) {
      if (vm.key.find("00000000000a") != std::string::npos) vm.ref = "new";
    }
    for (std::string& image : inventory.images) {
      if (image != "simimg-2") image = "new";
    }
    base::JsonWriter json;
    base::write_json(json, inventory);
    const auto vm = backend_.cloud().store().vm(1);
    if (!vm) return json.text();
    const VmConfig config = backend_.cloud().store().config(1);
    const std::uint64_t iops = config.qos ? config.qos->read_iops : 0;
    return fmt::format("{} {} {} {} {} {} {} {} {}", json.text(), vm->size.flavor,
                       base::to_string(vm->image), config.auto_start, iops, config.shrinks,
                       base::to_string(config.media), config.credential, config.console_secret);
  }
  const std::string& before() const { return before_; }

 private:
  static WorkOrder on_vm(CommandKind command, std::uint64_t n) {
    WorkOrder order = order_for(command, n);
    order.vm_ref = "sim-1";
    return order;
  }
  // States that some commands start from.
  void prepare(CommandKind command) {
    const auto first = [&](CommandKind kind) {
      bench_.lease(on_vm(kind, 4));
      before_ = text();
      calls_ = 0;
    };
    if (command == CommandKind::VmStart) first(CommandKind::VmStop);
    if (command == CommandKind::VmUnpause) first(CommandKind::VmPause);
    if (command == CommandKind::VmResume) first(CommandKind::VmSuspend);
  }
  Options options() {
    Options o = Options::without_latency();
    // A little, so that waiting steps wait.
    o.create = o.migrate = o.image = {50ms, 0};
    o.fault = [this](const BackendCall& call) {
      if (call.order().task != id<TaskId>(10)) return Fault{};
      return calls_++ == at_ ? fault_ : Fault{};
    };
    return o;
  }

  std::size_t at_ = ~std::size_t{0};
  Fault fault_;
  std::size_t calls_ = 0;
  InlineBackend backend_;
  Bench bench_;
  std::string before_;
};

std::vector<CommandKind> commands() {
  std::vector<CommandKind> all;
  for (std::size_t i = 0; i < enum_names(CommandKind{}).size(); ++i) {
    const auto command = static_cast<CommandKind>(i);
    if (domain::needs_worker(command)) all.push_back(command);
  }
  return all;
}

class StepFailures : public testing::TestWithParam<CommandKind> {
 protected:
  struct Undisturbed {
    std::string text;
    std::size_t calls = 0;
  };
  static Undisturbed undisturbed() {
    World world;
    EXPECT_EQ(world.run(GetParam()), OutcomeKind::Succeeded);
    return {world.text(), world.calls()};
  }
};

TEST_P(StepFailures, AnErrorAtAnyCallIsRetriedAsIfItHadNotBeen) {
  const Undisturbed wanted = undisturbed();
  for (std::size_t call = 0; call < wanted.calls; ++call) {
    World world;
    world.fault(call, {.kind = Fault::Kind::Error});
    EXPECT_EQ(world.run(GetParam()), OutcomeKind::Succeeded) << "call " << call;
    EXPECT_EQ(world.text(), wanted.text) << "call " << call;
  }
}

TEST_P(StepFailures, ALostAnswerAtAnyCallDoublesNothing) {
  const Undisturbed wanted = undisturbed();
  for (std::size_t call = 0; call < wanted.calls; ++call) {
    World world;
    world.fault(call, {.kind = Fault::Kind::LostAnswer});
    EXPECT_EQ(world.run(GetParam()), OutcomeKind::Succeeded) << "call " << call;
    EXPECT_EQ(world.text(), wanted.text) << "call " << call;
  }
}

TEST_P(StepFailures, ACallThatHangsIsRetried) {
  const Undisturbed wanted = undisturbed();
  for (std::size_t call = 0; call < wanted.calls; ++call) {
    World world;
    world.fault(call, {.kind = Fault::Kind::Hang});
    EXPECT_EQ(world.run(GetParam()), OutcomeKind::Succeeded) << "call " << call;
    EXPECT_EQ(world.text(), wanted.text) << "call " << call;
  }
}

TEST_P(StepFailures, ARefusalAtAnyCallLeavesNothingBehind) {
  const Undisturbed wanted = undisturbed();
  for (std::size_t call = 0; call < wanted.calls; ++call) {
    World world;
    world.fault(call, {.kind = Fault::Kind::Refusal});
    const OutcomeKind outcome = world.run(GetParam());
    EXPECT_EQ(outcome, OutcomeKind::Failed) << "call " << call;
    // What replaces the disk cannot be undone; its waiting step is the only one that comes after.
    const bool replaces_disk =
        GetParam() == CommandKind::VmRebuild || GetParam() == CommandKind::VmResetSystem;
    if (replaces_disk && call > 0) continue;
    EXPECT_EQ(world.text(), world.before()) << "call " << call;
  }
}

INSTANTIATE_TEST_SUITE_P(Commands, StepFailures, testing::ValuesIn(commands()), [](const auto& p) {
  std::string name(base::enum_name(p.param));
  std::replace(name.begin(), name.end(), '.', '_');
  return name;
});

}  // namespace
}  // namespace slipway::workers::simulated
