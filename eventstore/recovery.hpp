#pragma once
// Start-up: the newest snapshot that fits the log, then the records after it. And the making of
// snapshots: from the log, on a thread of its own, by the same folding. So the sequencer never
// stops for one, and each snapshot proves that the log since the last can be replayed (ADR 3).
#include <atomic>
#include <condition_variable>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "core/base/mutex.hpp"
#include "core/domain/world.hpp"
#include "eventstore/committed.hpp"
#include "eventstore/event_log.hpp"
#include "eventstore/snapshots.hpp"

namespace slipway::eventstore {

struct Recovered {
  domain::World world;
  Seq snapshot_seq = 0;  // 0: replayed from the first record
  std::uint64_t replayed_events = 0;
  double seconds = 0;
  std::vector<std::string> warnings;  // snapshots that were passed over
};

// Reads up to the log's end. Errors: damage in the log, or a record this version cannot read.
// `on_progress` is called now and then with the number of events replayed, so that whoever watches
// the start knows that it moves.
using ReplayProgress = std::function<void(std::uint64_t events)>;
base::Result<Recovered> recover(const EventLog& log, const SnapshotStore& snapshots,
                                const ReplayProgress& on_progress = {});

// Writes the world as the snapshot of `log`'s head; the sequencer has stopped.
base::Status write_snapshot(const domain::World& world, const EventLog& log,
                            const SnapshotStore& snapshots);

// Makes a snapshot each `every_events` events.
class Snapshotter final : public CommitListener {
 public:
  Snapshotter(const EventLog& log, const SnapshotStore& snapshots, std::uint64_t every_events,
              Seq last_snapshot, std::function<void(const base::Status&, Seq)> on_done);
  ~Snapshotter() override;
  void on_committed(const CommittedBatchPtr& batch) override;
  void stop();

 private:
  void run(const std::stop_token& stop);

  const EventLog& log_;
  const SnapshotStore& snapshots_;
  const std::uint64_t every_events_;
  const std::function<void(const base::Status&, Seq)> on_done_;
  std::atomic<Seq> head_{0};
  Seq last_;
  base::Mutex mu_;
  std::condition_variable_any wake_;
  std::jthread thread_;
};

}  // namespace slipway::eventstore
