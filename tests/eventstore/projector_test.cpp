#include "eventstore/projector.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <future>

#include "eventstore/read_models.hpp"
#include "history.hpp"
#include "list_log.hpp"
#include "temp_dir.hpp"

namespace slipway::eventstore {
namespace {

using domain::TaskId;
using domain::VmId;
using testing::Recorder;

constexpr std::chrono::seconds kPatience(60);

base::SteadyTime soon() { return base::SystemClock().steady() + base::Duration(kPatience); }

bool wait_until_folded(Projector& projector, domain::Seq seq) {
  std::promise<bool> folded;
  (void)projector.waiters().wait_for_seq(seq, soon(), [&](const WaitResult& r) {
    folded.set_value(r.kind == WaitResult::Kind::Reached);
  });
  return folded.get_future().get();
}

struct Server {
  explicit Server(ProjectorOptions o = {}) : options(std::move(o)) {
    options.directory = dir.path();
  }
  void open() {
    auto opened = Projector::open(options, log, clock);
    ASSERT_TRUE(opened) << opened.error().message;
    projector = std::move(*opened);
  }
  void commit(const CommittedBatchPtr& batch) {
    log.add(*batch);
    projector->on_committed(batch);
  }
  std::string dump() {
    projector.reset();
    ProjectorCore::Options core;
    core.directory = dir.path();
    return *(*ProjectorCore::open(core, ""))->dump_for_test();
  }
  testing::TempDir dir;
  ProjectorOptions options;
  testing::ListLog log;
  base::SystemClock clock;
  std::unique_ptr<Projector> projector;
};

// What following the same history in one piece gives.
std::string expected_dump(const Recorder& history) {
  Server server;
  for (const auto& batch : history.batches(1000)) server.log.add(*batch);
  server.open();
  server.projector->start();
  EXPECT_TRUE(wait_until_folded(*server.projector, history.next_seq() - 1));
  return server.dump();
}

class Collector final : public CommitListener {
 public:
  void on_committed(const CommittedBatchPtr& batch) override {
    for (const auto& record : batch->records) {
      ordered_ = ordered_ && record.envelope.seq == next_;
      next_ = record.envelope.seq + record.events.size();
    }
  }
  bool ordered() const { return ordered_; }
  domain::Seq next() const { return next_; }

