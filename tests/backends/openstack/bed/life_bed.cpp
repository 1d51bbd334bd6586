// Every command, for real, and what came of it asked of the cloud directly.
#include <algorithm>

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

TEST_F(Life, IsResizedAndConfirmedOrReverted) {
  const Vm vm = create("resized");
  WorkOrder work = order(CommandKind::VmResize, vm);
  work.args.size = small();
  const BackendAnswer resized = calls->run(work);
  EXPECT_EQ(resized.kind, Kind::Done) << resized.error.detail;
  EXPECT_EQ(cloud.status(vm.ref), "ACTIVE");
  EXPECT_EQ(cloud.flavor_memory(vm.ref), 2048U);
  EXPECT_EQ(calls->lookup(work, "vm.resize").found.size(), 1U);
  EXPECT_EQ(calls->run(work).kind, Kind::Done);  // already so

  WorkOrder back = order(CommandKind::VmSetMemory, vm);
  back.spec.size = small();
  back.args.size = tiny();
  back.args.size->flavor.clear();
  ASSERT_EQ(calls->perform(back, "vm.resize", vm.ref).kind, Kind::Done);
  EXPECT_EQ(cloud.status(vm.ref), "VERIFY_RESIZE");
  const BackendAnswer reverted = calls->perform(back, "vm.resize", vm.ref, "vm.resize_revert");
  EXPECT_EQ(reverted.kind, Kind::Done) << reverted.error.detail;
  EXPECT_EQ(cloud.status(vm.ref), "ACTIVE");
  EXPECT_EQ(cloud.flavor_memory(vm.ref), 2048U);
  EXPECT_EQ(calls->perform(back, "vm.resize", vm.ref, "vm.resize_revert").kind, Kind::Done);
  remove(vm);
}

TEST_F(Life, MovesToAnotherHostLiveAndCold) {
  const Vm vm = create("moved");
  const std::string from = cloud.field(vm.ref, "OS-EXT-SRV-ATTR:host");
  const std::string to = from == "compute1" ? "compute2" : "compute1";
  WorkOrder live = order(CommandKind::VmMigrate, vm);
  live.args.live = true;
  live.args.host = to;
  const BackendAnswer moved = calls->run(live);
  EXPECT_EQ(moved.kind, Kind::Done) << moved.error.detail;
  EXPECT_EQ(cloud.field(vm.ref, "OS-EXT-SRV-ATTR:host"), to);
  EXPECT_THAT(moved.result.text, HasSubstr(to));
  EXPECT_EQ(calls->lookup(live, "vm.migrate").found.size(), 1U);
  EXPECT_EQ(calls->run(live).kind, Kind::Done);  // already there

  WorkOrder cold = order(CommandKind::VmMigrate, vm);
  cold.args.host = from;
  const BackendAnswer back = calls->run(cold);
  EXPECT_EQ(back.kind, Kind::Done) << back.error.detail;
  EXPECT_EQ(cloud.field(vm.ref, "OS-EXT-SRV-ATTR:host"), from);
  EXPECT_EQ(cloud.status(vm.ref), "ACTIVE");

  WorkOrder undone = order(CommandKind::VmMigrate, vm);
  undone.args.live = true;
  undone.args.host = to;
  ASSERT_EQ(calls->perform(undone, "vm.migrate", vm.ref).kind, Kind::Done);
  const BackendAnswer aborted = calls->perform(undone, "vm.migrate", vm.ref, "vm.migrate_abort");
  EXPECT_EQ(aborted.kind, Kind::Done) << aborted.error.detail;
  EXPECT_EQ(cloud.field(vm.ref, "OS-EXT-SRV-ATTR:host"), from);
  remove(vm);
}

