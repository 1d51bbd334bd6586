#include <fmt/format.h>

#include <algorithm>

#include "app/cli/arguments.hpp"
#include "app/cli/commands.hpp"
#include "app/cli/session.hpp"

namespace slipway::app::cli {
namespace {

// Time first, then what it is grouped by, then the value.
Shape shape_of(const Json& items) {
  Shape shape{"stats", "/time", {{"TIME", "/time"}}};
  if (!items.empty())
    for (const auto& [key, value] : items.front().items()) {
      if (key == "time" || key == "value") continue;
      auto title = key;
      std::transform(title.begin(), title.end(), title.begin(), [](unsigned char c) {
        return static_cast<char>(c == '_' ? ' ' : std::toupper(c));
      });
      shape.columns.push_back({title, "/" + key});
    }
  shape.columns.push_back({"VALUE", "/value"});
  return shape;
}

double value_of(const Json& item) {
  const auto& value = member_at(item, "value");
  return value.is_number() ? value.get<double>() : 0;
}

// A bar a row, for eyes; programs ask for json.
void add_bars(Json& items, Shape& shape, bool utf8) {
  constexpr int kWidth = 30;
  double most = 0;
  for (const auto& item : items) most = std::max(most, value_of(item));
  for (auto& item : items) {
    const auto length = most > 0 ? static_cast<int>(value_of(item) / most * kWidth + 0.5) : 0;
    std::string bar;
    for (int i = 0; i < length; ++i) bar += utf8 ? "█" : "#";
    item["bar "] = bar.empty() ? " " : bar;
  }
  shape.columns.push_back({"", "/bar "});
}

Exit stats_vms(Session& session) {
  auto query = filters(session.values, {"--step", "--from", "--to", "--tz", "--group-by"});
  if (!session.values.has("--step")) query.emplace_back("step", "1h");
  const auto answer = session.client.call(
      {.path = "/core/v1/stats/" + path_part(session.values.get("--series", "vms_created")),
       .query = query});
  if (!answer) return session.fail(answer.error());
  if (!session.printer.as_table() || session.values.has("--query")) {
    session.printer.one(answer->body, {"stats", "/series", {}});
    return Exit::Done;
  }
  auto items = member_at(answer->body, "items");
  auto shape = shape_of(items);
  if (session.terminal.colour_out()) add_bars(items, shape, session.terminal.utf8());
  session.printer.list(items, shape);
  return Exit::Done;
}

}  // namespace

void add_stats_commands(CommandTable& table) {
  table.describe_group({"stats"}, "Exact numbers over time, from the log");
  table.add({.path = {"stats", "vms"},
             .summary = "Show how many VMs were created, deleted or existed over time",
             .examples = {{"slipway stats vms --step 1d --from 2026-02-01T00:00:00Z",
                           "created a day since then"},
                          {"slipway stats vms --series vms_existing --group-by backend",
                           "existing each hour, by cloud"}},
             .options = options_for(
                 {Takes::Output, Takes::Server},
                 {{"--series",
                   "",
                   "NAME",
                   "What is counted",
                   {"vms_created", "vms_deleted", "vms_existing", "vm_hours", "tasks_finished",
                    "task_wait"}},
                  {"--step", "", "STEP", "Width of a row (default 1h)", {"1h", "1d"}},
                  {"--from", "", "TIME", "Start"},
                  {"--to", "", "TIME", "End; now if not given"},
                  {"--tz", "", "ZONE", "Time zone that days begin in, e.g. Europe/Berlin"},
                  {"--group-by", "", "FIELD", "A row for each value of this field"}}),
             .run = with_session(stats_vms)});
}

}  // namespace slipway::app::cli
