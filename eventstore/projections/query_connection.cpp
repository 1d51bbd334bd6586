#include "eventstore/projections/query_connection.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <limits>

#include "eventstore/projections/files.hpp"
#include "eventstore/projections/stats_fold.hpp"

namespace slipway::eventstore {
namespace {

constexpr std::size_t kMaxStatements = 256;

std::pair<std::uint64_t, std::uint64_t> identity_of(const std::string& file) {
  struct stat info {};
  if (::stat(file.c_str(), &info) != 0) return {};
  return {info.st_dev, info.st_ino};
}

}  // namespace

void Sql::bind(Statement& statement) const {
  int at = 0;
  for (const auto& value : values_) {
    std::visit([&](const auto& v) { statement.bind_copy(++at, v); }, value);
  }
}

// ---- the connection ----

bool QueryConnection::moved() const { return identity_of(file) != identity; }

base::Status QueryConnection::open() {
  close();
  const std::uint64_t number = serving_number(options.directory);
  if (number == 0) return base::fail(base::Errc::Internal, "there are no read models yet");
  file = numbered_file(options.directory, number);
  identity = identity_of(file);
  auto opened = Database::open(file, OpenMode::ReadOnly);
  if (!opened) return base::fail(opened.error());
  db = std::move(*opened);
  db->exec(fmt::format("PRAGMA cache_size=-{}", options.cache_bytes / 1024).c_str());
  db->exec("PRAGMA temp_store=MEMORY");
  return {};
}

void QueryConnection::close() {
  statements.clear();
  db.reset();
}

base::Status QueryConnection::begin() {
  if (db == nullptr || moved()) {
    if (auto status = open(); !status) return status;
  }
  const auto now = std::chrono::time_point_cast<base::Duration>(std::chrono::steady_clock::now());
  db->set_deadline(now + options.query_timeout);
  db->exec("BEGIN");
  seq = static_cast<domain::Seq>(number(Sql("SELECT seq FROM checkpoint"), 0));
  return {};
}

// After an error the connection is given up: the next question opens what serves then.
base::Status QueryConnection::end() {
  for (auto& [text, statement] : statements) statement.reset();
  db->exec("COMMIT");
  if (db->ok()) {
    if (statements.size() > kMaxStatements) statements.clear();
    return {};
  }
  const base::Error error = db->error();
  last_error = error.message;  // SQL and the library's words: for the log, not for clients
  close();
  if (error.code == base::Errc::DeadlineExceeded) {
    return base::fail(error.code, "the question took too long; ask for less");
  }
  return base::fail(error.code, "the read models could not be read");
}

Statement& QueryConnection::prepare(const Sql& sql) {
  const auto [it, fresh] = statements.try_emplace(sql.text());
  if (fresh) it->second = Statement(*db, sql.text());
  it->second.reset();
  sql.bind(it->second);
  return it->second;
}

std::int64_t QueryConnection::number(const Sql& sql, std::int64_t otherwise) {
  Statement& statement = prepare(sql);
  if (!statement.step() || statement.is_null(0)) return otherwise;
  return statement.integer(0);
}

// Minutes that lie wholly outside the times bound the row ids, however the clock was set; the rest
// is compared exactly.
Sql QueryConnection::time_range(std::optional<base::Time> after, std::optional<base::Time> before) {
  Sql out;
  if (after) {
    const auto first =
        number(Sql().add("SELECT min(first_seq) FROM minutes WHERE minute>=?", minute_of(*after)),
               std::numeric_limits<std::int64_t>::max());
    out.add(" AND created_seq>=?", first).add(" AND created_at>?", *after);
  }
  if (before) {
    const auto last = number(
        Sql().add("SELECT max(last_seq) FROM minutes WHERE minute<=?", minute_of(*before)), 0);
    out.add(" AND created_seq<=?", last).add(" AND created_at<?", *before);
  }
  return out;
}

// ---- pages ----

Sql page_sql(const PageQuery& query) {
  const std::string_view order = query.page.ascending ? "ASC" : "DESC";
  Sql sql(fmt::format("SELECT {} FROM (", query.columns));
  const std::size_t limit = query.page.limit + 1;
  for (std::size_t i = 0; i < query.candidates.size(); ++i) {
    sql.add(i == 0 ? "SELECT * FROM (" : " UNION ALL SELECT * FROM (").add(query.candidates[i]);
    if (query.page.after) {
      sql.add(query.page.ascending ? " AND created_seq>?" : " AND created_seq<?",
              *query.page.after);
    }
    sql.add(fmt::format(" ORDER BY created_seq {} LIMIT ?)", order), limit);
  }
  sql.add(fmt::format(") AS found CROSS JOIN {0} USING (created_seq) ORDER BY "
                      "found.created_seq {1} LIMIT ?",
                      query.table, order),
          limit);
  return sql;
}

Sql count_sql(const PageQuery& query) {
  Sql sql("SELECT count(*) FROM (");
  for (std::size_t i = 0; i < query.candidates.size(); ++i) {
    sql.add(i == 0 ? "SELECT * FROM (" : " UNION ALL SELECT * FROM (").add(query.candidates[i]);
    sql.add(" LIMIT ?)", kMaxExactCount + 1);
  }
  return sql.add(" LIMIT ?)", kMaxExactCount + 1);
}

// ---- the public face ----

Reader::Reader(std::unique_ptr<QueryConnection> impl) : impl_(std::move(impl)) {}
Reader::~Reader() = default;

const std::string& Reader::last_error() const { return impl_->last_error; }

base::Result<domain::Seq> Reader::seq() {
  domain::Seq out = 0;
  if (auto status = impl_->ask([&](domain::Seq seq) { out = seq; }); !status) {
    return base::fail(status.error());
  }
  return out;
}

base::Result<std::unique_ptr<Reader>> ReadModels::open_reader() const {
  auto impl = std::make_unique<QueryConnection>(options_);
  if (auto status = impl->open(); !status) return base::fail(status.error());
  return std::unique_ptr<Reader>(new Reader(std::move(impl)));
}

std::string ReadModels::serving_file() const {
  const std::uint64_t number = serving_number(options_.directory);
  return number == 0 ? std::string() : numbered_file(options_.directory, number);
}

}  // namespace slipway::eventstore
