#pragma once
// From a statement's tree to what SQLite is given. Nothing of the user's text goes over: names
// become names of the catalog, values become bound parameters, operators and functions become ours
// (functions.hpp). Each table becomes its catalog SELECT, cut to the asker's rows.
#include <string>
#include <vector>

#include "eventstore/read_models.hpp"
#include "eventstore/sql/ast.hpp"

namespace slipway::eventstore::sql {

struct Compiled {
  std::string sql;
  std::vector<Value> values;  // of ?1, ?2, ...
  // What is done, step by step, for EXPLAIN.
  struct Step {
    std::string operation;
    std::string detail;
  };
  std::vector<Step> plan;
  std::optional<SyntaxError> error;  // an unknown name, a wrong number of arguments, ...
};

Compiled compile(const Select& select, const Scope& scope);

}  // namespace slipway::eventstore::sql
