#include "tests/support/scripted_server.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <memory>
#include <stdexcept>

namespace slipway::test {
namespace {

bool send_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const auto sent = ::send(fd, text.data(), text.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

// Grows `buffer` until `done` says how many bytes it needs; false at the end of the connection.
bool receive(int fd, std::string& buffer) {
  char piece[4096];
  const auto got = ::recv(fd, piece, sizeof piece, 0);
  if (got <= 0) return false;
  buffer.append(piece, static_cast<std::size_t>(got));
  return true;
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

Seen parse_head(const std::string& head) {
  Seen seen;
  auto line_end = head.find("\r\n");
  const auto first = head.find(' ');
  const auto second = head.find(' ', first + 1);
  seen.method = head.substr(0, first);
  seen.path = head.substr(first + 1, second - first - 1);
  if (const auto mark = seen.path.find('?'); mark != std::string::npos) {
    seen.query = seen.path.substr(mark + 1);
    seen.path.resize(mark);
  }
  for (auto at = line_end + 2; at < head.size(); at = line_end + 2) {
    line_end = head.find("\r\n", at);
    const auto colon = head.find(':', at);
    if (line_end == std::string::npos || colon > line_end) break;
    const auto value = head.find_first_not_of(' ', colon + 1);
    seen.headers[lower(head.substr(at, colon - at))] = head.substr(value, line_end - value);
  }
  return seen;
}

std::string head_of(const Reply& reply) {
  auto head = "HTTP/1.1 " + std::to_string(reply.status) + " Scripted\r\n";
  bool typed = false;
  for (const auto& [name, value] : reply.headers) {
    head += name + ": " + value + "\r\n";
    typed |= lower(name) == "content-type";
  }
  if (!typed) head += "Content-Type: application/json\r\n";
  if (!reply.chunks.empty()) return head + "Transfer-Encoding: chunked\r\n\r\n";
  if (reply.status == 204 || reply.status == 304) return head + "\r\n";
  return head + "Content-Length: " + std::to_string(reply.body.size()) + "\r\n\r\n";
}

std::string chunk(const std::string& piece) {
  char size[32];
  std::snprintf(size, sizeof size, "%zx\r\n", piece.size());
  return size + piece + "\r\n";
}

}  // namespace

ScriptedServer::ScriptedServer() {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      ::listen(listener_, 64) != 0 ||
      ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0)
    throw std::runtime_error("scripted server: cannot listen");
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { accept_loop(); });
}

ScriptedServer::~ScriptedServer() { stop(); }

void ScriptedServer::stop() {
  if (stopping_.exchange(true)) return;
  ::shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  ::close(listener_);
  {
    const std::lock_guard lock(mutex_);
    for (const int fd : open_) ::shutdown(fd, SHUT_RDWR);
  }
  for (auto& connection : connections_) connection.join();
}

void ScriptedServer::on(const std::string& method, const std::string& path, Handler handler) {
  const std::lock_guard lock(mutex_);
  handlers_[{method, path}] = std::move(handler);
}

void ScriptedServer::on(const std::string& method, const std::string& path,
                        std::vector<Reply> replies) {
  const auto next = std::make_shared<std::atomic<std::size_t>>(0);
  on(method, path, [replies = std::move(replies), next](const Seen&) {
    return replies[std::min(next->fetch_add(1), replies.size() - 1)];
  });
}

std::string ScriptedServer::url() const { return "http://127.0.0.1:" + std::to_string(port_); }

std::vector<Seen> ScriptedServer::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

std::vector<Seen> ScriptedServer::requests(const std::string& method,
                                           const std::string& path) const {
  auto all = requests();
  std::erase_if(all, [&](const Seen& s) { return s.method != method || s.path != path; });
  return all;
}

void ScriptedServer::accept_loop() {
  for (int count = 1;; ++count) {
    const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) return;
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    const std::lock_guard lock(mutex_);
    open_.insert(fd);
    connections_.emplace_back([this, fd, count] { serve(fd, count); });
  }
}

void ScriptedServer::serve(int fd, int connection) {
  std::string buffer;
  for (bool alive = true; alive;) {
    std::size_t head_end;
    while ((head_end = buffer.find("\r\n\r\n")) == std::string::npos && alive)
      alive = receive(fd, buffer);
    if (!alive) break;
    auto seen = parse_head(buffer.substr(0, head_end + 2));
    seen.connection = connection;
    const auto length = seen.header("content-length");
    const auto whole = head_end + 4 + (length.empty() ? 0 : std::stoul(length));
    while (buffer.size() < whole && alive) alive = receive(fd, buffer);
    if (!alive) break;
    seen.body = buffer.substr(head_end + 4, whole - head_end - 4);
    buffer.erase(0, whole);
    alive = answer(fd, seen);
  }
  const std::lock_guard lock(mutex_);
  open_.erase(fd);
  ::close(fd);
}

bool ScriptedServer::answer(int fd, const Seen& seen) {
  Handler handler;
  {
    const std::lock_guard lock(mutex_);
    requests_.push_back(seen);
    const auto found = handlers_.find({seen.method, seen.path});
    if (found != handlers_.end()) handler = found->second;
  }
  const Reply missing{404,
                      R"({"type":"/problems/not-found","title":"No such route","status":404,)"
                      R"("code":"not-found","detail":"not in the script","request_id":"req-404"})",
                      {{"Content-Type", "application/problem+json"}}};
  const auto reply = handler ? handler(seen) : missing;
  if (!sleep(reply.delay) || reply.hang_up || !send_all(fd, head_of(reply))) return false;
  if (reply.chunks.empty()) return send_all(fd, seen.method == "HEAD" ? "" : reply.body);
  for (const auto& piece : reply.chunks)
    if (!send_all(fd, chunk(piece)) || !sleep(reply.between_chunks)) return false;
  return send_all(fd, "0\r\n\r\n");
}

bool ScriptedServer::sleep(std::chrono::milliseconds time) const {
  const auto end = std::chrono::steady_clock::now() + time;
  while (!stopping_ && std::chrono::steady_clock::now() < end)
    std::this_thread::sleep_for(std::min(time, std::chrono::milliseconds(5)));
  return !stopping_;
}

}  // namespace slipway::test
