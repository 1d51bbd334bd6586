// A client's bytes after a WebSocket handshake. The first byte says how they are cut into pieces:
// what is read may not hang on that.
#include "api/edge/websocket_frames.hpp"
#include "target.hpp"

namespace {

using namespace slipway::api::websocket;  // NOLINT: the thing under test
using slipway::fuzz::must;

constexpr std::size_t kMost = 512;

std::string shown(const Reader::Event& event) {
  struct {
    std::string operator()(const Reader::Message& m) const {
      must(m.payload.size() <= kMost, "a message over the limit");
      must(!m.text || is_utf8(m.payload), "a text that is no UTF-8");
      return (m.text ? "text:" : "binary:") + m.payload;
    }
    std::string operator()(const Reader::Ping& p) const {
      must(p.payload.size() <= 125, "a ping over the limit");
      return "ping:" + p.payload;
    }
    std::string operator()(const Reader::Pong&) const { return "pong"; }
    std::string operator()(const Reader::Closed& c) const {
      return "closed:" + std::to_string(static_cast<int>(c.code));
    }
    std::string operator()(const Reader::Broken& b) const {
      must(!b.reason.empty(), "broken without a reason");
      return "broken:" + std::to_string(static_cast<int>(b.code));
    }
  } show;
  return std::visit(show, event);
}

std::vector<std::string> read(std::string_view bytes, std::size_t piece) {
  Reader reader(kMost);
  std::vector<std::string> seen;
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    for (const auto& event : reader.feed(bytes.substr(at, piece))) seen.push_back(shown(event));
  }
  return seen;
}

}  // namespace

SLIPWAY_FUZZ_TARGET(websocket) {
  if (bytes.empty()) return;
  const std::size_t piece = 1 + static_cast<unsigned char>(bytes[0]) % 16U;
  bytes.remove_prefix(1);
  must(read(bytes, piece) == read(bytes, bytes.size() + 1), "pieces read otherwise than the whole");
  must(accept_value(bytes).empty() || bytes.size() == 24, "a key that is none was taken");
}
