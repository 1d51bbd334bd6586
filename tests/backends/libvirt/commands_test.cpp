// The commands on a VM that is there, as far as libvirt's test driver has them; those that it has
// not must be refused as errors of ours.
#include <gmock/gmock.h>

#include "tests/backends/libvirt/test_host.hpp"

namespace slipway::workers::libvirt::test {
namespace {

using Kind = BackendAnswer::Kind;
using testing::HasSubstr;

class Commands : public testing::Test {
 protected:
  void SetUp() override {
    static std::uint64_t number = 1000;
    created = create_order(++number);
    created.spec.ipv4 = 0;
    const BackendAnswer answer = driver.run(created);
    ASSERT_EQ(answer.kind, Kind::Done) << answer.error.detail;
    ref = answer.ref;
  }
  static std::unique_ptr<Backend> open() {
    Options options = test_options();
    options.hot_vcpus = 4;
    options.hot_memory = 2;
    auto backend = LibvirtBackend::open(options);
    return std::move(*backend);
  }
  domain::WorkOrder order(CommandKind kind) { return order_on(created, kind, ref, next_task++); }
  domain::WorkOrder change(CommandKind kind, domain::GuestChange with) {
    domain::WorkOrder out = order(kind);
    out.args.guest.emplace() = std::move(with);
    return out;
  }
  domain::SeenVm seen() {
    const BackendAnswer all = driver.inventory();
    for (const auto& vm : all.inventory->vms) {
      if (vm.ref == ref) return vm;
    }
    return {};
  }
  std::string xml() {
    const Domain domain = host.domain(ref);
    char* text = virDomainGetXMLDesc(domain.get(), VIR_DOMAIN_XML_INACTIVE);
    std::string copy = text == nullptr ? "" : text;
    std::free(text);  // NOLINT
    return copy;
  }

