// The contract of the simulated cloud, on both of its stores.
#include <gmock/gmock.h>

#include <filesystem>

#include "core/base/clock.hpp"
#include "tests/workers/harness.hpp"
#include "workers/backends/simulated/inventory.hpp"
#include "workers/backends/simulated/simulated_backend.hpp"

namespace slipway::workers::simulated {
namespace {

using namespace test;  // NOLINT
using testing::IsEmpty;
using testing::SizeIs;

struct TempFile {
  TempFile() {
    std::string name = (std::filesystem::temp_directory_path() / "slipway-XXXXXX").string();
    folder = mkdtemp(name.data());
  }
  ~TempFile() { std::filesystem::remove_all(folder); }
  std::string path() const { return (folder / "simulated.db").string(); }
  std::filesystem::path folder;
};

std::unique_ptr<Store> make_store(bool sqlite, const TempFile& file) {
  return sqlite ? std::move(*open_sqlite_store(file.path())) : make_memory_store();
}

class CloudTest : public testing::TestWithParam<bool> {
 protected:
  CloudTest() { make(Options::without_latency()); }

  void make(Options options) {
    cloud.reset();
    cloud = std::make_unique<Cloud>(std::move(options), make_store(GetParam(), file));
  }
  static BackendCall call(const WorkOrder& order, std::string_view step, std::string ref = {},
                          std::string_view operation = {}) {
    auto work = std::make_shared<LeasedWork>();
    work->order = order;
    return {.work = std::move(work),
            .step = step,
            .operation = operation.empty() ? step : operation,
            .undo = !operation.empty(),
            .ref = std::move(ref)};
  }
  Reply perform(const BackendCall& c) {
    cloud->begin();
    Reply reply = cloud->perform(c, now);
    cloud->commit();
    return reply;
  }
  Reply lookup(const BackendCall& c) {
    cloud->begin();
    Reply reply = cloud->lookup(c, now);
    cloud->commit();
    return reply;
  }
  std::string create(std::uint64_t n) {
    return perform(call(order_for(CommandKind::VmCreate, n), "vm.create")).answer.ref;
  }
  static bool failed(const Reply& reply) {
    return reply.answer.kind == BackendAnswer::Kind::Failed;
  }
  Inventory inventory() { return take_inventory(cloud->store(), now); }

  TempFile file;
  base::Time now = kStart;
  std::unique_ptr<Cloud> cloud;
};

TEST_P(CloudTest, G4_3_ACreateMakesOneVmHoweverOftenItIsAsked) {
  const std::string ref = create(1);
  EXPECT_EQ(create(1), ref);
  WorkOrder again = order_for(CommandKind::VmCreate, 1);
  again.token = 2;
  EXPECT_EQ(perform(call(again, "vm.create")).answer.ref, ref);
  EXPECT_THAT(inventory().vms, SizeIs(1));
  EXPECT_EQ(inventory().calls["vm.create/done"], 1U);
  EXPECT_EQ(inventory().calls["vm.create/repeated"], 2U);
}

TEST_P(CloudTest, G4_3_AnOlderTokenIsRefused) {
  WorkOrder newer = order_for(CommandKind::VmCreate, 1);
  newer.token = 2;
  perform(call(newer, "vm.create"));
  const Reply stale = perform(call(order_for(CommandKind::VmCreate, 1), "vm.create"));
  ASSERT_TRUE(failed(stale));
  EXPECT_EQ(stale.answer.error.code, base::Errc::LeaseLost);
  EXPECT_EQ(inventory().calls["vm.create/stale"], 1U);
}

TEST_P(CloudTest, G4_3_OnceALookUpSaidNoneALateCallOfAnOlderAttemptMakesNothing) {
  WorkOrder newer = order_for(CommandKind::VmCreate, 1);
  newer.token = 2;
  EXPECT_THAT(lookup(call(newer, "vm.create")).answer.found, IsEmpty());
  EXPECT_TRUE(failed(perform(call(order_for(CommandKind::VmCreate, 1), "vm.create"))));
  EXPECT_THAT(inventory().vms, IsEmpty());
}

TEST_P(CloudTest, G4_3_ALookUpFindsWhatTheKeyMade) {
  const std::string ref = create(1);
  now += 5s;
  const auto found = lookup(call(order_for(CommandKind::VmCreate, 1), "vm.create")).answer.found;
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].ref, ref);
  EXPECT_EQ(found[0].age, Duration(5s));
}

