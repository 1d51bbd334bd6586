#pragma once
// A client that sends exactly the bytes it is told and waits with a deadline, never with a sleep.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "api/edge/request.hpp"

namespace slipway::api::test {

using Clock = std::chrono::steady_clock;
inline constexpr auto kPatience = std::chrono::seconds(20);

struct Answer {
  int status = 0;
  std::string head;  // status line and header lines
  std::string body;  // chunked coding taken off

  std::string header(std::string_view name) const {
    std::string_view rest = head;
    rest.remove_prefix(rest.find("\r\n") + 2);
    while (!rest.empty()) {
      const std::string_view line = rest.substr(0, rest.find("\r\n"));
      rest.remove_prefix(line.size() + 2);
      const auto colon = line.find(':');
      if (iequals(line.substr(0, colon), name)) return std::string(line.substr(colon + 2));
    }
    return "";
  }
  bool has(std::string_view name) const { return !header(name).empty(); }
};

class RawClient {
 public:
  explicit RawClient(std::uint16_t port, int receive_buffer = 0) {
    fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (receive_buffer > 0) {
      ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    }
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    connected_ = ::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }
  RawClient(RawClient&& other) noexcept
      : fd_(std::exchange(other.fd_, -1)), connected_(other.connected_), in_(other.in_) {}
  ~RawClient() { close(); }

  bool connected() const { return connected_; }
  int fd() const { return fd_; }

  // False when the server has closed meanwhile.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    return true;
  }
  // As much as goes without waiting.
  std::size_t send_some(std::string_view bytes) {
    const ssize_t n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    return n > 0 ? static_cast<std::size_t>(n) : 0;
  }
  void shut_down_sending() { ::shutdown(fd_, SHUT_WR); }
  void close() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }
  void reset() {
    const linger hard{1, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    close();
  }

  // One whole answer; nullopt at the end of the connection or of patience.
  std::optional<Answer> read(bool head_request = false) {
    const auto until = Clock::now() + kPatience;
    std::size_t end = std::string::npos;
    while ((end = in_.find("\r\n\r\n")) == std::string::npos) {
      if (!more(until)) return std::nullopt;
    }
    Answer answer;
    answer.head = in_.substr(0, end + 2);
    in_.erase(0, end + 4);
    answer.status = std::atoi(answer.head.c_str() + 9);
    if (head_request || answer.status < 200 || answer.status == 204 || answer.status == 304) {
      return answer;
    }
    if (answer.header("Transfer-Encoding") == "chunked") {
      if (!read_chunks(answer.body, until)) return std::nullopt;
    } else if (answer.has("Content-Length")) {
      const auto size =
          static_cast<std::size_t>(std::atoll(answer.header("Content-Length").c_str()));
      while (in_.size() < size) {
        if (!more(until)) return std::nullopt;
      }
      answer.body = in_.substr(0, size);
      in_.erase(0, size);
    } else {
      while (more(until)) {
      }
      answer.body = std::exchange(in_, {});
    }
    return answer;
  }
  std::optional<Answer> ask(std::string_view request, bool head_request = false) {
    if (!send(request)) return std::nullopt;
    return read(head_request);
  }
  // Everything until the server closes; nullopt if it does not.
  std::optional<std::string> read_to_end() {
    const auto until = Clock::now() + kPatience;
    while (more(until)) {
    }
    if (!ended_) return std::nullopt;
    return std::exchange(in_, {});
  }
  // Reads until the text has come (and leaves it).
  bool wait_for(std::string_view text) {
    const auto until = Clock::now() + kPatience;
    while (in_.find(text) == std::string::npos) {
      if (!more(until)) return false;
    }
    return true;
  }
  std::string& received() { return in_; }
  // Takes up to `most` bytes off the socket; 0 at its end or when nothing came in time.
  std::size_t read_some(std::size_t most) {
    std::string buffer(most, '\0');
    const auto until = Clock::now() + kPatience;
    if (!readable(until)) return 0;
    const ssize_t n = ::recv(fd_, buffer.data(), buffer.size(), 0);
    return n > 0 ? static_cast<std::size_t>(n) : 0;
  }
  bool closed_by_server() { return read_to_end().has_value(); }

 private:
  bool readable(Clock::time_point until) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now()).count();
    pollfd entry{fd_, POLLIN, 0};
    return left > 0 && ::poll(&entry, 1, static_cast<int>(left)) == 1;
  }
  bool more(Clock::time_point until) {
    if (ended_ || !readable(until)) return false;
    char buffer[65536];
    const ssize_t n = ::recv(fd_, buffer, sizeof buffer, 0);
    if (n <= 0) ended_ = true;
    if (n > 0) in_.append(buffer, static_cast<std::size_t>(n));
    return n > 0;
  }
  bool read_chunks(std::string& body, Clock::time_point until) {
    for (;;) {
      std::size_t line = 0;
      while ((line = in_.find("\r\n")) == std::string::npos) {
        if (!more(until)) return false;
      }
      const auto size = static_cast<std::size_t>(std::strtoull(in_.c_str(), nullptr, 16));
      while (in_.size() < line + 2 + size + 2) {
        if (!more(until)) return false;
      }
      body.append(in_, line + 2, size);
      in_.erase(0, line + 2 + size + 2);
      if (size == 0) return true;
    }
  }

  int fd_ = -1;
  bool connected_ = false;
  bool ended_ = false;
  std::string in_;
};

inline std::string get(std::string_view path, std::string_view more = "") {
  return "GET " + std::string(path) + " HTTP/1.1\r\nHost: test\r\n" + std::string(more) + "\r\n";
}
inline std::string post(std::string_view path, std::string_view body, std::string_view more = "") {
  return "POST " + std::string(path) +
         " HTTP/1.1\r\nHost: test\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
         std::string(more) + "\r\n" + std::string(body);
}

}  // namespace slipway::api::test
