// Any bytes as a text of the SQL dialect, on a small cloud: nothing may crash, leak or hang; what
// our own compiler writes must be SQL that SQLite takes and that the authorizer lets through; and
// nothing of the other tenant may be in the answer.
#include "sql_fixture.hpp"
#include "target.hpp"

namespace {

using slipway::eventstore::sql::Limits;
using slipway::eventstore::sql::Query;
using slipway::eventstore::sql::Value;
using slipway::eventstore::sql::testing::shown;
using slipway::eventstore::sql::testing::SqlCloud;
using slipway::fuzz::give_up;

Limits limits() {
  Limits l;
  l.time = std::chrono::milliseconds(300);
  l.rows_scanned = 5000;
  l.rows = 500;
  l.memory_bytes = 16U << 20U;
  return l;
}

}  // namespace

SLIPWAY_FUZZ_TARGET(sql) {
  static auto& cloud = *new SqlCloud(limits());
  Query query;
  query.text = bytes;
  query.placeholders.named = {{"n", Value(std::int64_t{2})}, {"s", Value(std::string("web"))}};
  query.placeholders.numbered = {{1, Value(std::int64_t{1})}, {2, Value(std::string("x"))}};
  const auto answer =
      cloud.engine().run(slipway::eventstore::Scope::tenant("demo"), std::span(&query, 1));
  if (!answer) {
    if (answer.error().code != slipway::base::Errc::InvalidArgument) {
      give_up("the engine failed", answer.error().message);
    }
    return;
  }
  for (const auto& result : answer->results) {
    if (result.message == "the statement could not be evaluated") {
      give_up("refused by SQLite", cloud.engine().last_refusal());
    }
    for (const auto& row : result.rows) {
      for (const Value& value : row) {
        if (shown(value).find("secret-1") != std::string::npos &&
            query.text.find("secret-1") == std::string::npos) {
          give_up("another tenant's row", shown(value));
        }
      }
    }
  }
}