TEST_P(CloudTest, G4_3_ARedrivenTaskFindsWhatTheOldOneMadeAndFencesItOff) {
  const std::string ref = create(1);
  WorkOrder redriven = order_for(CommandKind::VmCreate, 2);
  redriven.root = id<TaskId>(1);
  ASSERT_THAT(lookup(call(redriven, "vm.create")).answer.found, SizeIs(1));
  EXPECT_EQ(perform(call(redriven, "vm.create")).answer.ref, ref);
  WorkOrder old = order_for(CommandKind::VmCreate, 1);
  old.token = 50;
  EXPECT_TRUE(failed(perform(call(old, "vm.create"))));
}

TEST_P(CloudTest, G4_3_ADeletedVmIsNotMadeAgainByTheSameAttempt) {
  const WorkOrder order = order_for(CommandKind::VmCreate, 1);
  const std::string ref = create(1);
  perform(call(order, "vm.create", ref, "vm.delete"));
  EXPECT_THAT(inventory().vms, IsEmpty());
  EXPECT_TRUE(failed(perform(call(order, "vm.create"))));
  WorkOrder later = order;
  later.token = 2;
  EXPECT_NE(perform(call(later, "vm.create")).answer.ref, ref);  // numbers are never used twice
}

TEST_P(CloudTest, G4_2_4_DeletingWhatIsNotThereIsSuccess) {
  WorkOrder order = order_for(CommandKind::VmDelete, 2);
  EXPECT_FALSE(failed(perform(call(order, "vm.delete", "sim-99"))));
  EXPECT_FALSE(failed(perform(call(order, "vm.delete", ""))));
}

TEST_P(CloudTest, AVmWhoseIdNeverBecameKnownIsDeletedByItsKeyAndNotMadeLater) {
  const WorkOrder create_order = order_for(CommandKind::VmCreate, 1);
  create(1);
  WorkOrder order = order_for(CommandKind::VmDelete, 2);
  order.vm_key = domain::correlation_key(create_order.task, "vm.create");
  EXPECT_FALSE(failed(perform(call(order, "vm.delete"))));
  EXPECT_THAT(inventory().vms, IsEmpty());
  WorkOrder late = create_order;
  late.token = 9;
  EXPECT_TRUE(failed(perform(call(late, "vm.create"))));
}

TEST_P(CloudTest, PowerFollowsTheDiagramAndAlreadySoIsSuccess) {
  const std::string ref = create(1);
  const auto ask = [&](CommandKind kind, std::uint64_t n, std::string_view step) {
    return perform(call(order_for(kind, n), step, ref));
  };
  EXPECT_FALSE(failed(ask(CommandKind::VmStart, 2, "vm.start")));
  EXPECT_FALSE(failed(ask(CommandKind::VmPause, 3, "vm.pause")));
  EXPECT_TRUE(failed(ask(CommandKind::VmSuspend, 4, "vm.suspend")));
  EXPECT_FALSE(failed(ask(CommandKind::VmResume, 5, "vm.resume")));  // serves a paused one too
  EXPECT_FALSE(failed(ask(CommandKind::VmSuspend, 6, "vm.suspend")));
  EXPECT_TRUE(failed(ask(CommandKind::VmUnpause, 7, "vm.unpause")));
  EXPECT_FALSE(failed(ask(CommandKind::VmResume, 8, "vm.resume")));
  EXPECT_FALSE(failed(ask(CommandKind::VmStop, 9, "vm.stop")));
  EXPECT_TRUE(failed(ask(CommandKind::VmReboot, 10, "vm.reboot")));
  EXPECT_EQ(inventory().vms[0].state, "stopped");
}