TEST_F(Life, HasSnapshotsThatGoWithIt) {
  const Vm vm = create("snapped");
  WorkOrder take = order(CommandKind::VmSnapshotCreate, vm);
  take.args.snapshot = "before upgrade";
  const BackendAnswer taken = calls->run(take);
  ASSERT_EQ(taken.kind, Kind::Done) << taken.error.detail;
  EXPECT_EQ(cloud.image_status(taken.ref), "active");
  EXPECT_EQ(calls->run(take).ref, taken.ref);  // a repeat makes no other
  ASSERT_EQ(calls->lookup(take, "snapshot.create").found.size(), 1U);
  WorkOrder other = take;
  other.task = fresh_task();
  EXPECT_EQ(calls->run(other).error.code, base::Errc::NameTaken);
  const BackendAnswer all = calls->inventory();
  ASSERT_TRUE(all.inventory);
  for (const domain::SeenImage& image : all.inventory->images) EXPECT_NE(image.ref, taken.ref);

  WorkOrder restore = order(CommandKind::VmSnapshotRestore, vm);
  restore.args.snapshot = "before upgrade";
  const BackendAnswer restored = calls->run(restore);
  EXPECT_EQ(restored.kind, Kind::Done) << restored.error.detail;
  EXPECT_EQ(cloud.image_of(vm.ref), taken.ref);

  WorkOrder second = order(CommandKind::VmSnapshotCreate, vm);
  second.args.snapshot = "second";
  const BackendAnswer kept = calls->run(second);
  ASSERT_EQ(kept.kind, Kind::Done) << kept.error.detail;
  WorkOrder drop = order(CommandKind::VmSnapshotDelete, vm);
  drop.args.snapshot = "before upgrade";
  EXPECT_EQ(calls->run(drop).kind, Kind::Done);
  EXPECT_EQ(cloud.image_status(taken.ref), "GONE");
  EXPECT_EQ(calls->run(drop).kind, Kind::Done);
  remove(vm);
  EXPECT_EQ(cloud.image_status(kept.ref), "GONE");
}

TEST_F(Life, IsCapturedRebuiltAndRenamed) {
  const Vm vm = create("captured");
  WorkOrder capture = order(CommandKind::ImageCapture, vm);
  capture.args.name = prefix() + "image";
  const BackendAnswer saved = calls->run(capture);
  ASSERT_EQ(saved.kind, Kind::Done) << saved.error.detail;
  EXPECT_THAT(saved.result.text, HasSubstr("size_bytes"));
  EXPECT_EQ(cloud.image_status(saved.ref), "active");
  ASSERT_EQ(calls->lookup(capture, "image.create").found.size(), 1U);

  ASSERT_EQ(calls->run(order(CommandKind::VmStop, vm)).kind, Kind::Done);
  WorkOrder rebuild = order(CommandKind::VmRebuild, vm);
  rebuild.image_ref = saved.ref;
  const BackendAnswer rebuilt = calls->run(rebuild);
  EXPECT_EQ(rebuilt.kind, Kind::Done) << rebuilt.error.detail;
  EXPECT_EQ(cloud.image_of(vm.ref), saved.ref);
  EXPECT_EQ(cloud.status(vm.ref), "ACTIVE");
  EXPECT_EQ(calls->lookup(rebuild, "vm.rebuild").found.size(), 1U);

  WorkOrder rename = order(CommandKind::VmRename, vm);
  rename.args.name = prefix() + "renamed";
  EXPECT_EQ(calls->run(rename).kind, Kind::Done);
  EXPECT_EQ(cloud.field(vm.ref, "name"), prefix() + "renamed");

  WorkOrder drop = order(CommandKind::ImageDelete, vm);
  drop.image_ref = saved.ref;
  EXPECT_EQ(calls->run(drop).kind, Kind::Done);
  EXPECT_EQ(cloud.image_status(saved.ref), "GONE");
  EXPECT_EQ(calls->run(drop).kind, Kind::Done);
  remove(vm);
}

TEST_F(Life, IsConfiguredAndShown) {
  const Vm vm = create("configured");
  WorkOrder configure = order(CommandKind::VmSetAutoStart, vm);
  configure.args.guest = domain::GuestChange{};
  configure.args.guest->after = domain::GuestSpec{};
  configure.args.guest->after->auto_start = true;
  EXPECT_EQ(calls->run(configure).kind, Kind::Done);
  EXPECT_EQ(cloud.metadata(vm.ref, "slipway_auto_start"), "true");

  const BackendAnswer console =
      calls->perform(order(CommandKind::VmStart, vm), "vm.console_open", vm.ref);
  ASSERT_EQ(console.kind, Kind::Done) << console.error.detail;
  EXPECT_THAT(console.result.text, HasSubstr(R"("url":"http)"));

  WorkOrder credential = order(CommandKind::VmSetCredential, vm);
  credential.args.guest = domain::GuestChange{};
  credential.args.guest->secret = "secret-1";
  calls->secrets.add("secret-1", base::Secret("a-new-password"));
  const BackendAnswer set = calls->run(credential);  // the pretended hypervisor may or may not
  EXPECT_THAT(set.error.detail, testing::Not(HasSubstr("a-new-password")));

  const BackendAnswer media = calls->run(order(CommandKind::VmMediaEject, vm));
  EXPECT_EQ(media.error.code, base::Errc::BackendRefused);
  EXPECT_EQ(media.error.detail, "media.eject is not offered by this cloud");
  remove(vm);
}

}  // namespace
}  // namespace slipway::workers::openstack::test
