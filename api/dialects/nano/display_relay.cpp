#include "api/dialects/nano/display_relay.hpp"

#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

namespace slipway::api::nano {
namespace {

constexpr int kLookAgainMs = 20;  // while a client's side is full
constexpr int kForEverMs = 1000;
constexpr std::size_t kPiece = 64U << 10U;

// A socket that is on its way to be connected; -1 if it cannot be.
int connect_to(const std::string& display) {
  const std::size_t colon = display.rfind(':');
  if (colon == std::string::npos) return -1;
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const std::string host = display.substr(0, colon);
  if (::getaddrinfo(host.c_str(), display.c_str() + colon + 1, &hints, &found) != 0) return -1;
  const int fd = ::socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const bool begun =
      fd >= 0 && (::connect(fd, found->ai_addr, found->ai_addrlen) == 0 || errno == EINPROGRESS);
  ::freeaddrinfo(found);
  if (!begun && fd >= 0) ::close(fd);
  return begun ? fd : -1;
}

bool would_block() { return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR; }

}  // namespace

DisplayRelay::DisplayRelay()
    : wake_fd_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

DisplayRelay::~DisplayRelay() {
  thread_.request_stop();
  wake();
  thread_.join();
  base::Lock lock(mu_);
  for (const auto& [fd, link] : links_) ::close(fd);
  links_.clear();
  ::close(wake_fd_);
}

void DisplayRelay::wake() const {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(wake_fd_, &one, sizeof one);
}

std::shared_ptr<DisplayRelay::Link> DisplayRelay::open(const std::string& display, Client client) {
  const int fd = connect_to(display);
  if (fd < 0) return nullptr;
  auto link = std::make_shared<Link>();
  link->fd = fd;
  link->relay = this;
  link->to_client = std::move(client.send);
  link->client_takes = std::move(client.takes);
  link->gone = std::move(client.gone);
  {
    base::Lock lock(mu_);
    if (links_.size() >= kMaxLinks) {
      ::close(fd);
      return nullptr;
    }
    links_[fd] = link;
  }
  wake();
  return link;
}

bool DisplayRelay::Link::to_server(std::string_view bytes) {
  {
    base::Lock lock(mu);
    if (closed || waiting.size() + bytes.size() > kMaxWaiting) return false;
    waiting += bytes;
  }
  relay->wake();
  return true;
}

void DisplayRelay::Link::close() {
  {
    base::Lock lock(mu);
    closed = true;
  }
  relay->wake();
}

void DisplayRelay::run(const std::stop_token& stop) {
  std::vector<std::shared_ptr<Link>> links;
  std::vector<pollfd> polled;
  while (!stop.stop_requested()) {
    links.clear();
    {
      base::Lock lock(mu_);
      for (const auto& [fd, link] : links_) links.push_back(link);
    }
    polled.assign(1, {wake_fd_, POLLIN, 0});
    int patience = kForEverMs;
    for (const auto& link : links) {
      const bool takes = link->client_takes();
      if (!takes) patience = kLookAgainMs;
      base::Lock lock(link->mu);
      const bool has = !link->connected || !link->waiting.empty();
      polled.push_back(
          {link->fd, static_cast<short>((takes ? POLLIN : 0) | (has ? POLLOUT : 0)), 0});
    }
    ::poll(polled.data(), polled.size(), patience);
    std::uint64_t count = 0;
    [[maybe_unused]] const ssize_t drained = ::read(wake_fd_, &count, sizeof count);
    for (std::size_t i = 0; i < links.size(); ++i) {
      if (turn(*links[i], polled[i + 1].revents)) continue;
      {
        base::Lock lock(mu_);
        links_.erase(links[i]->fd);
      }
      ::close(links[i]->fd);
      links[i]->close();
      links[i]->gone();
    }
  }
}

// False: this link is over.
bool DisplayRelay::turn(Link& link, short events) {
  {
    base::Lock lock(link.mu);
    if (link.closed) return false;
  }
  if ((events & POLLOUT) != 0 && !link.connected) {
    int error = 0;
    socklen_t size = sizeof error;
    ::getsockopt(link.fd, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) return false;
    link.connected = true;
  }
  if ((events & POLLIN) != 0 && !read(link)) return false;
  if ((events & (POLLERR | POLLHUP)) != 0 && (events & POLLIN) == 0) return false;
  return !link.connected || write(link);
}

bool DisplayRelay::read(Link& link) const {
  std::string piece(kPiece, '\0');
  const ssize_t got = ::recv(link.fd, piece.data(), piece.size(), 0);
  if (got == 0) return false;
  if (got < 0) return would_block();
  link.to_client(std::string_view(piece).substr(0, static_cast<std::size_t>(got)));
  return true;
}

bool DisplayRelay::write(Link& link) {
  base::Lock lock(link.mu);
  while (!link.waiting.empty()) {
    const ssize_t put = ::send(link.fd, link.waiting.data(), link.waiting.size(), MSG_NOSIGNAL);
    if (put < 0) return would_block();
    link.waiting.erase(0, static_cast<std::size_t>(put));
  }
  return true;
}

}  // namespace slipway::api::nano
