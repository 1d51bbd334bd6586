// What a command's request headers say (submit.hpp).
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "api/submit.hpp"
#include "core/base/json_read.hpp"

namespace slipway::api {
namespace {

using base::Errc;
using base::fail;
using base::JsonValue;

// The same JSON gives the same text, however its members are ordered and spaced.
void canonical(JsonValue value, std::string& out) {
  if (value.is_array()) {
    out.push_back('[');
    for (base::JsonArrayIterator it(value); it; ++it) {
      canonical(it.value(), out);
      out.push_back(',');
    }
    out.push_back(']');
  } else if (value.is_object()) {
    std::vector<std::pair<std::string_view, JsonValue>> members;
    for (base::JsonObjectIterator it(value); it; ++it) members.emplace_back(it.key(), it.value());
    std::sort(members.begin(), members.end(),
              [](const auto& a, const auto& b) { return a.first < b.first; });
    out.push_back('{');
    for (const auto& [name, member] : members) {
      out += fmt::format("{}:{}:", name.size(), name);
      canonical(member, out);
      out.push_back(',');
    }
    out.push_back('}');
  } else {
    out.append(value.minified());
  }
}

std::string fingerprint(const Request& request, const base::JsonLimits& limits) {
  thread_local base::JsonParser parser(limits);  // of this server's thread
  std::string text = fmt::format("{} {}\n", request.method_text(), request.target());
  const auto json = parser.parse(request.body());
  if (json) {
    canonical(*json, text);
  } else {
    text.append(request.body());
  }
  return base::hex(base::blake2b(text));
}

bool is_visible_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7F; });
}

base::Status read_idempotency(const Call& call, const base::JsonLimits& limits,
                              CommandRequest& out) {
  const auto key = call.request.find_header("idempotency-key");
  if (!key) return {};
  if (key->empty() || key->size() > 255 || !is_visible_ascii(*key)) {
    return fail(Errc::InvalidArgument, "Idempotency-Key is 1 to 255 visible ASCII characters");
  }
  const domain::Caller& caller = out.command.caller;
  out.idempotency = eventstore::Submission::Idempotency{
      fmt::format("{}/{}|{} {}|{}", caller.tenant, caller.actor, call.request.method_text(),
                  call.route->pattern, *key),
      fingerprint(call.request, limits)};
  return {};
}

}  // namespace

base::Uuid new_id() {
  thread_local base::SystemIdSource ids;
  return ids.next();
}

base::Result<std::optional<std::uint64_t>> parse_if_match(std::string_view text) {
  if (text == "*") return std::optional<std::uint64_t>();
  if (text.starts_with("W/")) text.remove_prefix(2);
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"') {
    text = text.substr(1, text.size() - 2);
  }
  std::uint64_t version = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), version);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) {
    return fail(Errc::InvalidArgument, "an ETag here is a version in quotes, as \"5\"");
  }
  return std::optional<std::uint64_t>(version);
}

std::optional<base::Duration> parse_prefer_wait(std::string_view header) {
  while (!header.empty()) {
    const std::size_t comma = header.find(',');
    std::string_view part = header.substr(0, comma);
    header = comma == std::string_view::npos ? "" : header.substr(comma + 1);
    while (part.starts_with(' ')) part.remove_prefix(1);
    while (part.ends_with(' ')) part.remove_suffix(1);
    if (part.size() > 5 && iequals(part.substr(0, 5), "wait=")) {
      return base::parse_duration(part.substr(5));
    }
  }
  return std::nullopt;
}

base::Result<CommandRequest> Submitter::begin(const Call& call, domain::Dialect dialect) const {
  const Identity& identity = identity_of(call);
  CommandRequest out;
  out.client.reply = call.reply;
  domain::Caller& caller = out.command.caller;
  caller.tenant = identity.tenant;
  caller.actor = identity.actor;
  caller.role = identity.role;
  caller.dialect = dialect;
  caller.request_id = call.request.request_id();
  caller.trace = call.request.trace().traceparent();
  out.command.task = domain::TaskId(new_id());
  if (const auto text = call.request.find_header("if-match")) {
    const auto version = parse_if_match(*text);
    if (!version) return fail(version.error());
    out.command.if_match = *version;
  }
  if (const auto prefer = call.request.find_header("prefer")) {
    if (const auto wait = parse_prefer_wait(*prefer)) {
      out.wait = std::min(*wait, services_.options.max_wait.get());
    }
  }
  if (auto status = read_idempotency(call, services_.options.json, out); !status)
    return fail(status.error());
  return out;
}

}  // namespace slipway::api
