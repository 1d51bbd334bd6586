#include "eventstore/projections/task_fold.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace slipway::eventstore {

using domain::TaskState;

namespace {

domain::StepRecord* find_step(TaskRow& row, std::string_view step) {
  for (domain::StepRecord& record : row.doc.steps) {
    if (record.step == step) return &record;
  }
  return nullptr;
}

// Granted with the last lease and never called, or surely without effect.
void forget_steps(TaskRow& row, const std::vector<std::string>& not_begun) {
  std::erase_if(row.doc.steps, [&](const domain::StepRecord& step) {
    return step.state == domain::StepState::Started && step.token == row.doc.token &&
           std::find(not_begun.begin(), not_begun.end(), step.step) != not_begun.end();
  });
}

std::string counts_json(const BatchCounts& counts) {
  return fmt::format(R"({{"total":{},"succeeded":{},"failed":{},"cancelled":{}}})", counts.total,
                     counts.succeeded, counts.failed, counts.cancelled);
}

}  // namespace

TaskFold::TaskFold(Database& db, Tallies& tallies, StatsFold& stats, std::size_t max_hot)
    : tallies_(tallies), stats_(stats), store_(db), max_hot_(max_hot) {}

void TaskFold::load() {
  for (TaskRow& row : store_.unfinished(max_hot_)) {
    const domain::TaskId id = row.id;
    tasks_[id] = {std::make_shared<TaskRow>(std::move(row)), false, false, true};
  }
}

// ---- acceptance ----

void TaskFold::on(const FoldContext& ctx, const domain::CommandAccepted& e) {
  TaskRow& row = create(ctx);
  row.command = e.command;
  row.doc.resources = e.resources;
  if (!e.resources.empty()) row.resource = e.resources.front().id;
  canonical_.assign(row.doc.args.text, e.args.text);
}

void TaskFold::on(const FoldContext& ctx, const domain::TaskQueued& e) {
  TaskRow* found = touch(ctx);
  TaskRow& row = found != nullptr ? *found : create(ctx);
  if (found == nullptr) row.version = 1;
  count_state(row, -1);
  row.command = e.command;
  row.worker_pool = e.worker_pool;
  row.backend = e.backend;
  row.priority = e.priority;
  row.max_attempts = e.max_attempts;
  row.deadline = e.deadline;
  row.parent = e.parent;
  row.index = e.index;
  if (!e.parent.is_nil() && !is_open_batch(e.parent)) {
    row.redriven = true;
    row.doc.redrives = e.parent;
  }
  row.state = TaskState::Ready;
  if (!row.worker_pool.empty()) row.ready_at = ctx.time();
  count_state(row, +1);
  tallies_.add(Tally::TasksSubmitted, tallies_.label(row.command), tallies_.label(row.dialect));
}

// The row of a new task: ACCEPTED until it is queued, by the next event of its record.
TaskRow& TaskFold::create(const FoldContext& ctx) {
  const domain::TaskId id(ctx.event.stream.id);
  Entry& entry = tasks_[id];
  entry = {std::make_shared<TaskRow>(), true, true, false};
  touched_.push_back(id);
  TaskRow& row = *entry.row;
  row.created_seq = ctx.seq;
  row.id = id;
  row.tenant = ctx.envelope.tenant;
  row.actor = ctx.envelope.actor;
  row.dialect = ctx.envelope.dialect;
  row.created_at = ctx.time();
  row.state = TaskState::Accepted;
  row.seq = ctx.seq;
  row.doc.request_id = ctx.envelope.request_id;
  row.doc.trace = ctx.envelope.trace;
  count_state(row, +1);
  stats_.task_in_flight(row.tenant, +1);
  return row;
}

TaskRow* TaskFold::touch(const FoldContext& ctx) {
  Entry* entry = find(domain::TaskId(ctx.event.stream.id));
  if (entry == nullptr || entry->row->terminal()) return nullptr;
  if (entry->sealed) {
    entry->row = std::make_shared<TaskRow>(*entry->row);
    entry->sealed = false;
  }
  if (!entry->touched) {
    entry->touched = true;
    touched_.push_back(entry->row->id);
  }
  ++entry->row->version;
  entry->row->seq = ctx.seq;
  return entry->row.get();
}

TaskFold::Entry* TaskFold::find(const domain::TaskId& id) {
  if (const auto it = tasks_.find(id); it != tasks_.end()) return &it->second;
  TaskRow row;
  if (!store_.find(id, row) || row.terminal()) return nullptr;
  return &(tasks_[id] = {std::make_shared<TaskRow>(std::move(row)), false, false, false});
}

// A task's parent is either the batch it came with, which is under way then, or the ended task that
// it does over.
bool TaskFold::is_open_batch(const domain::TaskId& id) {
  const Entry* entry = find(id);
  return entry != nullptr && domain::is_batch(entry->row->command);
}

// ---- waiting and running ----

void TaskFold::on(const FoldContext& ctx, const domain::TaskBlocked& e) {
  TaskRow* row = touch(ctx);
  if (row == nullptr) return;
  become(*row, ctx, TaskState::Blocked);
  row->doc.depends_on = e.depends_on;
  row->doc.not_before = e.not_before;
}

