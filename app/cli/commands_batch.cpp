#include "app/cli/arguments.hpp"
#include "app/cli/commands.hpp"
#include "app/cli/follow.hpp"

namespace slipway::app::cli {
namespace {

// {"commands": [...]}, {"template": ..., "count": N}, an array of commands, or one command a line.
tl::expected<Json, Failure> batch_body(const std::string& text) {
  auto whole = Json::parse(text, nullptr, false);
  if (whole.is_array()) return Json{{"commands", whole}};
  if (whole.is_object() && !whole.contains("command")) return whole;
  auto commands = Json::array();
  std::size_t number = 0;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find('\n', at), text.size());
    const auto line = text.substr(at, end - at);
    at = end + 1;
    ++number;
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    auto command = Json::parse(line, nullptr, false);
    if (!command.is_object())
      return tl::unexpected(usage_failure("line " + std::to_string(number) +
                                          " is not a JSON object, and the whole is no batch"));
    commands.push_back(std::move(command));
  }
  if (commands.empty()) return tl::unexpected(usage_failure("the batch is empty"));
  return Json{{"commands", commands}};
}

Exit submit_batch(Session& session) {
  const auto file = session.values.get("FILE");
  const auto text = text_of(session, file == "-" ? file : "@" + file);
  if (!text) return session.fail(text.error());
  auto body = batch_body(*text);
  if (!body) return session.fail(body.error());
  if (session.values.has("--lenient")) (*body)["lenient"] = true;
  if (const auto added = add_envelope(session, *body); !added) return session.fail(added.error());
  return submit(session, {{.path = "/core/v1/batches", .body = std::move(*body)}}, "task");
}

}  // namespace

void add_batch_commands(CommandTable& table) {
  table.describe_group({"batch"}, "Many commands as one");
  auto own = std::vector<Option>{
      {"--lenient", "", "", "Take the batch even if some of its commands are refused"}};
  const auto envelope = envelope_options();
  own.insert(own.end(), envelope.begin(), envelope.end());
  table.add(
      {.path = {"batch", "submit"},
       .summary = "Submit many commands as one task",
       .description = "The file holds {\"commands\": [...]}, {\"template\": ..., \"count\": N}, a "
                      "list of commands, or one command a line. All are accepted, or none.",
       .examples = {{"slipway batch submit commands.jsonl --wait", "from a file, and follow"},
                    {"generate | slipway batch submit -", "from another program"}},
       .arguments = {{"FILE", "Commands; - for standard input"}},
       .options = options_for({Takes::Follow, Takes::Submit, Takes::Output, Takes::Server}, own),
       .run = with_session(submit_batch)});
}

}  // namespace slipway::app::cli
