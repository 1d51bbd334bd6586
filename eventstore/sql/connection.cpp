#include "eventstore/sql/connection.hpp"

#include <fmt/format.h>
#include <sqlite3.h>

#include "eventstore/sql/catalog.hpp"
#include "eventstore/sql/functions.hpp"

namespace slipway::eventstore::sql {
namespace {

constexpr int kProgressSteps = 2000;
constexpr int kCacheKib = 4096;

void set_limits(sqlite3* db) {
  // Longer than any value that is answered: a stored document is taken apart first.
  sqlite3_limit(db, SQLITE_LIMIT_LENGTH, 4 << 20);
  sqlite3_limit(db, SQLITE_LIMIT_SQL_LENGTH, 1 << 20);
  sqlite3_limit(db, SQLITE_LIMIT_VDBE_OP, 1 << 18);
  sqlite3_limit(db, SQLITE_LIMIT_ATTACHED, 0);
  sqlite3_limit(db, SQLITE_LIMIT_TRIGGER_DEPTH, 0);
  sqlite3_limit(db, SQLITE_LIMIT_WORKER_THREADS, 0);
  sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, nullptr);
  // A name in double quotes that is none must not turn into a string.
  sqlite3_db_config(db, SQLITE_DBCONFIG_DQS_DML, 0, nullptr);
}

}  // namespace

Connection::Connection(const ReadModels& models, const EventLog& log)
    : models_(models), events_{log, budget_} {}

base::Result<domain::Seq> Connection::begin() {
  std::string file = models_.serving_file();
  if (db_ == nullptr || file != file_) {
    if (auto status = open(std::move(file)); !status) return base::fail(status.error());
  }
  guard_ = Guard::Off;
  db_->exec("BEGIN");
  {
    Statement seq(*db_, "SELECT seq FROM checkpoint");
    events_.last = seq.step() ? seq.as<domain::Seq>(0) : 0;
  }
  if (!db_->ok()) {
    note_refusal(db_->error().message);
    drop();
    return base::fail(base::Errc::Internal, "the read models could not be read");
  }
  guard_ = Guard::On;
  return events_.last;
}

void Connection::end() {
  if (db_ == nullptr) return;
  guard_ = Guard::Off;
  db_->exec("COMMIT");
  if (!db_->ok()) drop();
}

void Connection::drop() { db_.reset(); }

base::Status Connection::open(std::string file) {
  db_.reset();
  if (file.empty())
    return base::fail(base::Errc::ProjectionBehind, "the read models are being built");
  file_ = std::move(file);
  auto opened = Database::open(file_, OpenMode::ReadOnly);
  if (!opened) return base::fail(base::Errc::Internal, "the read models could not be opened");
  db_ = std::move(*opened);
  guard_ = Guard::Off;
  db_->exec(fmt::format("PRAGMA cache_size=-{}", kCacheKib).c_str());
  db_->exec("PRAGMA temp_store=MEMORY");  // so that the memory limit bounds sorting too
  db_->exec("PRAGMA query_only=1");
  set_limits(handle());
  const bool ok = db_->ok() && register_functions(handle(), budget_) &&
                  register_event_tables(handle(), events_);
  // Virtual tables declare themselves when they are first named, which is no reading: before the
  // authorizer listens.
  for (const char* table : {"sw_events", "sw_task_events", "json_each"}) {
    Statement(*db_, fmt::format("SELECT 1 FROM {} LIMIT 0", table)).step();
  }
  sqlite3_set_authorizer(handle(), authorize, this);
  sqlite3_progress_handler(handle(), kProgressSteps, on_progress, this);
  if (!ok) note_refusal(sqlite3_errmsg(handle()));
  if (ok && learn()) return {};
  db_.reset();
  return base::fail(base::Errc::Internal, "the read models could not be read");
}

// What may be read and called is what the catalog's own SELECTs read and call, and our functions.
bool Connection::learn() {
  readable_.clear();
  callable_.clear();
  guard_ = Guard::Learning;
  for (const Table& table : catalog()) {
    const std::string sql = table_select(table, {}, "?1", "");
    sqlite3_stmt* statement = nullptr;
    const int code = sqlite3_prepare_v3(handle(), sql.c_str(), static_cast<int>(sql.size()), 0,
                                        &statement, nullptr);
    sqlite3_finalize(statement);
    if (code != SQLITE_OK) {
      note_refusal(fmt::format("{}: {} ({})", table.name, sqlite3_errmsg(handle()), refused_));
      return false;
    }
  }
  guard_ = Guard::Off;
  for (const auto part : {functions(), arithmetic_operators(), matching_operators()}) {
    for (const Function& f : part) {
      if (f.kind == FunctionKind::Scalar) callable_.insert(fmt::format("f_{}", f.name));
      if (f.kind == FunctionKind::Aggregate) callable_.insert(std::string(f.name));
    }
  }
  callable_.insert("sw_id");
  return true;
}

bool Connection::allowed(int action, std::string_view a, std::string_view b) {
  switch (action) {
    case SQLITE_SELECT:
      return true;
    case SQLITE_READ: {
      if (guard_ == Guard::Learning) readable_.emplace(a, b);
      // Without a column it is asked only whether the table has rows.
      const auto it = readable_.lower_bound({std::string(a), std::string(b)});
      return it != readable_.end() && it->first == a && (b.empty() || it->second == b);
    }
    case SQLITE_FUNCTION:
      if (guard_ == Guard::Learning) callable_.emplace(b);
      return callable_.contains(b);
    default:
      return false;
  }
}

int Connection::authorize(void* self, int action, const char* a, const char* b, const char*,
                          const char*) {
  auto& connection = *static_cast<Connection*>(self);
  if (connection.guard_ == Guard::Off) return SQLITE_OK;
  const auto view = [](const char* text) { return std::string_view(text == nullptr ? "" : text); };
  if (connection.allowed(action, view(a), view(b))) return SQLITE_OK;
  connection.note_refusal(fmt::format("action {} on {}.{}", action, view(a), view(b)));
  return SQLITE_DENY;
}

int Connection::on_progress(void* self) {
  auto& connection = *static_cast<Connection*>(self);
  if (connection.guard_ != Guard::On) return 0;
  return connection.budget_.check_time() ? 0 : 1;
}

}  // namespace slipway::eventstore::sql
