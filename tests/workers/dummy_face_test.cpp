// The cloud that plays another: what it has before anybody asks, on both of its stores.
#include <gmock/gmock.h>

#include <filesystem>

#include "core/domain/cloud_face.hpp"
#include "tests/workers/harness.hpp"
#include "workers/backends/simulated/cloud.hpp"
#include "workers/backends/simulated/inventory.hpp"

namespace slipway::workers::simulated {
namespace {

using namespace test;  // NOLINT
using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::string_view kName = "fake_driver";

Options dummy() {
  Options options = Options::without_latency();
  options.name = kName;
  const domain::CloudFace& face = *domain::find_face("dummy");
  for (const domain::FaceNode& node : face.first_nodes) {
    options.first_vms.push_back(
        {domain::first_node_id(kName, node.number), domain::first_node_spec(face, node, kName)});
  }
  return options;
}

class DummyFace : public testing::TestWithParam<bool> {
 protected:
  DummyFace() {
    std::string name = (std::filesystem::temp_directory_path() / "slipway-XXXXXX").string();
    folder_ = mkdtemp(name.data());
  }
  ~DummyFace() override { std::filesystem::remove_all(folder_); }

  std::unique_ptr<Store> store() const {
    if (!GetParam()) return make_memory_store();
    return std::move(*open_sqlite_store((folder_ / "fake.db").string()));
  }
  static Reply perform(Cloud& cloud, const WorkOrder& order, std::string_view step,
                       std::string ref = {}) {
    auto work = std::make_shared<LeasedWork>();
    work->order = order;
    cloud.begin();
    Reply reply = cloud.perform(
        {.work = std::move(work), .step = step, .operation = step, .ref = std::move(ref)}, kStart);
    cloud.commit();
    return reply;
  }
  static std::vector<std::string> names(Cloud& cloud) {
    std::vector<std::string> out;
    for (const InventoryVm& vm : take_inventory(cloud.store(), kStart).vms) out.push_back(vm.name);
    return out;
  }

 private:
  std::filesystem::path folder_;
};

TEST_P(DummyFace, HasTwoNodesFromTheBeginning) {
  Cloud cloud(dummy(), store());
  const Inventory inventory = take_inventory(cloud.store(), kStart);
  ASSERT_EQ(inventory.vms.size(), 2U);
  EXPECT_EQ(inventory.vms[0].ref, "sim-1");
  EXPECT_EQ(inventory.vms[0].vm, domain::first_node_id(kName, 1));
  EXPECT_EQ(inventory.vms[0].state, "running");
  EXPECT_EQ(inventory.vms[1].ref, "sim-2");
  EXPECT_EQ(inventory.vms[1].name, "dummy-2");
  EXPECT_THAT(inventory.doubles(), IsEmpty());
  EXPECT_THAT(inventory.calls, IsEmpty());
  EXPECT_EQ(cloud.store().totals().vms, 2U);
}

TEST_P(DummyFace, AFirstNodeIsDeletedAndAnotherGetsAFreshRef) {
  Cloud cloud(dummy(), store());
  EXPECT_EQ(perform(cloud, order_for(CommandKind::VmDelete, 1), "vm.delete", "sim-1").answer.kind,
            BackendAnswer::Kind::Done);
  EXPECT_THAT(names(cloud), ElementsAre("dummy-2"));
  WorkOrder order = order_for(CommandKind::VmCreate, 2);
  order.spec.name = "dummy-3";
  EXPECT_EQ(perform(cloud, order, "vm.create").answer.ref, "sim-3");
  EXPECT_THAT(names(cloud), ElementsAre("dummy-2", "dummy-3"));
}

TEST_P(DummyFace, TheyAreMadeOnceInTheLifeOfAStore) {
  if (!GetParam()) GTEST_SKIP() << "memory is gone with its process";
  {
    Cloud cloud(dummy(), store());
    perform(cloud, order_for(CommandKind::VmDelete, 1), "vm.delete", "sim-1");
    perform(cloud, order_for(CommandKind::VmDelete, 2), "vm.delete", "sim-2");
  }
  // Two processes at once, after a restart.
  Cloud again(dummy(), store());
  Cloud other(dummy(), store());
  EXPECT_THAT(names(again), IsEmpty());
  EXPECT_THAT(names(other), IsEmpty());
}

TEST_P(DummyFace, APlainCloudHasNone) {
  Cloud cloud(Options::without_latency(), store());
  EXPECT_THAT(names(cloud), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Stores, DummyFace, testing::Values(false, true), [](const auto& one) {
  return std::string(one.param ? "Sqlite" : "Memory");
});

}  // namespace
}  // namespace slipway::workers::simulated
