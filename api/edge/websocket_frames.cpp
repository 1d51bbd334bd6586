#include "api/edge/websocket_frames.hpp"

#include <openssl/sha.h>

#include <algorithm>
#include <array>

namespace slipway::api::websocket {
namespace {

constexpr std::size_t kMaxControl = 125;

std::string base64(std::string_view in) {
  static constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i < in.size(); i += 3) {
    const std::size_t n = std::min<std::size_t>(3, in.size() - i);
    std::uint32_t bits = 0;
    for (std::size_t j = 0; j < 3; ++j) {
      bits = (bits << 8U) | (j < n ? static_cast<unsigned char>(in[i + j]) : 0U);
    }
    for (std::size_t j = 0; j < 4; ++j) {
      out += j <= n ? kAlphabet[(bits >> (18 - 6 * j)) & 63U] : '=';
    }
  }
  return out;
}

bool is_base64(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' ||
         c == '/';
}

// A code that a peer may send: not those that only say how a connection ended.
bool may_be_sent(unsigned code) {
  return (code >= 1000 && code <= 1014 && code != 1004 && code != 1005 && code != 1006) ||
         (code >= 3000 && code <= 4999);
}

}  // namespace

void append_frame(std::string& out, Opcode opcode, std::string_view payload) {
  out += static_cast<char>(0x80U | static_cast<unsigned>(opcode));
  const std::uint64_t size = payload.size();
  int length_bytes = 0;
  if (size < 126) {
    out += static_cast<char>(size);
  } else if (size < 65536) {
    out += static_cast<char>(126);
    length_bytes = 2;
  } else {
    out += static_cast<char>(127);
    length_bytes = 8;
  }
  for (int i = length_bytes - 1; i >= 0; --i) out += static_cast<char>((size >> (8 * i)) & 0xFFU);
  out += payload;
}

std::string close_frame(CloseCode code, std::string_view reason) {
  const auto number = static_cast<std::uint16_t>(code);
  std::string payload{static_cast<char>(number >> 8U), static_cast<char>(number & 0xFFU)};
  payload += reason.substr(0, kMaxControl - 2);
  std::string out;
  append_frame(out, Opcode::Close, payload);
  return out;
}

