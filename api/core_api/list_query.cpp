#include "api/core_api/list_query.hpp"

#include <fmt/format.h>

#include <charconv>

#include "api/field_reader.hpp"
#include "api/signed_text.hpp"

namespace slipway::api {
namespace {

constexpr std::string_view kLabel = "label.";
constexpr std::string_view kCursorPurpose = "cursor";

template <class Number>
std::optional<Number> parse_number(std::string_view text) {
  Number value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string percent_encode(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::string_view("-_.~,:").find(c) != std::string_view::npos;
    if (plain) {
      out.push_back(c);
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

}  // namespace

std::optional<std::string_view> QueryReader::one(std::string_view name) {
  known_.insert(name);
  std::optional<std::string_view> found;
  for (const QueryParam& p : request_.query()) {
    if (p.name != name) continue;
    if (found) wrong(name, "given twice");
    found = p.value;
  }
  return found;
}

std::vector<std::string_view> QueryReader::many(std::string_view name) {
  std::vector<std::string_view> words;
  auto text = one(name);
  while (text) {
    const std::size_t comma = text->find(',');
    words.push_back(text->substr(0, comma));
    if (words.back().empty()) wrong(name, "an empty value");
    if (comma == std::string_view::npos) break;
    text = text->substr(comma + 1);
  }
  return words;
}

domain::Labels QueryReader::labels() {
  labels_known_ = true;
  domain::Labels out;
  for (const QueryParam& p : request_.query()) {
    if (!p.name.starts_with(kLabel)) continue;
    const std::string name(p.name.substr(kLabel.size()));
    if (name.empty() || !out.emplace(name, p.value).second) wrong(p.name, "given twice or unnamed");
  }
  return out;
}

std::optional<base::Time> QueryReader::time(std::string_view name) {
  const auto text = one(name);
  if (!text) return std::nullopt;
  auto time = base::parse_rfc3339(*text);
  if (!time) wrong(name, "must be a time as in RFC 3339");
  return time;
}

std::optional<base::Uuid> QueryReader::id(std::string_view name) {
  const auto text = one(name);
  if (!text) return std::nullopt;
  auto id = base::parse_uuid(*text);
  if (!id) wrong(name, "must be a UUID");
  return id;
}

std::optional<std::uint64_t> QueryReader::number(std::string_view name, std::uint64_t min,
                                                 std::uint64_t max) {
  const auto text = one(name);
  if (!text) return std::nullopt;
  const auto value = parse_number<std::uint64_t>(*text);
  if (value && *value >= min && *value <= max) return value;
  wrong(name, fmt::format("must be {} to {}", min, max));
  return std::nullopt;
}

bool QueryReader::flag(std::string_view name) {
  const auto text = one(name);
  if (!text) return false;
  if (*text != "true" && *text != "false") wrong(name, "must be true or false");
  return *text == "true";
}

std::optional<base::Duration> QueryReader::duration(std::string_view name) {
  const auto text = one(name);
  if (!text) return std::nullopt;
  auto duration = base::parse_duration(*text);
  if (!duration) wrong(name, "must be a duration, as 30s");
  return duration;
}

void QueryReader::wrong(std::string_view name, std::string_view why) {
  errors_.push_back({fmt::format("?{}", name), "invalid-parameter", std::string(why)});
}

base::Status QueryReader::finish() {
  const std::vector<std::string_view> words(known_.begin(), known_.end());
  for (const QueryParam& p : request_.query()) {
    if (known_.contains(p.name) || (labels_known_ && p.name.starts_with(kLabel))) continue;
    errors_.push_back({fmt::format("?{}", p.name), "unknown-parameter",
                       fmt::format("no such parameter here{}", did_you_mean(p.name, words))});
  }
  if (errors_.empty()) return {};
  const base::FieldError& first = errors_.front();
  return base::fail(base::Error{base::Errc::InvalidArgument,
                                fmt::format("{}: {}", first.pointer, first.detail),
                                std::move(errors_)});
}

ListQuery read_list_query(QueryReader& query, std::string_view kind, const base::Key& key,
                          bool newest_first) {
  ListQuery list;
  list.page.limit = query.number("limit", 1, 500).value_or(50);
  list.page.count = query.flag("count");
  list.page.ascending = !newest_first;
  if (const auto sort = query.one("sort")) {
    if (*sort == "created_at" || *sort == "-created_at") {
      list.page.ascending = *sort == "created_at";
    } else {
      query.wrong("sort", "must be created_at or -created_at");
    }
  }
  list.kind = fmt::format("{}{}", list.page.ascending ? '+' : '-', kind);
  if (const auto cursor = query.one("cursor")) {
    const auto text = verify_text(key, kCursorPurpose, *cursor);
    const std::size_t at = text ? text->find('|') : std::string::npos;
    if (at != std::string::npos && text->substr(0, at) == list.kind) {
      list.page.after = parse_number<domain::Seq>(std::string_view(*text).substr(at + 1));
    }
    if (!list.page.after) query.wrong("cursor", "is not one of this list");
  }
  return list;
}

std::string cursor_text(const ListQuery& list, domain::Seq next, const base::Key& key) {
  return sign_text(key, kCursorPurpose, fmt::format("{}|{}", list.kind, next));
}

std::string next_link(const Request& request, std::string_view cursor) {
  std::string link(request.path());
  link += "?";
  for (const QueryParam& p : request.query()) {
    if (p.name == "cursor") continue;
    link += percent_encode(p.name) + "=" + percent_encode(p.value) + "&";
  }
  return link + "cursor=" + percent_encode(cursor);
}

eventstore::TaskFilter read_task_filter(QueryReader& query) {
  eventstore::TaskFilter filter;
  filter.states = query.names<domain::TaskState>("state");
  filter.commands = query.names<domain::CommandKind>("command");
  filter.dialects = query.names<domain::Dialect>("dialect");
  filter.resource = query.id("resource");
  if (const auto batch = query.id("batch")) filter.batch = domain::TaskId(*batch);
  filter.created_after = query.time("created_after");
  filter.created_before = query.time("created_before");
  if (const auto tenant = query.one("tenant")) filter.tenant = std::string(*tenant);
  filter.labels = query.labels();
  return filter;
}

eventstore::VmFilter read_vm_filter(QueryReader& query) {
  eventstore::VmFilter filter;
  const auto text = [&](std::string_view name) {
    const auto value = query.one(name);
    return value ? std::optional<std::string>(*value) : std::nullopt;
  };
  filter.states = query.names<domain::VmState>("state");
  filter.name = text("name");
  if (const auto image = query.id("image")) filter.image = domain::ImageId(*image);
  filter.flavor = text("flavor");
  filter.host = text("host");
  filter.backend = text("backend");
  filter.tenant = text("tenant");
  filter.created_after = query.time("created_after");
  filter.created_before = query.time("created_before");
  filter.labels = query.labels();
  return filter;
}

}  // namespace slipway::api
