#include <fmt/format.h>
#include <sqlite3.h>

#include <array>
#include <chrono>
#include <thread>
#include <utility>

#include "core/base/check.hpp"
#include "core/base/fields.hpp"
#include "workers/backends/simulated/store.hpp"

namespace slipway::workers::simulated {
namespace {

// Sizes are three columns; old_* are null but during a resize. Times are microseconds, UTC.
constexpr const char* kSchema = R"(
CREATE TABLE IF NOT EXISTS vms(
  number INTEGER PRIMARY KEY, vm BLOB NOT NULL, made_by BLOB NOT NULL, name TEXT NOT NULL,
  state INTEGER NOT NULL, flavor TEXT NOT NULL, vcpus INTEGER NOT NULL, memory_mb INTEGER NOT NULL,
  disk_gb INTEGER NOT NULL, old_size TEXT, image BLOB NOT NULL, ipv4 INTEGER NOT NULL,
  host TEXT NOT NULL, old_host TEXT NOT NULL, ready_at INTEGER NOT NULL,
  started_at INTEGER NOT NULL, created_at INTEGER NOT NULL, reboots INTEGER NOT NULL);
-- Only of VMs of which something was set; a JSON document.
CREATE TABLE IF NOT EXISTS configs(vm INTEGER PRIMARY KEY, config TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS snapshots(
  vm INTEGER NOT NULL, name TEXT NOT NULL, made_by BLOB NOT NULL, description TEXT NOT NULL,
  with_memory INTEGER NOT NULL, created_at INTEGER NOT NULL, state INTEGER NOT NULL,
  PRIMARY KEY(vm, name)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS images(
  number INTEGER PRIMARY KEY, image BLOB NOT NULL, made_by BLOB NOT NULL, name TEXT NOT NULL,
  size_bytes INTEGER NOT NULL, ready_at INTEGER NOT NULL, started_at INTEGER NOT NULL);
-- task is empty where it is the root itself.
CREATE TABLE IF NOT EXISTS keys(
  root BLOB NOT NULL, operation INTEGER NOT NULL, task BLOB NOT NULL, token INTEGER NOT NULL,
  fence INTEGER NOT NULL, ref TEXT NOT NULL, at INTEGER NOT NULL, PRIMARY KEY(root, operation)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS ledger(
  number INTEGER PRIMARY KEY, at INTEGER NOT NULL, task BLOB NOT NULL, token INTEGER NOT NULL,
  step INTEGER NOT NULL, operation INTEGER NOT NULL, outcome INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS totals(
  one INTEGER PRIMARY KEY CHECK(one = 1), last_number INTEGER NOT NULL, vms INTEGER NOT NULL,
  vcpus INTEGER NOT NULL, memory_mb INTEGER NOT NULL);
INSERT OR IGNORE INTO totals VALUES(1, 0, 0, 0, 0);
)";

// What was added since, by the file's `user_version`: a new file goes through all of it too.
constexpr std::array kUpgrades{
    // 1: the tag
    "ALTER TABLE vms ADD COLUMN installation TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE vms ADD COLUMN root BLOB NOT NULL DEFAULT x'';"
    "ALTER TABLE images ADD COLUMN installation TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE images ADD COLUMN root BLOB NOT NULL DEFAULT x'';",
};

constexpr int kBusyMs = 30'000;
constexpr int kCheckpointPages = 8000;

// A prepared statement: bind in order, step, read in order. One use at a time.
class Statement {
 public:
  Statement(sqlite3* db, const char* sql) : db_(db) {
    const int code =
        sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement_, nullptr);
    CHECK(code == SQLITE_OK, "the simulated cloud's {}: {}", sql, sqlite3_errmsg(db));
  }
  ~Statement() { sqlite3_finalize(statement_); }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  // What is bound must live until reset(): nothing is copied.
  template <class... Values>
  Statement& bind(const Values&... values) {
    at_ = 0;
    (bind_one(values), ...);
    return *this;
  }
  // True while there is a row.
  bool step() {
    const int code = sqlite3_step(statement_);
    CHECK(code == SQLITE_ROW || code == SQLITE_DONE, "the simulated cloud cannot {}: {}",
          sqlite3_sql(statement_), sqlite3_errmsg(db_));
    at_ = 0;
    return code == SQLITE_ROW;
  }
  void run() {
    step();
    reset();
  }
  void reset() { sqlite3_reset(statement_); }

  template <class... Values>
  void read(Values&... values) {
    (read_one(values), ...);
  }
  bool next_is_null() const { return sqlite3_column_type(statement_, at_) == SQLITE_NULL; }

 private:
  template <class T>
  void bind_one(const T& value) {
    const int at = ++at_;
    if constexpr (std::is_base_of_v<base::Uuid, T>) {
      sqlite3_bind_blob(statement_, at, value.bytes.data(), static_cast<int>(value.bytes.size()),
                        SQLITE_STATIC);
    } else if constexpr (std::is_same_v<T, std::string>) {
      sqlite3_bind_text(statement_, at, value.data(), static_cast<int>(value.size()),
                        SQLITE_STATIC);
    } else if constexpr (std::is_same_v<T, base::Time>) {
      sqlite3_bind_int64(statement_, at, base::to_us(value));
    } else if constexpr (std::is_same_v<T, std::nullptr_t>) {
      sqlite3_bind_null(statement_, at);
    } else {
      sqlite3_bind_int64(statement_, at, static_cast<std::int64_t>(value));
    }
  }
  template <class T>
  void read_one(T& value) {
    const int at = at_++;
    const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_, at));
    if constexpr (std::is_base_of_v<base::Uuid, T>) {
      value = T{};
      const void* bytes = sqlite3_column_blob(statement_, at);
      if (size == value.bytes.size()) std::memcpy(value.bytes.data(), bytes, size);
    } else if constexpr (std::is_same_v<T, std::string>) {
      const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_, at));
      value.assign(text == nullptr ? "" : text, size);
    } else if constexpr (std::is_same_v<T, base::Time>) {
      value = base::from_us(sqlite3_column_int64(statement_, at));
    } else {
      value = static_cast<T>(sqlite3_column_int64(statement_, at));
    }
  }

