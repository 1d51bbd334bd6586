#pragma once
// What questions about tables of documents (catalog_table.hpp) have in common.
#include "core/base/fields.hpp"
#include "eventstore/projections/query_connection.hpp"

namespace slipway::eventstore {

// A tenant's own things and those that are shared.
inline Sql visible(const Scope& scope) {
  Sql sql;
  if (!scope.everything()) sql.add(" AND (tenant=? OR shared=1)", scope.name());
  return sql;
}

template <class Row>
void read_doc(QueryConnection& q, std::string_view doc, Row& row) {
  const auto json = q.parser.parse_trusted(doc);
  if (!json || !base::read_json(*json, row)) q.db->set_error(11, "a document is damaged");
}

// The whole of a table that is never long, in the order of creation; `where` is " AND ...".
template <class Row>
base::Result<Read<std::vector<Row>>> select_all(QueryConnection& q, std::string_view table,
                                                const Sql& where) {
  Read<std::vector<Row>> answer;
  auto status = q.ask([&](domain::Seq seq) {
    answer.seq = seq;
    Sql sql("SELECT doc FROM ");
    sql.add(table).add(" WHERE 1").add(where).add(" ORDER BY created_seq");
    Statement& select = q.prepare(sql);
    while (select.step()) read_doc(q, select.text(0), answer.value.emplace_back());
  });
  if (!status) return base::fail(status.error());
  return answer;
}

}  // namespace slipway::eventstore