std::string accept_value(std::string_view key) {
  const bool shaped =
      key.size() == 24 && key.ends_with("==") && std::all_of(key.begin(), key.end() - 2, is_base64);
  if (!shaped) return {};
  std::string text(key);
  text += "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";  // of RFC 6455, 1.3
  std::array<unsigned char, SHA_DIGEST_LENGTH> digest{};
  SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  return base64({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

bool is_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto c = static_cast<unsigned char>(text[i]);
    const std::size_t more = c < 0x80   ? 0
                             : c < 0xC2 ? 4
                             : c < 0xE0 ? 1
                             : c < 0xF0 ? 2
                             : c < 0xF5 ? 3
                                        : 4;
    if (more == 4 || i + more >= text.size() + (more == 0 ? 1 : 0)) return false;
    for (std::size_t j = 1; j <= more; ++j) {
      if ((static_cast<unsigned char>(text[i + j]) & 0xC0U) != 0x80U) return false;
    }
    const auto second = more == 0 ? 0U : static_cast<unsigned char>(text[i + 1]);
    if ((c == 0xE0 && second < 0xA0) || (c == 0xED && second > 0x9F) ||
        (c == 0xF0 && second < 0x90) || (c == 0xF4 && second > 0x8F)) {
      return false;
    }
    i += more + 1;
  }
  return true;
}

struct Reader::Frame {
  bool last = false;
  Opcode opcode = Opcode::Text;
  std::string payload;
};

std::vector<Reader::Event> Reader::feed(std::string_view bytes) {
  std::vector<Event> out;
  if (over_) return out;
  in_ += bytes;
  while (!over_ && take_frame(out)) {
  }
  return out;
}

void Reader::fail(std::vector<Event>& out, CloseCode code, std::string_view reason) {
  out.push_back(Broken{code, reason});
  over_ = true;
}

// False while the frame is not whole, or the connection is at its end.
bool Reader::take_frame(std::vector<Event>& out) {
  if (in_.size() < 2) return false;
  const auto byte = [this](std::size_t i) { return static_cast<unsigned char>(in_[i]); };
  Frame frame;
  frame.last = (byte(0) & 0x80U) != 0;
  frame.opcode = static_cast<Opcode>(byte(0) & 0x0FU);
  const bool control = (byte(0) & 0x08U) != 0;
  std::uint64_t length = byte(1) & 0x7FU;
  const std::size_t length_bytes = length == 126 ? 2 : length == 127 ? 8 : 0;
  // Looked at before the rest is waited for.
  if ((byte(0) & 0x70U) != 0) return fail(out, CloseCode::ProtocolError, "reserved bits"), false;
  if ((byte(1) & 0x80U) == 0) return fail(out, CloseCode::ProtocolError, "not masked"), false;
  if (control && (length > kMaxControl || !frame.last)) {
    return fail(out, CloseCode::ProtocolError, "a control frame is short and whole"), false;
  }
  const std::size_t head = 2 + length_bytes + 4;
  if (in_.size() < head) return false;
  if (length_bytes > 0) length = 0;
  for (std::size_t i = 0; i < length_bytes; ++i) length = (length << 8U) | byte(2 + i);
  if (!control && (length > max_message_ || message_.size() + length > max_message_)) {
    return fail(out, CloseCode::TooBig, "the message is too big"), false;
  }
  if (in_.size() < head + length) return false;
  frame.payload = in_.substr(head, static_cast<std::size_t>(length));
  for (std::size_t i = 0; i < frame.payload.size(); ++i) {
    frame.payload[i] = static_cast<char>(frame.payload[i] ^ in_[head - 4 + i % 4]);
  }
  in_.erase(0, head + static_cast<std::size_t>(length));
  control ? take_control(frame, out) : take_data(frame, out);
  return true;
}

void Reader::take_control(const Frame& frame, std::vector<Event>& out) {
  switch (frame.opcode) {
    case Opcode::Close:
      return take_close(frame, out);
    case Opcode::Ping:
      out.push_back(Ping{frame.payload});
      return;
    case Opcode::Pong:
      out.push_back(Pong{});
      return;
    default:
      return fail(out, CloseCode::ProtocolError, "an unknown opcode");
  }
}

void Reader::take_close(const Frame& frame, std::vector<Event>& out) {
  over_ = true;
  if (frame.payload.empty()) {
    out.push_back(Closed{});
    return;
  }
  if (frame.payload.size() == 1) return fail(out, CloseCode::ProtocolError, "half a close code");
  const unsigned code =
      (static_cast<unsigned>(static_cast<unsigned char>(frame.payload[0])) << 8U) |
      static_cast<unsigned char>(frame.payload[1]);
  if (!may_be_sent(code)) return fail(out, CloseCode::ProtocolError, "a close code that is none");
  if (!is_utf8(std::string_view(frame.payload).substr(2))) {
    return fail(out, CloseCode::BadText, "not UTF-8");
  }
  out.push_back(Closed{static_cast<CloseCode>(code)});
}

void Reader::take_data(const Frame& frame, std::vector<Event>& out) {
  const bool goes_on = frame.opcode == Opcode::Continuation;
  if (frame.opcode > Opcode::Binary)
    return fail(out, CloseCode::ProtocolError, "an unknown opcode");
  const bool begun = message_opcode_ != Opcode::Continuation;
  if (goes_on != begun) {
    return fail(out, CloseCode::ProtocolError, "fragments of messages out of order");
  }
  if (!goes_on) message_opcode_ = frame.opcode;
  message_ += frame.payload;
  if (!frame.last) return;
  Message message{message_opcode_ == Opcode::Text, std::move(message_)};
  message_.clear();
  message_opcode_ = Opcode::Continuation;
  if (message.text && !is_utf8(message.payload)) {
    return fail(out, CloseCode::BadText, "not UTF-8");
  }
  out.push_back(std::move(message));
}

}  // namespace slipway::api::websocket