TEST_P(CloudTest, G4_3_ARebootHappensOnce) {
  const std::string ref = create(1);
  const WorkOrder order = order_for(CommandKind::VmReboot, 2);
  perform(call(order, "vm.reboot", ref));
  perform(call(order, "vm.reboot", ref));
  EXPECT_EQ(inventory().vms[0].reboots, 1U);
}

TEST_P(CloudTest, AResizeIsRevertedOrConfirmed) {
  const std::string ref = create(1);
  const auto vcpus = [&] { return cloud->store().vm(1)->size.vcpus; };
  WorkOrder order = order_for(CommandKind::VmResize, 2);
  order.args.size = domain::Size{"big", 8, 16384, 80};
  perform(call(order, "vm.resize", ref));
  EXPECT_EQ(vcpus(), 8U);
  EXPECT_THAT(lookup(call(order, "vm.resize")).answer.found, SizeIs(1));
  perform(call(order, "vm.resize", ref, "vm.resize_revert"));
  EXPECT_EQ(vcpus(), 1U);
  EXPECT_THAT(lookup(call(order, "vm.resize")).answer.found, IsEmpty());
  order.task = id<TaskId>(3);
  perform(call(order, "vm.resize", ref));
  perform(call(order, "vm.resize_confirm", ref));
  EXPECT_EQ(vcpus(), 8U);
}

TEST_P(CloudTest, AMigrationTakesItsTimeAndCanBeAborted) {
  Options options = Options::without_latency();
  options.migrate = {2s, 0};
  make(options);
  const std::string ref = create(1);
  WorkOrder order = order_for(CommandKind::VmMigrate, 2);
  order.args.host = "sim-5";
  perform(call(order, "vm.migrate", ref));
  EXPECT_EQ(inventory().vms[0].state, "migrating");
  const Reply waiting = perform(call(order, "vm.await_migrated", ref));
  EXPECT_EQ(waiting.ask_again_at, now + 2s);
  perform(call(order, "vm.migrate", ref, "vm.migrate_abort"));
  EXPECT_EQ(inventory().vms[0].host, "sim-1");
  EXPECT_EQ(inventory().vms[0].state, "running");
}

TEST_P(CloudTest, ASnapshotIsMadeOnceRestoredAndDeleted) {
  const std::string ref = create(1);
  WorkOrder order = order_for(CommandKind::VmSnapshotCreate, 2);
  order.args.snapshot = "before";
  const std::string snapshot = perform(call(order, "snapshot.create", ref)).answer.ref;
  EXPECT_EQ(perform(call(order, "snapshot.create", ref)).answer.ref, snapshot);
  EXPECT_THAT(lookup(call(order, "snapshot.create")).answer.found, SizeIs(1));
  WorkOrder other = order;
  other.task = id<TaskId>(3);
  EXPECT_TRUE(failed(perform(call(other, "snapshot.create", ref))));
  other.task = id<TaskId>(4);
  EXPECT_FALSE(failed(perform(call(other, "snapshot.restore", ref))));
  EXPECT_FALSE(failed(perform(call(order, "snapshot.create", snapshot, "snapshot.delete"))));
  EXPECT_THAT(inventory().snapshots, IsEmpty());
  other.task = id<TaskId>(5);
  EXPECT_TRUE(failed(perform(call(other, "snapshot.restore", ref))));
  EXPECT_FALSE(failed(perform(call(other, "snapshot.delete", ref))));
}

