#pragma once
// SQLite, as far as the read models use it. Errors are sticky: the first one is kept in the
// Database, every later call does nothing, and whoever began the work asks once, at the end. So a
// fold of a thousand statements reads without a thousand checks, and none is forgotten.
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/result.hpp"
#include "core/base/time.hpp"
#include "core/base/uuid.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace slipway::eventstore {

enum class OpenMode : std::uint8_t { ReadWriteCreate, ReadOnly };

class Database {
 public:
  static base::Result<std::unique_ptr<Database>> open(const std::string& path, OpenMode mode);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  // Runs statements that take and give nothing; false on error.
  bool exec(const char* sql);
  bool ok() const { return code_ == 0; }
  // SQLite's code and text, for the log; never shown to clients.
  base::Error error() const;
  // The file is not to be trusted any more, or is none of ours.
  bool damaged() const;
  bool interrupted() const;
  // Forgets the error: only where the work it stopped is given up as a whole.
  void clear_error();
  void set_error(int code, std::string_view text);
  // Each statement that runs longer than until `deadline` fails; max() for none.
  void set_deadline(base::SteadyTime deadline);
  // {frames in the WAL, frames moved into the file}; never waits for readers.
  std::pair<int, int> checkpoint();
  // All of it, and the WAL's file is empty afterwards; waits a while for readers that are at work.
  void checkpoint_and_truncate();
  int wal_pages() const { return wal_pages_; }
  sqlite3* handle() const { return db_; }

 private:
  Database() = default;
  static int on_wal(void* self, sqlite3*, const char*, int pages);
  static int on_progress(void* self);
  sqlite3* db_ = nullptr;
  int code_ = 0;
  std::string text_;
  int wal_pages_ = 0;
  base::SteadyTime deadline_ = base::SteadyTime::max();
};

// A prepared statement. What is bound must live until the next step() or run() has returned.
class Statement {
 public:
  Statement() = default;
  Statement(Database& db, std::string_view sql);
  ~Statement();
  Statement(Statement&& other) noexcept { *this = std::move(other); }
  Statement& operator=(Statement&& other) noexcept;

  void bind(int at, std::int64_t number);
  void bind(int at, std::string_view text);
  void bind(int at, const base::Uuid& id);  // nil is NULL
  void bind(int at, base::Time time) { bind(at, base::to_us(time)); }
  void bind_null(int at);
  // As bind(), but what is bound may die at once.
  void bind_copy(int at, std::string_view text);
  void bind_copy(int at, const base::Uuid& id);
  void bind_copy(int at, std::int64_t number) { bind(at, number); }
  template <class T>
  void bind(int at, const std::optional<T>& maybe) {
    if (maybe) {
      bind(at, *maybe);
    } else {
      bind_null(at);
    }
  }
  template <class T>
  requires(std::integral<T> || std::is_enum_v<T>) void bind(int at, T number) {
    bind(at, static_cast<std::int64_t>(number));
  }
  // 1, 2, ... in order.
  template <class... A>
  void bind_all(const A&... args) {
    int at = 0;
    (bind(++at, args), ...);
  }
  // True: a row is there. False: the end, or an error (see Database::ok).
  bool step();
  void reset();
  // Binds, steps to the end, resets.
  template <class... A>
  void run(const A&... args) {
    bind_all(args...);
    while (step()) {
    }
    reset();
  }

  bool is_null(int column) const;
  std::int64_t integer(int column) const;
  // Valid until the next step() or reset().
  std::string_view text(int column) const;
  base::Uuid uuid(int column) const;  // NULL is nil
  base::Time time(int column) const { return base::from_us(integer(column)); }
  std::optional<base::Time> maybe_time(int column) const {
    if (is_null(column)) return std::nullopt;
    return time(column);
  }
  template <class T>
  T as(int column) const {
    return static_cast<T>(integer(column));
  }

 private:
  Database* db_ = nullptr;
  sqlite3_stmt* stmt_ = nullptr;
};

}  // namespace slipway::eventstore
