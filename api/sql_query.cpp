#include "api/sql_query.hpp"

#include <fmt/format.h>

#include "api/read_gate.hpp"
#include "core/base/json_read.hpp"

namespace slipway::api {
namespace {

using base::Errc;
using base::fail;
using base::JsonType;
using base::JsonValue;
using eventstore::sql::Value;

base::Result<Value> placeholder(const std::optional<JsonValue>& json) {
  if (!json || json->is_null()) return Value();
  if (const auto text = json->string()) return eventstore::sql::placeholder_value(*text);
  if (const auto whole = json->int64()) return Value(*whole);
  if (const auto real = json->number()) return Value(*real);
  if (const auto flag = json->boolean()) return Value(std::int64_t{*flag});
  return fail(Errc::InvalidArgument, "a parameter's value is a string or a number");
}

base::Status read_parameter(const JsonValue& json, eventstore::sql::Placeholders& out) {
  auto value = placeholder(json.find("value"));
  if (!value) return fail(value.error());
  const auto name = json.find("name");
  const auto index = json.find("index");
  if (const auto text = name ? name->string() : std::nullopt) {
    out.named[std::string(*text)] = std::move(*value);
  } else if (const auto number = index ? index->uint64() : std::nullopt) {
    out.numbered[static_cast<std::size_t>(*number)] = std::move(*value);
  } else {
    return fail(Errc::InvalidArgument, "a parameter has a name or an index, and a value");
  }
  return {};
}

base::Result<eventstore::sql::Query> read_query(const JsonValue& json) {
  eventstore::sql::Query query;
  const auto sql = json.find("sql");
  const auto text = sql ? sql->string() : std::nullopt;
  if (!text)
    return fail(Errc::InvalidArgument, R"(each query is {"sql": "...", "parameters": []})");
  query.text = *text;
  const auto parameters = json.find("parameters");
  if (!parameters || parameters->is_null()) return query;
  if (!parameters->is_array()) return fail(Errc::InvalidArgument, "parameters is a list");
  for (base::JsonArrayIterator it(*parameters); it; ++it) {
    if (auto status = read_parameter(it.value(), query.placeholders); !status) {
      return fail(status.error());
    }
  }
  return query;
}

void write_value(base::JsonWriter& w, const Value& value) {
  if (const auto* number = std::get_if<std::int64_t>(&value)) {
    w.value(*number);
  } else if (const auto* real = std::get_if<double>(&value)) {
    w.value(*real);
  } else if (const auto* text = std::get_if<std::string>(&value)) {
    w.value(*text);
  } else {
    w.null();
  }
}

}  // namespace

base::Result<std::vector<eventstore::sql::Query>> parse_queries(std::string_view body) {
  thread_local base::JsonParser parser;
  const auto json = parser.parse(body);
  if (!json) return fail(Errc::MalformedJson, "the body is a JSON list of queries");
  std::vector<eventstore::sql::Query> out;
  if (json->is_object()) {
    auto query = read_query(*json);
    if (!query) return fail(query.error());
    out.push_back(std::move(*query));
    return out;
  }
  if (!json->is_array()) return fail(Errc::InvalidArgument, "the body is a JSON list of queries");
  for (base::JsonArrayIterator it(*json); it; ++it) {
    auto query = read_query(it.value());
    if (!query) return fail(query.error());
    out.push_back(std::move(*query));
  }
  return out;
}

std::string render_results(const eventstore::sql::Answer& answer) {
  base::JsonWriter w;
  w.begin_array();
  for (const eventstore::sql::StatementResult& result : answer.results) {
    w.begin_object().member("status", base::enum_name(result.outcome));
    w.member("count", result.rows.size());
    w.key("data").begin_object().key("columnName").begin_array();
    for (const std::string& name : result.columns) w.value(name);
    w.end_array().key("row").begin_array();
    for (const auto& row : result.rows) {
      w.begin_object().key("value").begin_array();
      for (const Value& value : row) write_value(w, value);
      w.end_array().end_object();
    }
    w.end_array().end_object().member("message", result.message).end_object();
  }
  return w.end_array().text();
}

void answer_sql(const ApiServices& services, SqlPool& pool, const Request& request,
                const Client& client, const eventstore::Scope& scope, ContentType type) {
  auto queries = parse_queries(request.body());
  if (!queries) return client.fail(queries.error());
  // Shared: std::function must be copyable.
  auto texts = std::make_shared<SqlPool::Queries>(std::move(*queries));
  read_when_current(services, request, client, [&pool, client, texts, scope, type] {
    pool.ask(client, scope, std::move(*texts), [client, type](auto answer) {
      if (!answer) return client.fail(answer.error());
      Response response(200, render_results(*answer), type);
      client.send(std::move(response.add("Slipway-Seq", fmt::to_string(answer->seq))));
    });
  });
}

}  // namespace slipway::api