TEST_P(CloudTest, AnImageIsSavedWithItsSize) {
  const std::string ref = create(1);
  WorkOrder order = order_for(CommandKind::ImageCapture, 2);
  const std::string image = perform(call(order, "image.create", ref)).answer.ref;
  EXPECT_EQ(perform(call(order, "image.create", ref)).answer.ref, image);
  EXPECT_EQ(perform(call(order, "image.await_saved", image)).answer.result.text,
            R"({"size_bytes":21474836480})");
  EXPECT_FALSE(failed(perform(call(order, "image.create", image, "image.delete"))));
  EXPECT_THAT(inventory().images, IsEmpty());
}

TEST_P(CloudTest, QuotaAndCapacityRefuseForGood) {
  Options options = Options::without_latency();
  options.quota_vms = 1;
  make(options);
  create(1);
  const Reply over = perform(call(order_for(CommandKind::VmCreate, 2), "vm.create"));
  ASSERT_TRUE(failed(over));
  EXPECT_EQ(over.answer.error.code, base::Errc::QuotaExceeded);
  EXPECT_FALSE(over.answer.error.retryable);
  options.quota_vms = 0;
  options.capacity_vms = 1;
}

TEST_P(CloudTest, FailuresFollowFromTheSeedAndTheCallAlone) {
  Options options = Options::without_latency();
  options.failure_rate = 0.3;
  make(options);
  int failures = 0;
  for (std::uint64_t n = 1; n <= 200; ++n) {
    failures += failed(perform(call(order_for(CommandKind::VmCreate, n), "vm.create"))) ? 1 : 0;
  }
  EXPECT_GT(failures, 30);
  EXPECT_LT(failures, 90);
  EXPECT_EQ(inventory().calls["vm.create/failed"], static_cast<std::uint64_t>(failures));
}

INSTANTIATE_TEST_SUITE_P(Stores, CloudTest, testing::Bool(),
                         [](const auto& p) { return p.param ? "Sqlite" : "Memory"; });

TEST(SqliteStore, TwoProcessesShareOneCloud) {
  TempFile file;
  Cloud one(Options::without_latency(), std::move(*open_sqlite_store(file.path())));
  Cloud two(Options::without_latency(), std::move(*open_sqlite_store(file.path())));
  for (std::uint64_t n = 1; n <= 10; ++n) {
    for (Cloud* cloud : {&one, &two}) {
      auto work = std::make_shared<LeasedWork>();
      work->order = order_for(CommandKind::VmCreate, n);
      cloud->begin();
      cloud->perform({.work = work, .step = "vm.create", .operation = "vm.create"}, kStart);
      cloud->commit();
    }
  }
  const auto inventory = take_inventory(file.path(), kStart);
  ASSERT_TRUE(inventory.has_value());
  EXPECT_THAT(inventory->vms, SizeIs(10));
  EXPECT_THAT(inventory->doubles(), IsEmpty());
}

TEST(SqliteStore, AFileOfAnotherKindIsAnError) {
  TempFile file;
  std::FILE* f = std::fopen(file.path().c_str(), "w");
  std::fputs("this is no database, but long enough to look like one to somebody in a hurry", f);
  std::fclose(f);
  EXPECT_FALSE(open_sqlite_store(file.path()).has_value());
}

TEST(InlineBackend, ALaunchTakesItsTimeWithProgress) {
  Options options;
  options.create = {1s, 0};
  InlineBackend backend(options, make_memory_store());
  Bench bench(backend);
  bench.lease(order_for(CommandKind::VmCreate, 1));
  bench.advance(900ms);
  EXPECT_FALSE(bench.task(1).outcome);
  bench.advance(200ms);
  ASSERT_TRUE(bench.task(1).outcome);
  EXPECT_EQ(bench.task(1).outcome->kind, OutcomeKind::Succeeded);
  EXPECT_EQ(std::count_if(bench.task(1).reports.begin(), bench.task(1).reports.end(),
                          [](const auto& r) { return r.progress.has_value(); }),
            1);
}

}  // namespace
}  // namespace slipway::workers::simulated
