#include "app/cli/session.hpp"

#include <fmt/format.h>

#include <charconv>

namespace slipway::app::cli {
namespace {

constexpr std::size_t kPage = 500;  // the most that the server gives at once

const std::vector<Option>& shared(Takes takes) {
  static const std::vector<Option> server{
      {"--server", "", "URL", "Server to talk to (SLIPWAY_SERVER)"},
      {"--token-file", "", "FILE", "File that holds the token (SLIPWAY_TOKEN_FILE)"},
      {"--context", "", "NAME", "Context from the configuration file"},
      {"--verbose", "-v", "", "Show requests and answers, secrets masked"},
      {"--quiet", "-q", "", "Only results and errors"}};
  static const std::vector<Option> output{
      {"--output",
       "-o",
       "FORMAT",
       "Output format",
       {"table", "wide", "json", "jsonl", "yaml", "name"}},
      {"--query", "", "POINTER", "Only what this JSON pointer finds, in each result"}};
  static const std::vector<Option> list{
      {"--limit", "", "N", "At most so many; 0: all (default 100)"},
      {"--sort", "", "FIELD", "Order, with '-' the other way round, e.g. -created_at"}};
  static const std::vector<Option> follow{{"--wait",
                                           "",
                                           "TIME",
                                           "Follow until it ends, or for a time, e.g. --wait=10m",
                                           {},
                                           "forever"}};
  static const std::vector<Option> submit{
      {"--dry-run", "", "", "Show the plan and do nothing"},
      {"--idempotency-key", "", "KEY", "Key that makes a repeat safe (made if not given)"}};
  static const std::vector<Option> version{
      {"--if-version", "", "N", "Only if the resource is still at this version"}};
  static const std::vector<Option> ask{{"--yes", "-y", "", "Do not ask"}};
  switch (takes) {
    case Takes::Server:
      return server;
    case Takes::Output:
      return output;
    case Takes::List:
      return list;
    case Takes::Follow:
      return follow;
    case Takes::Submit:
      return submit;
    case Takes::Version:
      return version;
    case Takes::Confirm:
      break;
  }
  return ask;
}

// SIZE_MAX for all; nullopt if it is no number.
std::optional<std::size_t> limit_of(const Values& values) {
  const auto text = values.get("--limit", "100");
  std::size_t limit = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), limit);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return limit == 0 ? SIZE_MAX : limit;
}

}  // namespace

std::vector<Option> options_for(std::initializer_list<Takes> takes, std::vector<Option> own) {
  for (const auto group : takes) {
    const auto& options = shared(group);
    own.insert(own.end(), options.begin(), options.end());
  }
  return own;
}

std::function<Exit(Invocation&)> with_session(std::function<Exit(Session&)> run) {
  return [run = std::move(run)](Invocation& call) {
    Terminal terminal(call.io, call.values.has("--quiet"));
    const auto fail = [&](const base::Error& error) {
      const auto format = call.values.get("--output");
      print_failure(terminal, usage_failure(error.message), format.starts_with("json"));
      return Exit::Usage;
    };
    auto printer = Printer::open(call.io, terminal, call.values);
    if (!printer) return fail(printer.error());
    auto connection = find_connection(call.io, call.values);
    if (!connection) return fail(connection.error());
    Client client(call.io, terminal, *connection, call.values.has("--verbose"));
    Session session{call.io, call.values, terminal, *printer, client};
    return run(session);
  };
}

tl::expected<Json, Failure> list_all(Session& session, const std::string& path, Query query,
                                     const std::string& noun) {
  const auto limit = limit_of(session.values);
  if (!limit) return tl::unexpected(usage_failure("--limit is not a number"));
  if (session.values.has("--sort")) query.emplace_back("sort", session.values.get("--sort"));
  auto items = Json::array();
  for (std::string cursor;;) {
    Call call{.path = path, .query = query, .noun = noun};
    call.query.emplace_back("limit", std::to_string(std::min(*limit - items.size(), kPage)));
    if (!cursor.empty()) call.query.emplace_back("cursor", cursor);
    auto answer = session.client.call(call);
    if (!answer) return tl::unexpected(answer.error());
    for (const auto& item : member_at(answer->body, "items"))
      if (items.size() < *limit) items.push_back(item);
    const auto next = text_at(answer->body, "next_cursor");
    if (next.empty() || next == cursor) return items;
    cursor = next;
    if (items.size() >= *limit) {
      session.terminal.note(fmt::format("the first {}; there are more: --limit", *limit));
      return items;
    }
  }
}

Exit print_list(Session& session, const std::string& path, Query query, const Shape& shape) {
  const auto items = list_all(session, path, std::move(query), shape.noun);
  if (!items) return session.fail(items.error());
  session.printer.list(*items, shape);
  return Exit::Done;
}

Exit print_one(Session& session, const std::string& path, const Shape& shape) {
  const auto answer = session.client.call({.path = path, .noun = shape.noun});
  if (!answer) return session.fail(answer.error());
  session.printer.one(answer->body, shape);
  return Exit::Done;
}

tl::expected<void, Failure> confirm(Session& session, const std::string& question) {
  if (session.values.has("--yes") || session.values.has("--dry-run")) return {};
  if (!session.io.in_tty || !session.io.err_tty)
    return tl::unexpected(usage_failure(
        "this destroys something and there is no terminal to ask on", "the same with --yes"));
  session.io.err << printable(question) << " [y/N] " << std::flush;
  std::string answer;
  std::getline(session.io.in, answer);
  if (answer == "y" || answer == "Y" || answer == "yes") return {};
  return tl::unexpected(Failure{Exit::Failed, "not confirmed; nothing was done", {}, {}, {}});
}

}  // namespace slipway::app::cli
