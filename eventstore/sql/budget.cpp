#include "eventstore/sql/budget.hpp"

#include <fmt/format.h>

namespace slipway::eventstore::sql {

bool Budget::take_row() {
  if (rows_left_ > 0) {
    --rows_left_;
    return true;
  }
  note(fmt::format("the query reads more than {} rows (sql.max_rows_scanned)",
                   limits_.rows_scanned));
  return false;
}

bool Budget::take_answer_row(std::size_t bytes) {
  if (rows_out_left_ == 0) {
    note(fmt::format("the answer has more than {} rows (sql.max_rows); use LIMIT", limits_.rows));
    return false;
  }
  --rows_out_left_;
  if (bytes > answer_left_) {
    note_memory();
    return false;
  }
  answer_left_ -= bytes;
  return true;
}

bool Budget::check_time() {
  const auto now = std::chrono::time_point_cast<base::Duration>(std::chrono::steady_clock::now());
  if (now <= deadline_) return true;
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(limits_.time).count();
  note(fmt::format("the query takes longer than {} ms (sql.timeout)", ms));
  return false;
}

bool Budget::check_value(std::size_t bytes) {
  if (bytes <= limits_.value_bytes) return true;
  note(fmt::format("a value has more than {} bytes (sql.max_value_bytes)", limits_.value_bytes));
  return false;
}

void Budget::note_memory() {
  note(fmt::format("the query needs more than {} bytes of memory (sql.max_memory_bytes)",
                   limits_.memory_bytes));
}

}  // namespace slipway::eventstore::sql
