#include "api/edge/head_scanner.hpp"

namespace slipway::api {
namespace {

// A request line begins with a method; not so TLS, or a stray binary.
bool may_begin(std::string_view line) { return line[0] >= 'A' && line[0] <= 'Z'; }

}  // namespace

void HeadScanner::reset() {
  at_ = line_ = lines_ = first_ = 0;
  refused_.reset();
}

bool HeadScanner::refuse(Refusal reason) {
  refused_ = reason;
  return false;
}

bool HeadScanner::scan(std::string_view bytes) {
  while (!refused_) {
    const std::size_t lf = bytes.find('\n', at_);
    if (lf == std::string_view::npos) {
      at_ = bytes.size();
      check_unfinished(bytes.substr(line_));
      return false;
    }
    at_ = lf + 1;
    if (lf == line_ || bytes[lf - 1] != '\r') return refuse(Refusal::Malformed);
    const std::string_view line = bytes.substr(line_, lf - 1 - line_);
    line_ = at_;
    if (line.empty()) return lines_ > 0 || refuse(Refusal::Malformed);
    if (!end_line(line)) return false;
  }
  return false;
}

// `line` without its CR LF.
bool HeadScanner::end_line(std::string_view line) {
  if (line.find('\r') != std::string_view::npos) return refuse(Refusal::Malformed);
  if (line[0] == ' ' || line[0] == '\t') return refuse(Refusal::Malformed);  // folded
  if (lines_ == 0) {
    if (!may_begin(line)) return refuse(Refusal::Malformed);
    if (line.size() > limits_.request_line_bytes) return refuse(Refusal::RequestLine);
    first_ = at_;
  } else {
    if (lines_ > limits_.headers) return refuse(Refusal::HeaderCount);
    if (at_ - first_ > limits_.header_bytes) return refuse(Refusal::HeaderBytes);
  }
  ++lines_;
  return true;
}

// A line that has not ended is refused once it can no longer become a good one.
void HeadScanner::check_unfinished(std::string_view line) {
  const std::size_t cr = line.find('\r');
  if (cr != std::string_view::npos && cr + 1 < line.size()) refuse(Refusal::Malformed);
  if (lines_ == 0) {
    if (!line.empty() && !may_begin(line)) refuse(Refusal::Malformed);
    if (line.size() > limits_.request_line_bytes + 1) refuse(Refusal::RequestLine);
  } else if (line_ + line.size() - first_ > limits_.header_bytes) {
    refuse(Refusal::HeaderBytes);
  }
}

}  // namespace slipway::api
