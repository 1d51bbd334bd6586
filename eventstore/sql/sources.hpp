#pragma once
// The tables of one FROM: finds what a column's name means, and remembers which columns are used.
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "eventstore/sql/ast.hpp"
#include "eventstore/sql/catalog.hpp"

namespace slipway::eventstore::sql {

// "..." for SQLite.
std::string quoted(std::string_view name);

struct Source {
  std::string alias;
  const Table* table = nullptr;
  Place place;
  std::set<const Column*> used{};
  bool all_used = false;
  std::string lookup{};         // " AND v.id=sw_id(?3)"
  std::string lookup_column{};  // for EXPLAIN
  void use(const Column& column) { used.insert(&column); }
  // For the catalog: a SELECT has one column at least.
  std::vector<const Column*> wanted() const;
};

class Sources {
 public:
  // False: `error` says why (no such table or function, an alias twice).
  bool add(const FromItem& item, SyntaxError& error);
  std::size_t size() const { return all_.size(); }
  Source& at(std::size_t i) { return all_[i]; }

  struct Found {
    Source* source = nullptr;
    const Column* column = nullptr;
    bool merged = false;    // by NATURAL or USING: has no table of its own
    std::string problem{};  // why nothing was found
    bool unknown = false;   // there is no such name (it may be an alias)
  };
  // Looks at the sources from `begin` to `end`.
  Found find(std::string_view table, std::string_view name, std::size_t begin, std::size_t end);
  // The columns that a NATURAL join of [begin, middle) with [middle, end) goes by.
  std::vector<std::string> common(std::size_t begin, std::size_t middle, std::size_t end) const;
  // `name` stands for one column from now on; false and `problem` if it does not name exactly one
  // on each side.
  bool merge(const std::string& name, std::size_t begin, std::size_t middle, std::size_t end,
             std::string& problem);
  Source* by_alias(std::string_view alias);
  // Of *: what NATURAL and USING have merged counts once.
  std::size_t columns() const;
  void use_all();

 private:
  std::vector<Source> all_;
  std::vector<std::unique_ptr<Table>> made_;  // of table functions
  std::set<std::string, std::less<>> merged_;
  std::size_t merged_away_ = 0;
};

// tables(), columns('t'), functions() as tables of constants; null and `problem` for another.
std::unique_ptr<Table> function_table(const FromItem& item, std::string& problem);

}  // namespace slipway::eventstore::sql
