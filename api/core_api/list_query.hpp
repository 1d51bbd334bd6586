#pragma once
// The query of a list: page, order, filters. Every parameter is known or the request is refused.
#include <set>
#include <string>

#include "api/edge/request.hpp"
#include "api/edge/response.hpp"
#include "core/base/crypto.hpp"
#include "eventstore/read_models.hpp"

namespace slipway::api {

// Takes parameters out of a request's query one by one; what is left at the end is unknown.
class QueryReader {
 public:
  explicit QueryReader(const Request& request) : request_(request) {}

  // The one value; an error if the parameter comes twice.
  std::optional<std::string_view> one(std::string_view name);
  // Alternatives: "state=FAILED,DEAD".
  std::vector<std::string_view> many(std::string_view name);
  // "label.team=web" by "team".
  domain::Labels labels();
  std::optional<base::Time> time(std::string_view name);
  std::optional<base::Uuid> id(std::string_view name);
  std::optional<std::uint64_t> number(std::string_view name, std::uint64_t min, std::uint64_t max);
  bool flag(std::string_view name);
  std::optional<base::Duration> duration(std::string_view name);
  template <base::NamedEnum E>
  std::vector<E> names(std::string_view name) {
    std::vector<E> out;
    for (const std::string_view word : many(name)) {
      if (const auto value = base::enum_from_name<E>(word)) {
        out.push_back(*value);
      } else {
        wrong(name, "unknown value");
      }
    }
    return out;
  }

  void wrong(std::string_view name, std::string_view why);
  // An Error if anything was wrong or is left.
  base::Status finish();

 private:
  const Request& request_;
  std::set<std::string_view> known_;
  bool labels_known_ = false;
  std::vector<base::FieldError> errors_;
};

// What all lists share: limit, cursor, sort, count. `kind` ties a cursor to its list.
struct ListQuery {
  eventstore::PageRequest page;
  std::string kind;
};
ListQuery read_list_query(QueryReader& query, std::string_view kind, const base::Key& key,
                          bool newest_first);
// The cursor of the next page.
std::string cursor_text(const ListQuery& list, domain::Seq next, const base::Key& key);

eventstore::TaskFilter read_task_filter(QueryReader& query);
eventstore::VmFilter read_vm_filter(QueryReader& query);

// {"items":[...],"next_cursor":...,...} with Link and Slipway-Seq around it.
template <class Page, class WriteItem>
Response list_response(const Request& request, const ListQuery& list, const Page& page,
                       const base::Key& key, WriteItem write_item);

// The Link header's target: the same request with another cursor.
std::string next_link(const Request& request, std::string_view cursor);

template <class Page, class WriteItem>
Response list_response(const Request& request, const ListQuery& list, const Page& page,
                       const base::Key& key, WriteItem write_item) {
  base::JsonWriter w;
  w.begin_object().key("items").begin_array();
  for (const auto& row : page.items) write_item(w, row);
  w.end_array().key("next_cursor");
  std::string cursor;
  if (page.next) cursor = cursor_text(list, *page.next, key);
  cursor.empty() ? w.null() : w.value(cursor);
  if (page.total) {
    w.member("total", *page.total).member("total_is_lower_bound", page.total_is_lower_bound);
  }
  Response response(200, w.end_object().text());
  if (!cursor.empty()) response.add("Link", "<" + next_link(request, cursor) + ">; rel=\"next\"");
  response.add("Slipway-Seq", std::to_string(page.seq)).add("Cache-Control", "no-cache");
  return response;
}

}  // namespace slipway::api
