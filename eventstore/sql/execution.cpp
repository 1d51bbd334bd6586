#include "eventstore/sql/execution.hpp"

#include <sqlite3.h>

#include "eventstore/sql/memory_budget.hpp"

namespace slipway::eventstore::sql {
namespace {

void bind(sqlite3_stmt* statement, int at, const Value& value) {
  if (const auto* number = std::get_if<std::int64_t>(&value)) {
    sqlite3_bind_int64(statement, at, *number);
  } else if (const auto* real = std::get_if<double>(&value)) {
    sqlite3_bind_double(statement, at, *real);
  } else if (const auto* text = std::get_if<std::string>(&value)) {
    sqlite3_bind_text(statement, at, text->c_str(), static_cast<int>(text->size()), SQLITE_STATIC);
  }
}

Value column_value(sqlite3_stmt* statement, int at) {
  switch (sqlite3_column_type(statement, at)) {
    case SQLITE_NULL:
      return {};
    case SQLITE_INTEGER:
      return static_cast<std::int64_t>(sqlite3_column_int64(statement, at));
    case SQLITE_FLOAT:
      return sqlite3_column_double(statement, at);
    default:
      break;
  }
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement, at));
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement, at));
  return text == nullptr ? Value() : Value(std::string(text, size));
}

// SQLite's statement, finalized at the end.
class Prepared {
 public:
  Prepared(sqlite3* db, const Compiled& compiled) {
    code_ = sqlite3_prepare_v3(db, compiled.sql.data(), static_cast<int>(compiled.sql.size()), 0,
                               &statement_, nullptr);
    if (statement_ == nullptr) return;
    for (std::size_t i = 0; i < compiled.values.size(); ++i) {
      bind(statement_, static_cast<int>(i + 1), compiled.values[i]);
    }
  }
  ~Prepared() { sqlite3_finalize(statement_); }
  Prepared(const Prepared&) = delete;
  Prepared& operator=(const Prepared&) = delete;

  int code() const { return code_; }
  sqlite3_stmt* get() const { return statement_; }

 private:
  sqlite3_stmt* statement_ = nullptr;
  int code_ = SQLITE_OK;
};

bool take_row(sqlite3_stmt* statement, Budget& budget, StatementResult& result) {
  const int count = sqlite3_column_count(statement);
  std::vector<Value> row;
  row.reserve(static_cast<std::size_t>(count));
  std::size_t bytes = sizeof(std::vector<Value>);
  for (int i = 0; i < count; ++i) {
    row.push_back(column_value(statement, i));
    bytes += sizeof(Value);
    const auto* text = std::get_if<std::string>(&row.back());
    if (text == nullptr) continue;
    bytes += text->size();
    if (!budget.check_value(text->size())) return false;
  }
  if (!budget.take_answer_row(bytes)) return false;
  result.rows.push_back(std::move(row));
  return true;
}

// Beyond this a statement repeats itself by its aliases. SQLite takes its time for such a text, and
// cannot be broken off before it runs.
constexpr std::size_t kMostSql = 128U << 10U;
constexpr std::size_t kMostValues = 5000;

// Our own functions' words are for clients; SQLite's are not.
std::string explained(Connection& connection, const MemoryBudget& memory, int code) {
  Budget& budget = connection.budget();
  if (memory.exceeded()) budget.note_memory();
  if (!budget.exceeded().empty()) return budget.exceeded();
  const std::string message = sqlite3_errmsg(connection.handle());
  if (message.starts_with("REGEXP ")) return message;
  if (message == "integer overflow") return "a sum is out of range";
  if (code == SQLITE_TOOBIG) {
    budget.check_value(budget.limits().value_bytes + 1);
    return budget.exceeded();
  }
  if (message == "parser stack overflow" || message.starts_with("Expression tree is too large") ||
      message.starts_with("too many")) {
    return "the statement nests too deep to be evaluated";
  }
  connection.note_refusal(message);
  return "the statement could not be evaluated";
}

int run(sqlite3_stmt* statement, Budget& budget, StatementResult& result) {
  for (int i = 0; i < sqlite3_column_count(statement); ++i) {
    const char* const name = sqlite3_column_name(statement, i);
    if (name == nullptr) return SQLITE_NOMEM;
    result.columns.emplace_back(name);
  }
  int code = SQLITE_OK;
  while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
    if (!take_row(statement, budget, result)) return SQLITE_ABORT;
  }
  return code == SQLITE_DONE ? SQLITE_OK : code;
}

}  // namespace

StatementResult evaluate(Connection& connection, const Compiled& compiled) {
  StatementResult result;
  connection.budget().clear();
  if (compiled.sql.size() > kMostSql || compiled.values.size() > kMostValues) {
    result.outcome = Outcome::EvaluationError;
    result.message = "the statement nests too deep to be evaluated";
    return result;
  }
  const MemoryBudget memory(connection.budget().limits().memory_bytes);
  int code = SQLITE_OK;
  {
    const Prepared prepared(connection.handle(), compiled);
    code = prepared.code();
    if (code == SQLITE_OK) code = run(prepared.get(), connection.budget(), result);
    if (code == SQLITE_OK) return result;
    result = {};
    result.outcome = Outcome::EvaluationError;
    result.message = explained(connection, memory, code & 0xFF);
  }
  // After these nothing that the connection holds is to be trusted.
  const int primary = code & 0xFF;
  if (primary == SQLITE_NOMEM || primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB ||
      primary == SQLITE_IOERR) {
    connection.drop();
  }
  return result;
}

}  // namespace slipway::eventstore::sql
