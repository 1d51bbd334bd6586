// What the simulated cloud sets of a VM beside its size and power, on both of its stores.
#include <gmock/gmock.h>

#include <filesystem>

#include "core/base/crypto.hpp"
#include "tests/workers/harness.hpp"
#include "workers/backends/simulated/cloud.hpp"
#include "workers/backends/simulated/inventory.hpp"

namespace slipway::workers::simulated {
namespace {

using namespace test;  // NOLINT

class GuestParts : public testing::TestWithParam<bool> {
 protected:
  GuestParts() {
    std::string name = (std::filesystem::temp_directory_path() / "slipway-XXXXXX").string();
    folder = mkdtemp(name.data());
    auto store =
        GetParam() ? std::move(*open_sqlite_store(folder / "sim.db")) : make_memory_store();
    cloud = std::make_unique<Cloud>(Options::without_latency(), std::move(store));
    ref = perform(order_for(CommandKind::VmCreate, 1), "vm.create").answer.ref;
  }
  ~GuestParts() override { std::filesystem::remove_all(folder); }

  Reply perform(const WorkOrder& order, std::string_view step, std::string_view secret = "") {
    auto work = std::make_shared<LeasedWork>();
    work->order = order;
    if (!secret.empty()) work->secrets.add("ref", base::Secret(secret));
    cloud->begin();
    Reply reply =
        cloud->perform({.work = std::move(work), .step = step, .operation = step, .ref = ref}, now);
    cloud->commit();
    return reply;
  }
  static WorkOrder order(CommandKind kind, std::uint64_t n, domain::GuestChange change) {
    WorkOrder out = order_for(kind, n);
    out.args.guest = std::move(change);
    return out;
  }
  VmConfig config() { return cloud->store().config(1); }
  static bool failed(const Reply& reply) {
    return reply.answer.kind == BackendAnswer::Kind::Failed;
  }
  std::uint64_t calls(const std::string& what) {
    return take_inventory(cloud->store(), now).calls[what];
  }

  std::filesystem::path folder;
  base::Time now = kStart;
  std::unique_ptr<Cloud> cloud;
  std::string ref;
};

TEST_P(GuestParts, AreSetOnceHoweverOftenItIsAsked) {
  domain::GuestChange change;
  change.after.emplace().auto_start = true;
  change.after->qos.emplace().read_iops = 300;
  const WorkOrder set = order(CommandKind::VmSetQos, 2, change);
  EXPECT_FALSE(failed(perform(set, "vm.configure")));
  EXPECT_FALSE(failed(perform(set, "vm.configure")));
  EXPECT_TRUE(config().auto_start);
  EXPECT_EQ(config().qos->read_iops, 300U);
  EXPECT_EQ(calls("vm.configure/done"), 1U);
  EXPECT_EQ(calls("vm.configure/repeated"), 1U);
}

TEST_P(GuestParts, AMediumIsInsertedIntoARunningVmOnly) {
  domain::GuestChange change;
  change.media = id<domain::ImageId>(70);
  EXPECT_FALSE(failed(perform(order(CommandKind::VmMediaInsert, 2, change), "media.insert")));
  EXPECT_EQ(config().media, change.media);
  EXPECT_FALSE(failed(perform(order(CommandKind::VmMediaEject, 3, {}), "media.eject")));
  EXPECT_TRUE(config().media.is_nil());
  perform(order_for(CommandKind::VmStop, 4), "vm.stop");
  EXPECT_TRUE(failed(perform(order(CommandKind::VmMediaInsert, 5, change), "media.insert")));
}

TEST_P(GuestParts, AStartFromAMediumIsRememberedUntilTheNext) {
  perform(order_for(CommandKind::VmStop, 2), "vm.stop");
  domain::GuestChange change;
  change.boot = "media";
  change.media = id<domain::ImageId>(70);
  EXPECT_FALSE(failed(perform(order(CommandKind::VmStart, 3, change), "vm.start")));
  EXPECT_EQ(config().boot, "media");
  EXPECT_EQ(config().media, change.media);
  perform(order_for(CommandKind::VmStop, 4), "vm.stop");
  perform(order_for(CommandKind::VmStart, 5), "vm.start");
  EXPECT_EQ(config().boot, "");
}

TEST_P(GuestParts, ACredentialComesAsASecretAndIsKeptAsItsHash) {
  base::crypto_init();
  domain::GuestChange change;
  change.admin_name = "root";
  change.secret = "ref";
  perform(order(CommandKind::VmSetCredential, 2, change), "vm.set_credential", "pass");
  EXPECT_EQ(config().credential, base::hex(base::sha256("root:pass")));
  perform(order(CommandKind::VmConsoleResetSecret, 3, change), "vm.console_secret", "key");
  EXPECT_EQ(config().console_secret, base::hex(base::sha256("key")));
}

TEST_P(GuestParts, ANewSystemLeavesThePowerAsItWas) {
  perform(order_for(CommandKind::VmStop, 2), "vm.stop");
  WorkOrder reset = order_for(CommandKind::VmResetSystem, 3);
  reset.args.image = id<domain::ImageId>(9);
  EXPECT_FALSE(failed(perform(reset, "vm.reset_system")));
  const auto vm = cloud->store().vm(1);
  EXPECT_EQ(vm->image, reset.args.image);
  EXPECT_EQ(vm->state, PowerState::Stopped);
}

TEST_P(GuestParts, ADiskIsShrunkOnceByOneTask) {
  domain::GuestChange change;
  change.disk = 0;
  const WorkOrder shrink = order(CommandKind::VmDiskShrink, 2, change);
  perform(shrink, "vm.disk_shrink");
  perform(shrink, "vm.disk_shrink");
  EXPECT_EQ(config().shrinks, 1U);
}

TEST_P(GuestParts, GoWithTheVm) {
  domain::GuestChange change;
  change.after.emplace().auto_start = true;
  perform(order(CommandKind::VmSetAutoStart, 2, change), "vm.configure");
  perform(order_for(CommandKind::VmDelete, 3), "vm.delete");
  EXPECT_EQ(config(), VmConfig{});
}

INSTANTIATE_TEST_SUITE_P(Stores, GuestParts, testing::Bool(),
                         [](const auto& p) { return p.param ? "Sqlite" : "Memory"; });

}  // namespace
}  // namespace slipway::workers::simulated