  sqlite3* db_;
  sqlite3_stmt* statement_ = nullptr;
  int at_ = 0;
};

struct CloseDatabase {
  void operator()(sqlite3* db) const { sqlite3_close(db); }
};
using Database = std::unique_ptr<sqlite3, CloseDatabase>;

void read_vm(Statement& s, VmRow& row) {
  s.read(row.number, row.vm, row.made_by, row.name, row.state, row.size.flavor, row.size.vcpus,
         row.size.memory_mb, row.size.disk_gb);
  std::string old_size;
  const bool resized = !s.next_is_null();
  s.read(old_size, row.image, row.ipv4, row.host, row.old_host, row.ready_at, row.started_at,
         row.created_at, row.reboots, row.installation, row.root);
  if (!resized) return;
  base::JsonParser parser;
  const auto json = parser.parse_trusted(old_size);
  if (json) base::read_json(*json, row.old_size.emplace());
}

void read_snapshot(Statement& s, SnapshotRow& row) {
  s.read(row.vm, row.snapshot.name, row.made_by, row.snapshot.description, row.snapshot.with_memory,
         row.snapshot.created_at, row.state);
}

void read_image(Statement& s, ImageRow& row) {
  s.read(row.number, row.image, row.made_by, row.name, row.size_bytes, row.ready_at, row.started_at,
         row.installation, row.root);
}

class SqliteStore final : public Store {
 public:
  explicit SqliteStore(Database db) : db_(std::move(db)) {}

  // Immediate: what is read inside is still so when it is written, whoever else has the file open.
  void begin() override { begin_.run(); }
  void commit() override { commit_.run(); }

  std::optional<VmRow> vm(std::int64_t number) override {
    return find<VmRow>(get_vm_.bind(number), read_vm);
  }
  void put(const VmRow& row) override {
    std::string old_size;
    if (row.old_size) {
      base::JsonWriter json;
      base::write_json(json, *row.old_size);
      old_size = json.text();
    }
    const auto bind = [&](const auto& old) {
      put_vm_.bind(row.number, row.vm, row.made_by, row.name, row.state, row.size.flavor,
                   row.size.vcpus, row.size.memory_mb, row.size.disk_gb, old, row.image, row.ipv4,
                   row.host, row.old_host, row.ready_at, row.started_at, row.created_at,
                   row.reboots, row.installation, row.root);
      put_vm_.run();
    };
    row.old_size ? bind(old_size) : bind(nullptr);
  }
  void erase_vm(std::int64_t number) override {
    erase_vm_.bind(number).run();
    erase_snapshots_.bind(number).run();
    erase_config_.bind(number).run();
  }

  VmConfig config(std::int64_t vm) override {
    std::string text;
    get_config_.bind(vm);
    if (get_config_.step()) get_config_.read(text);
    get_config_.reset();
    VmConfig config;
    base::JsonParser parser;
    const auto json = parser.parse_trusted(text);
    if (!text.empty() && json) base::read_json(*json, config);
    return config;
  }
  void put(std::int64_t vm, const VmConfig& config) override {
    base::JsonWriter json;
    base::write_json(json, config);
    const std::string text = json.text();
    put_config_.bind(vm, text).run();
  }

