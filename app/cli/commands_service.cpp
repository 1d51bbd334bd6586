#include <algorithm>

#include "app/cli/commands.hpp"
#include "app/cli/follow.hpp"

namespace slipway::app::cli {
namespace {

std::string queue_path(const std::string& pool) { return "/core/v1/queues/" + path_part(pool); }

// The pools named, or all.
Exit list_queues(Session& session) {
  if (!session.values.has("POOL")) return print_list(session, "/core/v1/queues", {}, queue_shape());
  auto items = Json::array();
  for (const auto& pool : session.values.all("POOL")) {
    auto answer = session.client.call({.path = queue_path(pool), .noun = "queue"});
    if (!answer) return session.fail(answer.error());
    if (answer->body.is_object() && !answer->body.contains("worker_pool"))
      answer->body["worker_pool"] = pool;
    items.push_back(std::move(answer->body));
  }
  session.printer.list(items, queue_shape());
  return Exit::Done;
}

Exit drain(Session& session) {
  auto exit = Exit::Done;
  for (const auto& id : session.values.all("ID")) {
    const auto answer = session.client.call({.method = "POST",
                                             .path = "/core/v1/workers/" + path_part(id) + "/drain",
                                             .noun = "worker"});
    if (!answer) {
      session.print(answer.error());
      if (exit == Exit::Done) exit = answer.error().exit;
    } else if (session.printer.chosen() || session.values.has("--query")) {
      session.printer.one(answer->body, worker_shape());
    } else {
      session.terminal.note(printable(id) + " takes no new tasks and ends what it has");
    }
  }
  return exit;
}

void add_catalogue(CommandTable& table, const std::string& noun, const Shape& shape,
                   const std::string& what) {
  table.describe_group({noun}, what);
  table.add({.path = {noun, "list"},
             .summary = "List " + noun + "s",
             .examples = {{"slipway " + noun + " list", "as a table"},
                          {"slipway " + noun + " list -o json", "for programs"}},
             .options = options_for({Takes::List, Takes::Output, Takes::Server}),
             .run = with_session([path = "/core/v1/" + noun + "s", &shape](Session& s) {
               return print_list(s, path, {}, shape);
             })});
}

}  // namespace

void add_service_commands(CommandTable& table) {
  table.describe_group({"queue"}, "Queues: what waits for workers");
  table.add({.path = {"queue", "list"},
             .summary = "Show how many tasks wait, run and may run, by worker pool",
             .examples = {{"slipway queue list", "all pools"},
                          {"slipway queue list default -o json", "one, for an autoscaler"}},
             .arguments = {{"POOL", "Pools; all if not given", false, true}},
             .options = options_for({Takes::List, Takes::Output, Takes::Server}),
             .run = with_session(list_queues)});
  table.describe_group({"worker"}, "Workers: who carries tasks out");
  table.add({.path = {"worker", "list"},
             .summary = "List workers",
             .examples = {{"slipway worker list", "who is there and how busy"}},
             .options = options_for({Takes::List, Takes::Output, Takes::Server}),
             .run = with_session([](Session& s) {
               return print_list(s, "/core/v1/workers", {}, worker_shape());
             })});
  table.add({.path = {"worker", "drain"},
             .summary = "Let workers end what they have and take nothing new",
             .examples = {{"slipway worker drain worker-3", "before its machine is serviced"}},
             .arguments = {{"ID", "Workers", true, true}},
             .options = options_for({Takes::Output, Takes::Server}),
             .run = with_session(drain)});
  add_catalogue(table, "image", image_shape(), "Images to make VMs from");
  add_catalogue(table, "flavor", flavor_shape(), "Sizes of VMs");
  add_catalogue(table, "network", network_shape(), "Networks of VMs");
  add_catalogue(table, "host", host_shape(), "Hosts that run VMs");
}

}  // namespace slipway::app::cli
