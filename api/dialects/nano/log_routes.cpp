// Notes of a group: /logs/. Nothing is ever erased: a note that is removed is hidden.
#include <fmt/format.h>

#include <charconv>

#include "api/dialects/nano/routes.hpp"

namespace slipway::api::nano {
namespace {

constexpr std::size_t kMaxEntries = 500;
constexpr std::size_t kMaxContent = 4096;

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t n = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return n;
}

// The message of what is wrong; empty if nothing is.
std::string read_filter(const Request& request, eventstore::AuditFilter& filter) {
  const auto limit = number(request.query_value("limit").value_or(""));
  if (!limit || *limit == 0 || *limit > kMaxEntries) {
    return fmt::format("'limit' is a number from 1 to {}", kMaxEntries);
  }
  filter.limit = static_cast<std::size_t>(*limit);
  if (const auto text = request.query_value("start")) {
    const auto start = number(*text);
    if (!start || *start > 1U << 30U) return "'start' is a number";
    filter.start = static_cast<std::size_t>(*start);
  }
  for (auto [name, into] : {std::pair("after", &filter.after), {"before", &filter.before}}) {
    const auto text = request.query_value(name);
    if (!text || text->empty()) continue;
    *into = parse_local_time(*text);
    if (!*into) {
      return fmt::format("invalid {} time '{}', must in format 'YYYY-MM-DD HH:MM:SS'", name,
                         text->substr(0, 64));
    }
  }
  return {};
}

void write_entries(base::JsonWriter& w, const std::vector<eventstore::AuditRow>& rows,
                   bool with_ids) {
  w.begin_array();
  for (const eventstore::AuditRow& row : rows) {
    w.begin_object();
    if (with_ids) w.member("id", fmt::to_string(row.seq));
    w.member("time", local_time(row.time)).member("content", row.content).end_object();
  }
  w.end_array();
}

void list_logs(Context& context, Call call, Base base) {
  eventstore::AuditFilter filter;
  if (const auto wrong = read_filter(call.request, filter); !wrong.empty()) {
    return client_of(call).send(failure(wrong));
  }
  ask(context, std::move(call),
      [filter, base](const Call& asked, eventstore::Reader& reader, const Client& client) {
        const auto page = reader.audit(identity_of(asked).tenant, filter);
        if (!page) return client.fail(page.error());
        base::JsonWriter w;
        if (base == Base::Plain) {
          write_entries(w, page->items, false);
        } else {
          w.begin_object().key("logs");
          write_entries(w, page->items, true);
          w.member("total", page->total.value_or(0)).end_object();
        }
        client.send(success(w.view()));
      });
}

void add_log(Context& context, const Call& call) {
  FieldErrors errors;
  FieldReader body = read_body(call.request, errors);
  domain::AppendAudit note;
  note.content = body.text("content", {.required = true, .max_bytes = kMaxContent});
  note.format = body.text("format");
  if (!errors.empty()) return client_of(call).fail(errors.error());
  command(context, call, std::move(note));
}

void hide_logs(Context& context, const Call& call) {
  FieldErrors errors;
  FieldReader body = read_body(call.request, errors);
  domain::HideAudit hide;
  for (const std::string& text : texts(body, "entries", kMaxEntries)) {
    const auto seq = number(text);
    if (!seq) return client_of(call).send(failure(fmt::format("invalid log entry '{}'", text)));
    hide.entries.push_back(*seq);
  }
  if (!errors.empty()) return client_of(call).fail(errors.error());
  if (hide.entries.empty()) return client_of(call).send(failure("log entry required"));
  command(context, call, std::move(hide));
}

}  // namespace

void log_routes(Area& area) {
  area.get("/logs/", [base = area.base()](Context& context, Call call) {
    list_logs(context, std::move(call), base);
  });
  area.on(Method::Post, "/logs/", Right::Operate, add_log);
  area.on(Method::Delete, "/logs/", Right::Administer, hide_logs);
}

}  // namespace slipway::api::nano
