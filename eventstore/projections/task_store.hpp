#pragma once
// The columns of `tasks` and the fields of TaskRow: written here, read here, nowhere else.
#include "core/base/json_read.hpp"
#include "core/base/json_write.hpp"
#include "eventstore/projections/sqlite.hpp"
#include "eventstore/rows.hpp"

namespace slipway::eventstore {

// For "SELECT <kTaskColumns> FROM tasks".
extern const char* const kTaskColumns;
// Reads the row at which `select` stands. False: its document is damaged.
bool read_task(const Statement& select, base::JsonParser& parser, TaskRow& row);

class TaskStore {
 public:
  explicit TaskStore(Database& db);
  void insert(const TaskRow& row);
  void update(const TaskRow& row);
  bool find(const domain::TaskId& id, TaskRow& row);
  // The unfinished ones in order of creation, at most `limit`.
  std::vector<TaskRow> unfinished(std::size_t limit);

 private:
  std::string_view doc_text(const TaskRow& row);

  Database& db_;
  base::JsonWriter writer_;
  base::JsonParser parser_;
  Statement insert_, insert_resource_, update_, find_;
};

}  // namespace slipway::eventstore
