#pragma once
// Folds committed batches into the read models: a plain object that knows nothing of threads; the
// projector's thread and the simulator drive it. Pure in its input: the same events give the same
// rows, byte for byte, however they are cut into lots (no clock, no randomness, no hash order).
//
// One lot is one SQLite transaction, rows and checkpoint together: it is folded in memory first and
// each changed row is written once, so a task that was made and has ended within a lot is one
// INSERT. After a crash or a power loss the file is consistent at an older seq: go on from there.
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/base/result.hpp"
#include "eventstore/committed.hpp"
#include "eventstore/directory.hpp"
#include "eventstore/live_counts.hpp"
#include "eventstore/rows.hpp"

namespace slipway::eventstore {

class ProjectorCore {
 public:
  struct Options {
    std::string directory{};     // made if absent
    bool building = false;       // a second copy beside the one that serves, see promote()
    std::string drop_because{};  // not empty: begin with an empty file
    std::size_t cache_bytes = 64U << 20U;
    // Unfinished tasks kept in memory between lots; those beyond are read back when they change.
    std::size_t max_hot_tasks = 50000;
    // A WAL that is found longer than so many pages of 4 KiB is moved into the file before open()
    // returns: a process that is killed again and again gets no further with tend_wal().
    int checkpoint_pages = 16384;
  };

  // Opens the file or makes it. One that is damaged, was made by another version of the
  // projections, or is of another log is dropped: checkpoint() is then 0 and `dropped_because()`
  // says why. `log_id` empty: not checked.
  static base::Result<std::unique_ptr<ProjectorCore>> open(Options options,
                                                           std::string_view log_id);
  ~ProjectorCore();
  // Puts the second copy, which must be closed, in the place of the one that serves, which should
  // be closed too: it is removed. Readers move over by themselves.
  static base::Status promote(const std::string& directory);

  // The seq of the last event folded; 0 at the start.
  domain::Seq checkpoint() const;
  const std::string& dropped_because() const;

  // Folds the batches as one lot. Records at or below the checkpoint are passed over; a gap is
  // InvalidArgument and nothing is done. After Internal (disk full, damaged file) the object is
  // broken: open a new one.
  base::Status apply(std::span<const CommittedBatchPtr> batches);

  // ---- what the last apply() did ----
  // The rows of tasks that it changed, in the order in which they were first touched. Shared with
  // the core, which copies a row before it changes it again.
  std::span<const TaskRowPtr> changed_tasks() const;
  const TallyMap& tally_deltas() const;
  bool people_changed() const;
  base::Time last_event_time() const;

  // ---- the whole of it, after open() ----
  std::vector<TaskRowPtr> hot_tasks() const;
  const TallyMap& tallies() const;
  std::shared_ptr<const Directory> directory() const;

  // After apply(), when the WAL should be moved into the file at `pages` of 4 KiB: asks a thread of
  // its own to, or does the little that is left. Never waits for readers.
  void tend_wal(int pages);
  // All of it, now.
  base::Status checkpoint_wal();
  // The file is not to be trusted: open the next with `drop_because`.
  bool damaged() const;

  // For the test that two files are equal: every row of every table in key order, as text.
  base::Result<std::string> dump_for_test() const;

 private:
  struct Impl;
  explicit ProjectorCore(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace slipway::eventstore
