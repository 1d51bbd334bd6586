// A request to nano's signed side: refused, or accepted for good reasons, so not with another
// secret and not on another day.
#include "api/dialects/nano/signature.hpp"
#include "api/edge/request_parser.hpp"
#include "core/base/uuid.hpp"
#include "target.hpp"

namespace {

using namespace slipway::api;        // NOLINT: the thing under test
using namespace slipway::api::nano;  // NOLINT
using slipway::fuzz::must;

constexpr std::size_t kBody = 2048;

std::vector<CoreKey> keys(std::string secret) {
  std::vector<CoreKey> all;
  all.push_back({"core-1", slipway::base::Secret(std::move(secret)), "demo"});
  return all;
}

// The first request that the bytes hold.
bool parse(RequestParser& parser, std::string_view bytes) {
  static slipway::base::SystemIdSource ids;
  std::size_t taken = 0;
  if (parser.take_head(bytes, taken, ids) != RequestParser::Step::Done) return false;
  if (!parser.request().has_body()) return true;
  return parser.take_body(bytes.substr(taken), taken, kBody, nullptr) == RequestParser::Step::Done;
}

}  // namespace

SLIPWAY_FUZZ_TARGET(signature) {
  static const Limits limits;
  RequestParser parser(limits);
  if (!parse(parser, bytes)) return;
  const Request& request = parser.request();
  static const auto now = *slipway::base::parse_rfc3339("2026-01-02T12:00:00Z");
  for (const SignedBody body : {SignedBody::Whole, SignedBody::Stream}) {
    const auto mine = keys("swordfish"), others = keys("swordfisk");
    const auto key = check_signature(mine, request, body, now);
    if (!key) continue;
    must((*key)->id == "core-1", "a key that nobody has");
    must(!check_signature(others, request, body, now), "the secret does not matter");
    must(!check_signature(mine, request, body, now + std::chrono::hours(24)),
         "the day does not matter");
  }
  const std::string escaped = query_escape(bytes);
  must(escaped.find_first_of("\r\n\t &;=/?") == std::string::npos, "not escaped", escaped);
}
