// Every command, for real, and what came of it asked of the cloud directly.
#include "tests/backends/openstack/bed/bed_fixture.hpp"

namespace slipway::workers::openstack::test {
namespace {

using testing::HasSubstr;

class Life : public Bed {
 protected:
  // Runs it and expects the status; a repeat must be success and change nothing.
  void expect_status(CommandKind command, const Vm& vm, const std::string& status,
                     bool hard = false) {
    WorkOrder work = order(command, vm);
    work.args.hard = hard;
    const BackendAnswer first = calls->run(work);
    EXPECT_EQ(first.kind, Kind::Done) << base::enum_name(command) << ": " << first.error.detail;
    EXPECT_EQ(cloud.status(vm.ref), status) << base::enum_name(command);
    const BackendAnswer again = calls->run(work);
    EXPECT_EQ(again.kind, Kind::Done)
        << base::enum_name(command) << " again: " << again.error.detail;
    EXPECT_EQ(cloud.status(vm.ref), status) << base::enum_name(command) << " again";
  }
};

TEST_F(Life, IsCreatedWithItsPortAndTagAndDeletedWithoutATrace) {
  const Vm vm{create_order("born"), {}};
  const BackendAnswer made = calls->run(vm.created);
  ASSERT_EQ(made.kind, Kind::Done) << made.error.detail;
  const std::string key = domain::correlation_key(vm.created.task, "vm.create");
  EXPECT_EQ(cloud.status(made.ref), "ACTIVE");
  EXPECT_EQ(cloud.servers_with_key(key), 1U);
  EXPECT_EQ(cloud.ports_named(key), 1U);
  EXPECT_THAT(made.result.text, HasSubstr(R"("host":"compute)"));
  EXPECT_THAT(made.result.text, HasSubstr(R"("ipv4":"10.20.)"));
  EXPECT_THAT(made.result.text, HasSubstr(R"("mac":"fa:16:3e)"));
  const BackendAnswer found = calls->lookup(vm.created, "vm.create");
  ASSERT_EQ(found.found.size(), 1U);
  EXPECT_EQ(found.found[0].ref, made.ref);
  remove({vm.created, made.ref});
  remove({vm.created, made.ref});  // not found is success
}

TEST_F(Life, GoesThroughAllPowerStates) {
  const Vm vm = create("power");
  expect_status(CommandKind::VmStop, vm, "SHUTOFF");
  expect_status(CommandKind::VmStart, vm, "ACTIVE");
  expect_status(CommandKind::VmPause, vm, "PAUSED");
  expect_status(CommandKind::VmUnpause, vm, "ACTIVE");
  expect_status(CommandKind::VmSuspend, vm, "SUSPENDED");
  expect_status(CommandKind::VmResume, vm, "ACTIVE");
  expect_status(CommandKind::VmReboot, vm, "ACTIVE");
  expect_status(CommandKind::VmReboot, vm, "ACTIVE", true);
  const BackendAnswer rebooted = calls->lookup(order(CommandKind::VmReboot, vm), "vm.reboot");
  EXPECT_EQ(rebooted.found.size(), 1U);
  const BackendAnswer rebuilt = calls->lookup(order(CommandKind::VmRebuild, vm), "vm.rebuild");
  EXPECT_TRUE(rebuilt.found.empty());
  remove(vm);
}

TEST_F(Life, ListsWhatIsThere) {
  const Vm vm = create("listed");
  const BackendAnswer answer = calls->inventory();
  ASSERT_TRUE(answer.inventory) << answer.error.detail;
  const domain::Inventory& all = *answer.inventory;
  const auto at = std::find_if(all.vms.begin(), all.vms.end(),
                               [&](const auto& seen) { return seen.ref == vm.ref; });
  ASSERT_NE(at, all.vms.end());
  EXPECT_EQ(at->vm, vm.created.vm);
  EXPECT_EQ(at->tag.installation, "bed-installation");
  EXPECT_EQ(at->tag.key, domain::correlation_key(vm.created.task, "vm.create"));
  EXPECT_EQ(at->state, domain::VmState::Running);
  EXPECT_EQ(at->size.flavor, "1");
  EXPECT_EQ(at->size.memory_mb, 512U);
  EXPECT_EQ(at->network_ref, cloud.network_id("private"));
  EXPECT_EQ(at->image_ref, cloud.image_id("cirros-0.5.1-x86_64-disk"));
  EXPECT_THAT(at->ipv4, HasSubstr("10.20."));
  EXPECT_THAT(at->host, HasSubstr("compute"));
  EXPECT_EQ(all.hosts.size(), 2U);
  EXPECT_TRUE(all.hosts.at(0).alive);
  EXPECT_EQ(all.hosts.at(0).vcpus, 1000U);
  EXPECT_GE(all.flavors.size(), 6U);
  EXPECT_GE(all.networks.size(), 3U);
  const auto image = std::find_if(all.images.begin(), all.images.end(), [](const auto& seen) {
    return seen.name == "cirros-0.5.1-x86_64-disk";
  });
  ASSERT_NE(image, all.images.end());
  EXPECT_TRUE(image->tag.installation.empty());
  remove(vm);
}

}  // namespace
}  // namespace slipway::workers::openstack::test
