#pragma once
// The frames of RFC 6455, without a socket: what a server writes, and what it reads from a client.
//
//    0                   1                   2                   3
//   |F|R|R|R| opcode|M| length (7) | 16 or 64 more bits of length, if it is 126 or 127
//   | mask (4 bytes, client to server only) | payload, XORed with the mask |
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace slipway::api::websocket {

enum class Opcode : std::uint8_t {
  Continuation = 0,
  Text = 1,
  Binary = 2,
  Close = 8,
  Ping = 9,
  Pong = 10
};

// Why a connection is closed (RFC 6455, 7.4).
enum class CloseCode : std::uint16_t {
  Normal = 1000,
  GoingAway = 1001,
  ProtocolError = 1002,
  Unsupported = 1003,
  BadText = 1007,
  TooBig = 1009,
  Overload = 1013,
};

// One frame from a server: whole, unmasked.
void append_frame(std::string& out, Opcode opcode, std::string_view payload);
std::string close_frame(CloseCode code, std::string_view reason);

// The value of Sec-WebSocket-Accept for a client's key; empty for a key that is none.
std::string accept_value(std::string_view key);

// RFC 3629: no surrogates, no overlong forms, nothing above U+10FFFF.
bool is_utf8(std::string_view text);

// Puts a client's messages together. After a Broken nothing more is read.
class Reader {
 public:
  explicit Reader(std::size_t max_message) : max_message_(max_message) {}

  struct Message {
    bool text = true;
    std::string payload;
  };
  struct Ping {
    std::string payload;
  };
  struct Pong {};
  struct Closed {
    CloseCode code = CloseCode::Normal;  // as the client said
  };
  struct Broken {
    CloseCode code = CloseCode::ProtocolError;
    std::string_view reason;
  };
  using Event = std::variant<Message, Ping, Pong, Closed, Broken>;

  // What these bytes complete, in order.
  std::vector<Event> feed(std::string_view bytes);

 private:
  struct Frame;
  bool take_frame(std::vector<Event>& out);
  void take_control(const Frame& frame, std::vector<Event>& out);
  void take_data(const Frame& frame, std::vector<Event>& out);
  void take_close(const Frame& frame, std::vector<Event>& out);
  void fail(std::vector<Event>& out, CloseCode code, std::string_view reason);

  const std::size_t max_message_;
  std::string in_;
  std::string message_;
  Opcode message_opcode_ = Opcode::Continuation;  // Continuation: no message has begun
  bool over_ = false;
};

}  // namespace slipway::api::websocket
