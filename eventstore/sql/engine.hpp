#pragma once
// The SQL dialect: texts in, tables out. One thread uses one Engine; any number may be open, each
// with its own read-only connection (API: sql_pool.hpp keeps four).
//
//   sql::Engine engine(models, log, limits);
//   auto answer = engine.run(Scope::tenant("demo"), {{"select id, name from projects", {}}});
//
// All statements of one request are answered from one moment of the log. The language: docs/SQL.md.
#include <span>
#include <string>
#include <vector>

#include "eventstore/past_models.hpp"
#include "eventstore/sql/execution.hpp"
#include "eventstore/sql/parser.hpp"

namespace slipway::eventstore::sql {

struct Query {
  std::string text;
  Placeholders placeholders{};
};

struct Answer {
  std::vector<StatementResult> results;  // of all statements of all texts, in order
  domain::Seq seq = 0;                   // they tell of events up to this one
};

class Engine {
 public:
  // `past`: for AS OF; may be shared by engines on other threads. Null: it is refused.
  Engine(const ReadModels& models, const EventLog& log, Limits limits, PastModels* past = nullptr);

  // Errors are those of the request as a whole: InvalidArgument (a text too long, too many tokens,
  // statements, joins, levels), ProjectionBehind and Internal (no read models).
  base::Result<Answer> run(const Scope& scope, std::span<const Query> queries);

  // For the log, when a statement failed that should not have.
  const std::string& last_refusal() const { return connection_.refused(); }

 private:
  struct Work;
  base::Result<std::vector<Work>> prepare(std::span<const Query> queries) const;
  StatementResult execute(const Scope& scope, const Select& select, domain::Seq present);
  StatementResult execute_past(const Compiled& compiled, const Moment& moment, domain::Seq present);

  const Limits limits_;
  const EventLog& log_;
  PastModels* const past_;
  Connection connection_;
};

}  // namespace slipway::eventstore::sql
