#pragma once
// Counters and gauges (live_counts.hpp) while events are folded: strings become small numbers once,
// so that counting an event costs a hash of one word.
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "eventstore/live_counts.hpp"
#include "eventstore/projections/sqlite.hpp"

namespace slipway::eventstore {

using Label = std::uint32_t;  // a string that labels a number; 0 is ""

// Strings in order of first use, kept for good.
class Labels {
 public:
  Labels() { (void)of(""); }
  Label of(std::string_view text);
  template <class E>
  requires std::is_enum_v<E> Label of(E value) { return of(base::enum_name(value)); }
  const std::string& text(Label label) const { return *texts_[label]; }

 private:
  std::unordered_map<std::string, Label> numbers_;
  std::vector<const std::string*> texts_;  // keys of numbers_
};

class Tallies {
 public:
  explicit Tallies(Database& db);
  // Reads all; after create_schema().
  void load();

  void add(Tally tally, Label a, Label b = 0, Label c = 0, std::int64_t n = 1);
  void add_ready_since(Label worker_pool, base::Time since, std::int64_t n);
  void add_event(std::size_t type_index) { ++event_types_[type_index]; }

  Label label(std::string_view text) { return labels_.of(text); }
  template <class E>
  requires std::is_enum_v<E> Label label(E value) { return labels_.of(value); }

  // Writes what add() changed since the last time.
  void flush();
  const TallyMap& deltas() const { return deltas_; }  // of the last flush()
  const TallyMap& totals() const { return totals_; }

 private:
  void collect();

  Labels labels_;  // few: backends, worker pools, enumerators, error codes
  std::unordered_map<std::uint64_t, std::int64_t> counts_;
  std::map<std::pair<Label, std::int64_t>, std::int64_t> ready_since_;
  std::vector<std::int64_t> event_types_;
  TallyMap deltas_;
  TallyMap totals_;
  Statement upsert_;
  Statement erase_;
  Database& db_;
};

}  // namespace slipway::eventstore