void TaskFold::on(const FoldContext& ctx, const domain::TaskReady& e) {
  TaskRow* row = touch(ctx);
  if (row == nullptr) return;
  if (e.handed_back) count_attempt(*row, "handed-back");
  become(*row, ctx, TaskState::Ready);
  row->next_attempt_at.reset();
  if (e.handed_back && row->attempt > 0) --row->attempt;
  forget_steps(*row, e.steps_not_begun);
}

void TaskFold::on(const FoldContext& ctx, const domain::TaskLeased& e) {
  TaskRow* row = touch(ctx);
  if (row == nullptr) return;
  if (row->ready_at) {
    const auto wait = std::max(base::Duration(0), ctx.time() - *row->ready_at);
    stats_.task_waited(row->tenant, ctx.time(), row->command, wait);
  }
  become(*row, ctx, TaskState::Running);
  row->attempt = e.attempt;
  if (!row->started_at) row->started_at = ctx.time();
  row->doc.worker = e.worker;
  row->doc.token = e.token;
}

void TaskFold::on(const FoldContext& ctx, const domain::TaskProgressed& e) {
  TaskRow* row = touch(ctx);
  if (row == nullptr) return;
  row->doc.percent = e.percent;
  row->doc.step = e.step;
  row->doc.message = e.message;
}

void TaskFold::on(const FoldContext& ctx, const domain::TaskStepStarted& e) {
  TaskRow* row = touch(ctx);
  if (row == nullptr) return;
  if (e.undo) return;
  domain::StepRecord* step = find_step(*row, e.step);
  if (step == nullptr) step = &row->doc.steps.emplace_back();
  *step = {e.step, domain::StepState::Started, e.token, e.call_deadline, {}};
}

void TaskFold::on(const FoldContext& ctx, const domain::TaskStepDone& e) {
  TaskRow* row = touch(ctx);
  if (row == nullptr) return;
  domain::StepRecord* step = find_step(*row, e.step);
  if (step == nullptr) {
    step = &row->doc.steps.emplace_back();
    step->step = e.step;
  }
  step->state = domain::StepState::Done;
  step->backend_ref = e.backend_ref;
}

void TaskFold::on(const FoldContext& ctx, const domain::TaskStepUndone& e) {
  TaskRow* row = touch(ctx);
  if (row == nullptr) return;
  if (domain::StepRecord* step = find_step(*row, e.step)) step->state = domain::StepState::Undone;
  tallies_.add(Tally::UndoSteps, tallies_.label(row->command), tallies_.label("done"));
}

void TaskFold::on(const FoldContext& ctx, const domain::TaskRetryScheduled& e) {
  TaskRow* row = touch(ctx);
  if (row == nullptr) return;
  count_attempt(*row, "retry");
  become(*row, ctx, TaskState::RetryWait);
  row->next_attempt_at = e.next_attempt_at;
  row->doc.error = e.error;
  if (!e.counted && row->attempt > 0) --row->attempt;
  forget_steps(*row, e.steps_not_begun);
  tallies_.add(Tally::TaskRetries, tallies_.label(row->command), tallies_.label(e.error.code));
}

void TaskFold::on(const FoldContext& ctx, const domain::TaskCancelRequested&) {
  if (TaskRow* row = touch(ctx)) row->doc.cancel_requested = true;
}

void TaskFold::on(const FoldContext& ctx, const domain::TaskPriorityChanged& e) {
  if (TaskRow* row = touch(ctx)) row->priority = e.priority;
}

void TaskFold::on(const FoldContext& ctx, const domain::TaskRedriven& e) {
  TaskRow* row = touch(ctx);
  if (row == nullptr) return;
  row->doc.redrives = e.from;
  row->doc.root = e.root;
}

// ---- the end ----

void TaskFold::on(const FoldContext& ctx, const domain::TaskSucceeded& e) {
  TaskRow* row = touch(ctx);
  if (row == nullptr) return;
  count_attempt(*row, "succeeded");
  row->doc.percent = 100;
  row->doc.error.reset();
  row->doc.steps.clear();
  canonical_.assign(row->doc.result.text, e.result.text.empty() ? "{}" : e.result.text);
  finish(*row, ctx, TaskState::Succeeded);
}

void TaskFold::on(const FoldContext& ctx, const domain::TaskFailed& e) {
  if (TaskRow* row = touch(ctx)) fail(*row, ctx, TaskState::Failed, e.error);
}
void TaskFold::on(const FoldContext& ctx, const domain::TaskTimedOut& e) {
  if (TaskRow* row = touch(ctx)) fail(*row, ctx, TaskState::TimedOut, e.error);
}
void TaskFold::on(const FoldContext& ctx, const domain::TaskDead& e) {
  TaskRow* row = touch(ctx);
  if (row == nullptr) return;
  fail(*row, ctx, TaskState::Dead, e.error);
  tallies_.add(Tally::DeadLetters, tallies_.label(row->command), tallies_.label(e.error.code));
}
void TaskFold::on(const FoldContext& ctx, const domain::TaskCancelled&) {
  TaskRow* row = touch(ctx);
  if (row == nullptr) return;
  domain::TaskError error;
  error.code = base::errc_name(base::Errc::Cancelled);
  error.attempt = row->attempt;
  fail(*row, ctx, TaskState::Cancelled, error);
}

