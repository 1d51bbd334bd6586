// The scissors of the suite must cut what they say, and only after the server has acted.
#include "tests/backends/contract/tcp_proxy.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <functional>

namespace slipway::workers::contract {
namespace {

std::string frame(std::uint32_t type, const std::string& body, std::uint32_t program = 0x20008086) {
  const auto size = static_cast<std::uint32_t>(28 + body.size());
  std::string out;
  for (const std::uint32_t word : {size, program, 1U, 7U, type, 1U, 0U}) {
    for (const unsigned shift : {24U, 16U, 8U, 0U}) out += static_cast<char>(word >> shift);
  }
  return out + body;
}

// Answers each piece that it is sent with what `answer` says; one connection after the other.
class Server {
 public:
  explicit Server(std::string path, std::function<std::string(const std::string&)> answer)
      : answer_(std::move(answer)) {
    listener_ = socket(path.empty() ? AF_INET : AF_UNIX, SOCK_STREAM, 0);
    if (path.empty()) {
      sockaddr_in in{};
      in.sin_family = AF_INET;
      in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      socklen_t size = sizeof in;
      EXPECT_EQ(bind(listener_, reinterpret_cast<sockaddr*>(&in), size), 0);
      getsockname(listener_, reinterpret_cast<sockaddr*>(&in), &size);
      address = fmt::format("127.0.0.1:{}", ntohs(in.sin_port));
    } else {
      sockaddr_un un{};
      un.sun_family = AF_UNIX;
      path.copy(un.sun_path, sizeof un.sun_path - 1);
      EXPECT_EQ(bind(listener_, reinterpret_cast<sockaddr*>(&un), sizeof un), 0);
      address = path;
    }
    listen(listener_, 8);
    thread_ = std::thread([this] { run(); });
  }
  ~Server() {
    stop_ = true;
    shutdown(listener_, SHUT_RDWR);
    thread_.join();
    close(listener_);
  }
  int requests() const { return requests_; }
  std::string address;

 private:
  void run() {
    while (!stop_) {
      const int fd = accept(listener_, nullptr, nullptr);
      if (fd < 0) return;
      std::array<char, 1000> piece;
      ssize_t n = 0;
      while ((n = recv(fd, piece.data(), piece.size(), 0)) > 0) {
        ++requests_;
        const std::string reply = answer_(std::string(piece.data(), static_cast<std::size_t>(n)));
        if (send(fd, reply.data(), reply.size(), MSG_NOSIGNAL) < 0) break;
      }
      close(fd);
    }
  }

  std::function<std::string(const std::string&)> answer_;
  int listener_ = -1;
  std::atomic<int> requests_{0};
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

class Client {
 public:
  explicit Client(const std::string& address) {
    const bool path = address.starts_with('/');
    fd_ = socket(path ? AF_UNIX : AF_INET, SOCK_STREAM, 0);
    if (path) {
      sockaddr_un un{};
      un.sun_family = AF_UNIX;
      address.copy(un.sun_path, sizeof un.sun_path - 1);
      EXPECT_EQ(connect(fd_, reinterpret_cast<sockaddr*>(&un), sizeof un), 0);
    } else {
      sockaddr_in in{};
      in.sin_family = AF_INET;
      in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      in.sin_port =
          htons(static_cast<std::uint16_t>(std::stoi(address.substr(address.find(':') + 1))));
      EXPECT_EQ(connect(fd_, reinterpret_cast<sockaddr*>(&in), sizeof in), 0);
    }
  }
  ~Client() { close(fd_); }
  // What is answered; empty when the connection has ended.
  std::string ask(const std::string& what) {
    if (send(fd_, what.data(), what.size(), MSG_NOSIGNAL) < 0) return {};
    std::array<char, 1000> piece;
    const ssize_t n = recv(fd_, piece.data(), piece.size(), 0);
    return n <= 0 ? std::string() : std::string(piece.data(), static_cast<std::size_t>(n));
  }

 private:
  int fd_ = -1;
};

std::string echo(const std::string& what) { return "re: " + what; }

TEST(TcpProxy, PassesOnBothWaysAndCountsAnswers) {
  Server server({}, echo);
  TcpProxy proxy(TcpProxy::Protocol::Http);
  Client client(proxy.forward_to(server.address));
  EXPECT_EQ(client.ask("one"), "re: one");
  EXPECT_EQ(client.ask("two"), "re: two");
  EXPECT_EQ(proxy.answers(), 2);
  EXPECT_EQ(proxy.cuts(), 0);
}

TEST(TcpProxy, CutsTheAnswerToARequestThatHasArrived) {
  Server server({}, echo);
  TcpProxy proxy(TcpProxy::Protocol::Http);
  const std::string address = proxy.forward_to(server.address);
  proxy.cut_answer(1);
  {
    Client client(address);
    EXPECT_EQ(client.ask("one"), "re: one");
    EXPECT_EQ(client.ask("two"), "");
  }
  EXPECT_EQ(server.requests(), 2);
  EXPECT_EQ(proxy.cuts(), 1);
  Client again(address);
  EXPECT_EQ(again.ask("three"), "re: three");  // it cuts once
}

TEST(TcpProxy, CountsOverAllItStandsBefore) {
  Server one({}, echo);
  Server two({}, echo);
  TcpProxy proxy(TcpProxy::Protocol::Http);
  Client to_one(proxy.forward_to(one.address));
  Client to_two(proxy.forward_to(two.address));
  proxy.cut_answer(1);
  EXPECT_EQ(to_one.ask("a"), "re: a");
  EXPECT_EQ(to_two.ask("b"), "");
  EXPECT_EQ(to_one.ask("c"), "re: c");
}

TEST(TcpProxy, OfLibvirtsMessagesRepliesAloneCountAlsoInPieces) {
  const std::string path =
      (std::filesystem::temp_directory_path() / fmt::format("proxied-{}", getpid())).string();
  std::filesystem::remove(path);
  {
    Server server(path, [](const std::string& asked) {
      const std::string ping = frame(2, "", 0x6b656570);
      if (asked == "half") return frame(1, "reply").substr(0, 20);
      if (asked == "rest") return frame(1, "reply").substr(20);
      return ping + frame(2, "an event") + frame(1, asked);
    });
    TcpProxy proxy(TcpProxy::Protocol::Libvirt);
    Client client(proxy.forward_to(server.address));
    EXPECT_NE(client.ask("one"), "");
    EXPECT_EQ(proxy.answers(), 1);
    EXPECT_NE(client.ask("half"), "");
    EXPECT_EQ(proxy.answers(), 1);
    EXPECT_NE(client.ask("rest"), "");
    EXPECT_EQ(proxy.answers(), 2);
    proxy.cut_answer(0);
    EXPECT_EQ(client.ask("cut"), "");
    EXPECT_EQ(server.requests(), 4);
  }
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace slipway::workers::contract
