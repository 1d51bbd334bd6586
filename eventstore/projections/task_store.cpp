#include "eventstore/projections/task_store.hpp"

#include <fmt/format.h>

namespace slipway::eventstore {

const char* const kTaskColumns =
    "created_seq, id, tenant, actor, command, dialect, state, priority, backend, worker_pool, "
    "parent, item, redriven, resource, attempt, max_attempts, created_at, deadline, ready_at, "
    "started_at, finished_at, next_attempt_at, version, seq, batch_total, batch_succeeded, "
    "batch_failed, batch_cancelled, doc";

namespace {

// What may change after the row was made, in the order of update()'s bindings.
constexpr const char* kUpdate =
    "UPDATE tasks SET state=?, priority=?, attempt=?, ready_at=?, "
    "started_at=?, finished_at=?, next_attempt_at=?, version=?, seq=?, batch_total=?, "
    "batch_succeeded=?, batch_failed=?, batch_cancelled=?, doc=? WHERE created_seq=?";

struct MaybeCounts {
  std::optional<std::uint32_t> total, succeeded, failed, cancelled;
};
MaybeCounts maybe(const std::optional<BatchCounts>& counts) {
  if (!counts) return {};
  return {counts->total, counts->succeeded, counts->failed, counts->cancelled};
}

}  // namespace

bool read_task(const Statement& s, base::JsonParser& parser, TaskRow& row) {
  int at = 0;
  row.created_seq = s.as<domain::Seq>(at++);
  row.id = domain::TaskId(s.uuid(at++));
  row.tenant = s.text(at++);
  row.actor = s.text(at++);
  row.command = s.as<domain::CommandKind>(at++);
  row.dialect = s.as<domain::Dialect>(at++);
  row.state = s.as<domain::TaskState>(at++);
  row.priority = s.as<std::uint32_t>(at++);
  row.backend = s.text(at++);
  row.worker_pool = s.text(at++);
  row.parent = domain::TaskId(s.uuid(at++));
  row.index = s.as<std::uint32_t>(at++);
  row.redriven = s.integer(at++) != 0;
  row.resource = s.uuid(at++);
  row.attempt = s.as<std::uint32_t>(at++);
  row.max_attempts = s.as<std::uint32_t>(at++);
  row.created_at = s.time(at++);
  row.deadline = s.time(at++);
  row.ready_at = s.maybe_time(at++);
  row.started_at = s.maybe_time(at++);
  row.finished_at = s.maybe_time(at++);
  row.next_attempt_at = s.maybe_time(at++);
  row.version = s.as<std::uint64_t>(at++);
  row.seq = s.as<domain::Seq>(at++);
  row.batch.reset();
  if (!s.is_null(at)) {
    row.batch = {s.as<std::uint32_t>(at), s.as<std::uint32_t>(at + 1), s.as<std::uint32_t>(at + 2),
                 s.as<std::uint32_t>(at + 3)};
  }
  row.doc = {};
  const auto json = parser.parse_trusted(s.text(at + 4));
  return json && base::read_json(*json, row.doc);
}

TaskStore::TaskStore(Database& db)
    : db_(db),
      insert_(db,
              "INSERT INTO tasks VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,"
              "?,?)"),
      insert_resource_(db, "INSERT OR IGNORE INTO task_resources VALUES(?,?)"),
      update_(db, kUpdate),
      find_(db, fmt::format("SELECT {} FROM tasks WHERE id=?", kTaskColumns)) {}

std::string_view TaskStore::doc_text(const TaskRow& row) {
  writer_.clear();
  base::write_json(writer_, row.doc);
  return writer_.view();
}

void TaskStore::insert(const TaskRow& row) {
  const MaybeCounts counts = maybe(row.batch);
  insert_.run(row.created_seq, row.id, row.tenant, row.actor, row.command, row.dialect, row.state,
              row.priority, row.backend, row.worker_pool, row.parent, row.index, row.redriven,
              row.resource, row.attempt, row.max_attempts, row.created_at, row.deadline,
              row.ready_at, row.started_at, row.finished_at, row.next_attempt_at, row.version,
              row.seq, counts.total, counts.succeeded, counts.failed, counts.cancelled,
              doc_text(row));
  for (const domain::ResourceRef& resource : row.doc.resources) {
    if (!resource.id.is_nil()) insert_resource_.run(resource.id, row.created_seq);
  }
}

void TaskStore::update(const TaskRow& row) {
  const MaybeCounts counts = maybe(row.batch);
  update_.run(row.state, row.priority, row.attempt, row.ready_at, row.started_at, row.finished_at,
              row.next_attempt_at, row.version, row.seq, counts.total, counts.succeeded,
              counts.failed, counts.cancelled, doc_text(row), row.created_seq);
}

bool TaskStore::find(const domain::TaskId& id, TaskRow& row) {
  find_.bind_all(id);
  const bool found = find_.step();
  if (found && !read_task(find_, parser_, row)) db_.set_error(11, "a task's document is damaged");
  find_.reset();
  return found && db_.ok();
}

std::vector<TaskRow> TaskStore::unfinished(std::size_t limit) {
  // The states before SUCCEEDED, by the partial index.
  Statement select(db_, fmt::format("SELECT {} FROM tasks INDEXED BY tasks_state WHERE state<5 AND "
                                    "state<>5 ORDER BY created_seq LIMIT ?",
                                    kTaskColumns));
  static_assert(static_cast<int>(domain::TaskState::Succeeded) == 5);
  select.bind_all(limit);
  std::vector<TaskRow> rows;
  while (select.step()) {
    if (!read_task(select, parser_, rows.emplace_back())) {
      db_.set_error(11, "a task's document is damaged");
    }
  }
  return rows;
}

}  // namespace slipway::eventstore