 private:
  bool ordered_ = true;
  domain::Seq next_ = 1;
};

TEST(Projector, FollowsBatchesAndTellsListenersOfEachRecordOnceInOrder) {
  const Recorder history = testing::random_history(21, 300);
  Server server;
  server.open();
  Collector collector;
  server.projector->add_batch_listener(collector);
  server.projector->start();
  for (const auto& batch : history.batches(20)) server.commit(batch);
  ASSERT_TRUE(wait_until_folded(*server.projector, history.next_seq() - 1));
  server.projector->stop();
  EXPECT_TRUE(collector.ordered());
  EXPECT_EQ(collector.next(), history.next_seq());
  EXPECT_EQ(server.projector->hot_tasks().size(), 0U);
  EXPECT_TRUE(server.dump() == expected_dump(history));
}

TEST(Projector, ReadsFromTheLogWhatItsRingCouldNotHold) {
  const Recorder history = testing::random_history(22, 300);
  ProjectorOptions options;
  options.ring_batches = 2;
  Server server(options);
  server.open();
  Collector collector;
  server.projector->add_batch_listener(collector);
  for (const auto& batch : history.batches(20)) server.commit(batch);
  EXPECT_GT(server.projector->stats().ring_overflows, 10U);
  server.projector->start();
  ASSERT_TRUE(wait_until_folded(*server.projector, history.next_seq() - 1));
  server.projector->stop();
  EXPECT_TRUE(collector.ordered());
  EXPECT_EQ(collector.next(), history.next_seq());
  EXPECT_TRUE(server.dump() == expected_dump(history));
}

TEST(Projector, GoesOnAfterARestartWhereItWas) {
  const Recorder history = testing::random_history(23, 300);
  Server server;
  const auto batches = history.batches(100);
  for (std::size_t i = 0; i < batches.size(); ++i) {
    server.log.add(*batches[i]);
    if (i % 5 != 0 && i + 1 < batches.size()) continue;
    server.open();
    EXPECT_TRUE(server.projector->dropped_because().empty());
    server.projector->start();
    ASSERT_TRUE(wait_until_folded(*server.projector, batches[i]->next_seq - 1));
    server.projector.reset();
  }
  EXPECT_TRUE(server.dump() == expected_dump(history));
}

TEST(Projector, ServesUnfinishedTasksCountsAndPeopleFromMemoryAlsoAfterARestart) {
  Recorder r = testing::random_history(24, 50);
  const TaskId task(r.new_id());
  r.tenant = "demo";
  r.accept_vm_create(task, VmId(r.new_id()), "x");
  Server server;
  for (int round = 0; round < 2; ++round) {
    server.open();
    server.projector->start();
    if (round == 0) {
      for (const auto& batch : r.batches(100)) server.commit(batch);
    }
    ASSERT_TRUE(wait_until_folded(*server.projector, r.next_seq() - 1));
    const TaskRowPtr row = server.projector->hot_tasks().find(task);
    ASSERT_TRUE(row);
    EXPECT_EQ(row->state, domain::TaskState::Ready);
    const LiveCounts counts = server.projector->live_counts();
    EXPECT_EQ(counts.queue("default").ready, 1);
    EXPECT_EQ(counts.queue("default").oldest_ready,
              std::chrono::floor<std::chrono::seconds>(r.now));
    EXPECT_EQ(counts.seq, r.next_seq() - 1);
    EXPECT_NE(server.projector->people()->user("demo-user"), nullptr);
    EXPECT_EQ(server.projector->people()->user("nobody"), nullptr);
    EXPECT_NE(server.projector->people()->project("other"), nullptr);
    server.projector.reset();
  }
}

TEST(Projector, WakesAWaiterWhenItsTaskEnds) {
  Recorder r;
  Server server;
  server.open();
  server.projector->start();
  const TaskId task(r.new_id());
  const VmId vm(r.new_id());
  std::promise<WaitResult> promise;
  ASSERT_NE(server.projector->waiters().wait_for_task(
                task, Waiters::kUntilTerminal, soon(),
                [&](const WaitResult& result) { promise.set_value(result); }),
            0U);
  r.accept_vm_create(task, vm, "x");
  server.commit(r.take());
  r.lease_vm_create(task, vm);
  server.commit(r.take());
  r.finish_vm_create(task, vm);
  server.commit(r.take());
  const WaitResult result = promise.get_future().get();
  EXPECT_EQ(result.kind, WaitResult::Kind::Reached);
  EXPECT_EQ(result.task->state, domain::TaskState::Succeeded);
  EXPECT_EQ(server.projector->hot_tasks().find(task), nullptr);
}

TEST(G3_9_Projector, ARebuildBesideTheServingCopyGivesEqualBytesWhileWritesGoOn) {
  const Recorder history = testing::random_history(25, 400);
  Server server;
  server.open();
  server.projector->start();
  const auto batches = history.batches(30);
  auto reader = std::move(*ReadModels({.directory = server.dir.path()}).open_reader());
  std::promise<void> done;
  domain::Seq seen = 0;
  for (std::size_t i = 0; i < batches.size(); ++i) {
    server.commit(batches[i]);
    if (i == batches.size() / 3) {
      ASSERT_TRUE(server.projector->rebuild([&](const RebuildProgress& p) {
        if (p.done) done.set_value();
      }));
      EXPECT_FALSE(server.projector->rebuild({}));
    }
    const auto seq = reader->seq();
    ASSERT_TRUE(seq) << seq.error().message;
    EXPECT_GE(*seq, seen);
    seen = *seq;
  }
  done.get_future().wait();
  ASSERT_TRUE(wait_until_folded(*server.projector, history.next_seq() - 1));
  EXPECT_EQ(*reader->seq(), history.next_seq() - 1);
  EXPECT_EQ(server.projector->stats().errors, 0U);
  EXPECT_NE(ReadModels({.directory = server.dir.path()}).serving_file().find("-2.sqlite"),
            std::string::npos);
  EXPECT_TRUE(server.dump() == expected_dump(history));
}

TEST(DamagedReadModels, AreDroppedAndRebuilt) {
  const Recorder history = testing::random_history(26, 200);
  const std::string expected = expected_dump(history);
  for (const std::size_t offset : {0U, 20000U, 60000U}) {  // the header, and pages inside
    Server server;
    for (const auto& batch : history.batches(100)) server.log.add(*batch);
    server.open();
    server.projector->start();
    ASSERT_TRUE(wait_until_folded(*server.projector, history.next_seq() - 1));
    server.projector.reset();
    {
      std::fstream file(ReadModels({.directory = server.dir.path()}).serving_file(),
                        std::ios::in | std::ios::out | std::ios::binary);
      file.seekp(static_cast<std::streamoff>(offset));
      const std::string noise(4096, '\x5a');
      file.write(noise.data(), static_cast<std::streamsize>(noise.size()));
    }
    server.open();
    EXPECT_FALSE(server.projector->dropped_because().empty()) << offset;
    server.projector->start();
    ASSERT_TRUE(wait_until_folded(*server.projector, history.next_seq() - 1));
    EXPECT_TRUE(server.dump() == expected) << offset;
  }
}

TEST(ReadModelsAheadOfTheLog, AreDroppedAndRebuilt) {
  const Recorder history = testing::random_history(27, 60);
  const auto batches = history.batches(50);
  Server server;
  for (const auto& batch : batches) server.log.add(*batch);
  server.open();
  server.projector->start();
  ASSERT_TRUE(wait_until_folded(*server.projector, history.next_seq() - 1));
  server.projector.reset();
  testing::ListLog shorter;
  shorter.add(*batches[0]);
  auto opened = Projector::open(server.options, shorter, server.clock);
  ASSERT_TRUE(opened);
  EXPECT_EQ((*opened)->dropped_because(), "it is ahead of the log");
  EXPECT_EQ((*opened)->seq(), 0U);
}

TEST(Killed, WithoutACheckpointTheFileIsConsistentAtAnOlderSeqAndFollowsOn) {
  const Recorder history = testing::random_history(28, 200);
  const auto batches = history.batches(50);
  Server server;
  for (const auto& batch : batches) server.log.add(*batch);
  testing::TempDir torn;
  {
    ProjectorCore::Options options;
    options.directory = server.dir.path();
    auto core = std::move(*ProjectorCore::open(options, ""));
    for (std::size_t i = 0; i < batches.size() / 2; ++i) ASSERT_TRUE(core->apply({&batches[i], 1}));
    // What a kill leaves: the file, and a WAL whose last transaction is torn.
    std::filesystem::copy(server.dir.path(), torn.path(), std::filesystem::copy_options::recursive);
  }
  const std::string wal = torn.path() + "/read_models-1.sqlite-wal";
  ASSERT_TRUE(std::filesystem::exists(wal));
  std::filesystem::resize_file(wal, std::filesystem::file_size(wal) - 3000);
  server.options.directory = torn.path();
  server.open();
  EXPECT_TRUE(server.projector->dropped_because().empty());
  EXPECT_GT(server.projector->seq(), 0U);
  EXPECT_LT(server.projector->seq(), batches[batches.size() / 2 - 1]->next_seq - 1);
  server.projector->start();
  ASSERT_TRUE(wait_until_folded(*server.projector, history.next_seq() - 1));
  server.projector.reset();
  ProjectorCore::Options core;
  core.directory = torn.path();
  EXPECT_TRUE(*(*ProjectorCore::open(core, ""))->dump_for_test() == expected_dump(history));
}

}  // namespace
}  // namespace slipway::eventstore