  TestHost host;
  Driver driver{open()};
  domain::WorkOrder created;
  std::string ref;
  std::uint64_t next_task = 5000;
};

TEST_F(Commands, AResizeChangesCoresAndMemoryWhileItRuns) {
  auto resize = order(CommandKind::VmSetCores);
  resize.args.size = domain::Size{"", 2, 192, 1};
  const BackendAnswer answer = driver.run(resize);
  ASSERT_EQ(answer.kind, Kind::Done) << answer.error.detail;
  EXPECT_EQ(seen().size.vcpus, 2U);
  EXPECT_EQ(seen().size.memory_mb, 192U);
  EXPECT_EQ(host.state(ref), VIR_DOMAIN_RUNNING);
}

TEST_F(Commands, ARevertedResizeLeavesTheSizeItHad) {
  auto resize = order(CommandKind::VmSetCores);
  resize.args.size = domain::Size{"", 4, 256, 1};
  auto work = work_of(resize);
  ASSERT_EQ(driver.step(work, "vm.resize", ref).kind, Kind::Done);
  EXPECT_EQ(driver.lookup(work, "vm.resize").found.size(), 1U);
  ASSERT_EQ(driver.undo(work, "vm.resize", ref).kind, Kind::Done);
  EXPECT_EQ(seen().size.vcpus, 1U);
  EXPECT_EQ(seen().size.memory_mb, 128U);
  EXPECT_TRUE(driver.lookup(work, "vm.resize", true).found.empty());
}

TEST_F(Commands, MoreThanItsRoomToGrowWaitsForTheNextStartAndSaysSo) {
  auto resize = order(CommandKind::VmSetMemory);
  resize.args.size = domain::Size{"", 1, 1024, 1};
  auto work = work_of(resize);
  ASSERT_EQ(driver.step(work, "vm.resize", ref).kind, Kind::Done);
  EXPECT_THAT(driver.messages, testing::Contains("memory change at the VM's next start"));
  EXPECT_THAT(xml(), HasSubstr("<currentMemory unit='KiB'>1048576</currentMemory>"));
}

TEST_F(Commands, ARenamedVmIsListedByItsNewName) {
  auto rename = order(CommandKind::VmRename);
  rename.args.name = "web & <mail>";
  ASSERT_EQ(driver.run(rename).kind, Kind::Done);
  EXPECT_EQ(seen().name, "web & <mail>");
}

TEST_F(Commands, SnapshotsFormATreeAndKeepTheirMakers) {
  auto take = order(CommandKind::VmSnapshotCreate);
  take.args.snapshot = "first";
  take.args.description = "before the change";
  BackendAnswer answer = driver.run(take);
  ASSERT_EQ(answer.kind, Kind::Done) << answer.error.detail;
  EXPECT_EQ(answer.ref, ref + "/first");
  EXPECT_EQ(driver.run(take).kind, Kind::Done) << "the same step again";
  EXPECT_EQ(driver.lookup(work_of(take), "snapshot.create").found.size(), 1U);

  auto same_name = order(CommandKind::VmSnapshotCreate);
  same_name.args.snapshot = "first";
  EXPECT_EQ(driver.run(same_name).error.code, base::Errc::NameTaken);
  EXPECT_EQ(driver.undo(work_of(same_name), "snapshot.create", ref + "/first").kind, Kind::Done);
  EXPECT_EQ(driver.lookup(work_of(take), "snapshot.create").found.size(), 1U)
      << "an undo takes away only its own";

  auto second = order(CommandKind::VmSnapshotCreate);
  second.args.snapshot = "second";
  ASSERT_EQ(driver.run(second).kind, Kind::Done);
  const Domain domain = host.domain(ref);
  const DomainSnapshot child(virDomainSnapshotLookupByName(domain.get(), "second", 0));
  const DomainSnapshot parent(virDomainSnapshotGetParent(child.get(), 0));
  EXPECT_STREQ(virDomainSnapshotGetName(parent.get()), "first");

  auto restore = order(CommandKind::VmSnapshotRestore);
  restore.args.snapshot = "first";
  answer = driver.run(restore);
  EXPECT_EQ(answer.kind, Kind::Done) << answer.error.detail;
  const DomainSnapshot current(virDomainSnapshotCurrent(domain.get(), 0));
  EXPECT_STREQ(virDomainSnapshotGetName(current.get()), "first");

  auto remove = order(CommandKind::VmSnapshotDelete);
  remove.args.snapshot = "second";
  EXPECT_EQ(driver.run(remove).kind, Kind::Done);
  EXPECT_EQ(driver.run(remove).kind, Kind::Done);
  EXPECT_EQ(virDomainSnapshotNum(domain.get(), 0), 1);
}

TEST_F(Commands, AVmWithSnapshotsAndSavedMemoryIsDeletedWhole) {
  auto take = order(CommandKind::VmSnapshotCreate);
  take.args.snapshot = "kept";
  ASSERT_EQ(driver.run(take).kind, Kind::Done);
  ASSERT_EQ(driver.run(order(CommandKind::VmSuspend)).kind, Kind::Done);
  const BackendAnswer answer = driver.run(order(CommandKind::VmDelete));
  EXPECT_EQ(answer.kind, Kind::Done) << answer.error.detail;
  EXPECT_EQ(host.domain(ref), nullptr);
}

TEST_F(Commands, AStoppedVmsDiskBecomesAnImage) {
  ASSERT_EQ(driver.run(order(CommandKind::VmStop)).kind, Kind::Done);
  auto capture = order(CommandKind::ImageCapture);
  const BackendAnswer answer = driver.run(capture);
  ASSERT_EQ(answer.kind, Kind::Done) << answer.error.detail;
  EXPECT_THAT(answer.result.text, HasSubstr("size_bytes"));
  EXPECT_THAT(driver.inventory().inventory->images,
              testing::Contains(testing::Field(&domain::SeenImage::ref, answer.ref)));
  auto work = work_of(capture);
  EXPECT_EQ(driver.lookup(work, "image.create").found.size(), 1U);

  auto remove = order(CommandKind::ImageDelete);
  remove.spec = {};
  remove.image_ref = answer.ref;
  EXPECT_EQ(driver.run(remove).kind, Kind::Done);
  EXPECT_THAT(host.volumes(), testing::Not(testing::Contains(answer.ref)));
}

TEST_F(Commands, AnImageThatDisksAreMadeOnIsNotDeleted) {
  auto remove = order(CommandKind::ImageDelete);
  remove.image_ref = "base.qcow2";
  const BackendAnswer answer = driver.run(remove);
  EXPECT_EQ(answer.error.code, base::Errc::ResourceBusy) << answer.error.detail;
  EXPECT_THAT(host.volumes(), testing::Contains("base.qcow2"));
}

TEST_F(Commands, ItStartsWithItsHostWhenItIsSetTo) {
  domain::GuestSpec after;
  after.auto_start = true;
  domain::GuestChange set;
  set.after.emplace() = after;
  ASSERT_EQ(driver.run(change(CommandKind::VmSetAutoStart, set)).kind, Kind::Done);
  int on = 0;
  const Domain domain = host.domain(ref);
  ASSERT_EQ(virDomainGetAutostart(domain.get(), &on), 0);
  EXPECT_EQ(on, 1);
}

TEST_F(Commands, WhatTheDriverCannotDoIsRefusedForGood) {
  domain::GuestChange medium;
  auto insert = change(CommandKind::VmMediaInsert, medium);
  insert.media_name = "base.qcow2";
  for (const domain::WorkOrder& o : {insert}) {
    const BackendAnswer answer = driver.run(o);
    EXPECT_EQ(answer.error.code, base::Errc::BackendRefused);
    EXPECT_FALSE(answer.error.retryable);
    EXPECT_THAT(answer.error.detail, HasSubstr("cannot change the medium: "));
  }
  auto migrate = order(CommandKind::VmMigrate);
  migrate.args.host = "elsewhere";
  EXPECT_EQ(driver.run(migrate).error.code, base::Errc::InvalidArgument);
}

TEST_F(Commands, ASecretThatCannotBeSetAppearsInNoError) {
  domain::GuestChange set;
  set.admin_name = "root";
  set.secret = "ref-1";
  for (const CommandKind kind : {CommandKind::VmSetCredential, CommandKind::VmConsoleResetSecret}) {
    Secrets secrets;
    secrets.add("ref-1", base::Secret("hunter22"));
    const BackendAnswer answer = driver.run(change(kind, set), std::move(secrets));
    EXPECT_THAT(answer.error.detail, testing::Not(HasSubstr("hunter22")));
    // The driver takes any password, but updates no device.
    EXPECT_EQ(answer.kind, kind == CommandKind::VmSetCredential ? Kind::Done : Kind::Failed);
  }
}

TEST_F(Commands, ACommandOnAVmThatIsGoneIsNotFound) {
  ASSERT_EQ(driver.run(order(CommandKind::VmDelete)).kind, Kind::Done);
  for (const CommandKind kind : {CommandKind::VmStart, CommandKind::VmPause, CommandKind::VmReboot,
                                 CommandKind::VmRename, CommandKind::VmSnapshotRestore}) {
    EXPECT_EQ(driver.run(order(kind)).error.code, base::Errc::NotFound);
  }
}

TEST_F(Commands, AnUnreachableCellFailsOnItsOwnAndTheOtherGoesOn) {
  Options options = test_options();
  options.cells.push_back({.name = "host-2",
                           .uri = "qemu+unix:///system?socket=/nonexistent/libvirt-sock",
                           .storage_pool = "default-pool"});
  Driver two{std::move(*LibvirtBackend::open(options))};
  auto there = create_order(77);
  there.spec.host = "host-2";
  const BackendAnswer failed = two.run(there);
  EXPECT_EQ(failed.error.code, base::Errc::BackendUnavailable);
  EXPECT_TRUE(failed.error.retryable);
  EXPECT_TRUE(failed.error.one_host);
  EXPECT_EQ(two.run(order(CommandKind::VmPause)).kind, Kind::Done);
  const BackendAnswer all = two.inventory();
  ASSERT_EQ(all.kind, Kind::Done);
  EXPECT_EQ(all.inventory->silent_hosts, std::vector<std::string>{"host-2"});
  EXPECT_TRUE(all.inventory->parts.empty()) << "nobody can know whether they are of use";
}

TEST_F(Commands, WhatItUsesIsReadWhileItRunsAndItsConsoleIsWhereItListens) {
  const auto look = work_of(order(CommandKind::VmStart));
  const BackendAnswer stats = driver.step(look, "vm.stats", ref);
  ASSERT_EQ(stats.kind, Kind::Done) << stats.error.detail;
  EXPECT_THAT(stats.result.text, HasSubstr(R"("memory_used_mb":)"));
  const BackendAnswer console = driver.step(look, "vm.console_open", ref);
  EXPECT_THAT(console.result.text + console.error.detail,
              testing::AnyOf(HasSubstr("vnc://"), HasSubstr("no console")));
  ASSERT_EQ(driver.run(order(CommandKind::VmStop)).kind, Kind::Done);
  const BackendAnswer stopped = driver.step(look, "vm.stats", ref);
  EXPECT_EQ(stopped.error.code, base::Errc::IllegalTransition) << stopped.error.detail;
}

}  // namespace
}  // namespace slipway::workers::libvirt::test
