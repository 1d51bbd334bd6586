// Monitor channels: a WebSocket that carries a guest's display.
#include <arpa/inet.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "api/edge/websocket_frames.hpp"
#include "tests/api/nano_client.hpp"
#include "tests/edge/edge_fixture.hpp"

namespace slipway::api::test {
namespace {

constexpr std::string_view kGreeting = "RFB 003.008\n";

// A VNC server that greets, and then sends back what it hears.
class EchoDisplay {
 public:
  EchoDisplay() {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(::listen(listener_, 4), 0);
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~EchoDisplay() {
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
  }
  std::string address() const { return fmt::format("127.0.0.1:{}", port_); }
  std::atomic<int> ended = 0;

 private:
  void serve() {
    for (;;) {
      const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0) return;
      ::send(fd, kGreeting.data(), kGreeting.size(), MSG_NOSIGNAL);
      char bytes[4096];
      ssize_t got = 0;
      while ((got = ::recv(fd, bytes, sizeof bytes, 0)) > 0 && bytes[0] != 'q') {
        ::send(fd, bytes, static_cast<std::size_t>(got), MSG_NOSIGNAL);
      }
      ::close(fd);
      ++ended;
    }
  }
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

// A client's frame: masked, with a mask of zeros.
std::string frame(std::uint8_t opcode, std::string_view payload) {
  std::string out;
  out.push_back(static_cast<char>(0x80U | opcode));
  out.push_back(static_cast<char>(0x80U | payload.size()));
  out.append(4, '\0');
  return out.append(payload);
}

class NanoMonitors : public testing::Test {
 protected:
  std::string make_guest() {
    const NanoAnswer made = client.post(
        "/guests/", R"({"name":"g","owner":"admin","group":"manager","pool":"default","cores":1,
                        "memory":512,"disks":[1024],"auto_start":false})");
    const std::string id = made.data.value("id", "");
    EXPECT_TRUE(eventually([&] { return client.get("/guests/" + id).status == 200; }));
    return id;
  }
  NanoAnswer open(const std::string& guest) {
    return client.post("/monitor_channels/", Json{{"guest", guest}}.dump());
  }
  static std::string upgrade(const std::string& channel) {
    return "GET /d/nano/monitor_channels/" + channel +
           " HTTP/1.1\r\nHost: test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
           "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
           "Sec-WebSocket-Protocol: binary\r\n\r\n";
  }
  // Whether these bytes come next, after what was said before.
  static bool hears(RawClient& socket, std::string_view bytes) {
    const bool heard = socket.wait_for(bytes);
    socket.received().clear();
    return heard;
  }
  TestServer server;
  NanoClient client{server};
};

TEST_F(NanoMonitors, AChannelCarriesTheDisplaysBytesBothWays) {
  EchoDisplay display;
  server.worker().serve_display(display.address());
  const std::string guest = make_guest();
  EXPECT_EQ(client.get("/guests/" + guest).data["internal"]["display_address"], display.address());
  const NanoAnswer channel = open(guest);
  ASSERT_TRUE(channel.ok()) << channel.text;
  EXPECT_EQ(channel.data["protocol"], "vnc");
  EXPECT_EQ(channel.data["username"], "");
  EXPECT_EQ(channel.data["password"], client.get("/guests/" + guest).data["monitor_secret"]);

  RawClient socket(server.port());
  const auto head = socket.ask(upgrade(channel.data["id"]));
  ASSERT_TRUE(head.has_value());
  EXPECT_EQ(head->status, 101);
  EXPECT_EQ(head->header("Sec-WebSocket-Accept"), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  EXPECT_EQ(head->header("Sec-WebSocket-Protocol"), "binary");
  std::string expected;
  websocket::append_frame(expected, websocket::Opcode::Binary, kGreeting);
  EXPECT_TRUE(hears(socket, expected));
  EXPECT_TRUE(socket.send(frame(2, "hello")));
  std::string back;
  websocket::append_frame(back, websocket::Opcode::Binary, "hello");
  EXPECT_TRUE(hears(socket, back));
  EXPECT_TRUE(socket.send(frame(9, "p")));  // a ping is the edge's affair, not the display's
  std::string pong;
  websocket::append_frame(pong, websocket::Opcode::Pong, "p");
  EXPECT_TRUE(hears(socket, pong));
  socket.close();
  EXPECT_TRUE(eventually([&] { return display.ended == 1; }));
}

TEST_F(NanoMonitors, WhenTheDisplayClosesTheClientIsTold) {
  EchoDisplay display;
  server.worker().serve_display(display.address());
  const NanoAnswer channel = open(make_guest());
  RawClient socket(server.port());
  ASSERT_EQ(socket.ask(upgrade(channel.data["id"]))->status, 101);
  EXPECT_TRUE(hears(socket, kGreeting));
  EXPECT_TRUE(socket.send(frame(2, "quit")));
  EXPECT_TRUE(hears(socket, "\x88"));  // a close frame
}

TEST_F(NanoMonitors, AChannelIsUsedOnceAndOnlyItsIdOpensIt) {
  const NanoAnswer channel = open(make_guest());
  const std::string id = channel.data["id"];
  EXPECT_EQ(json_of(server.ask(upgrade("no-such-channel")))["message"], "invalid channel");
  RawClient socket(server.port());
  EXPECT_EQ(socket.ask(upgrade(id))->status, 101);  // the toy cloud serves no display
  EXPECT_TRUE(hears(socket, "\x88"));
  EXPECT_EQ(json_of(server.ask(upgrade(id)))["error_code"], 500);
  EXPECT_EQ(server.get("/d/nano/monitor_channels/" + id).status, 426);
}

TEST_F(NanoMonitors, AStoppedOrUnknownGuestHasNone) {
  const std::string guest = make_guest();
  EXPECT_TRUE(client.remove("/instances/" + guest, R"({"reboot":false,"force":true})").ok());
  EXPECT_EQ(open(guest).message, "instance '" + guest + "' is stopped");
  EXPECT_EQ(open("some_guest_id").message, "invalid guest 'some_guest_id'");
  EXPECT_EQ(client.post("/monitor_channels/", "{}").code, 500);
}

}  // namespace
}  // namespace slipway::api::test
