#include "tests/bench/load/connection.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/tcp.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>

namespace slipway::bench {

void die(std::string_view what) {
  fmt::print(stderr, "load: {}\n", what);
  std::exit(1);
}

Connection::~Connection() {
  if (fd_ >= 0) ::close(fd_);
}

void Connection::open(std::uint16_t port, int epoll, std::uint32_t number) {
  fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (fd_ < 0 || ::connect(fd_, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0) {
    die(fmt::format("connection {}: {}", number, std::strerror(errno)));
  }
  const int on = 1;
  ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u32 = number;
  if (::epoll_ctl(epoll, EPOLL_CTL_ADD, fd_, &event) != 0) die("epoll_ctl failed");
}

void Connection::send(std::string_view request) {
  status_ = 0;
  used_ = head_ = whole_ = 0;
  // One request of a few hundred bytes in an empty socket buffer: it goes out whole.
  const ssize_t n = ::send(fd_, request.data(), request.size(), MSG_NOSIGNAL);
  if (n != static_cast<ssize_t>(request.size())) {
    die(fmt::format("a request was not sent: {}", std::strerror(errno)));
  }
}

bool Connection::receive() {
  const ssize_t n = ::recv(fd_, in_.data() + used_, in_.size() - used_, MSG_DONTWAIT);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return false;
  if (n <= 0) die(n == 0 ? "the server closed a connection" : std::strerror(errno));
  used_ += static_cast<std::size_t>(n);
  if (head_ == 0) parse_head();
  if (head_ == 0) return false;
  if (used_ > whole_) die("more than one answer to one request");
  return used_ == whole_;
}

void Connection::parse_head() {
  const std::string_view text(in_.data(), used_);
  const std::size_t end = text.find("\r\n\r\n");
  if (end == std::string_view::npos) {
    if (used_ == in_.size()) die("the head of an answer does not fit");
    return;
  }
  if (!text.starts_with("HTTP/1.1 ")) die("the answer is not HTTP/1.1");
  std::from_chars(text.data() + 9, text.data() + 12, status_);
  constexpr std::string_view kLength = "content-length:";
  for (std::size_t at = text.find("\r\n"); at < end; at = text.find("\r\n", at + 2)) {
    const std::string_view line = text.substr(at + 2);
    if (::strncasecmp(line.data(), kLength.data(), kLength.size()) != 0) continue;
    std::size_t from = kLength.size();
    while (line[from] == ' ') ++from;
    std::size_t length = 0;
    std::from_chars(line.data() + from, text.data() + end, length);
    head_ = end + 4;
    whole_ = head_ + length;
    if (whole_ > in_.size()) die("an answer does not fit");
    return;
  }
  die(fmt::format("an answer without a length: {}", text.substr(0, end)));
}

}  // namespace slipway::bench
