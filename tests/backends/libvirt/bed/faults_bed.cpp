// What goes wrong with cells: each fault alone, and what the other cell does meanwhile.
#include <gmock/gmock.h>

#include "tests/backends/libvirt/bed/bed.hpp"

namespace slipway::workers::libvirt::test {
namespace {

using Kind = BackendAnswer::Kind;

class BedFaults : public testing::Test {
 protected:
  static std::unique_ptr<Backend> open() {
    Options options = bed_options(false);
    options.call_timeout = 6s;
    return std::move(*LibvirtBackend::open(options));
  }
  std::string create(const domain::WorkOrder& order) {
    const BackendAnswer answer = driver.run(order);
    EXPECT_EQ(answer.kind, Kind::Done) << answer.error.detail;
    return answer.ref;
  }
  void remove(const domain::WorkOrder& created, const std::string& ref) {
    const BackendAnswer answer = driver.run(bed_order_on(created, CommandKind::VmDelete, ref));
    EXPECT_EQ(answer.kind, Kind::Done) << answer.error.detail;
  }
  BackendAnswer act(const domain::WorkOrder& created, CommandKind kind, const std::string& ref) {
    return driver.run(bed_order_on(created, kind, ref));
  }

  Driver driver{open()};
};

TEST_F(BedFaults, AfterTheDaemonsRestartTheNextCallFindsItsVm) {
  const auto order = bed_order(10);
  const std::string ref = create(order);
  cell("kill cell-a");
  const BackendAnswer failed = act(order, CommandKind::VmPause, ref);
  EXPECT_EQ(failed.error.code, base::Errc::BackendUnavailable) << failed.error.detail;
  EXPECT_TRUE(failed.error.retryable);
  EXPECT_TRUE(failed.error.one_host);
  cell("start cell-a");
  EXPECT_EQ(act(order, CommandKind::VmPause, ref).kind, Kind::Done);
  remove(order, ref);
}

TEST_F(BedFaults, AFrozenCellIsCutOffAtTheDeadlineWhileTheOtherGoesOn) {
  const auto here = bed_order(11, "cell-a");
  const auto there = bed_order(12, "cell-b");
  const std::string ref_here = create(here);
  const std::string ref_there = create(there);
  cell("freeze cell-a");
  std::optional<BackendAnswer> hung;
  const auto start = std::chrono::steady_clock::now();
  driver.ask(
      work_of(bed_order_on(here, CommandKind::VmPause, ref_here)), "vm.pause",
      [&](BackendAnswer&& answer) { hung = std::move(answer); }, ref_here);
  EXPECT_EQ(act(there, CommandKind::VmPause, ref_there).kind, Kind::Done);
  EXPECT_LT(std::chrono::steady_clock::now() - start, 3s) << "the other cell waited";
  ASSERT_TRUE(driver.wait_for([&] { return hung.has_value(); }, 10s));
  EXPECT_LT(std::chrono::steady_clock::now() - start, 7s);
  EXPECT_TRUE(hung->error.retryable) << hung->error.detail;
  const BackendAnswer all = driver.inventory();
  ASSERT_EQ(all.kind, Kind::Done) << all.error.detail;
  EXPECT_EQ(all.inventory->silent_hosts, std::vector<std::string>{"cell-a"});
  cell("thaw cell-a");
  ASSERT_TRUE(driver.wait_for(
      [&] { return act(here, CommandKind::VmPause, ref_here).kind == Kind::Done; }, 30s));
  remove(here, ref_here);
  remove(there, ref_there);
}

TEST_F(BedFaults, ACellWithoutPowerIsSilentAndItsVmsAreStoppedWhenItIsBack) {
  const auto order = bed_order(13);
  const std::string ref = create(order);
  cell("off cell-a");
  const BackendAnswer all = driver.inventory();
  ASSERT_EQ(all.kind, Kind::Done) << all.error.detail;
  EXPECT_EQ(all.inventory->silent_hosts, std::vector<std::string>{"cell-a"});
  cell("on cell-a");
  const BackendAnswer back = driver.inventory();
  bool seen = false;
  for (const auto& vm : back.inventory->vms) {
    if (vm.ref != ref) continue;
    seen = true;
    EXPECT_EQ(vm.state, domain::VmState::Stopped);
  }
  EXPECT_TRUE(seen);
  EXPECT_EQ(act(order, CommandKind::VmStart, ref).kind, Kind::Done);
  remove(order, ref);
}

class BedEvacuation : public testing::Test {
 protected:
  static domain::WorkOrder evacuation(const domain::WorkOrder& created, const std::string& ref) {
    domain::WorkOrder order = bed_order_on(created, CommandKind::VmMigrate, ref);
    order.args.host = "cell-b";
    order.args.evacuate = true;
    return order;
  }
  static bool is_defined(const std::string& name, const std::string& ref) {
    const std::string line = "virsh -q -c 'qemu+unix:///system?socket=" + state_dir() + "/" + name +
                             "/run/libvirt-sock' dominfo " + ref + " > /dev/null 2>&1";
    return std::system(line.c_str()) == 0;  // NOLINT: a witness beside the library
  }
  Driver driver{std::move(*LibvirtBackend::open(bed_options()))};
};

TEST_F(BedEvacuation, AVmOfALostCellRunsOnAnotherAndStaysThereWhenTheCellIsBack) {
  auto order = bed_order(17);
  const BackendAnswer made = driver.run(order);
  ASSERT_EQ(made.kind, Kind::Done) << made.error.detail;
  const Guest guest(made.ref);
  ASSERT_TRUE(driver.wait_for([&] { return guest.beats() > 0; }, 90s));
  cell("off cell-a");
  const BackendAnswer moved = driver.run(evacuation(order, made.ref));
  ASSERT_EQ(moved.kind, Kind::Done) << moved.error.detail;
  EXPECT_EQ(facts_of(moved).host, "cell-b");
  cell("on cell-a");
  EXPECT_TRUE(is_defined("cell-a", made.ref));
  const BackendAnswer all = driver.inventory();
  ASSERT_EQ(all.inventory->vms.size(), 1U);
  EXPECT_EQ(all.inventory->vms[0].host, "cell-b");
  EXPECT_FALSE(is_defined("cell-a", made.ref)) << "it would start there again";
  order.spec.host = "cell-b";
  const BackendAnswer gone = driver.run(bed_order_on(order, CommandKind::VmDelete, made.ref));
  EXPECT_EQ(gone.kind, Kind::Done) << gone.error.detail;
  EXPECT_TRUE(driver.inventory().inventory->parts.empty());
}

TEST_F(BedEvacuation, AGuestThatStillRunsOnItsSilentCellIsNotStartedTwice) {
  const auto order = bed_order(18);
  const BackendAnswer made = driver.run(order);
  ASSERT_EQ(made.kind, Kind::Done) << made.error.detail;
  cell("freeze cell-a");  // the daemon; its guests go on
  const BackendAnswer refused = driver.run(evacuation(order, made.ref));
  EXPECT_EQ(refused.kind, Kind::Failed);
  EXPECT_THAT(refused.error.detail, testing::HasSubstr("lock"));
  EXPECT_FALSE(is_defined("cell-b", made.ref));
  cell("thaw cell-a");
  ASSERT_TRUE(driver.wait_for(
      [&] {
        return driver.run(bed_order_on(order, CommandKind::VmDelete, made.ref)).kind == Kind::Done;
      },
      60s));
}

TEST_F(BedFaults, AFullStorageRefusesACreationForWantOfRoomAndNothingIsLeft) {
  cell("fill cell-a");
  const auto order = bed_order(14);
  const BackendAnswer answer = driver.run(order);
  EXPECT_EQ(answer.error.code, base::Errc::CapacityExhausted) << answer.error.detail;
  EXPECT_FALSE(answer.error.retryable);
  auto work = work_of(order);
  for (const auto& found : driver.lookup(work, "vm.create", true).found) {
    EXPECT_EQ(driver.undo(work, "vm.create", found.ref).kind, Kind::Done);
  }
  cell("unfill cell-a");
  EXPECT_TRUE(driver.inventory().inventory->parts.empty());
  const std::string ref = create(order);
  remove(order, ref);
}

TEST_F(BedFaults, AMigrationWhoseTargetDiesLeavesTheVmWhereItWas) {
  Options slowly = bed_options();
  slowly.migrate_mib_per_second = 5;
  Driver slow{std::move(*LibvirtBackend::open(slowly))};
  const auto order = bed_order(15);
  const BackendAnswer made = slow.run(order);
  ASSERT_EQ(made.kind, Kind::Done) << made.error.detail;
  auto migrate = bed_order_on(order, CommandKind::VmMigrate, made.ref);
  migrate.args.host = "cell-b";
  auto work = work_of(migrate);
  ASSERT_EQ(slow.step(work, "vm.migrate", made.ref).kind, Kind::Done);
  slow.wait_for([] { return false; }, 2s);
  cell("kill cell-b");
  const auto failed = [&] {
    const BackendAnswer a = slow.step(work, "vm.await_migrated", made.ref);
    return a.kind == Kind::Failed;
  };
  EXPECT_TRUE(failed());
  cell("start cell-b");
  const BackendAnswer end = slow.step(work, "vm.await_migrated", made.ref);
  EXPECT_EQ(end.kind, Kind::Failed);
  EXPECT_THAT(end.error.detail, testing::HasSubstr("the VM is on cell-a, running"));
  EXPECT_EQ(slow.undo(work, "vm.migrate", made.ref).kind, Kind::Done);
  EXPECT_EQ(slow.run(bed_order_on(order, CommandKind::VmDelete, made.ref)).kind, Kind::Done);
  EXPECT_TRUE(slow.inventory().inventory->parts.empty());
}

TEST_F(BedFaults, AVmWithItsOwnDiskMovesLiveAndLeavesNothingBehind) {
  const auto order = bed_order(16);
  const std::string ref = create(order);
  const Guest guest(ref);
  ASSERT_TRUE(driver.wait_for([&] { return guest.beats() > 0; }, 90s));
  auto migrate = bed_order_on(order, CommandKind::VmMigrate, ref);
  migrate.args.host = "cell-b";
  const BackendAnswer answer = driver.run(migrate);
  ASSERT_EQ(answer.kind, Kind::Done) << answer.error.detail;
  const long beats = guest.beats();
  EXPECT_TRUE(driver.wait_for([&] { return guest.beats() > beats; }, 20s));
  const BackendAnswer all = driver.inventory();
  EXPECT_TRUE(all.inventory->parts.empty());
  auto moved = order;
  moved.spec.host = "cell-b";
  remove(moved, ref);
  EXPECT_TRUE(driver.inventory().inventory->parts.empty());
}

}  // namespace
}  // namespace slipway::workers::libvirt::test
