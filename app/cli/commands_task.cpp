#include <fmt/format.h>

#include <algorithm>

#include "app/cli/arguments.hpp"
#include "app/cli/commands.hpp"
#include "app/cli/event_stream.hpp"
#include "app/cli/follow.hpp"

namespace slipway::app::cli {
namespace {

const std::vector<std::string> kFilters{"--state",   "--command",       "--resource",
                                        "--dialect", "--created-after", "--created-before"};

std::vector<Option> filter_options() {
  return {{"--state", "", "STATES", "Only in one of these states, e.g. FAILED,DEAD"},
          {"--command", "", "COMMANDS", "Only of one of these commands, e.g. vm.create"},
          {"--resource", "", "ID", "Only about this resource"},
          {"--dialect", "", "NAMES", "Only from one of these dialects"},
          {"--created-after", "", "TIME", "Only created after this time"},
          {"--created-before", "", "TIME", "Only created before this time"}};
}

std::string path_of(const std::string& id) { return "/core/v1/tasks/" + path_part(id); }

Exit submit_task(Session& session) {
  Json body{{"command", session.values.get("COMMAND")}, {"args", Json::object()}};
  if (session.values.has("--args")) {
    auto args = json_of(session, session.values.get("--args"));
    if (!args) return session.fail(args.error());
    if (!args->is_object()) return session.wrong("--args is not a JSON object");
    body["args"] = std::move(*args);
  }
  const auto pairs = pairs_to_json(session.values.all("--arg"));
  if (!pairs) return session.fail(pairs.error());
  body["args"].update(*pairs);
  if (const auto added = add_envelope(session, body); !added) return session.fail(added.error());
  return submit(session, {{.path = "/core/v1/commands", .body = body}}, "task");
}

Exit wait_for(Session& session) {
  const auto limit = wait_limit(session.values.get("--timeout"));
  if (!limit) return session.wrong("--timeout takes a time such as 30s or 10m");
  const auto& ids = session.values.all("ID");
  const auto followed = follow(session, ids, *limit);
  if (session.printer.chosen() || session.values.has("--query")) {
    if (ids.size() == 1 && followed.tasks.size() == 1) {
      session.printer.one(followed.tasks.front(), task_shape());
    } else {
      session.printer.list(followed.tasks, task_shape());
    }
    return followed.exit;
  }
  for (const auto& task : followed.tasks)
    if (true_at(task, "terminal"))
      session.io.out << printable(text_at(task, "id")) << ' ' << printable(text_at(task, "state"))
                     << '\n';
  return followed.exit;
}

// Those named, or else all that the filters find and that have not ended.
Exit watch(Session& session) {
  auto ids = session.values.all("ID");
  if (ids.empty()) {
    auto query = filters(session.values, kFilters);
    if (!session.values.has("--state"))
      query.emplace_back("state", "ACCEPTED,BLOCKED,READY,RUNNING,RETRY_WAIT");
    const auto tasks = list_all(session, "/core/v1/tasks", query, "task");
    if (!tasks) return session.fail(tasks.error());
    for (const auto& task : *tasks) ids.push_back(text_at(task, "id"));
  }
  if (ids.empty()) {
    session.terminal.note("no unfinished tasks");
    return Exit::Done;
  }
  return follow(session, ids, std::nullopt).exit;
}

// Over all that match, as one batch: refused by the server if the match changes meanwhile.
Exit in_bulk(Session& session, const std::string& verb) {
  const auto found = filters(session.values, kFilters);
  auto query = found;
  query.emplace_back("limit", "1");
  query.emplace_back("count", "true");
  const auto counted =
      session.client.call({.path = "/core/v1/tasks", .query = query, .noun = "task"});
  if (!counted) return session.fail(counted.error());
  const auto total = member_at(counted->body, "total");
  const auto asked = confirm(session, fmt::format("{} {} tasks?", verb, total.dump()));
  if (!asked) return session.fail(asked.error());
  auto filter = Json::object();
  for (const auto& [name, value] : found) filter[name] = value;
  Json body{{"filter", filter}, {"expected_total", total}};
  if (session.values.has("--dry-run")) body["dry_run"] = true;
  return submit(session, {{.path = "/core/v1/tasks/" + verb, .body = body}}, "task");
}

std::function<Exit(Session&)> act(const std::string& verb) {
  return [verb](Session& session) {
    const auto& ids = session.values.all("ID");
    const bool filtered = !filters(session.values, kFilters).empty();
    if (ids.empty() != filtered)
      return session.wrong(ids.empty() ? "name tasks, or say which with --state, --command, ..."
                                       : "give ids or filters, not both");
    if (ids.empty()) return in_bulk(session, verb);
    std::vector<Submission> submissions;
    for (const auto& id : ids) {
      Submission one{.path = path_of(id) + "/" + verb};
      if (session.values.has("--dry-run")) one.body = Json{{"dry_run", true}};
      submissions.push_back(std::move(one));
    }
    return submit(session, submissions, "task");
  };
}

Exit list_tasks(Session& session) {
  // A batch's items have a list of their own.
  if (session.values.has("--batch"))
    return print_list(session, path_of(session.values.get("--batch")) + "/items",
                      filters(session.values, kFilters), task_shape());
  return print_list(session, "/core/v1/tasks", filters(session.values, kFilters), task_shape());
}

Command bulk_command(const std::string& verb, const std::string& summary,
                     const std::string& description, std::vector<Example> examples) {
  return {.path = {"task", verb},
          .summary = summary,
          .description = description,
          .examples = std::move(examples),
          .arguments = {{"ID", "Tasks", false, true}},
          .options = options_for({Takes::Follow, Takes::Submit, Takes::Version, Takes::Confirm,
                                  Takes::Output, Takes::Server},
                                 filter_options()),
          .run = with_session(act(verb))};
}

void add_making(CommandTable& table) {
  auto own = std::vector<Option>{
      {"--arg", "-a", "NAME=VALUE", "An argument; JSON or else text", {}, "", true},
      {"--args", "", "JSON", "All arguments: JSON, @FILE, or - for standard input"}};
  const auto envelope = envelope_options();
  own.insert(own.end(), envelope.begin(), envelope.end());
  table.add(
      {.path = {"task", "submit"},
       .summary = "Submit any command and print the id of its task",
       .description = "Arguments given with --arg win over those of --args.",
       .examples = {{"slipway task submit vm.stop -a vm=0197a0b0-0000-7000-8000-000000000001",
                     "stop a VM"},
                    {"slipway task submit vm.create --args @vm.json --wait=5m",
                     "create one from a file and follow it for five minutes"}},
       .arguments = {{"COMMAND", "What to do, e.g. vm.create"}},
       .options = options_for({Takes::Follow, Takes::Submit, Takes::Output, Takes::Server}, own),
       .run = with_session(submit_task)});
  table.add(bulk_command(
      "cancel", "Cancel tasks; what was already done is undone",
      "With filters instead of ids all that match are cancelled as one batch, after a question.",
      {{"slipway task cancel 0197a0b0-0000-7000-8000-000000000001", "cancel one"},
       {"slipway task cancel --state READY --command vm.create --yes", "cancel all that match"}}));
  table.add(bulk_command(
      "retry", "Do failed tasks again, each as a new task",
      "For tasks that are DEAD, FAILED, TIMED_OUT or CANCELLED. Prints the ids of the new tasks.",
      {{"slipway task retry 0197a0b0-0000-7000-8000-000000000001 --wait", "again, and follow"},
       {"slipway task retry --state DEAD --yes", "all that gave up"}}));
}

void add_reading(CommandTable& table) {
  auto list = filter_options();
  list.push_back({"--batch", "", "ID", "The items of this batch task"});
  table.add({.path = {"task", "list"},
             .summary = "List tasks",
             .examples = {{"slipway task list --state FAILED,DEAD", "what went wrong"},
                          {"slipway task list --state RUNNING -o name", "ids, for scripts"}},
             .options = options_for({Takes::List, Takes::Output, Takes::Server}, list),
             .run = with_session(list_tasks)});
  table.add({.path = {"task", "get"},
             .summary = "Show one task",
             .examples = {{"slipway task get 0197a0b0-0000-7000-8000-000000000001", "its fields"},
                          {"slipway task get 0197a0b0-0000-7000-8000-000000000001 --query /state",
                           "one of them"}},
             .arguments = {{"ID", "Task"}},
             .options = options_for({Takes::Output, Takes::Server}),
             .run = with_session([](Session& s) {
               return print_one(s, path_of(s.values.get("ID")), task_shape());
             })});
}

void add_following(CommandTable& table) {
  table.add({.path = {"task", "wait"},
             .summary = "Follow tasks until they end",
             .description = "Ctrl-C stops following; it cancels nothing.",
             .examples = {{"slipway task wait 0197a0b0-0000-7000-8000-000000000001", "one task"},
                          {"slipway vm list -o jsonl --query /task | xargs slipway task wait",
                           "those of all VMs"}},
             .arguments = {{"ID", "Tasks", true, true}},
             .options = options_for({Takes::Output, Takes::Server},
                                    {{"--timeout", "", "TIME", "Follow no longer, e.g. 10m"}}),
             .run = with_session(wait_for)});
  table.add({.path = {"task", "watch"},
             .summary = "Watch many tasks go on",
             .description = "Without ids: all that have not ended and that the filters find.",
             .examples = {{"slipway task watch", "all that is under way"},
                          {"slipway task watch --command vm.migrate", "all migrations"}},
             .arguments = {{"ID", "Tasks", false, true}},
             .options = options_for({Takes::List, Takes::Server}, filter_options()),
             .run = with_session(watch)});
  table.add({.path = {"task", "events"},
             .summary = "Show what happened to a task, event by event",
             .examples = {{"slipway task events 0197a0b0-0000-7000-8000-000000000001",
                           "its whole history"},
                          {"slipway task events 0197a0b0-0000-7000-8000-000000000001 --follow",
                           "and what comes, until it ends"}},
             .arguments = {{"ID", "Task"}},
             .options = options_for({Takes::Output, Takes::Server},
                                    {{"--follow", "-f", "", "Go on with new events as they come"},
                                     {"--from", "", "SEQ", "Start at this seq; all if not given"}}),
             .run = with_session([](Session& s) {
               return show_events(s, path_of(s.values.get("ID")) + "/events");
             })});
}

}  // namespace

void add_task_commands(CommandTable& table) {
  table.describe_group({"task"}, "Tasks: everything that was asked for and how it goes");
  add_making(table);
  add_reading(table);
  add_following(table);
}

}  // namespace slipway::app::cli
