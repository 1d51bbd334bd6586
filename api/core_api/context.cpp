#include "api/core_api/context.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace slipway::api {

using base::Errc;
using base::fail;

namespace {

bool is_json_type(std::string_view type) {
  type = type.substr(0, type.find(';'));
  while (type.ends_with(' ')) type.remove_suffix(1);
  return iequals(type, "application/json") || (type.size() > 5 && type.ends_with("+json"));
}

}  // namespace

base::Result<std::optional<base::JsonValue>> json_body(const ApiServices& services,
                                                       const Request& request) {
  if (request.body().empty()) return std::optional<base::JsonValue>();
  if (!is_json_type(request.header("content-type"))) {
    return fail(Errc::UnsupportedMediaType, "send the body as application/json");
  }
  thread_local base::JsonParser parser(services.options.json);  // of this server's thread
  const auto json = parser.parse(request.body());
  if (!json) return fail(json.error());
  return std::optional<base::JsonValue>(*json);
}

base::Result<base::Uuid> path_id(const Call& call, std::string_view name, std::string_view what) {
  const auto id = base::parse_uuid(call.params[name]);
  if (!id)
    return fail(Errc::NotFound, fmt::format("no {} '{}'", what, call.params[name].substr(0, 64)));
  return *id;
}

std::string etag(std::uint64_t version) { return fmt::format("\"{}\"", version); }

bool none_match_has(const Request& request, std::uint64_t version) {
  const auto header = request.find_header("if-none-match");
  if (!header) return false;
  if (*header == "*") return true;
  const std::string wanted = etag(version);
  std::size_t at = 0;
  while ((at = header->find(wanted, at)) != std::string_view::npos) {
    const bool begins =
        at == 0 || (*header)[at - 1] == ' ' || (*header)[at - 1] == ',' || (*header)[at - 1] == '/';
    if (begins) return true;
    ++at;
  }
  return false;
}

base::Result<Wait> read_wait(const Request& request, const ApiOptions& options) {
  Wait wait;
  if (const auto text = request.query_value("wait")) {
    const auto time = base::parse_duration(*text);
    if (!time) return fail(Errc::InvalidArgument, "wait is a duration, as 30s");
    wait.time = *time;
  } else if (const auto prefer = request.find_header("prefer")) {
    const auto time = parse_prefer_wait(*prefer);
    wait.preferred = time.has_value();
    wait.time = time.value_or(base::Duration(0));
  }
  wait.time = std::min(wait.time, options.max_wait.get());
  return wait;
}

void query_when_current(const CoreContext& ctx, const SharedCall& call,
                        std::function<void(eventstore::Reader&)> query) {
  const Client client{call->reply};
  read_when_current(ctx.services, call->request, client,
                    [&services = ctx.services, client, query = std::move(query)] {
                      services.queries.ask(client, query);
                    });
}

}  // namespace slipway::api
