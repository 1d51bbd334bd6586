#include "app/cli/arguments.hpp"
#include "app/cli/commands.hpp"
#include "app/cli/follow.hpp"

namespace slipway::app::cli {
namespace {

// Where an answer may hold the token: of the command itself, or of the task it made.
std::string token_in(const Json& body) {
  for (const Json* place : {&body, &member_at(body, "result")})
    if (auto token = text_at(*place, "token"); !token.empty()) return token;
  return {};
}

// The token alone on stdout: it is shown this once, so it goes straight into a file.
Exit create(Session& session) {
  Json args{{"name", session.values.get("NAME")}};
  for (const char* option : {"--role", "--tenant", "--actor"})
    add_text(session.values, option, args);
  if (session.values.has("--expires-at")) {
    const auto time = time_of(session, "--expires-at");
    if (!time) return session.fail(time.error());
    args["expires_at"] = *time;
  }
  const auto answer =
      session.client.call({.method = "POST",
                           .path = "/core/v1/commands",
                           .body = Json{{"command", "token.create"}, {"args", args}},
                           .idempotency_key = session.values.get("--idempotency-key"),
                           .noun = "token"});
  if (!answer) return session.fail(answer.error());
  const auto token = token_in(answer->body);
  if (session.printer.chosen() || session.values.has("--query") || token.empty()) {
    session.printer.one(answer->body, token_shape());
    return Exit::Done;
  }
  session.terminal.note("This token is shown once; keep it in a file that only you can read:");
  session.io.out << printable(token) << '\n';
  return Exit::Done;
}

Exit remove(Session& session) {
  const auto asked = confirm(session, "delete token " + session.values.get("ID") + "?");
  if (!asked) return session.fail(asked.error());
  Json body{{"command", "token.delete"}, {"args", {{"token", session.values.get("ID")}}}};
  if (session.values.has("--dry-run")) body["dry_run"] = true;
  return submit(session, {{.path = "/core/v1/commands", .body = body}}, "token");
}

}  // namespace

void add_token_commands(CommandTable& table) {
  table.describe_group({"token"}, "Tokens: who may ask for what");
  table.add(
      {.path = {"token", "create"},
       .summary = "Make a token and print it, this once",
       .examples = {{"(umask 077; slipway token create ci --role operator > ci.token)",
                     "into a file that only you can read"}},
       .arguments = {{"NAME", "What it is for"}},
       .options = options_for(
           {Takes::Output, Takes::Server},
           {{"--role",
             "",
             "ROLE",
             "What it may do",
             {"viewer", "operator", "admin"},
             "",
             false,
             true},
            {"--tenant", "", "NAME", "Whose it is; yours if not given"},
            {"--actor", "", "NAME", "Who acts with it; you if not given"},
            {"--expires-at", "", "TIME", "A time, or a duration from now, e.g. 90d"},
            {"--idempotency-key", "", "KEY", "Key that makes a repeat safe (made if not given)"}}),
       .run = with_session(create)});
  table.add({.path = {"token", "list"},
             .summary = "List tokens, without their secrets",
             .examples = {{"slipway token list", "who has access"}},
             .options = options_for({Takes::List, Takes::Output, Takes::Server}),
             .run = with_session(
                 [](Session& s) { return print_list(s, "/core/v1/tokens", {}, token_shape()); })});
  table.add({.path = {"token", "delete"},
             .summary = "Delete a token; it is refused from then on",
             .examples = {{"slipway token delete 0197a0b0-0000-7000-8000-000000000001 --yes",
                           "in a script"}},
             .arguments = {{"ID", "Token"}},
             .options = options_for(
                 {Takes::Confirm, Takes::Follow, Takes::Submit, Takes::Output, Takes::Server}),
             .run = with_session(remove)});
}

}  // namespace slipway::app::cli