void TaskFold::fail(TaskRow& row, const FoldContext& ctx, TaskState state,
                    const domain::TaskError& error) {
  static constexpr std::string_view kResults[] = {"failed", "cancelled", "timed-out", "dead"};
  count_attempt(row, kResults[static_cast<int>(state) - static_cast<int>(TaskState::Failed)]);
  row.doc.error = error;
  finish(row, ctx, state);
}

void TaskFold::finish(TaskRow& row, const FoldContext& ctx, TaskState state) {
  become(row, ctx, state);
  row.finished_at = ctx.time();
  row.next_attempt_at.reset();
  tallies_.add(Tally::TasksFinished, tallies_.label(row.command), tallies_.label(row.backend),
               tallies_.label(state));
  stats_.task_in_flight(row.tenant, -1);
  stats_.task_finished(row.tenant, ctx.time(), row.command, state,
                       std::max(base::Duration(0), ctx.time() - row.created_at));
}

void TaskFold::become(TaskRow& row, const FoldContext& ctx, TaskState state) {
  count_state(row, -1);
  row.state = state;
  row.ready_at.reset();
  if (state == TaskState::Ready && !row.worker_pool.empty()) row.ready_at = ctx.time();
  count_state(row, +1);
}

void TaskFold::count_state(const TaskRow& row, std::int64_t n) {
  const Label state = tallies_.label(row.state);
  tallies_.add(Tally::TasksByState, state, 0, 0, n);
  if (row.worker_pool.empty() || row.terminal()) return;
  const Label pool = tallies_.label(row.worker_pool);
  tallies_.add(Tally::Queue, pool, state, 0, n);
  if (row.ready_at) tallies_.add_ready_since(pool, *row.ready_at, n);
}

void TaskFold::count_attempt(const TaskRow& row, std::string_view result) {
  if (row.state != TaskState::Running || row.worker_pool.empty()) return;
  tallies_.add(Tally::TaskAttempts, tallies_.label(row.command), tallies_.label(row.backend),
               tallies_.label(result));
}

// ---- batches ----

void TaskFold::on(const FoldContext& ctx, const domain::BatchOpened& e) {
  TaskRow* row = touch(ctx);
  if (row == nullptr) return;
  become(*row, ctx, TaskState::Running);
  row->started_at = ctx.time();
  row->batch = BatchCounts{e.total, 0, 0, 0};
}

void TaskFold::on(const FoldContext& ctx, const domain::BatchItemSucceeded&) {
  count_item(ctx, &BatchCounts::succeeded);
}
void TaskFold::on(const FoldContext& ctx, const domain::BatchItemFailed& e) {
  count_item(ctx, e.state == TaskState::Cancelled ? &BatchCounts::cancelled : &BatchCounts::failed);
}

void TaskFold::count_item(const FoldContext& ctx, std::uint32_t BatchCounts::*counter) {
  TaskRow* row = touch(ctx);
  if (row == nullptr || !row->batch) return;
  BatchCounts& counts = *row->batch;
  ++(counts.*counter);
  if (counts.total > 0) row->doc.percent = (counts.total - counts.running()) * 100 / counts.total;
}

void TaskFold::on(const FoldContext& ctx, const domain::BatchClosed& e) {
  TaskRow* row = touch(ctx);
  if (row == nullptr) return;
  row->doc.result.text = counts_json(row->batch.value_or(BatchCounts{}));
  row->doc.error.reset();
  finish(*row, ctx, e.state);
}

// ---- writing ----

void TaskFold::flush() {
  changed_.clear();
  for (const domain::TaskId& id : touched_) {
    Entry& entry = tasks_.at(id);
    if (entry.fresh) {
      store_.insert(*entry.row);
    } else {
      store_.update(*entry.row);
    }
    changed_.push_back(entry.row);
    seal(id, entry);
  }
  touched_.clear();
}

// Ended tasks leave; of the others as many stay as the map may hold, the rest is read back when it
// changes. The first to come stay, for they are the next to be worked on.
void TaskFold::seal(const domain::TaskId& id, Entry& entry) {
  if (entry.row->terminal() || tasks_.size() > max_hot_) {
    tasks_.erase(id);
    return;
  }
  entry.fresh = false;
  entry.touched = false;
  entry.sealed = true;
}

std::vector<TaskRowPtr> TaskFold::hot() const {
  std::vector<TaskRowPtr> rows;
  rows.reserve(tasks_.size());
  for (const auto& [id, entry] : tasks_) rows.push_back(entry.row);
  std::sort(rows.begin(), rows.end(), [](const TaskRowPtr& a, const TaskRowPtr& b) {
    return a->created_seq < b->created_seq;
  });
  return rows;
}

}  // namespace slipway::eventstore
