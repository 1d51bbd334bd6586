// Every command on one real guest, with the truth read inside it; one boot serves many of them.
#include <gmock/gmock.h>

#include "tests/backends/libvirt/bed/bed.hpp"

namespace slipway::workers::libvirt::test {
namespace {

using Kind = BackendAnswer::Kind;

class BedGuest : public testing::Test {
 protected:
  static constexpr auto kBoot = 90s;

  void SetUp() override {
    created = bed_order(1);
    const BackendAnswer answer = driver.run(created);
    ASSERT_EQ(answer.kind, Kind::Done) << answer.error.detail;
    ref = answer.ref;
    EXPECT_EQ(facts_of(answer).host, "cell-a");
    EXPECT_THAT(facts_of(answer).display, testing::StartsWith(net() + ".11:59"));
    guest = std::make_unique<Guest>(ref);
    ASSERT_TRUE(soon([&] { return guest->beats() > 0; }, kBoot)) << "the guest did not boot";
  }
  void TearDown() override {
    const BackendAnswer answer = act(CommandKind::VmDelete);
    EXPECT_EQ(answer.kind, Kind::Done) << answer.error.detail;
    const BackendAnswer all = driver.inventory();
    ASSERT_EQ(all.kind, Kind::Done);
    for (const auto& vm : all.inventory->vms) EXPECT_NE(vm.ref, ref);
    EXPECT_TRUE(all.inventory->parts.empty());
  }
  static std::unique_ptr<Backend> open(Options options) {
    return std::move(*LibvirtBackend::open(std::move(options)));
  }
  bool soon(const std::function<bool()>& what, base::Duration limit = 30s) {
    return driver.wait_for(what, limit);
  }
  void beat_goes_on() {
    const long now = guest->beats();
    EXPECT_TRUE(soon([&] { return guest->beats() > now; })) << "the guest stands still";
  }
  domain::WorkOrder order(CommandKind kind) { return bed_order_on(created, kind, ref); }
  BackendAnswer act(CommandKind kind) { return driver.run(order(kind)); }
  void must(const domain::WorkOrder& o) {
    const BackendAnswer answer = driver.run(o);
    EXPECT_EQ(answer.kind, Kind::Done) << base::enum_name(o.command) << ": " << answer.error.detail;
  }
  domain::WorkOrder migration(const std::string& to) {
    domain::WorkOrder o = order(CommandKind::VmMigrate);
    o.args.host = to;
    o.args.live = true;
    return o;
  }

