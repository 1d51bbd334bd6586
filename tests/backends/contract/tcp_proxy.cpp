#include "tests/backends/contract/tcp_proxy.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <filesystem>
#include <mutex>
#include <stdexcept>

namespace slipway::workers::contract {
namespace {

constexpr std::size_t kPiece = 65536;

struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

bool is_path(const std::string& target) { return target.starts_with('/'); }

Address address_of(const std::string& target) {
  Address out;
  if (is_path(target)) {
    sockaddr_un un{};
    un.sun_family = AF_UNIX;
    if (target.size() >= sizeof un.sun_path) throw std::runtime_error("path too long: " + target);
    target.copy(un.sun_path, target.size());
    std::memcpy(&out.storage, &un, sizeof un);
    out.size = sizeof un;
    return out;
  }
  const std::size_t colon = target.rfind(':');
  sockaddr_in in{};
  in.sin_family = AF_INET;
  in.sin_port = htons(static_cast<std::uint16_t>(std::stoi(target.substr(colon + 1))));
  if (inet_pton(AF_INET, target.substr(0, colon).c_str(), &in.sin_addr) != 1) {
    throw std::runtime_error("no IPv4 address: " + target);
  }
  std::memcpy(&out.storage, &in, sizeof in);
  out.size = sizeof in;
  return out;
}

int listen_on(const Address& address) {
  const int fd = socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || bind(fd, address.get(), address.size) != 0 || listen(fd, 64) != 0) {
    throw std::runtime_error(fmt::format("cannot listen: {}", std::strerror(errno)));
  }
  return fd;
}

std::uint32_t big_endian(const std::string& bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i)
    value = value << 8U | static_cast<unsigned char>(bytes[at + i]);
  return value;
}

// Blocking: what one end does not take, the other has to wait with.
bool write_all(int fd, const char* data, std::size_t size) {
  while (size > 0) {
    const ssize_t n = send(fd, data, size, MSG_NOSIGNAL);
    if (n <= 0) return false;
    data += n;
    size -= static_cast<std::size_t>(n);
  }
  return true;
}

}  // namespace

struct TcpProxy::Listener {
  Listener(int fd_, Address target_) : fd(fd_), target(target_) {}
  ~Listener() { close(fd); }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  int fd;
  Address target;
};

struct TcpProxy::Link {
  Link(int client_, int server_) : client(client_), server(server_) {}
  ~Link() {
    close(client);
    close(server);
  }
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;
  int client;
  int server;
  bool asked = false;  // Http: the client has spoken since the server last did
  std::string held;    // Libvirt: the server's bytes of a message that is not whole yet
};

TcpProxy::TcpProxy(Protocol protocol)
    : protocol_(protocol), wake_fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  thread_ = std::thread([this] { run(); });
}

TcpProxy::~TcpProxy() {
  stop_ = true;
  wake();
  thread_.join();
  close(wake_fd_);
  if (!folder_.empty()) std::filesystem::remove_all(folder_);
}

void TcpProxy::wake() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t n = write(wake_fd_, &one, sizeof one);
}

std::string TcpProxy::forward_to(const std::string& target) {
  const std::lock_guard lock(mu_);
  std::string here = "127.0.0.1:0";
  if (is_path(target)) {
    if (folder_.empty()) {
      std::string name = (std::filesystem::temp_directory_path() / "proxy-XXXXXX").string();
      if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
      folder_ = name;
    }
    here = fmt::format("{}/{}", folder_, listeners_.size());
  }
  const int fd = listen_on(address_of(here));
  if (!is_path(target)) {
    sockaddr_in bound{};
    socklen_t size = sizeof bound;
    getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &size);
    here = fmt::format("127.0.0.1:{}", ntohs(bound.sin_port));
  }
  listeners_.push_back(std::make_unique<Listener>(fd, address_of(target)));
  wake();
  return here;
}

void TcpProxy::cut_answer(int n) {
  answers_ = 0;
  cut_at_ = n;
}

void TcpProxy::run() {
  while (!stop_) {
    std::vector<pollfd> fds{{wake_fd_, POLLIN, 0}};
    std::vector<Listener*> listeners;
    {
      const std::lock_guard lock(mu_);
      for (auto& listener : listeners_) listeners.push_back(listener.get());
    }
    for (const Listener* listener : listeners) fds.push_back({listener->fd, POLLIN, 0});
    const std::size_t first_link = fds.size();
    for (auto& link : links_) {
      fds.push_back({link->client, POLLIN, 0});
      fds.push_back({link->server, POLLIN, 0});
    }
    poll(fds.data(), fds.size(), -1);
    std::uint64_t woken = 0;
    [[maybe_unused]] const ssize_t n = read(wake_fd_, &woken, sizeof woken);
    for (std::size_t i = 0; i < links_.size(); ++i) {
      const bool open = (fds[first_link + 2 * i].revents == 0 || carry(*links_[i], false)) &&
                        (fds[first_link + 2 * i + 1].revents == 0 || carry(*links_[i], true));
      if (!open) links_[i].reset();
    }
    std::erase(links_, nullptr);
    for (std::size_t i = 0; i < listeners.size(); ++i) {
      if (fds[1 + i].revents != 0) accept_from(*listeners[i]);
    }
  }
  links_.clear();
}

void TcpProxy::accept_from(const Listener& listener) {
  const int client = accept4(listener.fd, nullptr, nullptr, SOCK_CLOEXEC);
  if (client < 0) return;
  const int server = socket(listener.target.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const bool connected =
      server >= 0 && connect(server, listener.target.get(), listener.target.size) == 0;
  if (listener.target.storage.ss_family == AF_INET) {
    const int on = 1;
    setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(server, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  auto link = std::make_unique<Link>(client, server);
  if (connected) links_.push_back(std::move(link));
}

// False: the connection is over, by one of its ends or by the scissors.
bool TcpProxy::carry(Link& link, bool from_server) {
  std::array<char, kPiece> piece;
  const ssize_t n = recv(from_server ? link.server : link.client, piece.data(), piece.size(), 0);
  if (n <= 0) return false;
  const auto size = static_cast<std::size_t>(n);
  if (!from_server) link.asked = true;
  if (from_server && begins_answer(link, piece.data(), size)) {
    ++cuts_;
    return false;
  }
  return write_all(from_server ? link.client : link.server, piece.data(), size);
}

// Whether what the server says begins the answer that is to be cut; counts all that it begins.
bool TcpProxy::begins_answer(Link& link, const char* data, std::size_t size) {
  const auto is_the_one = [this] { return answers_++ == cut_at_; };
  if (protocol_ == Protocol::Http) return std::exchange(link.asked, false) && is_the_one();
  // length, program, version, procedure, type (1: a reply), serial, status; each 4 bytes. The
  // program of keepalives is another.
  constexpr std::size_t kHead = 28;
  constexpr std::uint32_t kReply = 1;
  constexpr std::uint32_t kKeepalive = 0x6b656570;
  link.held.append(data, size);
  while (link.held.size() >= kHead) {
    const std::size_t length = std::max<std::size_t>(big_endian(link.held, 0), kHead);
    const bool reply =
        big_endian(link.held, 16) == kReply && big_endian(link.held, 4) != kKeepalive;
    if (link.held.size() < length) return false;
    link.held.erase(0, length);
    if (reply && is_the_one()) return true;
  }
  return false;
}

}  // namespace slipway::workers::contract
