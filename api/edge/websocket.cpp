#include "api/edge/websocket.hpp"

#include "api/edge/problem.hpp"

namespace slipway::api {
namespace {

using websocket::CloseCode;
using websocket::Opcode;
using websocket::Reader;

bool asks_for_websocket(const Request& request) {
  return request.method() == Method::Get && request.wants_upgrade() &&
         iequals(request.header("upgrade"), "websocket") &&
         request.header("sec-websocket-version") == "13";
}

Response upgrade_required() {
  Response response(426, "this is a WebSocket; ask with Upgrade: websocket, version 13\n", kText);
  response.add("Upgrade", "websocket").add("Sec-WebSocket-Version", "13");
  return response;
}

}  // namespace

std::shared_ptr<WebSocket> WebSocket::accept(const Request& request, const Responder& reply,
                                             Options options) {
  if (!asks_for_websocket(request)) {
    reply.send(upgrade_required());
    return nullptr;
  }
  const std::string accepted = websocket::accept_value(request.header("sec-websocket-key"));
  if (accepted.empty()) {
    reply.send(Response(400, "Sec-WebSocket-Key is 16 bytes in base64\n", kText));
    return nullptr;
  }
  // Shared: the connection's callbacks and whoever sends hold it.
  std::shared_ptr<WebSocket> socket(new WebSocket(std::move(options)));
  Response head(101, {}, kNoContentType);
  head.add("Upgrade", "websocket").add("Sec-WebSocket-Accept", accepted);
  socket->stream_ =
      reply.upgrade(std::move(head), [socket](std::string_view bytes) { socket->on_bytes(bytes); });
  socket->stream_.on_gone([socket] {
    if (!socket->closed_.exchange(true) && socket->options_.on_gone) socket->options_.on_gone();
  });
  return socket;
}

bool WebSocket::send(std::string_view text) {
  if (closed_) return false;
  std::string frame;
  websocket::append_frame(frame, Opcode::Text, text);
  return stream_.write(frame) != Stream::Written::Gone;
}

void WebSocket::close(CloseCode code, std::string_view reason) {
  if (closed_.exchange(true)) return;
  stream_.write(websocket::close_frame(code, reason));
  stream_.finish();
}

void WebSocket::on_bytes(std::string_view bytes) {
  if (closed_) return;
  for (const Reader::Event& event : reader_.feed(bytes)) {
    if (const auto* message = std::get_if<Reader::Message>(&event)) {
      if (options_.on_message) options_.on_message(message->payload);
    } else if (const auto* ping = std::get_if<Reader::Ping>(&event)) {
      std::string pong;
      websocket::append_frame(pong, Opcode::Pong, ping->payload);
      stream_.write(pong);
    } else if (const auto* closed = std::get_if<Reader::Closed>(&event)) {
      close(closed->code, "");
      if (options_.on_gone) options_.on_gone();
    } else if (const auto* broken = std::get_if<Reader::Broken>(&event)) {
      close(broken->code, broken->reason);
      if (options_.on_gone) options_.on_gone();
    }
  }
}

}  // namespace slipway::api
