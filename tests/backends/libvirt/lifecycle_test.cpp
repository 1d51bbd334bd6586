#include <gmock/gmock.h>

#include "tests/backends/libvirt/test_host.hpp"

namespace slipway::workers::libvirt::test {
namespace {

using Kind = BackendAnswer::Kind;

class Lifecycle : public testing::Test {
 protected:
  static std::unique_ptr<Backend> open() {
    auto backend = LibvirtBackend::open(test_options());
    return std::move(*backend);
  }
  std::size_t volumes_of(const domain::WorkOrder& order) {
    std::size_t count = 0;
    for (const std::string& name : host.volumes()) count += name.starts_with(order.vm_key) ? 1 : 0;
    return count;
  }
  // Its ref.
  std::string create(const domain::WorkOrder& order) {
    BackendAnswer answer = driver.run(order);
    EXPECT_EQ(answer.kind, Kind::Done) << answer.error.detail;
    return answer.ref;
  }
  BackendAnswer act(const domain::WorkOrder& created, CommandKind kind, const std::string& ref) {
    return driver.run(order_on(created, kind, ref, next_task++));
  }

  TestHost host;
  Driver driver{open()};
  std::uint64_t next_task = 50;
};

TEST_F(Lifecycle, ACreatedVmRunsUnderAUuidThatFollowsFromItsKey) {
  const auto order = create_order(1);
  const std::string ref = create(order);
  EXPECT_EQ(ref, base::to_string(domain_uuid(order.vm_key)));
  EXPECT_EQ(host.state(ref), VIR_DOMAIN_RUNNING);
  EXPECT_EQ(volumes_of(order), 1U);
}

TEST_F(Lifecycle, CreatingTwiceMakesOneVm) {
  const auto order = create_order(2);
  const std::string ref = create(order);
  EXPECT_EQ(create(order), ref);
  EXPECT_EQ(volumes_of(order), 1U);
  const BackendAnswer all = driver.inventory();
  EXPECT_EQ(std::count_if(all.inventory->vms.begin(), all.inventory->vms.end(),
                          [&](const auto& vm) { return vm.tag.key == order.vm_key; }),
            1);
}

TEST_F(Lifecycle, ADeletionLeavesNothingAndMayBeRepeated) {
  const auto order = create_order(3);
  const std::string ref = create(order);
  EXPECT_EQ(act(order, CommandKind::VmDelete, ref).kind, Kind::Done);
  EXPECT_EQ(host.domain(ref), nullptr);
  EXPECT_EQ(volumes_of(order), 0U);
  EXPECT_EQ(act(order, CommandKind::VmDelete, ref).kind, Kind::Done);
}

TEST_F(Lifecycle, AVmWhoseRefIsUnknownIsFoundByTheKeyOfItsCreation) {
  const auto order = create_order(4);
  const std::string ref = create(order);
  EXPECT_EQ(act(order, CommandKind::VmDelete, "").kind, Kind::Done);
  EXPECT_EQ(host.domain(ref), nullptr);
}

TEST_F(Lifecycle, ACreationWithoutItsImageIsRefusedAndItsUndoLeavesNothing) {
  auto order = create_order(5);
  order.image_name = "gone.qcow2";
  const BackendAnswer answer = driver.run(order);
  EXPECT_EQ(answer.error.code, base::Errc::NotFound);
  EXPECT_FALSE(answer.error.retryable);
  EXPECT_THAT(answer.error.detail, testing::HasSubstr("gone.qcow2"));
  EXPECT_TRUE(driver.lookup(work_of(order), "vm.create", true).found.empty());
}

TEST_F(Lifecycle, AnUnknownHostIsRefused) {
  auto order = create_order(6);
  order.spec.host = "elsewhere";
  EXPECT_EQ(driver.run(order).error.code, base::Errc::InvalidArgument);
}

TEST_F(Lifecycle, ALookUpFindsWhatWasMadeAndNothingElse) {
  const auto order = create_order(7);
  EXPECT_TRUE(driver.lookup(work_of(order), "vm.create").found.empty());
  const std::string ref = create(order);
  const BackendAnswer answer = driver.lookup(work_of(order), "vm.create");
  ASSERT_EQ(answer.found.size(), 1U);
  EXPECT_EQ(answer.found[0].ref, ref);
}

TEST_F(Lifecycle, ACallOfAnOlderLeaseChangesNothing) {
  const auto order = create_order(8);
  const std::string ref = create(order);
  EXPECT_EQ(act(order, CommandKind::VmPause, ref).kind, Kind::Done);
  const BackendAnswer late = driver.step(work_of(order), "vm.delete", ref);
  EXPECT_EQ(late.error.code, base::Errc::LeaseLost);
  EXPECT_EQ(host.state(ref), VIR_DOMAIN_PAUSED);
}

TEST_F(Lifecycle, PowerCommandsChangeTheStateAndMayBeRepeated) {
  const auto order = create_order(9);
  const std::string ref = create(order);
  const auto twice = [&](CommandKind kind, int state) {
    for (int i = 0; i < 2; ++i) {
      const BackendAnswer answer = act(order, kind, ref);
      EXPECT_EQ(answer.kind, Kind::Done) << answer.error.detail;
      EXPECT_EQ(host.state(ref), state) << domain::enum_names(kind)[static_cast<size_t>(kind)];
    }
  };
  twice(CommandKind::VmPause, VIR_DOMAIN_PAUSED);
  twice(CommandKind::VmUnpause, VIR_DOMAIN_RUNNING);
  twice(CommandKind::VmSuspend, VIR_DOMAIN_SHUTOFF);
  twice(CommandKind::VmResume, VIR_DOMAIN_RUNNING);
  twice(CommandKind::VmStop, VIR_DOMAIN_SHUTOFF);
  twice(CommandKind::VmStart, VIR_DOMAIN_RUNNING);
}

TEST_F(Lifecycle, WhatAStateDoesNotAllowIsRefusedByName) {
  const auto order = create_order(10);
  const std::string ref = create(order);
  act(order, CommandKind::VmStop, ref);
  const BackendAnswer answer = act(order, CommandKind::VmPause, ref);
  EXPECT_EQ(answer.error.code, base::Errc::IllegalTransition);
  EXPECT_EQ(answer.error.detail, "the VM is stopped");
}

TEST_F(Lifecycle, ARebootIsKnownToBeDoneAndNotRepeated) {
  const auto order = create_order(11);
  const std::string ref = create(order);
  auto reboot = order_on(order, CommandKind::VmReboot, ref, 90);
  EXPECT_TRUE(driver.lookup(work_of(reboot), "vm.reboot").found.empty());
  EXPECT_EQ(driver.run(reboot).kind, Kind::Done);
  EXPECT_EQ(driver.lookup(work_of(reboot), "vm.reboot").found.size(), 1U);
}

TEST_F(Lifecycle, ARebuiltVmRunsOnANewDiskOfTheOtherImage) {
  host.add_volume("other.qcow2");
  const auto order = create_order(12);
  const std::string ref = create(order);
  auto rebuild = order_on(order, CommandKind::VmRebuild, ref, 91);
  rebuild.image_name = "other.qcow2";
  EXPECT_EQ(driver.run(rebuild).kind, Kind::Done);
  EXPECT_EQ(host.state(ref), VIR_DOMAIN_RUNNING);
  EXPECT_EQ(volumes_of(order), 1U);
  const BackendAnswer all = driver.inventory();
  for (const auto& vm : all.inventory->vms) {
    if (vm.ref == ref) EXPECT_EQ(vm.image_ref, "other.qcow2");
  }
}

TEST_F(Lifecycle, TheInventoryTellsOurVmsFromOthersAndListsImagesHostsAndNetworks) {
  const auto order = create_order(13);
  const std::string ref = create(order);
  const BackendAnswer answer = driver.inventory();
  ASSERT_EQ(answer.kind, Kind::Done) << answer.error.detail;
  const domain::Inventory& all = *answer.inventory;
  bool ours = false;
  bool others = false;  // the driver has a VM "test" of its own
  for (const domain::SeenVm& vm : all.vms) {
    others = others || vm.tag.key.empty();
    if (vm.ref != ref) continue;
    ours = true;
    EXPECT_EQ(vm.tag, (domain::Tag{order.installation, order.vm_key}));
    EXPECT_EQ(vm.vm, order.vm);
    EXPECT_EQ(vm.name, order.spec.name);
    EXPECT_EQ(vm.state, domain::VmState::Running);
    EXPECT_EQ(vm.host, "host-1");
    EXPECT_EQ(vm.size.vcpus, 1U);
    EXPECT_EQ(vm.size.memory_mb, 128U);
    EXPECT_EQ(vm.size.disk_gb, 1U);
    EXPECT_EQ(vm.image_ref, "base.qcow2");
    EXPECT_EQ(vm.mac, domain::mac_of(order.spec));
  }
  EXPECT_TRUE(ours);
  EXPECT_TRUE(others);
  EXPECT_THAT(all.images, testing::Contains(testing::Field(&domain::SeenImage::ref, "base.qcow2")));
  ASSERT_EQ(all.hosts.size(), 1U);
  EXPECT_GT(all.hosts[0].vcpus, 0U);
  EXPECT_GT(all.hosts[0].memory_mb, 0U);
  EXPECT_THAT(all.networks,
              testing::Contains(testing::Field(&domain::SeenNetwork::name, "default")));
  EXPECT_TRUE(all.silent_hosts.empty());
}

TEST_F(Lifecycle, AVolumeWithoutItsVmIsSeenAsAPart) {
  const auto order = create_order(14);
  const std::string name = volume_name({order.installation, order.vm_key}, "disk0.qcow2");
  host.add_volume(name);
  const BackendAnswer answer = driver.inventory();
  ASSERT_EQ(answer.inventory->parts.size(), 1U);
  EXPECT_EQ(answer.inventory->parts[0].ref, name);
  EXPECT_EQ(answer.inventory->parts[0].tag.key, order.vm_key);
  // The deletion of the VM that it was made for takes it away.
  EXPECT_EQ(act(order, CommandKind::VmDelete, "").kind, Kind::Done);
  EXPECT_TRUE(driver.inventory().inventory->parts.empty());
}

}  // namespace
}  // namespace slipway::workers::libvirt::test
