#include "eventstore/projector_core.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "eventstore/projections/files.hpp"
#include "eventstore/projections/folds.hpp"
#include "eventstore/projections/schema.hpp"
#include "eventstore/projections/wal_mover.hpp"

namespace slipway::eventstore {
namespace {

// Up to this size a file is looked through at the start; damage in a larger one shows when the
// damaged page is used.
constexpr std::uintmax_t kCheckedBytes = 32U << 20U;
constexpr std::uintmax_t kWalFrameBytes = 24 + 4096;

// Why a file that is there can not be gone on with; empty: it can.
std::string why_drop(Database& db, bool small, std::string_view log_id) {
  if (small) {
    Statement check(db, "PRAGMA quick_check(1)");
    if (!check.step() || check.text(0) != "ok") return "the file is damaged";
  }
  Statement select(db, "SELECT value FROM meta WHERE key=?");
  const auto value = [&](std::string_view key) {
    select.bind_all(key);
    std::string text(select.step() ? select.text(0) : std::string_view());
    select.reset();
    return text;
  };
  if (value("schema") != schema_fingerprint()) return "another version of the projections made it";
  if (!log_id.empty() && value("log_id") != log_id) return "it is of another log";
  return {};
}

void configure(Database& db, std::size_t cache_bytes) {
  db.exec("PRAGMA journal_mode=WAL");
  db.exec("PRAGMA synchronous=NORMAL");
  db.exec("PRAGMA temp_store=MEMORY");
  db.exec("PRAGMA foreign_keys=OFF");
  db.exec(fmt::format("PRAGMA cache_size=-{}", cache_bytes / 1024).c_str());
}

}  // namespace

struct ProjectorCore::Impl {
  Options options;
  std::string file;
  std::string dropped_because;
  std::unique_ptr<Database> db;
  std::unique_ptr<Folds> folds;
  Statement begin, commit, save_checkpoint;
  std::unique_ptr<WalMover> mover;
  domain::Seq checkpoint = 0;
  base::Time last_event_time{};
  bool broken = false;