  Driver driver{open(bed_options())};
  domain::WorkOrder created;
  std::string ref;
  std::unique_ptr<Guest> guest;
};

TEST_F(BedGuest, CommandsDoInTheGuestWhatTheySay) {
  EXPECT_EQ(guest->value("ip"), domain::ipv4_text(created.spec.ipv4) + "/24");
  EXPECT_EQ(guest->value("cpus"), "1");
  EXPECT_EQ(guest->value("vda_sectors"), "2097152");  // 1 GiB, of an image of less

  must(order(CommandKind::VmPause));
  const long paused_at = guest->beats();
  soon([] { return false; }, 3s);
  EXPECT_EQ(guest->beats(), paused_at);
  must(order(CommandKind::VmUnpause));
  beat_goes_on();

  auto take = order(CommandKind::VmSnapshotCreate);
  take.args.snapshot = "before";
  take.args.with_memory = true;
  must(take);
  const long at_snapshot = guest->beats();
  ASSERT_TRUE(soon([&] { return guest->beats() > at_snapshot + 4; }));
  auto restore = order(CommandKind::VmSnapshotRestore);
  restore.args.snapshot = "before";
  must(restore);
  EXPECT_TRUE(soon([&] { return guest->beats() <= at_snapshot + 3; }, 10s))
      << "it went on, not back";
  beat_goes_on();
  auto remove = order(CommandKind::VmSnapshotDelete);
  remove.args.snapshot = "before";
  must(remove);

  auto insert = order(CommandKind::VmMediaInsert);
  insert.media_name = "media-1.iso";
  must(insert);
  EXPECT_TRUE(soon([&] { return guest->value("cd") == "medium_1"; }));
  must(order(CommandKind::VmMediaEject));
  EXPECT_TRUE(soon([&] { return guest->value("cd") == "-"; }));

  auto grow = order(CommandKind::VmDiskResize);
  grow.args.size = domain::Size{"", 1, 128, 2};
  must(grow);
  EXPECT_TRUE(soon([&] { return guest->value("vda_sectors") == "4194304"; }));
  created.spec.size.disk_gb = 2;

  auto limit = order(CommandKind::VmSetQos);
  limit.args.guest.emplace().after.emplace().qos.emplace().read_iops = 500;
  must(limit);
  auto rename = order(CommandKind::VmRename);
  rename.args.name = "another name";
  must(rename);
  Secrets secrets;
  secrets.add("console", base::Secret("s3cret"));
  auto console = order(CommandKind::VmConsoleResetSecret);
  console.args.guest.emplace().secret = "console";
  EXPECT_EQ(driver.run(console, std::move(secrets)).kind, Kind::Done);
  auto credential = order(CommandKind::VmSetCredential);
  credential.args.guest.emplace().admin_name = "root";
  credential.args.guest->secret = "pw";
  Secrets password;
  password.add("pw", base::Secret("hunter22"));
  const BackendAnswer refused = driver.run(credential, std::move(password));
  EXPECT_EQ(refused.error.code, base::Errc::BackendRefused) << "the guest has no agent";

  auto capture = order(CommandKind::ImageCapture);
  const BackendAnswer image = driver.run(capture);
  EXPECT_EQ(image.kind, Kind::Done) << image.error.detail;
  beat_goes_on();
  auto drop = order(CommandKind::ImageDelete);
  drop.image_ref = image.ref;
  must(drop);

  auto cores = order(CommandKind::VmSetCores);
  cores.args.size = domain::Size{"", 2, 128, 2};
  must(cores);
  EXPECT_TRUE(soon([&] { return guest->value("cpus") == "2"; }));
  created.spec.size.vcpus = 2;

  must(order(CommandKind::VmSuspend));
  must(order(CommandKind::VmResume));
  beat_goes_on();

  must(order(CommandKind::VmStop));
  must(order(CommandKind::VmStart));
  EXPECT_TRUE(soon([&] { return guest->value("boots") == "2"; }, kBoot));
}

TEST_F(BedGuest, ALiveMigrationGoesOnInTheGuestAndACancelledOneLeavesItWhereItWas) {
  auto move = migration("cell-b");
  BackendAnswer answer = driver.run(move);
  ASSERT_EQ(answer.kind, Kind::Done) << answer.error.detail;
  EXPECT_EQ(facts_of(answer).host, "cell-b");
  EXPECT_THAT(facts_of(answer).display, testing::StartsWith(net() + ".12:59"));
  beat_goes_on();
  EXPECT_EQ(guest->value("boots"), "1");
  created.spec.host = "cell-b";

  Options slowly = bed_options();
  slowly.migrate_mib_per_second = 5;
  Driver slow{open(slowly)};
  auto back = work_of(migration("cell-a"));
  ASSERT_EQ(slow.step(back, "vm.migrate", ref).kind, Kind::Done);
  std::vector<std::uint32_t> percents;
  std::size_t waits = 0;
  for (; waits < 60 && (percents.empty() || percents.back() < 5); ++waits) {
    std::optional<Kind> kind;
    slow.ask(
        back, "vm.await_migrated",
        [&](BackendAnswer&& a) {
          if (a.kind == Kind::Progress)
            percents.push_back(a.percent);
          else
            kind = a.kind;
        },
        ref);
    ASSERT_TRUE(slow.wait_for([&] { return kind.has_value(); }));
    ASSERT_EQ(*kind, Kind::NotYet);
    slow.wait_for([] { return false; }, 300ms);
  }
  EXPECT_FALSE(percents.empty());
  EXPECT_EQ(slow.lookup(back, "vm.migrate").found.size(), 1U);
  answer = slow.undo(back, "vm.migrate", ref);
  ASSERT_EQ(answer.kind, Kind::Done) << answer.error.detail;
  beat_goes_on();
  const BackendAnswer all = driver.inventory();
  for (const auto& vm : all.inventory->vms) {
    if (vm.ref == ref) EXPECT_EQ(vm.host, "cell-b");
  }
  EXPECT_EQ(slow.undo(back, "vm.migrate", ref).kind, Kind::Done);
}

TEST_F(BedGuest, AStoppedVmMovesToo) {
  must(order(CommandKind::VmStop));
  const BackendAnswer answer = driver.run(migration("cell-b"));
  ASSERT_EQ(answer.kind, Kind::Done) << answer.error.detail;
  created.spec.host = "cell-b";
  must(order(CommandKind::VmStart));
  EXPECT_TRUE(soon([&] { return guest->value("boots") == "2"; }, kBoot));
}

}  // namespace
}  // namespace slipway::workers::libvirt::test