  std::optional<SnapshotRow> snapshot(std::int64_t vm, const std::string& name) override {
    return find<SnapshotRow>(get_snapshot_.bind(vm, name), read_snapshot);
  }
  void put(const SnapshotRow& row) override {
    put_snapshot_
        .bind(row.vm, row.snapshot.name, row.made_by, row.snapshot.description,
              row.snapshot.with_memory, row.snapshot.created_at, row.state)
        .run();
  }
  void erase_snapshot(std::int64_t vm, const std::string& name) override {
    erase_snapshot_.bind(vm, name).run();
  }

  std::optional<ImageRow> image(std::int64_t number) override {
    return find<ImageRow>(get_image_.bind(number), read_image);
  }
  void put(const ImageRow& row) override {
    put_image_
        .bind(row.number, row.image, row.made_by, row.name, row.size_bytes, row.ready_at,
              row.started_at, row.installation, row.root)
        .run();
  }
  void erase_image(std::int64_t number) override { erase_image_.bind(number).run(); }

  void keys(const domain::TaskId& root, std::vector<KeyRow>& out) override {
    out.clear();
    get_keys_.bind(root);
    while (get_keys_.step()) {
      KeyRow& row = out.emplace_back();
      get_keys_.read(row.operation, row.task, row.token, row.fence, row.ref, row.at);
      if (row.task.is_nil()) row.task = root;
    }
    get_keys_.reset();
  }
  void put(const domain::TaskId& root, const KeyRow& row) override {
    static const std::string kRootItself;
    if (row.task == root) {
      put_key_.bind(root, row.operation, kRootItself, row.token, row.fence, row.ref, row.at).run();
    } else {
      put_key_.bind(root, row.operation, row.task, row.token, row.fence, row.ref, row.at).run();
    }
  }

  void append(const LedgerRow& row) override {
    append_.bind(row.at, row.task, row.token, row.step, row.operation, row.outcome).run();
  }

  Totals totals() override {
    Totals totals;
    get_totals_.step();
    get_totals_.read(totals.last_number, totals.vms, totals.vcpus, totals.memory_mb);
    get_totals_.reset();
    return totals;
  }
  void put(const Totals& totals) override {
    put_totals_.bind(totals.last_number, totals.vms, totals.vcpus, totals.memory_mb).run();
  }

  std::vector<VmRow> vms_after(std::int64_t number, std::size_t at_most) override {
    std::vector<VmRow> rows;
    some_vms_.bind(number, at_most);
    while (some_vms_.step()) read_vm(some_vms_, rows.emplace_back());
    some_vms_.reset();
    return rows;
  }

  void each_vm(const std::function<void(const VmRow&)>& see) override {
    each<VmRow>("SELECT * FROM vms ORDER BY number", read_vm, see);
  }
  void each_snapshot(const std::function<void(const SnapshotRow&)>& see) override {
    each<SnapshotRow>("SELECT * FROM snapshots ORDER BY vm, name", read_snapshot, see);
  }
  void each_image(const std::function<void(const ImageRow&)>& see) override {
    each<ImageRow>("SELECT * FROM images ORDER BY number", read_image, see);
  }
  void each_ledger(const std::function<void(const LedgerRow&)>& see) override {
    const auto read = [](Statement& s, LedgerRow& row) {
      s.read(row.at, row.task, row.token, row.step, row.operation, row.outcome);
    };
    each<LedgerRow>("SELECT at, task, token, step, operation, outcome FROM ledger ORDER BY number",
                    read, see);
  }

 private:
  template <class Row, class Read>
  static std::optional<Row> find(Statement& bound, const Read& read) {
    std::optional<Row> row;
    if (bound.step()) read(bound, row.emplace());
    bound.reset();
    return row;
  }
  template <class Row, class Read>
  void each(const char* sql, const Read& read, const std::function<void(const Row&)>& see) {
    Statement statement(db_.get(), sql);
    while (statement.step()) {
      Row row;
      read(statement, row);
      see(row);
    }
  }

