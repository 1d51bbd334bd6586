#pragma once
// Tasks and batches: folds their events into TaskRows, keeps the unfinished ones, writes each
// changed row once.
#include <unordered_map>

#include "core/domain/events.hpp"
#include "eventstore/projections/canonical_json.hpp"
#include "eventstore/projections/fold_context.hpp"
#include "eventstore/projections/stats_fold.hpp"
#include "eventstore/projections/tallies.hpp"
#include "eventstore/projections/task_store.hpp"

namespace slipway::eventstore {

class TaskFold {
 public:
  TaskFold(Database& db, Tallies& tallies, StatsFold& stats, std::size_t max_hot);
  // Reads the unfinished tasks back.
  void load();

  void on(const FoldContext&, const domain::CommandAccepted&);
  void on(const FoldContext&, const domain::TaskQueued&);
  void on(const FoldContext&, const domain::TaskBlocked&);
  void on(const FoldContext&, const domain::TaskReady&);
  void on(const FoldContext&, const domain::TaskLeased&);
  void on(const FoldContext&, const domain::TaskProgressed&);
  void on(const FoldContext&, const domain::TaskStepStarted&);
  void on(const FoldContext&, const domain::TaskStepDone&);
  void on(const FoldContext&, const domain::TaskStepUndone&);
  void on(const FoldContext&, const domain::TaskRetryScheduled&);
  void on(const FoldContext&, const domain::TaskSucceeded&);
  void on(const FoldContext&, const domain::TaskFailed&);
  void on(const FoldContext&, const domain::TaskCancelRequested&);
  void on(const FoldContext&, const domain::TaskCancelled&);
  void on(const FoldContext&, const domain::TaskTimedOut&);
  void on(const FoldContext&, const domain::TaskDead&);
  void on(const FoldContext&, const domain::TaskRedriven&);
  void on(const FoldContext&, const domain::TaskPriorityChanged&);
  void on(const FoldContext&, const domain::BatchOpened&);
  void on(const FoldContext&, const domain::BatchItemSucceeded&);
  void on(const FoldContext&, const domain::BatchItemFailed&);
  void on(const FoldContext&, const domain::BatchClosed&);
  template <class E>
  void on(const FoldContext&, const E&) {}

  // Writes what changed; changed() is then this lot's rows.
  void flush();
  const std::vector<TaskRowPtr>& changed() const { return changed_; }
  std::vector<TaskRowPtr> hot() const;  // in order of creation

 private:
  // A row that was handed out (`sealed`) is copied before it is changed again: others read it.
  struct Entry {
    std::shared_ptr<TaskRow> row;
    bool fresh = false;    // has no row in the table yet
    bool touched = false;  // in this lot
    bool sealed = false;
  };
  TaskRow& create(const FoldContext&);
  // The task of the event's stream, ready to be changed; nullptr if it never was or has ended.
  TaskRow* touch(const FoldContext&);
  Entry* find(const domain::TaskId& id);
  bool is_open_batch(const domain::TaskId& id);
  void become(TaskRow& row, const FoldContext&, domain::TaskState state);
  void finish(TaskRow& row, const FoldContext&, domain::TaskState state);
  void fail(TaskRow& row, const FoldContext&, domain::TaskState state, const domain::TaskError&);
  void count_state(const TaskRow& row, std::int64_t n);
  void count_attempt(const TaskRow& row, std::string_view result);
  void count_item(const FoldContext&, std::uint32_t BatchCounts::*counter);
  void seal(const domain::TaskId& id, Entry& entry);

  Tallies& tallies_;
  StatsFold& stats_;
  TaskStore store_;
  CanonicalJson canonical_;
  const std::size_t max_hot_;
  std::unordered_map<domain::TaskId, Entry> tasks_;
  std::vector<domain::TaskId> touched_;  // in the order of the first touch
  std::vector<TaskRowPtr> changed_;
};

}  // namespace slipway::eventstore
