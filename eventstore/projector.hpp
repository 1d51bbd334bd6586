#pragma once
// The projector's thread: follows the log into the read models and tells everybody who waits. The
// sequencer hands it each batch after the sync; what came in during the last transaction is the
// next lot, so there is no timer. At the start, after a gap and when its ring has overflowed it
// reads the log itself, in large lots.
//
//   auto projector = Projector::open({.directory = data + "/read_models"}, log, clock);
//   (*projector)->start();                       // catches up first, on its own thread
//   sequencer.add_listener(**projector);
//   ... (*projector)->waiters(), hot_tasks(), live_counts(), people() ...
//
// After each commit, in this order: hot tasks, counts, directory, waiters, batch listeners.
// A read error or damage in the log ends the process (guarantees 1.7); trouble with the read
// models' file never does: they are opened anew, and dropped and rebuilt where that fails.
#include <atomic>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "core/base/clock.hpp"
#include "eventstore/event_log.hpp"
#include "eventstore/hot_tasks.hpp"
#include "eventstore/projector_core.hpp"
#include "eventstore/waiters.hpp"

namespace slipway::eventstore {

struct ProjectorOptions {
  std::string directory{};
  std::size_t ring_batches = 4096;  // waiting to be folded; beyond: read from the log instead
  // In one transaction while following; who waits hears of it after the last of them.
  std::size_t lot_events = 4000;
  std::size_t catch_up_lot_events = 100000;  // while reading the log
  std::size_t cache_bytes = 64U << 20U;
  std::size_t max_hot_tasks = 50000;
  std::size_t max_waiters = 10000;
  std::function<void()> on_turn{};  // on the projector's thread, at each lot and when it is idle
  int checkpoint_pages = 16384;     // of 4 KiB: the WAL is moved into the file when it has as many
};

struct RebuildProgress {
  domain::Seq folded = 0;
  domain::Seq head = 0;
  bool done = false;
};

class Projector final : public CommitListener {
 public:
  static base::Result<std::unique_ptr<Projector>> open(ProjectorOptions options,
                                                       const EventLog& log,
                                                       const base::Clock& clock);
  ~Projector() override;  // stop()

  // Follows from the checkpoint. `on_progress` (may be empty) is called on the projector's thread
  // while it catches up.
  void start(std::function<void(const RebuildProgress&)> on_progress = {});
  // Folds what is queued, ends every wait with Stopped, joins. Idempotent.
  void stop();

  // The sequencer's thread: only queues.
  void on_committed(const CommittedBatchPtr& batch) override;

  // ---- any thread ----
  // Builds a second copy from zero beside the one that serves, then puts it in its place. False if
  // one is under way. `on_progress` is called on the building thread, last with `done`.
  bool rebuild(std::function<void(const RebuildProgress&)> on_progress);
  // The seq of the last event folded and committed.
  domain::Seq seq() const { return seq_.load(std::memory_order_acquire); }
  // Why the read models were last dropped; empty if they were not.
  std::string dropped_because() const;
  HotTasks& hot_tasks() { return hot_; }
  Waiters& waiters() { return waiters_; }
  LiveCounts live_counts() const { return counts_.snapshot(); }
  DirectoryPtr people() const { return people_.load(); }
  // Told of each batch after it was committed to the read models, on the projector's thread, in
  // order, each once: must only queue. One added while batches flow begins with some later one.
  void add_batch_listener(CommitListener& listener);
  void remove_batch_listener(CommitListener& listener);  // not called any more once this returns
  struct Stats {
    std::uint64_t lots = 0;
    std::uint64_t events = 0;
    std::uint64_t ring_overflows = 0;
    std::uint64_t errors = 0;  // of the read models' file, each followed by a reopening
  };
  Stats stats() const;

 private:
  struct Impl;
  Projector(ProjectorOptions options, const EventLog& log, const base::Clock& clock);

  HotTasks hot_;
  Waiters waiters_;
  LiveCountsBoard counts_;
  DirectoryBoard people_;
  std::atomic<domain::Seq> seq_{0};
  std::unique_ptr<Impl> impl_;
};

}  // namespace slipway::eventstore
