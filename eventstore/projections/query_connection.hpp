#pragma once
// What the questions in *_queries.cpp have in common: the connection, one read transaction a
// question, prepared statements, and text of SQL with what is bound to it.
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

#include "eventstore/projections/sqlite.hpp"
#include "eventstore/read_models.hpp"

namespace slipway::eventstore {

// SQL put together from constant parts; every value is bound, never spelt.
class Sql {
 public:
  Sql() = default;
  explicit Sql(std::string_view text) : text_(text) {}
  Sql& add(std::string_view text) {
    text_ += text;
    return *this;
  }
  template <class T>
  Sql& add(std::string_view text, const T& value) {
    text_ += text;
    if constexpr (std::is_base_of_v<base::Uuid, T>) {
      values_.emplace_back(static_cast<const base::Uuid&>(value));
    } else if constexpr (std::is_same_v<T, base::Time>) {
      values_.emplace_back(base::to_us(value));
    } else if constexpr (std::is_convertible_v<T, std::string_view>) {
      values_.emplace_back(std::string(std::string_view(value)));
    } else {
      values_.emplace_back(static_cast<std::int64_t>(value));
    }
    return *this;
  }
  Sql& add(const Sql& other) {
    text_ += other.text_;
    values_.insert(values_.end(), other.values_.begin(), other.values_.end());
    return *this;
  }
  const std::string& text() const { return text_; }
  bool empty() const { return text_.empty(); }
  void bind(Statement& statement) const;

 private:
  std::string text_;
  std::vector<std::variant<std::int64_t, std::string, base::Uuid>> values_;
};

// " AND <column> IN (1,2,...)"; nothing for an empty list. Numbers of enumerators are spelt: few.
template <class E>
std::string and_in(std::string_view column, const std::vector<E>& values) {
  if (values.empty()) return {};
  std::string out = " AND " + std::string(column) + " IN (";
  for (const E value : values) {
    if (out.back() != '(') out += ',';
    out += std::to_string(static_cast<int>(value));
  }
  return out + ")";
}

struct QueryConnection {
  explicit QueryConnection(ReadModels::Options o) : options(std::move(o)) {}
  ~QueryConnection() { close(); }

  // Runs `question` inside one read transaction, at the seq that it is given.
  template <class Question>
  base::Status ask(Question question) {
    if (auto status = begin(); !status) return status;
    question(seq);
    return end();
  }
  base::Status begin();
  base::Status end();

  // Prepared once; bound and at its start.
  Statement& prepare(const Sql& sql);
  std::int64_t number(const Sql& sql, std::int64_t otherwise);

  // " AND created_seq BETWEEN ..." and the exact times.
  Sql time_range(std::optional<base::Time> after, std::optional<base::Time> before);

  base::Status open();
  void close();
  bool moved() const;

  const ReadModels::Options options;
  std::string file;
  std::pair<std::uint64_t, std::uint64_t> identity{};  // device and inode of `file`
  std::unique_ptr<Database> db;
  std::unordered_map<std::string, Statement> statements;
  base::JsonParser parser;
  domain::Seq seq = 0;
  std::string last_error;
};

// A page of rows found by `candidates`: SELECTs of created_seq, each in order by its index and cut
// at the limit, so that only as many rows are read as are shown.
struct PageQuery {
  std::string_view columns;
  std::string_view table;
  std::vector<Sql> candidates;  // "SELECT created_seq FROM ... WHERE ..."
  PageRequest page;
};
Sql page_sql(const PageQuery& query);
Sql count_sql(const PageQuery& query);

// Takes the row beyond the limit, which only says that there is more, off again.
template <class Row>
void finish_page(Page<Row>& page, std::size_t limit, domain::Seq seq) {
  page.seq = seq;
  if (page.items.size() <= limit) return;
  page.items.resize(limit);
  page.next = page.items.back().created_seq;
}
template <class Row>
void set_total(Page<Row>& page, std::int64_t counted) {
  const auto total = static_cast<std::uint64_t>(counted);
  page.total = std::min(total, kMaxExactCount);
  page.total_is_lower_bound = total > kMaxExactCount;
}

}  // namespace slipway::eventstore
