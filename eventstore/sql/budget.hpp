#pragma once
// What a request has left to spend, and which limit it broke first. One thread; SQLite asks it from
// inside its loops.
#include <string>

#include "eventstore/sql/limits.hpp"

namespace slipway::eventstore::sql {

class Budget {
 public:
  void begin(const Limits& limits, base::SteadyTime now) {
    limits_ = limits;
    deadline_ = now + limits.time;
    rows_left_ = limits.rows_scanned;
    answer_left_ = limits.memory_bytes;
    rows_out_left_ = limits.rows;
    exceeded_.clear();
  }
  const Limits& limits() const { return limits_; }
  base::SteadyTime deadline() const { return deadline_; }

  // Each is false, and the limit noted, when there is nothing left.
  bool take_row();
  bool take_answer_row(std::size_t bytes);
  bool check_time();
  bool check_value(std::size_t bytes);
  void note_memory();
  // A limit that only one function knows.
  void note(std::string what) {
    if (exceeded_.empty()) exceeded_ = std::move(what);
  }
  // "the query ... (sql.timeout)"; empty while all is well.
  const std::string& exceeded() const { return exceeded_; }
  void clear() { exceeded_.clear(); }

 private:
  Limits limits_;
  base::SteadyTime deadline_{};
  std::uint64_t rows_left_ = 0;
  std::size_t answer_left_ = 0;
  std::size_t rows_out_left_ = 0;
  std::string exceeded_;
};

}  // namespace slipway::eventstore::sql