  ~Impl() { close(); }
  void close();
  base::Status open_file(std::string_view log_id);
  bool open_existing(std::string_view log_id);
  void move_long_wal();
  base::Status make_new(std::string_view log_id);
  base::Status load();
  base::Status check_order(std::span<const CommittedBatchPtr> batches) const;
  void fold(std::span<const CommittedBatchPtr> batches);
  base::Status write();
};

base::Result<std::unique_ptr<ProjectorCore>> ProjectorCore::open(Options options,
                                                                 std::string_view log_id) {
  auto impl = std::make_unique<Impl>();
  impl->dropped_because = options.drop_because;
  impl->options = std::move(options);
  std::error_code error;
  std::filesystem::create_directories(impl->options.directory, error);
  if (error) {
    return base::fail(base::Errc::Internal,
                      fmt::format("make {}: {}", impl->options.directory, error.message()));
  }
  if (auto status = impl->open_file(log_id); !status) return base::fail(status.error());
  auto status = impl->load();
  if (!status && impl->dropped_because.empty()) {  // damage that the check did not see
    impl->dropped_because = status.error().message;
    status = impl->make_new(log_id);
    if (status) status = impl->load();
  }
  if (!status) return base::fail(status.error());
  return std::unique_ptr<ProjectorCore>(new ProjectorCore(std::move(impl)));
}

base::Status ProjectorCore::Impl::open_file(std::string_view log_id) {
  const std::string& directory = options.directory;
  if (!options.building) remove_with_wal(building_file(directory));
  const std::uint64_t number = serving_number(directory);
  if (options.building || number == 0 || !dropped_because.empty()) return make_new(log_id);
  file = numbered_file(directory, number);
  remove_others(directory, number);
  if (open_existing(log_id)) return {};
  return make_new(log_id);
}

// While nobody reads: so it is all moved, and the WAL begins anew.
void ProjectorCore::Impl::move_long_wal() {
  std::error_code none;
  const auto bytes = std::filesystem::file_size(file + "-wal", none);
  if (none || bytes / kWalFrameBytes <= static_cast<std::uintmax_t>(options.checkpoint_pages))
    return;
  db->checkpoint_and_truncate();
}

bool ProjectorCore::Impl::open_existing(std::string_view log_id) {
  auto opened = Database::open(file, OpenMode::ReadWriteCreate);
  if (!opened) {
    dropped_because = opened.error().message;
    return false;
  }
  db = std::move(*opened);
  configure(*db, options.cache_bytes);
  move_long_wal();
  if (db->ok())
    dropped_because = why_drop(*db, std::filesystem::file_size(file) <= kCheckedBytes, log_id);
  if (!db->ok()) dropped_because = db->error().message;
  return dropped_because.empty();
}

base::Status ProjectorCore::Impl::make_new(std::string_view log_id) {
  close();
  const std::uint64_t number = serving_number(options.directory) + 1;
  file = options.building ? building_file(options.directory)
                          : numbered_file(options.directory, number);
  remove_with_wal(file);
  if (!options.building) remove_others(options.directory, number);
  auto opened = Database::open(file, OpenMode::ReadWriteCreate);
  if (!opened) return base::fail(opened.error());
  db = std::move(*opened);
  configure(*db, options.cache_bytes);
  db->exec("BEGIN IMMEDIATE");
  create_schema(*db);
  Statement insert(*db, "INSERT INTO meta VALUES(?,?)");
  insert.run("schema", schema_fingerprint());
  insert.run("log_id", log_id);
  db->exec("INSERT INTO checkpoint VALUES(1,0,0)");
  db->exec("COMMIT");
  if (!db->ok()) return base::fail(db->error());
  return {};
}

// Statements before their database.
void ProjectorCore::Impl::close() {
  mover.reset();
  begin = Statement();
  commit = Statement();
  save_checkpoint = Statement();
  folds.reset();
  db.reset();
}

base::Status ProjectorCore::Impl::load() {
  begin = Statement(*db, "BEGIN IMMEDIATE");
  commit = Statement(*db, "COMMIT");
  save_checkpoint = Statement(*db, "UPDATE checkpoint SET seq=?, time=?");
  folds = std::make_unique<Folds>(*db, options.max_hot_tasks);
  Statement select(*db, "SELECT seq, time FROM checkpoint");
  if (select.step()) {
    checkpoint = select.as<domain::Seq>(0);
    last_event_time = select.time(1);
  }
  folds->load();
  if (!db->ok()) return base::fail(db->error());
  return {};
}

base::Status ProjectorCore::promote(const std::string& directory) {
  const std::uint64_t number = serving_number(directory) + 1;
  std::error_code error;
  std::filesystem::rename(building_file(directory), numbered_file(directory, number), error);
  if (error) {
    return base::fail(base::Errc::Internal,
                      fmt::format("promote a second copy: {}", error.message()));
  }
  remove_others(directory, number);
  return {};
}

ProjectorCore::ProjectorCore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ProjectorCore::~ProjectorCore() = default;

base::Status ProjectorCore::apply(std::span<const CommittedBatchPtr> batches) {
  if (impl_->broken) return base::fail(base::Errc::Internal, "the read models are broken");
  if (auto status = impl_->check_order(batches); !status) return status;
  impl_->begin.run();
  impl_->fold(batches);
  auto status = impl_->write();
  impl_->broken = !status;
  return status;
}

base::Status ProjectorCore::Impl::check_order(std::span<const CommittedBatchPtr> batches) const {
  domain::Seq next = checkpoint + 1;
  for (const CommittedBatchPtr& batch : batches) {
    if (batch->first_seq > next) {
      return base::fail(base::Errc::InvalidArgument,
                        fmt::format("project seq {}: {} comes first", batch->first_seq, next));
    }
    next = std::max(next, batch->next_seq);
  }
  return {};
}

void ProjectorCore::Impl::fold(std::span<const CommittedBatchPtr> batches) {
  for (const CommittedBatchPtr& batch : batches) {
    for (const domain::RecordBody& record : batch->records) {
      if (record.envelope.seq <= checkpoint) continue;
      folds->record(record);
      checkpoint = record.envelope.seq + record.events.size() - 1;
      last_event_time = record.envelope.time;
    }
  }
}

base::Status ProjectorCore::Impl::write() {
  folds->flush();
  save_checkpoint.run(checkpoint, last_event_time);
  commit.run();
  if (!db->ok()) return base::fail(db->error());
  return {};
}

domain::Seq ProjectorCore::checkpoint() const { return impl_->checkpoint; }
const std::string& ProjectorCore::dropped_because() const { return impl_->dropped_because; }
std::span<const TaskRowPtr> ProjectorCore::changed_tasks() const {
  return impl_->folds->tasks.changed();
}
const TallyMap& ProjectorCore::tally_deltas() const { return impl_->folds->tallies.deltas(); }
bool ProjectorCore::people_changed() const { return impl_->folds->catalog.people_changed(); }
base::Time ProjectorCore::last_event_time() const { return impl_->last_event_time; }
std::vector<TaskRowPtr> ProjectorCore::hot_tasks() const { return impl_->folds->tasks.hot(); }
const TallyMap& ProjectorCore::tallies() const { return impl_->folds->tallies.totals(); }
std::shared_ptr<const Directory> ProjectorCore::directory() const {
  Directory directory = impl_->folds->catalog.directory();
  directory.seq = impl_->checkpoint;
  return std::make_shared<const Directory>(std::move(directory));
}

void ProjectorCore::tend_wal(int pages) {
  Impl& impl = *impl_;
  if (!impl.mover) impl.mover = std::make_unique<WalMover>(impl.file);
  const auto step = impl.mover->next_step(impl.db->wal_pages(), pages);
  if (step == WalMover::Step::MoveNow) (void)impl.db->checkpoint();
}
base::Status ProjectorCore::checkpoint_wal() {
  (void)impl_->db->checkpoint();
  if (!impl_->db->ok()) return base::fail(impl_->db->error());
  return {};
}
bool ProjectorCore::damaged() const { return impl_->db->damaged(); }
namespace {

void dump_row(const Statement& row, int columns, std::string& out) {
  for (int i = 0; i < columns; ++i) {
    if (i > 0) out += '|';
    if (row.is_null(i)) {
      out += "NULL";
    } else {
      out += row.text(i);
    }
  }
  out += '\n';
}

}  // namespace

base::Result<std::string> ProjectorCore::dump_for_test() const {
  Database& db = *impl_->db;
  std::string out;
  for (const std::string& table : table_names(db)) {
    out += "== " + table + "\n";
    std::string columns;
    std::string order;
    int count = 0;
    Statement info(db, fmt::format("SELECT name, type FROM pragma_table_info('{}')", table));
    while (info.step()) {
      const std::string name(info.text(0));
      if (count > 0) columns += ',';
      columns += info.text(1) == "BLOB" ? "hex(" + name + ")" : name;
      order += (count > 0 ? "," : "") + std::to_string(count + 1);
      ++count;
    }
    Statement select(db, fmt::format("SELECT {} FROM {} ORDER BY {}", columns, table, order));
    while (select.step()) dump_row(select, count, out);
  }
  if (!db.ok()) return base::fail(db.error());
  return out;
}

}  // namespace slipway::eventstore
