// A connection's bytes as requests, one after another. The first byte says how they are cut into
// pieces: what is read may not hang on that, and no limit is passed.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "api/edge/handler.hpp"
#include "api/edge/request_parser.hpp"
#include "core/base/uuid.hpp"
#include "target.hpp"

namespace {

using namespace slipway::api;  // NOLINT: the thing under test
using slipway::fuzz::must;
using Step = RequestParser::Step;

constexpr std::size_t kBody = 2048;

const Limits& limits() {
  static const Limits l = [] {
    Limits small;
    small.request_line_bytes = 512;
    small.header_bytes = 1024;
    small.headers = 12;
    return small;
  }();
  return l;
}

std::string shown(const Request& r) {
  must(r.body().size() <= kBody, "a body over the limit");
  must(r.headers().size() <= limits().headers, "headers over the limit");
  must(r.target().size() <= limits().request_line_bytes, "a target over the limit");
  std::string out(r.method_text());
  out.append("|").append(r.path()).append("|").append(r.host()).append("|").append(r.body());
  for (const auto& q : r.query()) out.append("|").append(q.name).append("=").append(q.value);
  for (const auto& h : r.headers()) {
    for (const char c : {'\r', '\n', '\0'}) {
      must(h.value.find(c) == std::string_view::npos, "a header with a line break", h.value);
    }
    out.append("|").append(h.name).append(":").append(h.value);
  }
  return out + (r.keep_alive() ? "|keep" : "|close");
}

// The requests that the bytes hold, and how it ends.
std::vector<std::string> read(std::string_view bytes, std::size_t piece) {
  static slipway::base::SystemIdSource ids;
  RequestParser parser(limits());
  std::vector<std::string> seen;
  std::string kept;
  bool in_body = false;
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    kept += bytes.substr(at, piece);
    for (;;) {
      std::size_t taken = 0;
      const Step step = in_body ? parser.take_body(kept, taken, kBody, nullptr)
                                : parser.take_head(kept, taken, ids);
      must(taken <= kept.size(), "more was taken than there is");
      kept.erase(0, taken);
      if (step == Step::Refused) {
        must(parser.error().status >= 400, "refused without a status");
        // Which limit is seen first may hang on the pieces; that one is seen may not.
        seen.push_back("refused");
        return seen;
      }
      if (step == Step::NeedMore) break;
      if (!in_body && parser.request().has_body()) {
        in_body = true;
        continue;
      }
      in_body = false;
      seen.push_back(shown(parser.request()));
      if (!parser.request().keep_alive() || parser.request().wants_upgrade()) return seen;
      parser.reset();
      if (kept.empty()) break;
    }
  }
  return seen;
}

}  // namespace

SLIPWAY_FUZZ_TARGET(http) {
  if (bytes.empty()) return;
  const std::size_t piece = 1 + static_cast<unsigned char>(bytes[0]) % 64U;
  bytes.remove_prefix(1);
  const auto in_pieces = read(bytes, piece), whole = read(bytes, bytes.size() + 1);
  must(in_pieces == whole, "pieces read otherwise than the whole",
       fmt::format("{} against {}", fmt::join(in_pieces, " # "), fmt::join(whole, " # ")));
}
