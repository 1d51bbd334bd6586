#include "api/images/multipart.hpp"

#include <algorithm>

#include "api/edge/request.hpp"

namespace slipway::api {
namespace {

constexpr std::size_t kMaxBoundary = 70;  // RFC 2046, 5.1.1

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// The value of a parameter in "type; a=b; c=\"d\"". A quoted value has no escapes in practice.
std::optional<std::string> parameter(std::string_view header, std::string_view name) {
  std::size_t at = header.find(';');
  while (at != std::string_view::npos) {
    header.remove_prefix(at + 1);
    const std::size_t equals = header.find('=');
    if (equals == std::string_view::npos) return std::nullopt;
    const std::string_view key = trimmed(header.substr(0, equals));
    header.remove_prefix(equals + 1);
    std::string_view value;
    if (!header.empty() && header.front() == '"') {
      const std::size_t close = header.find('"', 1);
      if (close == std::string_view::npos) return std::nullopt;
      value = header.substr(1, close - 1);
      header.remove_prefix(close + 1);
    } else {
      value = trimmed(header.substr(0, header.find(';')));
    }
    if (iequals(key, name)) return std::string(value);
    at = header.find(';');
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> multipart_boundary(std::string_view content_type) {
  const std::string_view type = trimmed(content_type.substr(0, content_type.find(';')));
  if (!iequals(type, "multipart/form-data")) return std::nullopt;
  auto boundary = parameter(content_type, "boundary");
  if (!boundary || boundary->empty() || boundary->size() > kMaxBoundary) return std::nullopt;
  return boundary;
}

// The body begins as if a line had ended before it, so that the first boundary is like the others.
MultipartReader::MultipartReader(std::string_view boundary, std::string_view field)
    : line_("\r\n--" + std::string(boundary)), field_(field), held_("\r\n") {}

bool MultipartReader::feed(std::string_view piece, const Take& take) {
  held_ += piece;
  while (step(take)) {
  }
  return state_ != State::Broken;
}

// True: something was decided, look again.
bool MultipartReader::step(const Take& take) {
  switch (state_) {
    case State::Preamble:
      return read_preamble();
    case State::AfterBoundary:
      return read_after_boundary();
    case State::Head:
      return read_head();
    case State::Body:
      return read_body(take);
    case State::End:
    case State::Broken:
      held_.clear();
      return false;
  }
  return false;
}

bool MultipartReader::read_preamble() {
  const std::size_t at = held_.find(line_);
  if (at == std::string::npos) {
    if (held_.size() > line_.size()) held_.erase(0, held_.size() - line_.size());
    return false;
  }
  held_.erase(0, at + line_.size());
  state_ = State::AfterBoundary;
  return true;
}

// "--" ends the body, a line's end begins a part.
bool MultipartReader::read_after_boundary() {
  if (held_.size() < 2) return false;
  const bool end = held_.starts_with("--");
  if (!end && !held_.starts_with("\r\n")) {
    state_ = State::Broken;
    return true;
  }
  // The line's end stays: a head without any line ends at once.
  if (end) held_.erase(0, 2);
  state_ = end ? State::End : State::Head;
  return true;
}

bool MultipartReader::read_head() {
  const std::size_t end = held_.find("\r\n\r\n");
  if (end == std::string::npos) {
    if (held_.size() <= kMaxHead) return false;
    state_ = State::Broken;
    return true;
  }
  wanted_ = false;
  std::string_view lines = std::string_view(held_).substr(0, end);
  while (!lines.empty()) {
    lines.remove_prefix(2);
    const std::string_view line = lines.substr(0, lines.find("\r\n"));
    lines.remove_prefix(line.size());
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    if (!iequals(trimmed(line.substr(0, colon)), "Content-Disposition")) continue;
    const bool named = parameter(line, "name") == field_;
    wanted_ = !found_ && (named || parameter(line, "filename").has_value());
  }
  found_ |= wanted_;
  held_.erase(0, end + 4);
  state_ = State::Body;
  return true;
}

bool MultipartReader::read_body(const Take& take) {
  const std::size_t at = held_.find(line_);
  if (at != std::string::npos) {
    if (wanted_ && at > 0) take(std::string_view(held_).substr(0, at));
    held_.erase(0, at + line_.size());
    state_ = State::AfterBoundary;
    return true;
  }
  // The last bytes may be the beginning of the boundary's line.
  if (held_.size() < line_.size()) return false;
  const std::size_t sure = held_.size() - line_.size() + 1;
  if (wanted_) take(std::string_view(held_).substr(0, sure));
  held_.erase(0, sure);
  return false;
}

}  // namespace slipway::api
