#include <gtest/gtest.h>

#include "core/domain/guest_rules.hpp"
#include "tests/domain/story.hpp"

// A guest's parts: how it is measured out, named and changed.
namespace slipway::domain::testing {
namespace {

CreateVm guest_body(std::uint64_t n) {
  CreateVm body = create_body(n);
  GuestSpec guest;
  guest.owner = "admin";
  guest.pool = "default";
  guest.memory = 1024;
  guest.disks = {4048, 2048};
  body.guest = guest;
  body.flavor.clear();
  body.size = *size_of_guest(2, guest.memory, guest.disks);
  return body;
}

Command create_guest(std::uint64_t n) {
  Command c = create(n);
  c.body = guest_body(n);
  return c;
}

Story running_guest() {
  Story s;
  s.given(create_guest(1)).when_leased(1);
  WorkerReport r = step_done(1, s.live(1).token, "vm.create", "sim-1");
  r.outcome.emplace();
  s.when(r).accepted();
  return s;
}

ActOnVm change(CommandKind kind, const GuestChange& change) {
  ActOnVm act;
  act.kind = kind;
  act.vm = vm(1);
  act.args.guest = change;
  return act;
}

// The worker carries it out; repeatable steps leave no record.
void succeed(Story& s, std::uint64_t n) {
  s.when_leased(n);
  WorkerReport r = ends(n, s.live(n).token, OutcomeKind::Succeeded);
  s.when(r).accepted();
}

TEST(GuestSize, NumbersBelowOneMebiAreMegabytes) {
  EXPECT_EQ(in_megabytes(4048), 4048U);
  EXPECT_EQ(in_megabytes(4294967296), 4096U);
  EXPECT_EQ(in_megabytes(4294967297), 4097U);
  const auto size = size_of_guest(8, 4048, {4048, 38443});
  ASSERT_TRUE(size.has_value());
  EXPECT_EQ(size->flavor, "c8m4048d42");
  EXPECT_EQ(size->disk_gb, 42U);
}

TEST(GuestSize, RefusesWhatNoMachineHas) {
  EXPECT_FALSE(size_of_guest(0, 1024, {1024}));
  EXPECT_FALSE(size_of_guest(1, 0, {1024}));
  EXPECT_FALSE(size_of_guest(1, 1024, {}));
  EXPECT_FALSE(size_of_guest(1, 1024, {1024, 0}));
  EXPECT_FALSE(size_of_guest(1, ~std::uint64_t{0}, {1024}));
  EXPECT_FALSE(size_of_guest(5000, 1024, {1024}));
}

TEST(CreateGuest, ThePrivateFlavorIsDefinedByTheFirstThatHasIt) {
  Story s;
  s.when(create_guest(1))
      .then({"command-1 CommandAccepted", "flavor-c2m1024d6 FlavorDefined", "vm-1 VmRequested",
             "task-1 TaskQueued"});
  s.when(create_guest(2))
      .then({"command-2 CommandAccepted", "vm-2 VmRequested", "task-2 TaskQueued"});
  ASSERT_NE(s.world.flavor("c2m1024d6"), nullptr);
  EXPECT_FALSE(s.world.flavor("c2m1024d6")->is_public);
}

TEST(CreateGuest, ABatchDefinesItOnce) {
  Story s;
  std::vector<BatchItem> items{{task(11), guest_body(11)}, {task(12), guest_body(12)}};
  s.when(batch(10, items)).accepted();
  const std::string all = lines(s.last);
  EXPECT_EQ(all.find("FlavorDefined"), all.rfind("FlavorDefined"));
  EXPECT_NE(all.find("FlavorDefined"), std::string::npos);
}

TEST(CreateGuest, APoolThatHasNoHostIsRefused) {
  Story s;
  Command c = create_guest(1);
  std::get<CreateVm>(c.body).guest->pool = "elsewhere";
  s.when(c).refused(Errc::UnprocessableArgument);
}

TEST(CreateGuest, AnAddressThatIsAskedForIsGivenOnce) {
  Story s;
  s.given(create_guest(1));
  const std::uint32_t first = s.world.vm(vm(1))->spec.ipv4;
  Command c = create_guest(2);
  std::get<CreateVm>(c.body).ipv4 = first;
  s.when(c).refused(Errc::UnprocessableArgument);
  std::get<CreateVm>(c.body).ipv4 = first + 3;
  s.when(c).accepted();
  for (std::uint64_t n = 3; n < 6; ++n) s.given(create_guest(n));
  std::set<std::uint32_t> seen;
  s.world.each_vm([&](const Vm& v) { seen.insert(v.spec.ipv4); });
  EXPECT_EQ(seen.size(), 5U);
  EXPECT_TRUE(seen.contains(first + 3));
}

TEST(CreateGuest, ANameByRuleFollowsTheAddress) {
  Story s;
  Command c = create_guest(1);
  std::get<CreateVm>(c.body).name = "test";
  std::get<CreateVm>(c.body).name_rule = "MAC";
  s.given(c);
  const Vm& by_mac = *s.world.vm(vm(1));
  EXPECT_EQ(by_mac.spec.name.substr(0, 11), "test_fa163e");
  EXPECT_EQ(by_mac.spec.name.size(), 5U + 12U);
  Command d = create_guest(2);
  std::get<CreateVm>(d.body).name = "";
  std::get<CreateVm>(d.body).name_rule = "address";
  s.given(d);
  const VmSpec& by_address = s.world.vm(vm(2))->spec;
  std::string expected = ipv4_text(by_address.ipv4);
  std::replace(expected.begin(), expected.end(), '.', '-');
  EXPECT_EQ(by_address.name, expected);
  EXPECT_EQ(s.live(2).resources[0].name, expected);
}

TEST(GuestCores, AreAResizeToAPrivateFlavor) {
  Story s = running_guest();
  GuestChange cores;
  cores.cores = 4;
  s.when(act(2, change(CommandKind::VmSetCores, cores)))
      .then({"command-2 CommandAccepted", "flavor-c4m1024d6 FlavorDefined", "vm-1 VmStateChanged",
             "task-2 TaskQueued"});
  EXPECT_EQ(s.vm_state(1), VmState::Resizing);
  // Both sizes are held until it is decided which it is.
  EXPECT_EQ(s.world.usage("demo").vcpus, 4U);
  s.when_leased(2);
  WorkerReport done = step_done(2, 1, "vm.resize", "sim-1");
  done.outcome.emplace();
  s.when(done).then({"task-2 TaskStepDone", "task-2 TaskSucceeded", "vm-1 VmResized",
                     "vm-1 VmConfigured", "vm-1 VmStateChanged"});
  EXPECT_EQ(s.world.vm(vm(1))->spec.size.vcpus, 4U);
  EXPECT_EQ(s.vm_state(1), VmState::Running);
}

TEST(GuestCores, NoRoomOnTheHostIsARefusal) {
  Story s = running_guest();
  GuestChange cores;
  cores.cores = 9;  // a host has 8
  s.when(act(2, change(CommandKind::VmSetCores, cores))).refused(Errc::CapacityExhausted);
  cores.cores = 0;
  s.when(act(2, change(CommandKind::VmSetCores, cores))).refused(Errc::UnprocessableArgument);
}

TEST(GuestMemory, IsShownAsItWasGiven) {
  Story s = running_guest();
  GuestChange memory;
  memory.memory = 2147483648;
  s.given(act(2, change(CommandKind::VmSetMemory, memory))).when_leased(2);
  WorkerReport done = step_done(2, 1, "vm.resize", "sim-1");
  done.outcome.emplace();
  s.when(done).accepted();
  EXPECT_EQ(s.world.vm(vm(1))->spec.size.memory_mb, 2048U);
  EXPECT_EQ(s.world.vm(vm(1))->spec.guest->memory, 2147483648U);
}

TEST(GuestDisk, GrowsAndNeverShrinksBySize) {
  Story s = running_guest();
  GuestChange disk;
  disk.disk = 1;
  disk.disk_size = 1024;
  s.when(act(2, change(CommandKind::VmDiskResize, disk))).refused(Errc::UnprocessableArgument);
  disk.disk = 2;
  disk.disk_size = 8192;
  s.when(act(2, change(CommandKind::VmDiskResize, disk))).refused(Errc::UnprocessableArgument);
  disk.disk = 1;
  s.when(act(2, change(CommandKind::VmDiskResize, disk))).accepted();
  EXPECT_NE(s.world.flavor("c2m1024d12"), nullptr);
  EXPECT_EQ(s.world.vm(vm(1))->resize_to->disk_gb, 12U);
}

TEST(GuestParts, AChangeWithoutAStateKeepsTheState) {
  Story s = running_guest();
  GuestChange start;
  start.auto_start = true;
  s.given(act(2, change(CommandKind::VmSetAutoStart, start)));
  EXPECT_EQ(s.vm_state(1), VmState::Running);
  succeed(s, 2);
  EXPECT_TRUE(s.world.vm(vm(1))->spec.guest->auto_start);
  EXPECT_EQ(s.world.vm(vm(1))->spec.guest->owner, "admin");
}

TEST(GuestParts, EachLimitLeavesTheOthers) {
  Story s = running_guest();
  GuestChange cpu;
  cpu.qos.emplace().cpu_priority = "high";
  cpu.qos_part = "cpu";
  s.given(act(2, change(CommandKind::VmSetQos, cpu)));
  succeed(s, 2);
  GuestChange disk;
  disk.qos.emplace().read_iops = 500;
  disk.qos_part = "disk";
  s.given(act(3, change(CommandKind::VmSetQos, disk)));
  succeed(s, 3);
  EXPECT_EQ(s.world.vm(vm(1))->spec.guest->qos->cpu_priority, "high");
  EXPECT_EQ(s.world.vm(vm(1))->spec.guest->qos->read_iops, 500U);
}

TEST(GuestParts, AFailureThatChangedNothingIsHarmless) {
  Story s = running_guest();
  GuestChange start;
  start.auto_start = true;
  s.given(act(2, change(CommandKind::VmSetAutoStart, start))).when_leased(2);
  s.when(ends(2, 1, OutcomeKind::Failed)).accepted();
  EXPECT_EQ(s.vm_state(1), VmState::Running);
  EXPECT_FALSE(s.world.vm(vm(1))->spec.guest->auto_start);
}

TEST(GuestParts, ACredentialIsAReference) {
  Story s = running_guest();
  GuestChange credential;
  credential.admin_name = "root";
  credential.secret = "admin-2";
  s.given(act(2, change(CommandKind::VmSetCredential, credential)));
  succeed(s, 2);
  EXPECT_EQ(s.world.vm(vm(1))->spec.admin_secret, "admin-2");
  EXPECT_EQ(s.world.vm(vm(1))->spec.guest->admin_name, "root");
}

Image media_image(std::uint64_t n) {
  Image image;
  image.id = testing::image(n);
  image.name = "centos";
  image.tenant = "demo";
  image.traits.emplace().kind = ImageKind::Media;
  return image;
}

Command image_command(std::uint64_t n, CommandBody body) {
  Command c = create(n);
  c.body = std::move(body);
  return c;
}

TEST(Media, OnlyASavedMediaImageIsInsertedAndOneAtATime) {
  Story s = running_guest();
  GuestChange media;
  media.media = image(70);
  const ActOnVm insert = change(CommandKind::VmMediaInsert, media);
  s.when(act(2, change(CommandKind::VmMediaEject, {}))).refused(Errc::IllegalTransition);
  s.when(act(2, insert)).refused(Errc::UnprocessableArgument);
  s.given(image_command(60, RegisterImage{media_image(70)}));
  s.when(act(2, insert)).refused(Errc::IllegalTransition);  // no bytes yet
  s.given(image_command(61, StoreImage{image(70), 5, "m", "s"}));
  s.given(act(2, insert));
  succeed(s, 2);
  EXPECT_EQ(s.world.vm(vm(1))->spec.guest->media, image(70));
  s.when(act(3, insert)).refused(Errc::IllegalTransition);
  s.given(act(4, change(CommandKind::VmMediaEject, {})));
  succeed(s, 4);
  EXPECT_TRUE(s.world.vm(vm(1))->spec.guest->media.is_nil());
}

TEST(Media, AMediaImageIsNoSystem) {
  Story s;
  s.given(image_command(60, RegisterImage{media_image(70)}));
  s.given(image_command(61, StoreImage{image(70), 5, "m", "s"}));
  Command c = create_guest(1);
  std::get<CreateVm>(c.body).image = base::to_string(image(70));
  s.when(c).refused(Errc::UnprocessableArgument);
}

TEST(Media, AStartMayBringIt) {
  Story s = running_guest();
  s.vm_in(1, VmState::Stopped);
  s.given(image_command(60, RegisterImage{media_image(70)}));
  s.given(image_command(61, StoreImage{image(70), 5, "m", "s"}));
  GuestChange boot;
  boot.boot = "media";
  boot.media = image(70);
  s.given(act(2, change(CommandKind::VmStart, boot)));
  succeed(s, 2);
  EXPECT_EQ(s.vm_state(1), VmState::Running);
  EXPECT_EQ(s.world.vm(vm(1))->spec.guest->media, image(70));
}

TEST(Images, AnUploadMakesAQueuedOneSaved) {
  Story s;
  s.when(image_command(60, RegisterImage{media_image(70)}))
      .then(followed(60, {"image-70 ImageQueued"}));
  EXPECT_EQ(s.world.image(image(70))->state, ImageState::Queued);
  s.when(image_command(61, StoreImage{image(70), 5, "m", "s"}))
      .then(followed(61, {"image-70 ImageStored"}));
  const LiveImage& live = *s.world.image(image(70));
  EXPECT_EQ(live.state, ImageState::Saved);
  EXPECT_EQ(live.image.size_bytes, 5U);
  EXPECT_TRUE(live.image.traits->stored);
}

TEST(Images, AnotherTenantsAreNotFound) {
  Story s;
  s.given(image_command(60, RegisterImage{media_image(70)}));
  Command foreign = image_command(61, StoreImage{image(70), 5, "m", "s"});
  foreign.caller = caller("other");
  s.when(foreign).refused(Errc::NotFound);
  UpdateImage update;
  update.image = image(70);
  foreign.body = update;
  s.when(foreign).refused(Errc::NotFound);
  foreign.body = DeleteImage{image(70)};
  s.when(foreign).refused(Errc::NotFound);
}

TEST(Images, AnUpdateChangesWhatItNames) {
  Story s;
  s.given(image_command(60, RegisterImage{media_image(70)}));
  UpdateImage update;
  update.image = image(70);
  update.name = "renamed";
  update.tags = {"linux"};
  s.given(image_command(61, update));
  const LiveImage& live = *s.world.image(image(70));
  EXPECT_EQ(live.image.name, "renamed");
  EXPECT_TRUE(live.image.is_media());
  EXPECT_EQ(s.world.image_by_name("centos", "demo"), nullptr);
  EXPECT_EQ(s.world.image_by_name("renamed", "demo"), &live);
  update.kind = ImageKind::Disk;
  s.when(image_command(62, update)).refused(Errc::NotFound);
}

TEST(Images, WhatTheServerKeepsGoesWithoutAWorker) {
  Story s;
  s.given(image_command(60, RegisterImage{media_image(70)}));
  s.when(image_command(61, DeleteImage{image(70)}))
      .then({"command-61 CommandAccepted", "task-61 TaskQueued", "task-61 TaskLeased",
             "image-70 ImageDeleted", "task-61 TaskSucceeded"});
  EXPECT_EQ(s.world.image(image(70)), nullptr);
}

TEST(DeleteGuest, IsRefusedWhileItRunsUnlessForced) {
  Story s = running_guest();
  ActOnVm gone;
  gone.kind = CommandKind::VmDelete;
  gone.vm = vm(1);
  gone.force = false;
  s.when(act(2, gone)).refused(Errc::IllegalTransition);
  EXPECT_EQ(s.error.message, "instance '" + base::to_string(vm(1)) + "' is still running");
  gone.force = true;
  s.when(act(2, gone)).accepted();
  EXPECT_EQ(s.vm_state(1), VmState::Deleting);
}

TEST(Snapshots, KnowWhetherTheVmRan) {
  Story s = running_guest();
  ActOnVm snapshot;
  snapshot.kind = CommandKind::VmSnapshotCreate;
  snapshot.vm = vm(1);
  snapshot.args.snapshot = "first";
  s.given(act(2, snapshot)).when_leased(2);
  WorkerReport done = step_done(2, 1, "snapshot.create", "sim-1/first");
  done.outcome.emplace();
  s.when(done).accepted();
  ASSERT_EQ(s.world.vm(vm(1))->snapshots.size(), 1U);
  EXPECT_TRUE(s.world.vm(vm(1))->snapshots[0].running);
}

TEST(GuestWorld, ASnapshotOfItIsTheSame) {
  Story s = running_guest();
  s.given(image_command(60, RegisterImage{media_image(70)}));
  EXPECT_EQ(s.restored().dump_for_test(), s.world.dump_for_test());
}

}  // namespace
}  // namespace slipway::domain::testing
