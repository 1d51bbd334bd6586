#include "app/cli/progress.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "app/cli/shape.hpp"

namespace slipway::app::cli {
namespace {

constexpr std::size_t kMostLines = 10;
constexpr int kBarWidth = 20;

// Of a batch, the share of items that ended.
double percent_of(const Json& task) {
  const auto& percent = member_at(member_at(task, "progress"), "percent");
  if (percent.is_number()) return std::clamp(percent.get<double>(), 0.0, 100.0);
  const auto& items = member_at(task, "items");
  const auto number = [&](const char* name) {
    const auto& value = member_at(items, name);
    return value.is_number() ? value.get<double>() : 0.0;
  };
  if (number("total") <= 0) return -1;
  const auto ended = number("succeeded") + number("failed") + number("cancelled");
  return std::clamp(100 * ended / number("total"), 0.0, 100.0);
}

std::string items_text(const Json& task) {
  const auto& items = member_at(task, "items");
  if (!items.is_object()) return {};
  auto text = fmt::format("{} of {} done", text_at(items, "succeeded"), text_at(items, "total"));
  if (const auto failed = text_at(items, "failed"); !failed.empty() && failed != "0")
    text += ", " + failed + " failed";
  return text;
}

std::string detail_of(const Json& task) {
  const auto& progress = member_at(task, "progress");
  const auto percent = percent_of(task);
  std::vector<std::string> parts;
  if (percent >= 0) parts.push_back(fmt::format("{:.0f}%", percent));
  for (auto text : {items_text(task), text_at(progress, "step"), text_at(progress, "message")})
    if (!text.empty()) parts.push_back(printable(text));
  if (text_at(task, "state") == "RETRY_WAIT")
    parts.push_back(fmt::format("attempt {} of {} failed: {}", text_at(task, "attempt"),
                                text_at(task, "max_attempts"),
                                printable(text_at(member_at(task, "error"), "detail"))));
  std::string out;
  for (const auto& part : parts) out += (out.empty() ? "" : " ") + part;
  return out;
}

// How long the task took, by the server's clock.
std::string took(const Json& task) {
  const auto from = base::parse_rfc3339(text_at(task, "created_at"));
  const auto to = base::parse_rfc3339(text_at(task, "finished_at"));
  if (!from || !to || *to < *from) return {};
  const std::chrono::duration<double> time = *to - *from;
  return time < std::chrono::minutes(1) ? fmt::format(" in {:.1f}s", time.count())
                                        : " in " + short_duration(*to - *from);
}

}  // namespace

Progress::Progress(Io& io, Terminal& terminal) : io_(io), terminal_(terminal) {}
Progress::~Progress() { terminal_.clear(); }

Progress::Line& Progress::line_for(const Json& task) {
  const auto id = printable(text_at(task, "id"));
  for (auto& line : lines_)
    if (line.id == id) return line;
  lines_.push_back({id, printable(text_at(task, "command")), "", "", -1, io_.clock.steady()});
  return lines_.back();
}

std::string Progress::finished_text(const Json& task) const {
  const auto state = printable(text_at(task, "state"));
  const auto items = items_text(task);
  auto text = fmt::format(
      "{} {} {}{}{}", printable(text_at(task, "command")), printable(text_at(task, "id")),
      terminal_.painted(state, state_colour(state)), took(task), items.empty() ? "" : ": " + items);
  const auto& error = member_at(task, "error");
  if (error.is_object() && state != "SUCCEEDED") {
    text += fmt::format(": {} ({})", printable(text_at(error, "detail")),
                        printable(text_at(error, "code")));
    if (const auto id = text_at(error, "backend_request_id"); !id.empty())
      text += "; the cloud's request: " + printable(id);
  }
  return text;
}

void Progress::show(const Json& task) {
  if (true_at(task, "terminal")) {
    std::erase_if(lines_, [&](const Line& line) { return line.id == text_at(task, "id"); });
    terminal_.note(finished_text(task));
    return tick();
  }
  auto& line = line_for(task);
  const auto state = printable(text_at(task, "state"));
  const auto detail = detail_of(task);
  if (state == line.state && detail == line.detail) return;
  line.state = state;
  line.detail = detail;
  line.percent = percent_of(task);
  if (terminal_.fancy()) return tick();
  terminal_.note(
      fmt::format("{} {} {}{}{}", line.command, line.id, state, detail.empty() ? "" : " ", detail));
}

std::string Progress::bar(const Line& line) const {
  if (line.percent < 0) return {};
  const auto full = static_cast<int>(line.percent / 100 * kBarWidth);
  std::string out = "[";
  for (int i = 0; i < kBarWidth; ++i)
    out += i < full ? (terminal_.utf8() ? "█" : "#") : (terminal_.utf8() ? "░" : "-");
  return out + "] ";
}

void Progress::tick() {
  if (!terminal_.fancy() || (lines_.empty() && turn_ == 0)) return;
  static constexpr std::array kDots{"⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"};
  static constexpr std::array kPlain{"|", "/", "-", "\\"};
  const char* spinner =
      terminal_.utf8() ? kDots[turn_ % kDots.size()] : kPlain[turn_ % kPlain.size()];
  ++turn_;
  std::vector<std::string> drawn;
  for (const auto& line : lines_) {
    if (drawn.size() == kMostLines) {
      drawn.push_back(fmt::format("  and {} more", lines_.size() - kMostLines));
      break;
    }
    const auto time = short_duration(io_.clock.steady() - line.since);
    drawn.push_back(clipped(fmt::format("{} {} {} {} {}{} {}", spinner, line.command, line.id,
                                        line.state, bar(line), line.detail, time),
                            terminal_.columns() - 1));
  }
  terminal_.draw(drawn);
}

}  // namespace slipway::app::cli
