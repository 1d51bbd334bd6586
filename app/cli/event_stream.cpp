#include "app/cli/event_stream.hpp"

#include "app/cli/shape.hpp"

namespace slipway::app::cli {
namespace {

constexpr std::chrono::milliseconds kReconnect{250};  // what the server's `retry:` says
constexpr int kMostFailures = 20;                     // in a row, each after a longer pause

void print_event(Session& session, const ServerEvent& event) {
  const auto body = Json::parse(event.data, nullptr, false);
  if (!body.is_object()) return;
  if (!session.printer.as_table() || session.values.has("--query")) {
    // One a line: a stream has no end to close an array at.
    if (session.printer.as_json() && !session.values.has("--query")) {
      session.io.out << body.dump() << '\n' << std::flush;
    } else {
      session.printer.one(body, event_shape());
      session.io.out << std::flush;
    }
    return;
  }
  std::string line;
  for (const auto& column : event_shape().columns) {
    if (column.wide && session.values.get("--output") != "wide") continue;
    line += (line.empty() ? "" : "  ") + cell_text(body, column, session.io.clock.now());
  }
  session.io.out << line << '\n' << std::flush;
}

Exit follow_stream(Session& session, const std::string& path) {
  const InterruptScope scope(session.io);
  std::string last_id;
  int failures = 0;
  while (!session.io.interrupted) {
    Call call{.path = path, .accept = "text/event-stream", .noun = "task"};
    call.last_event_id = last_id;
    if (last_id.empty()) call.query.emplace_back("from", session.values.get("--from", "0"));
    call.keep_going = [&] { return !session.io.interrupted; };
    EventParser parser;
    const auto answer = session.client.stream(call, [&](std::string_view piece) {
      failures = 0;
      parser.feed(piece, [&](const ServerEvent& event) {
        if (!event.id.empty()) last_id = event.id;
        print_event(session, event);
      });
      return !session.io.interrupted;
    });
    if (answer && answer->http.status == 204) return Exit::Done;
    if (session.io.interrupted) break;
    if (!answer && answer.error().exit != Exit::Unreachable && answer.error().exit != Exit::Busy)
      return session.fail(answer.error());
    if (!answer && ++failures > kMostFailures) return session.fail(answer.error());
    sleep_unless_interrupted(session.io, kReconnect * (1 + failures));
  }
  session.terminal.always("stopped following; nothing was cancelled");
  return Exit::StillRunning;
}

}  // namespace

void EventParser::feed(std::string_view bytes,
                       const std::function<void(const ServerEvent&)>& on_event) {
  buffer_ += bytes;
  std::size_t start = 0;
  for (auto end = buffer_.find('\n'); end != std::string::npos; end = buffer_.find('\n', start)) {
    auto text = std::string_view(buffer_).substr(start, end - start);
    if (text.ends_with('\r')) text.remove_suffix(1);
    line(text, on_event);
    start = end + 1;
  }
  buffer_.erase(0, start);
}

void EventParser::line(std::string_view text,
                       const std::function<void(const ServerEvent&)>& on_event) {
  if (text.empty()) {
    if (has_data_) on_event(event_);
    event_ = {};
    has_data_ = false;
    return;
  }
  const auto colon = text.find(':');
  const auto name = text.substr(0, colon);
  auto value = colon == std::string_view::npos ? std::string_view() : text.substr(colon + 1);
  if (value.starts_with(' ')) value.remove_prefix(1);
  if (name == "id") event_.id = std::string(value);
  if (name == "event") event_.type = std::string(value);
  if (name == "data") {
    if (has_data_) event_.data += '\n';
    event_.data += value;
    has_data_ = true;
  }
}

Exit show_events(Session& session, const std::string& path) {
  if (session.values.has("--follow")) return follow_stream(session, path);
  auto items = Json::array();
  for (auto from = session.values.get("--from", "0");;) {
    const auto answer =
        session.client.call({.path = path, .query = {{"from", from}}, .noun = "task"});
    if (!answer) return session.fail(answer.error());
    const auto& page = member_at(answer->body, "items");
    for (const auto& event : page) items.push_back(event);
    const auto next = text_at(answer->body, "next_seq");
    if (page.empty() || next.empty() || next == from) break;
    from = next;
  }
  session.printer.list(items, event_shape());
  return Exit::Done;
}

}  // namespace slipway::app::cli
