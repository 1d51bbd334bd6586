// The frames of RFC 6455: its own examples, and everything a client may do wrong.
#include "api/edge/websocket_frames.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace slipway::api::websocket {
namespace {

std::string masked(unsigned first, std::string_view payload,
                   std::string_view mask = "\x37\xfa\x21\x3d") {
  std::string out(1, static_cast<char>(first));
  if (payload.size() < 126) {
    out += static_cast<char>(0x80U | payload.size());
  } else {
    out += static_cast<char>(0x80U | 126U);
    out += static_cast<char>(payload.size() >> 8U);
    out += static_cast<char>(payload.size() & 0xFFU);
  }
  out += mask;
  for (std::size_t i = 0; i < payload.size(); ++i)
    out += static_cast<char>(payload[i] ^ mask[i % 4]);
  return out;
}

CloseCode broken_by(const std::string& bytes, std::size_t max_message = 1000) {
  Reader reader(max_message);
  const auto events = reader.feed(bytes);
  if (events.empty()) return CloseCode::Normal;
  const auto* broken = std::get_if<Reader::Broken>(&events.back());
  return broken == nullptr ? CloseCode::Normal : broken->code;
}

TEST(WebSocketAccept, IsTheExampleOfTheRfc) {
  EXPECT_EQ(accept_value("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  EXPECT_EQ(accept_value("short"), "");
  EXPECT_EQ(accept_value("dGhlIHNhbXBsZSBub25jZQ!!"), "");
}

TEST(WebSocketFrames, AreWrittenShortMiddlingAndLong) {
  std::string out;
  append_frame(out, Opcode::Text, "Hello");
  EXPECT_EQ(out, std::string("\x81\x05Hello"));
  out.clear();
  append_frame(out, Opcode::Binary, std::string(256, 'x'));
  EXPECT_EQ(out.substr(0, 4), std::string("\x82\x7E\x01\x00", 4));
  out.clear();
  append_frame(out, Opcode::Binary, std::string(65536, 'x'));
  EXPECT_EQ(out.substr(0, 10), std::string("\x82\x7F\x00\x00\x00\x00\x00\x01\x00\x00", 10));
  EXPECT_EQ(close_frame(CloseCode::Normal, "bye"), std::string("\x88\x05\x03\xE8"
                                                               "bye"));
}

TEST(WebSocketReader, ReadsAMaskedMessageByteByByte) {
  Reader reader(1000);
  const std::string bytes = masked(0x81, "Hello");
  EXPECT_EQ(bytes, std::string("\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"));  // the RFC's
  std::vector<Reader::Event> events;
  for (const char c : bytes) {
    for (auto& event : reader.feed(std::string(1, c))) events.push_back(std::move(event));
  }
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(std::get<Reader::Message>(events[0]).payload, "Hello");
}

TEST(WebSocketReader, PutsFragmentsTogetherWithPingsBetween) {
  Reader reader(1000);
  const auto events = reader.feed(masked(0x01, "Hel") + masked(0x89, "ping") + masked(0x80, "lo") +
                                  masked(0x8A, ""));
  ASSERT_EQ(events.size(), 3U);
  EXPECT_EQ(std::get<Reader::Ping>(events[0]).payload, "ping");
  EXPECT_EQ(std::get<Reader::Message>(events[1]).payload, "Hello");
  EXPECT_TRUE(std::holds_alternative<Reader::Pong>(events[2]));
}

TEST(WebSocketReader, ClosesOnWhatTheProtocolForbids) {
  EXPECT_EQ(broken_by(std::string("\x81\x05Hello")), CloseCode::ProtocolError);  // not masked
  EXPECT_EQ(broken_by(masked(0xC1, "x")), CloseCode::ProtocolError);             // reserved bit
  EXPECT_EQ(broken_by(masked(0x83, "x")), CloseCode::ProtocolError);             // opcode
  EXPECT_EQ(broken_by(masked(0x8B, "x")), CloseCode::ProtocolError);
  EXPECT_EQ(broken_by(masked(0x80, "x")), CloseCode::ProtocolError);  // nothing to go on with
  EXPECT_EQ(broken_by(masked(0x01, "x") + masked(0x81, "y")), CloseCode::ProtocolError);
  EXPECT_EQ(broken_by(masked(0x09, "x")), CloseCode::ProtocolError);  // a ping in fragments
  EXPECT_EQ(broken_by(masked(0x89, std::string(126, 'x'))), CloseCode::ProtocolError);
  EXPECT_EQ(broken_by(masked(0x88, "x")), CloseCode::ProtocolError);  // half a code
  EXPECT_EQ(broken_by(masked(0x88, std::string("\x03\xED"))), CloseCode::ProtocolError);  // 1005
  EXPECT_EQ(broken_by(masked(0x81, "\xC0\xAF")), CloseCode::BadText);
  EXPECT_EQ(broken_by(masked(0x81, std::string(600, 'x')), 500), CloseCode::TooBig);
  EXPECT_EQ(
      broken_by(masked(0x01, std::string(300, 'x')) + masked(0x80, std::string(300, 'x')), 500),
      CloseCode::TooBig);
  // The length alone is enough: nothing of it is waited for.
  EXPECT_EQ(broken_by(std::string("\x82\xFF\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF"
                                  "mask")),
            CloseCode::TooBig);
}

TEST(WebSocketReader, TellsWhyTheClientCloses) {
  Reader reader(1000);
  const auto events =
      reader.feed(masked(0x88, std::string("\x03\xE9") + "going") + masked(0x81, "x"));
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(std::get<Reader::Closed>(events[0]).code, CloseCode::GoingAway);
  EXPECT_TRUE(reader.feed(masked(0x81, "late")).empty());
}

TEST(WebSocketText, IsUtf8) {
  EXPECT_TRUE(is_utf8("a\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80"));
  for (const std::string bad : {"\xC3", "\x80", "\xC1\x81", "\xE0\x80\x80", "\xED\xA0\x80",
                                "\xF4\x90\x80\x80", "\xF8\x88\x80\x80\x80", "\xE2\x82"}) {
    EXPECT_FALSE(is_utf8(bad));
  }
}

}  // namespace
}  // namespace slipway::api::websocket
