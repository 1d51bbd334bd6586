#include "eventstore/projections/sqlite.hpp"

#include <fmt/format.h>
#include <sqlite3.h>

#include <mutex>

namespace slipway::eventstore {
namespace {

// The allocator's statistics cost a global lock for each allocation. Without effect if somebody
// used SQLite before.
void configure_once() {
  static std::once_flag flag;
  std::call_once(flag, [] { (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); });
}

constexpr int kBusyTimeoutMs = 5000;  // a reader that opens while the WAL is being begun
constexpr int kProgressSteps = 20000;

}  // namespace

base::Result<std::unique_ptr<Database>> Database::open(const std::string& path, OpenMode mode) {
  configure_once();
  std::unique_ptr<Database> db(new Database());
  const int flags = SQLITE_OPEN_NOMUTEX |
                    (mode == OpenMode::ReadOnly ? SQLITE_OPEN_READONLY
                                                : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
  const int code = sqlite3_open_v2(path.c_str(), &db->db_, flags, nullptr);
  if (code != SQLITE_OK) {
    return base::fail(base::Errc::Internal, fmt::format("open {}: {}", path, sqlite3_errstr(code)));
  }
  sqlite3_extended_result_codes(db->db_, 1);
  sqlite3_busy_timeout(db->db_, kBusyTimeoutMs);
  // In place of the hook that checkpoints by itself: the projector says when.
  sqlite3_wal_hook(db->db_, &Database::on_wal, db.get());
  return db;
}

Database::~Database() { sqlite3_close(db_); }

int Database::on_wal(void* self, sqlite3*, const char*, int pages) {
  static_cast<Database*>(self)->wal_pages_ = pages;
  return SQLITE_OK;
}

int Database::on_progress(void* self) {
  const auto now = std::chrono::steady_clock::now();
  return now > static_cast<Database*>(self)->deadline_ ? 1 : 0;
}

void Database::set_deadline(base::SteadyTime deadline) {
  deadline_ = deadline;
  const bool on = deadline != base::SteadyTime::max();
  sqlite3_progress_handler(db_, on ? kProgressSteps : 0, on ? &Database::on_progress : nullptr,
                           this);
}

bool Database::exec(const char* sql) {
  if (!ok()) return false;
  const int code = sqlite3_exec(db_, sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) set_error(code, sql);
  return ok();
}

void Database::set_error(int code, std::string_view text) {
  if (!ok()) return;
  code_ = code;
  text_ = fmt::format("{}: {} ({})", text.substr(0, 200), sqlite3_errmsg(db_), code);
}

base::Error Database::error() const {
  return {interrupted() ? base::Errc::DeadlineExceeded : base::Errc::Internal, text_, {}};
}

bool Database::damaged() const {
  const int primary = code_ & 0xFF;
  return primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB || primary == SQLITE_FORMAT ||
         primary == SQLITE_ERROR || primary == SQLITE_SCHEMA || primary == SQLITE_CONSTRAINT ||
         primary == SQLITE_MISMATCH || code_ == SQLITE_IOERR_SHORT_READ ||
         code_ == SQLITE_IOERR_READ;
}

bool Database::interrupted() const { return (code_ & 0xFF) == SQLITE_INTERRUPT; }

void Database::clear_error() {
  code_ = 0;
  text_.clear();
}

std::pair<int, int> Database::checkpoint() {
  int frames = 0;
  int moved = 0;
  const int code =
      sqlite3_wal_checkpoint_v2(db_, nullptr, SQLITE_CHECKPOINT_PASSIVE, &frames, &moved);
  if (code != SQLITE_OK && code != SQLITE_BUSY) set_error(code, "checkpoint");
  return {frames, moved};
}

void Database::checkpoint_and_truncate() {
  const int code =
      sqlite3_wal_checkpoint_v2(db_, nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
  if (code != SQLITE_OK && code != SQLITE_BUSY) set_error(code, "checkpoint");
}

Statement::Statement(Database& db, std::string_view sql) : db_(&db) {
  if (!db.ok()) return;
  const int code = sqlite3_prepare_v3(db.handle(), sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &stmt_, nullptr);
  if (code != SQLITE_OK) db.set_error(code, sql);
}

Statement::~Statement() { sqlite3_finalize(stmt_); }

Statement& Statement::operator=(Statement&& other) noexcept {
  std::swap(db_, other.db_);
  std::swap(stmt_, other.stmt_);
  return *this;
}

void Statement::bind(int at, std::int64_t number) { sqlite3_bind_int64(stmt_, at, number); }
void Statement::bind(int at, std::string_view text) {
  sqlite3_bind_text(stmt_, at, text.empty() ? "" : text.data(), static_cast<int>(text.size()),
                    SQLITE_STATIC);
}
void Statement::bind(int at, const base::Uuid& id) {
  if (id.is_nil()) return bind_null(at);
  sqlite3_bind_blob(stmt_, at, id.bytes.data(), static_cast<int>(id.bytes.size()), SQLITE_STATIC);
}
void Statement::bind_copy(int at, std::string_view text) {
  sqlite3_bind_text(stmt_, at, text.empty() ? "" : text.data(), static_cast<int>(text.size()),
                    SQLITE_TRANSIENT);
}
void Statement::bind_copy(int at, const base::Uuid& id) {
  sqlite3_bind_blob(stmt_, at, id.bytes.data(), static_cast<int>(id.bytes.size()),
                    SQLITE_TRANSIENT);
}
void Statement::bind_null(int at) { sqlite3_bind_null(stmt_, at); }

bool Statement::step() {
  if (stmt_ == nullptr || !db_->ok()) return false;
  const int code = sqlite3_step(stmt_);
  if (code == SQLITE_ROW) return true;
  if (code != SQLITE_DONE) db_->set_error(code, sqlite3_sql(stmt_));
  return false;
}
void Statement::reset() { sqlite3_reset(stmt_); }

bool Statement::is_null(int column) const {
  return sqlite3_column_type(stmt_, column) == SQLITE_NULL;
}
std::int64_t Statement::integer(int column) const { return sqlite3_column_int64(stmt_, column); }
std::string_view Statement::text(int column) const {
  const auto* data = reinterpret_cast<const char*>(sqlite3_column_text(stmt_, column));
  if (data == nullptr) return {};
  return {data, static_cast<std::size_t>(sqlite3_column_bytes(stmt_, column))};
}
base::Uuid Statement::uuid(int column) const {
  base::Uuid id;
  const void* data = sqlite3_column_blob(stmt_, column);
  if (data != nullptr && sqlite3_column_bytes(stmt_, column) == 16) {
    std::memcpy(id.bytes.data(), data, id.bytes.size());
  }
  return id;
}

}  // namespace slipway::eventstore