  Database db_;
  Statement begin_{db_.get(), "BEGIN IMMEDIATE"};
  Statement commit_{db_.get(), "COMMIT"};
  Statement get_vm_{db_.get(), "SELECT * FROM vms WHERE number = ?"};
  Statement some_vms_{db_.get(), "SELECT * FROM vms WHERE number > ? ORDER BY number LIMIT ?"};
  Statement put_vm_{db_.get(),
                    "INSERT OR REPLACE INTO vms VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"};
  Statement erase_vm_{db_.get(), "DELETE FROM vms WHERE number = ?"};
  Statement get_config_{db_.get(), "SELECT config FROM configs WHERE vm = ?"};
  Statement put_config_{db_.get(), "INSERT OR REPLACE INTO configs VALUES(?,?)"};
  Statement erase_config_{db_.get(), "DELETE FROM configs WHERE vm = ?"};
  Statement erase_snapshots_{db_.get(), "DELETE FROM snapshots WHERE vm = ?"};
  Statement get_snapshot_{db_.get(), "SELECT * FROM snapshots WHERE vm = ? AND name = ?"};
  Statement put_snapshot_{db_.get(), "INSERT OR REPLACE INTO snapshots VALUES(?,?,?,?,?,?,?)"};
  Statement erase_snapshot_{db_.get(), "DELETE FROM snapshots WHERE vm = ? AND name = ?"};
  Statement get_image_{db_.get(), "SELECT * FROM images WHERE number = ?"};
  Statement put_image_{db_.get(), "INSERT OR REPLACE INTO images VALUES(?,?,?,?,?,?,?,?,?)"};
  Statement erase_image_{db_.get(), "DELETE FROM images WHERE number = ?"};
  Statement get_keys_{db_.get(),
                      "SELECT operation, task, token, fence, ref, at FROM keys WHERE root = ?"};
  Statement put_key_{db_.get(), "INSERT OR REPLACE INTO keys VALUES(?,?,?,?,?,?,?)"};
  Statement append_{db_.get(),
                    "INSERT INTO ledger(at, task, token, step, operation, outcome) "
                    "VALUES(?,?,?,?,?,?)"};
  Statement get_totals_{db_.get(), "SELECT last_number, vms, vcpus, memory_mb FROM totals"};
  Statement put_totals_{db_.get(),
                        "UPDATE totals SET last_number = ?, vms = ?, vcpus = ?, memory_mb = ?"};
};

int user_version(sqlite3* db) {
  sqlite3_stmt* raw = nullptr;
  int version = -1;
  if (sqlite3_prepare_v2(db, "PRAGMA user_version", -1, &raw, nullptr) == SQLITE_OK &&
      sqlite3_step(raw) == SQLITE_ROW) {
    version = sqlite3_column_int(raw, 0);
  }
  sqlite3_finalize(raw);
  return version;
}

// SQLite's code. In one transaction: of several processes that open the file one does it.
int set_up(sqlite3* db) {
  const auto run = [&](const std::string& sql) {
    return sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr);
  };
  int code = run(
      fmt::format("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-65536;"
                  "PRAGMA wal_autocheckpoint={}; BEGIN IMMEDIATE; {}",
                  kCheckpointPages, kSchema));
  if (code != SQLITE_OK) return code;
  const auto latest = static_cast<int>(kUpgrades.size());
  const int version = user_version(db);
  if (version < 0 || version > latest) return SQLITE_MISMATCH;
  for (int at = version; code == SQLITE_OK && at < latest; ++at) {
    code = run(fmt::format("{} PRAGMA user_version={};", kUpgrades.at(static_cast<std::size_t>(at)),
                           at + 1));
  }
  return code == SQLITE_OK ? run("COMMIT") : code;
}

}  // namespace

base::Result<std::unique_ptr<Store>> open_sqlite_store(const std::string& path) {
  sqlite3* raw = nullptr;
  constexpr int kFlags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
  const int code = sqlite3_open_v2(path.c_str(), &raw, kFlags, nullptr);
  Database db(raw);
  if (code != SQLITE_OK) {
    return base::fail(base::Errc::InvalidArgument,
                      fmt::format("cannot open the simulated cloud's file {}", path));
  }
  sqlite3_busy_timeout(raw, kBusyMs);
  // Changing the journal's mode asks no busy handler: of several processes that open the file of
  // one that was killed, all but one are told at once that it is locked.
  const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(kBusyMs);
  int result = set_up(raw);
  while (result == SQLITE_BUSY && std::chrono::steady_clock::now() < until) {
    sqlite3_exec(raw, "ROLLBACK", nullptr, nullptr, nullptr);
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    result = set_up(raw);
  }
  if (result != SQLITE_OK) {
    return base::fail(base::Errc::InvalidArgument,
                      fmt::format("{} is not the simulated cloud's, or a later version's: {}", path,
                                  sqlite3_errstr(result)));
  }
  return std::make_unique<SqliteStore>(std::move(db));
}

}  // namespace slipway::workers::simulated
