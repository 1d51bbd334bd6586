#include "app/cli/failure.hpp"

#include <fmt/format.h>

namespace slipway::app::cli {
namespace {

Exit exit_of(int status, const std::string& code) {
  // 422 for a key that was used for another request is a conflict, not a mistake in an argument.
  if (code == "idempotency-key-reused") return Exit::Conflict;
  switch (status) {
    case 400:
    case 413:
    case 415:
    case 422:
      return Exit::Usage;
    case 401:
    case 403:
      return Exit::NotAllowed;
    case 404:
    case 410:
      return Exit::NotFound;
    case 409:
    case 412:
    case 428:
      return Exit::Conflict;
    case 429:
    case 503:
      return Exit::Busy;
    case 502:
    case 504:
      return Exit::Unreachable;
    default:
      return Exit::Failed;
  }
}

std::string next_for_code(const std::string& code, const std::string& noun) {
  const auto has = [&](const char* list) { return fmt::format("slipway {} {}", noun, list); };
  if (code == "unauthenticated")
    return "give a token: --token-file, SLIPWAY_TOKEN_FILE or 'slipway config context set'";
  if (code == "forbidden") return "ask an admin for a token with a higher role";
  if (code == "read-only") return "use a server that is not read-only";
  if (code == "version-mismatch") return "look again, then repeat with the present version";
  if (code == "idempotency-key-reused") return "leave --idempotency-key out, or use a new one";
  if (code == "match-changed") return "list again: the match has changed meanwhile";
  if (code == "illegal-transition" || code == "resource-busy")
    return "wait for its task, or see its state: " + has("get ID");
  if (code == "quota-exceeded") return "delete what is not needed, or ask for a higher quota";
  if (code == "history-truncated") return "start later: --from with the first seq named above";
  if (code == "rate-limited" || code == "queue-full") return "try again later";
  if (code == "not-found" && !noun.empty()) return has("list");
  return {};
}

// A field error that says more about what to try than the problem's code.
std::string next_for_field(const Json& errors) {
  for (const auto& error : errors) {
    const auto code = text_at(error, "code");
    for (const char* noun : {"flavor", "image", "network", "host"})
      if (code == std::string("unknown-") + noun) return fmt::format("slipway {} list", noun);
  }
  return {};
}

}  // namespace

Failure usage_failure(std::string summary, std::string next) {
  return {Exit::Usage, std::move(summary), std::move(next), {}, {}};
}

Failure failure_of(const base::HttpResponse& answer, const std::string& noun) {
  Failure out;
  out.problem = Json::parse(answer.body, nullptr, false);
  if (!out.problem.is_object()) out.problem = nullptr;
  const auto code = text_at(out.problem, "code");
  out.exit = exit_of(answer.status, code);
  out.request_id = text_at(out.problem, "request_id");
  if (out.request_id.empty()) out.request_id = std::string(answer.header("x-request-id"));
  out.summary = text_at(out.problem, "detail");
  if (out.summary.empty()) out.summary = text_at(out.problem, "title");
  if (out.summary.empty()) out.summary = fmt::format("the server answered {}", answer.status);
  out.next = next_for_field(member_at(out.problem, "errors"));
  if (out.next.empty()) out.next = next_for_code(code, noun);
  return out;
}

void print_failure(Terminal& terminal, const Failure& failure, bool as_json) {
  if (as_json) {
    auto problem = failure.problem;
    if (problem.is_null())
      problem = {{"title", failure.summary}, {"exit_code", static_cast<int>(failure.exit)}};
    terminal.always(problem.dump(2, ' ', false, Json::error_handler_t::replace));
    return;
  }
  const auto code = text_at(failure.problem, "code");
  terminal.always(fmt::format("{} {}{}", terminal.painted("error:", Colour::Red),
                              printable(failure.summary),
                              code.empty() ? "" : " (" + printable(code) + ")"));
  for (const auto& error : member_at(failure.problem, "errors"))
    terminal.always(fmt::format("  {}: {}", printable(text_at(error, "pointer")),
                                printable(text_at(error, "detail"))));
  if (!failure.request_id.empty()) terminal.always("  request: " + printable(failure.request_id));
  if (!failure.next.empty()) terminal.always("  try: " + failure.next);
}

}  // namespace slipway::app::cli
