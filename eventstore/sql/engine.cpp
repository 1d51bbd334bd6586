#include "eventstore/sql/engine.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "eventstore/sql/compiler.hpp"
#include "eventstore/sql/execution.hpp"

namespace slipway::eventstore::sql {
namespace {

StatementResult failure(Outcome outcome, std::string message) {
  StatementResult result;
  result.outcome = outcome;
  result.message = std::move(message);
  return result;
}

// The names of the placeholders that have no value.
std::string missing(const std::vector<StatementTokens>& statements, const Placeholders& given) {
  std::string out;
  for (const StatementTokens& statement : statements) {
    for (const Token& token : statement.tokens) {
      if (token.kind != TokenKind::Placeholder || given.find(token) != nullptr) continue;
      if (!out.empty()) out += ", ";
      out += token.text.empty() ? fmt::format("? number {}", token.index)
                                : fmt::format(":{}:", token.text);
    }
  }
  return out;
}

StatementResult explain(const Compiled& compiled) {
  StatementResult result;
  result.columns = {"step", "operation", "detail"};
  std::int64_t number = 0;
  for (const Compiled::Step& step : compiled.plan) {
    result.rows.push_back({Value(++number), Value(step.operation), Value(step.detail)});
  }
  return result;
}

}  // namespace

struct Engine::Work {
  std::unique_ptr<Select> select;  // null: `failed` is the result
  StatementResult failed;
};

Engine::Engine(const ReadModels& models, const EventLog& log, Limits limits, PastModels* past)
    : limits_(limits), log_(log), past_(past), connection_(models, log) {}

base::Result<std::vector<Engine::Work>> Engine::prepare(std::span<const Query> queries) const {
  std::vector<Work> all;
  for (const Query& query : queries) {
    auto statements = tokenize(query.text, limits_);
    if (!statements) return base::fail(statements.error());
    if (statements->empty()) {
      all.push_back({nullptr, failure(Outcome::SyntaxError, "line 1, column 1: an empty text")});
    }
    if (std::string names = missing(*statements, query.placeholders); !names.empty()) {
      all.push_back({nullptr, failure(Outcome::MissingParameters,
                                      fmt::format("no value was given for {}", names))});
      statements->clear();
    }
    for (const StatementTokens& statement : *statements) {
      ParseOutcome parsed = parse(statement, query.text, query.placeholders, limits_);
      if (!parsed.over_limit.empty()) {
        return base::fail(base::Errc::InvalidArgument, parsed.over_limit);
      }
      Work& work = all.emplace_back();
      work.select = std::move(parsed.select);
      if (parsed.error) work.failed = failure(Outcome::SyntaxError, parsed.error->text());
    }
    if (all.size() > limits_.statements) {
      return base::fail(base::Errc::InvalidArgument,
                        fmt::format("the request has more than {} statements (sql.max_statements)",
                                    limits_.statements));
    }
  }
  return all;
}

base::Result<Answer> Engine::run(const Scope& scope, std::span<const Query> queries) {
  auto work = prepare(queries);
  if (!work) return base::fail(work.error());
  const auto now = std::chrono::time_point_cast<base::Duration>(std::chrono::steady_clock::now());
  connection_.budget().begin(limits_, now);
  Answer answer;
  auto seq = connection_.begin();
  if (!seq) return base::fail(seq.error());
  answer.seq = *seq;
  for (Work& w : *work) {
    // A statement that went badly may have cost the connection.
    if (!connection_.is_open()) seq = connection_.begin();
    if (!seq) return base::fail(seq.error());
    answer.results.push_back(w.select == nullptr ? std::move(w.failed)
                                                 : execute(scope, *w.select, *seq));
  }
  connection_.end();
  return answer;
}

StatementResult Engine::execute(const Scope& scope, const Select& select, domain::Seq present) {
  const Compiled compiled = compile(select, scope);
  if (compiled.error) return failure(Outcome::SyntaxError, compiled.error->text());
  if (select.explain) return explain(compiled);
  if (select.as_of) return execute_past(compiled, *select.as_of, present);
  return evaluate(connection_, compiled);
}

// On a connection of its own, within what is left of the request's budget.
StatementResult Engine::execute_past(const Compiled& compiled, const Moment& moment,
                                     domain::Seq present) {
  const auto refused = [](std::string_view why) {
    return failure(Outcome::EvaluationError, fmt::format("AS OF: {}", why));
  };
  if (past_ == nullptr) return refused("there are no tables of the past here");
  if (const auto* seq = std::get_if<domain::Seq>(&moment); seq != nullptr && *seq > present) {
    return refused(fmt::format("the last seq is {}", present));
  }
  const auto now = std::chrono::time_point_cast<base::Duration>(std::chrono::system_clock::now());
  const auto models = past_->at(moment, now, connection_.budget().deadline());
  if (!models) return refused(models.error().message);
  Connection past(**models, log_);
  past.budget() = connection_.budget();
  if (const auto seq = past.begin(); !seq) return refused(seq.error().message);
  StatementResult result = evaluate(past, compiled);
  if (past.is_open()) past.end();
  connection_.budget() = past.budget();
  if (!past.refused().empty()) connection_.note_refusal(past.refused());
  return result;
}

}  // namespace slipway::eventstore::sql
