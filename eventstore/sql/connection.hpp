#pragma once
// One read-only connection of the SQL dialect. Beside opening the file it can do nothing but what
// the catalog's tables and our functions do: an authorizer refuses every table, column, function
// and action that is not in them, whatever the statement; a progress handler and the budget break
// off what takes too much. One thread.
#include <memory>
#include <set>
#include <string>

#include "eventstore/event_log.hpp"
#include "eventstore/projections/sqlite.hpp"
#include "eventstore/read_models.hpp"
#include "eventstore/sql/budget.hpp"
#include "eventstore/sql/event_table.hpp"

namespace slipway::eventstore::sql {

class Connection {
 public:
  Connection(const ReadModels& models, const EventLog& log);
  ~Connection() = default;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Begins a read transaction, at the seq that is given back, on the file that serves now.
  // Internal: there is none, or it is damaged.
  base::Result<domain::Seq> begin();
  void end();
  // Gives the file up: the next begin() opens it anew.
  void drop();
  bool is_open() const { return db_ != nullptr; }

  sqlite3* handle() const { return db_->handle(); }
  Budget& budget() { return budget_; }
  // What SQLite or the authorizer last complained of: for the log, never for a client.
  const std::string& refused() const { return refused_; }
  void note_refusal(std::string what) { refused_ = std::move(what); }

 private:
  enum class Guard : std::uint8_t { Off, Learning, On };
  base::Status open(std::string file);
  bool learn();
  static int authorize(void* self, int action, const char* a, const char* b, const char* database,
                       const char* trigger);
  static int on_progress(void* self);
  bool allowed(int action, std::string_view a, std::string_view b);

  const ReadModels& models_;
  Budget budget_;
  EventSource events_;
  std::string file_;
  std::unique_ptr<Database> db_;
  Guard guard_ = Guard::Off;
  std::set<std::pair<std::string, std::string>> readable_;  // table, column
  std::set<std::string, std::less<>> callable_;
  std::string refused_;
};

}  // namespace slipway::eventstore::sql
