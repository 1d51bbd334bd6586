#include "api/edge/acceptor.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

#include "api/edge/connection.hpp"

namespace slipway::api {
namespace {

constexpr int kUnsentLowWater = 128 << 10;  // what the kernel takes beyond the client's window
constexpr int kKeepAliveIdle = 30, kKeepAliveEvery = 10, kKeepAliveTries = 3;  // seconds

int open_spare() { return ::open("/dev/null", O_RDONLY | O_CLOEXEC); }

void set(int fd, int level, int option, int value) {
  ::setsockopt(fd, level, option, &value, sizeof value);  // best effort, all of them
}

// No answer waits for another; a client that vanished is noticed; the kernel does not hoard.
void tune(int fd, const Options& options) {
  set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  set(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, kUnsentLowWater);
  set(fd, IPPROTO_TCP, TCP_USER_TIMEOUT,
      static_cast<int>(options.limits.stall_time.count() / 1000));
  set(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  set(fd, IPPROTO_TCP, TCP_KEEPIDLE, kKeepAliveIdle);
  set(fd, IPPROTO_TCP, TCP_KEEPINTVL, kKeepAliveEvery);
  set(fd, IPPROTO_TCP, TCP_KEEPCNT, kKeepAliveTries);
  if (options.send_buffer_bytes > 0) set(fd, SOL_SOCKET, SO_SNDBUF, options.send_buffer_bytes);
}

PeerInfo peer_of(const sockaddr_storage& address, const std::string& listener) {
  PeerInfo peer{{}, 0, listener};
  char text[INET6_ADDRSTRLEN] = "";
  if (address.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
    ::inet_ntop(AF_INET, &v4.sin_addr, text, sizeof text);
    peer.port = ntohs(v4.sin_port);
  } else if (address.ss_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address);
    ::inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof text);
    peer.port = ntohs(v6.sin6_port);
  }
  peer.address = text;
  if (peer.address.starts_with("::ffff:")) peer.address.erase(0, 7);  // IPv4 on a dual listener
  return peer;
}

int listen_on(const addrinfo& address, const Options& options) {
  const int fd = ::socket(address.ai_family, address.ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK,
                          address.ai_protocol);
  if (fd < 0) return -1;
  if (options.reuse_address) set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
  if (address.ai_family == AF_INET6) set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
  if (::bind(fd, address.ai_addr, address.ai_addrlen) == 0 && ::listen(fd, options.backlog) == 0) {
    return fd;
  }
  const int why = errno;
  ::close(fd);
  errno = why;
  return -1;
}

std::uint16_t port_of(int fd) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  return peer_of(address, {}).port;
}

// A socket on its way to its thread.
class Newcomer final : public Mail {
 public:
  Newcomer(IoThread& io, std::shared_ptr<Connection> connection)
      : io_(io), connection_(std::move(connection)) {}
  void on_mail() override {
    io_.adopt(connection_);
    connection_->start();
  }

 private:
  IoThread& io_;
  std::shared_ptr<Connection> connection_;  // shared: as every Connection is
};

}  // namespace

base::Result<std::unique_ptr<Acceptor>> Acceptor::open(
    ListenerOptions listener, std::shared_ptr<EdgeState> edge,
    std::vector<std::unique_ptr<IoThread>>& threads) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  addrinfo* found = nullptr;
  const std::string where = listener.host + ":" + std::to_string(listener.port);
  const int looked_up =
      ::getaddrinfo(listener.host.c_str(), std::to_string(listener.port).c_str(), &hints, &found);
  if (looked_up != 0) {
    return base::fail(base::Errc::InvalidArgument,
                      "listen on " + where + ": " + ::gai_strerror(looked_up));
  }
  int fd = -1;
  for (const addrinfo* at = found; at != nullptr && fd < 0; at = at->ai_next) {
    fd = listen_on(*at, edge->options);
  }
  const int why = errno;
  ::freeaddrinfo(found);
  if (fd < 0) {
    return base::fail(base::Errc::ResourceBusy, "listen on " + where + ": " + std::strerror(why));
  }
  return std::unique_ptr<Acceptor>(
      new Acceptor(fd, port_of(fd), std::move(listener), std::move(edge), threads));
}

Acceptor::Acceptor(int fd, std::uint16_t port, ListenerOptions listener,
                   std::shared_ptr<EdgeState> edge, std::vector<std::unique_ptr<IoThread>>& threads)
    : fd_(fd),
      spare_fd_(open_spare()),
      port_(port),
      listener_(std::make_shared<ListenerState>(ListenerState{std::move(listener), edge})),
      edge_(std::move(edge)),
      threads_(threads) {}

Acceptor::~Acceptor() {
  if (fd_ >= 0) ::close(fd_);
  if (spare_fd_ >= 0) ::close(spare_fd_);
}

void Acceptor::start() {
  threads_.front()->watch(fd_, *this);
  threads_.front()->each_tick([this] { on_tick(); });
}

void Acceptor::stop() {
  if (fd_ < 0) return;
  threads_.front()->unwatch(fd_);
  ::close(std::exchange(fd_, -1));
}

void Acceptor::on_io(IoEvents events) {
  if (!events.readable) return;
  short_of_files_ = false;
  while (fd_ >= 0 && accept_one()) {
  }
}

bool Acceptor::accept_one() {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  const int fd =
      ::accept4(fd_, reinterpret_cast<sockaddr*>(&address), &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd >= 0) {
    welcome(fd, peer_of(address, listener_->options.name));
    return true;
  }
  switch (errno) {
    case EMFILE:
    case ENFILE:
      return refuse_one();
    case EINTR:
    case ECONNABORTED:
      return true;
    default:
      return false;  // EAGAIN: that was the last one
  }
}

// Out of descriptors: without this the client would hang in the backlog. False when there was none
// (accept says EMFILE before it looks), or nothing can be done now: the next tick tries again.
bool Acceptor::refuse_one() {
  if (spare_fd_ >= 0) ::close(spare_fd_);
  const int fd = ::accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC);
  short_of_files_ = fd < 0 && errno != EAGAIN;
  if (fd >= 0) {
    edge_->counters.count(Refusal::FileDescriptors);
    ::close(fd);
  }
  spare_fd_ = open_spare();
  return fd >= 0;
}

void Acceptor::on_tick() {
  if (short_of_files_) on_io({.readable = true});
}

void Acceptor::welcome(int fd, PeerInfo peer) {
  const EdgeState::Admission admission = edge_->admit(peer.address);
  if (admission == EdgeState::Admission::Full) {
    ::close(fd);
    return;
  }
  tune(fd, edge_->options);
  IoThread& io =
      **std::min_element(threads_.begin(), threads_.end(),
                         [](const auto& a, const auto& b) { return a->load() < b->load(); });
  io.add_load();
  auto connection = std::make_shared<Connection>(io, fd, listener_,
                                                 std::make_shared<const PeerInfo>(std::move(peer)),
                                                 admission == EdgeState::Admission::AddressFull);
  io.mailbox()->post(std::make_shared<Newcomer>(io, std::move(connection)));
}

}  // namespace slipway::api
