#pragma once
// The log as two virtual tables of SQLite: sw_events, every event in order of seq, and
// sw_task_events, those of tasks and batches with the task's id. A range of seqs, and the one task
// asked for, are looked up; everything else is read from the beginning, each event counted as a
// row.
#include "core/domain/ids.hpp"

struct sqlite3;

namespace slipway::eventstore {
class EventLog;
}

namespace slipway::eventstore::sql {

class Budget;

// What both tables read; outlives the connection.
struct EventSource {
  const EventLog& log;
  Budget& budget;
  domain::Seq last = 0;  // nothing behind this is shown: the seq of the other tables
};

bool register_event_tables(sqlite3* db, EventSource& source);

}  // namespace slipway::eventstore::sql
