#include <fmt/format.h>

#include "app/cli/arguments.hpp"
#include "app/cli/commands.hpp"
#include "app/cli/follow.hpp"
#include "core/base/uuid.hpp"

namespace slipway::app::cli {
namespace {

const std::vector<Option> kSizeOptions{
    {"--flavor", "", "FLAVOR", "Size by name; see: slipway flavor list"},
    {"--vcpus", "", "N", "Size by numbers, instead of a flavor"},
    {"--memory-mb", "", "N", "Size by numbers, instead of a flavor"},
    {"--disk-gb", "", "N", "Size by numbers, instead of a flavor"}};

std::string path_of(const std::string& id) { return "/core/v1/vms/" + path_part(id); }

// The id itself, or that of the one VM with that name: names are not unique.
tl::expected<std::string, Failure> vm_id(Session& session, const std::string& given) {
  if (base::parse_uuid(given)) return given;
  const auto found = session.client.call(
      {.path = "/core/v1/vms", .query = {{"name", given}, {"limit", "10"}}, .noun = "vm"});
  if (!found) return tl::unexpected(found.error());
  std::vector<std::string> ids;
  for (const auto& vm : member_at(found->body, "items"))
    if (text_at(vm, "name") == given) ids.push_back(text_at(vm, "id"));
  if (ids.size() == 1) return ids.front();
  if (ids.empty())
    return tl::unexpected(
        Failure{Exit::NotFound, "no VM is named '" + given + "'", "slipway vm list", {}, {}});
  return tl::unexpected(usage_failure("several VMs are named '" + given + "'",
                                      "its id instead; one of " + join(ids, ", ")));
}

tl::expected<std::vector<std::string>, Failure> vm_ids(Session& session) {
  std::vector<std::string> out;
  for (const auto& given : session.values.all("VM")) {
    auto id = vm_id(session, given);
    if (!id) return tl::unexpected(id.error());
    out.push_back(std::move(*id));
  }
  return out;
}

tl::expected<Json, Failure> create_args(Session& session) {
  const auto& values = session.values;
  Json args{{"name", values.get("NAME")}};
  for (const char* option :
       {"--flavor", "--image", "--network", "--backend", "--host", "--keypair"})
    add_text(values, option, args);
  if (auto added = add_size(session, args); !added) return tl::unexpected(added.error());
  if (values.has("--label")) {
    auto labels = labels_to_json(values.all("--label"));
    if (!labels) return labels;
    args["labels"] = std::move(*labels);
  }
  if (values.has("--user-data")) {
    const auto text = text_of(session, values.get("--user-data"));
    if (!text) return tl::unexpected(text.error());
    args["user_data"] = *text;
  }
  return args;
}

Exit create(Session& session) {
  auto args = create_args(session);
  if (!args) return session.fail(args.error());
  Submission submission{.path = "/core/v1/vms", .body = std::move(*args)};
  if (session.values.has("--count")) {
    const auto count = pairs_to_json({"count=" + session.values.get("--count")});
    if (!(*count)["count"].is_number_unsigned()) return session.wrong("--count is not a number");
    submission = {.path = "/core/v1/batches",
                  .body = Json{{"template", *submission.body}, {"count", (*count)["count"]}}};
  }
  if (const auto added = add_envelope(session, *submission.body); !added)
    return session.fail(added.error());
  return submit(session, {submission}, "vm");
}

// What the action's own options and arguments say, as members of the body.
tl::expected<Json, Failure> action_body(Session& session) {
  const auto& values = session.values;
  auto body = Json::object();
  for (const char* option : {"--flavor", "--image", "--host", "--description", "--name"})
    add_text(values, option, body);
  if (values.has("NAME")) body["name"] = values.get("NAME");
  if (values.has("--hard")) body["hard"] = true;
  if (values.has("--with-memory")) body["with_memory"] = true;
  if (auto added = add_size(session, body); !added) return tl::unexpected(added.error());
  if (auto added = add_envelope(session, body); !added) return tl::unexpected(added.error());
  return body;
}

Exit act(Session& session, const std::string& verb, bool destroys) {
  const auto body = action_body(session);
  if (!body) return session.fail(body.error());
  const auto ids = vm_ids(session);
  if (!ids) return session.fail(ids.error());
  if (destroys) {
    const auto asked =
        confirm(session, fmt::format("{} {}?", verb, join(session.values.all("VM"), ", ")));
    if (!asked) return session.fail(asked.error());
  }
  std::vector<Submission> submissions;
  for (const auto& id : *ids)
    submissions.push_back({.path = path_of(id) + "/" + verb, .body = *body});
  return submit(session, submissions, "vm");
}

Exit remove(Session& session) {
  const auto ids = vm_ids(session);
  if (!ids) return session.fail(ids.error());
  const auto asked =
      confirm(session, "delete " + join(session.values.all("VM"), ", ") + " and their disks?");
  if (!asked) return session.fail(asked.error());
  std::vector<Submission> submissions;
  for (const auto& id : *ids) {
    // DELETE has no body to say dry_run in; the same command by its general route has.
    if (session.values.has("--dry-run")) {
      submissions.push_back(
          {.path = "/core/v1/commands",
           .body = Json{{"command", "vm.delete"}, {"args", {{"vm", id}}}, {"dry_run", true}}});
    } else {
      submissions.push_back({.method = "DELETE", .path = path_of(id)});
    }
  }
  return submit(session, submissions, "vm");
}

Exit get(Session& session) {
  const auto id = vm_id(session, session.values.get("VM"));
  if (!id) return session.fail(id.error());
  return print_one(session, path_of(*id), vm_shape());
}

Exit list(Session& session) {
  return print_list(
      session, "/core/v1/vms",
      filters(session.values, {"--state", "--name", "--host", "--flavor", "--created-after"}),
      vm_shape());
}

struct Action {
  std::string verb;
  std::string summary;
  std::vector<Example> examples;
  std::vector<Option> options = {};
  bool names_one = false;  // takes one VM and a NAME
  bool destroys = false;
};

void add_action(CommandTable& table, Action action) {
  auto options = action.options;
  const auto envelope = envelope_options();
  options.insert(options.end(), envelope.begin(), envelope.end());
  auto all = options_for(
      {Takes::Follow, Takes::Submit, Takes::Version, Takes::Output, Takes::Server}, options);
  if (action.destroys) all = options_for({Takes::Confirm}, all);
  std::vector<Argument> arguments{{"VM", "Ids or names", true, !action.names_one}};
  if (action.names_one) arguments.push_back({"NAME", "The name to give"});
  table.add({.path = {"vm", action.verb},
             .summary = action.summary,
             .examples = action.examples,
             .arguments = arguments,
             .options = all,
             .run = with_session([verb = action.verb, destroys = action.destroys](Session& s) {
               return act(s, verb, destroys);
             })});
}

void add_power(CommandTable& table) {
  add_action(table, {"start", "Start stopped VMs", {{"slipway vm start web-1 web-2", "two"}}});
  add_action(table, {"stop", "Shut VMs down", {{"slipway vm stop web-1 --wait", "and follow"}}});
  add_action(table, {"reboot",
                     "Restart VMs",
                     {{"slipway vm reboot web-1", "ask the guest to"},
                      {"slipway vm reboot web-1 --hard", "without asking it"}},
                     {{"--hard", "", "", "Without asking the guest"}}});
  add_action(table, {"pause", "Freeze VMs, in memory", {{"slipway vm pause web-1", "freeze"}}});
  add_action(table, {"resume",
                     "Go on with paused or suspended VMs",
                     {{"slipway vm resume web-1 --wait", "and follow"}}});
  add_action(table, {"suspend",
                     "Save VMs to disk and free their memory",
                     {{"slipway vm suspend web-1", "until resumed"}}});
}

void add_changes(CommandTable& table) {
  add_action(table,
             {"resize",
              "Give VMs another size",
              {{"slipway vm resize web-1 --flavor m1.large --wait", "by flavor"},
               {"slipway vm resize web-1 --vcpus 4 --memory-mb 8192 --disk-gb 40", "by numbers"}},
              kSizeOptions});
  add_action(table, {.verb = "rebuild",
                     .summary = "Start VMs afresh from an image; what is on their disks is lost",
                     .examples = {{"slipway vm rebuild web-1 --image debian-12", "another image"}},
                     .options = {{"--image", "", "IMAGE", "Image; the present one if not given"}},
                     .destroys = true});
  add_action(table, {.verb = "rename",
                     .summary = "Give a VM another name",
                     .examples = {{"slipway vm rename web-1 web-old", "rename"}},
                     .names_one = true});
  add_action(table, {"migrate",
                     "Move VMs to another host",
                     {{"slipway vm migrate web-1 --host host-2 --wait", "to a certain one"},
                      {"slipway vm migrate web-1", "to any that has room"}},
                     {{"--host", "", "HOST", "Host; any with room if not given"}}});
  add_action(table, {.verb = "snapshot",
                     .summary = "Keep the present state of a VM under a name",
                     .examples = {{"slipway vm snapshot web-1 before-upgrade", "disks only"},
                                  {"slipway vm snapshot web-1 debug --with-memory", "and memory"}},
                     .options = {{"--description", "", "TEXT", "What it is for"},
                                 {"--with-memory", "", "", "Memory too"}},
                     .names_one = true});
}

void add_create(CommandTable& table) {
  auto own = kSizeOptions;
  const std::vector<Option> more{
      {"--image",
       "",
       "IMAGE",
       "Image, by name or id; see: slipway image list",
       {},
       "",
       false,
       true},
      {"--network", "", "NETWORK", "Network; the first one allowed if not given"},
      {"--backend", "", "NAME", "Cloud; the only or first one if not given"},
      {"--host", "", "HOST", "Host; any with room if not given"},
      {"--label", "-l", "NAME=VALUE", "Label", {}, "", true},
      {"--keypair", "", "NAME", "Key pair to log in with"},
      {"--user-data", "", "TEXT", "For cloud-init: text, @FILE, or - for standard input"},
      {"--count", "", "N", "So many, as one batch; {n} in NAME is each one's number"}};
  own.insert(own.end(), more.begin(), more.end());
  const auto envelope = envelope_options();
  own.insert(own.end(), envelope.begin(), envelope.end());
  table.add(
      {.path = {"vm", "create"},
       .summary = "Create VMs and print the id of the task",
       .examples = {{"slipway vm create web-1 --flavor m1.small --image ubuntu-22.04 --wait",
                     "create one and follow it until it runs"},
                    {"slipway vm create 'web-{n}' --count 100 --flavor m1.small --image debian-12",
                     "a hundred as one batch"}},
       .arguments = {{"NAME", "Its name; need not be unique"}},
       .options = options_for({Takes::Follow, Takes::Submit, Takes::Output, Takes::Server}, own),
       .run = with_session(create)});
}

}  // namespace

void add_vm_commands(CommandTable& table) {
  table.describe_group({"vm"}, "Virtual machines");
  add_create(table);
  table.add({.path = {"vm", "list"},
             .summary = "List VMs",
             .examples = {{"slipway vm list --state RUNNING -o wide", "with all columns"},
                          {"slipway vm list --label team=web -o name", "ids, for scripts"}},
             .options = options_for({Takes::List, Takes::Output, Takes::Server},
                                    {{"--state", "", "STATES", "Only in one of these states"},
                                     {"--name", "", "NAME", "Only with this name"},
                                     {"--host", "", "HOST", "Only on this host"},
                                     {"--flavor", "", "FLAVOR", "Only of this flavor"},
                                     {"--label", "-l", "NAME=VALUE", "Only with it", {}, "", true},
                                     {"--created-after", "", "TIME", "Only created since"}}),
             .run = with_session(list)});
  table.add({.path = {"vm", "get"},
             .summary = "Show one VM",
             .examples = {{"slipway vm get web-1", "its fields"},
                          {"slipway vm get web-1 --query /addresses/0/address", "its address"}},
             .arguments = {{"VM", "Id or name"}},
             .options = options_for({Takes::Output, Takes::Server}),
             .run = with_session(get)});
  add_power(table);
  add_changes(table);
  table.add({.path = {"vm", "delete"},
             .summary = "Delete VMs and their disks",
             .examples = {{"slipway vm delete web-1", "after a question"},
                          {"slipway vm delete web-1 web-2 --yes --wait", "in a script"}},
             .arguments = {{"VM", "Ids or names", true, true}},
             .options = options_for({Takes::Confirm, Takes::Follow, Takes::Submit, Takes::Version,
                                     Takes::Output, Takes::Server}),
             .run = with_session(remove)});
}

}  // namespace slipway::app::cli
