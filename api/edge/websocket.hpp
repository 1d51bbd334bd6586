#pragma once
// A WebSocket over a request that asked for one: the handshake, pings, closing.
//
//   auto socket = WebSocket::accept(call.request, call.reply, {.on_message = ..., .on_gone = ...});
//   if (socket == nullptr) return;      // it was answered: this was no handshake
//   socket->send(text);
//
// Called on the I/O thread, from a handler; send() and close() from any thread. Sending never
// blocks: a reader so slow that the edge's stream limit is passed is cut off.
#include <atomic>
#include <functional>
#include <memory>

#include "api/edge/request.hpp"
#include "api/edge/responder.hpp"
#include "api/edge/websocket_frames.hpp"

namespace slipway::api {

class WebSocket : public std::enable_shared_from_this<WebSocket> {
 public:
  struct Options {
    std::size_t max_message_bytes = 64U << 10U;
    // On the I/O thread. Empty: what the client says is read and passed over.
    std::function<void(std::string_view)> on_message{};
    // Once, when the client has left or was cut off; not after our own close().
    std::function<void()> on_gone{};
  };
  // 426 for a request without "Upgrade: websocket" and version 13, 400 for a bad key.
  static std::shared_ptr<WebSocket> accept(const Request& request, const Responder& reply,
                                           Options options);

  // False: the client is gone, or it was closed.
  bool send(std::string_view text);
  void close(websocket::CloseCode code, std::string_view reason);
  bool alive() const { return !closed_ && stream_.alive(); }

 private:
  explicit WebSocket(Options options)
      : options_(std::move(options)), reader_(options_.max_message_bytes) {}
  void on_bytes(std::string_view bytes);

  const Options options_;
  websocket::Reader reader_;  // the I/O thread's
  Stream stream_;             // set before anybody else has this object
  std::atomic<bool> closed_{false};
};

}  // namespace slipway::api
