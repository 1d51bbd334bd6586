#include "api/edge/server.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <condition_variable>
#include <csignal>
#include <exception>
#include <utility>
#include <vector>

#include "api/edge/acceptor.hpp"
#include "api/edge/edge_state.hpp"
#include "api/edge/io_thread.hpp"
#include "api/edge/reactor.hpp"

namespace slipway::api {
namespace {

constexpr std::size_t kOtherFiles = 256;  // log, read models, workers, webhooks: not connections

// How many files may be open, after asking for all that we may have.
std::size_t raise_open_files() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 1024;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  ::getrlimit(RLIMIT_NOFILE, &limit);
  return limit.rlim_cur;
}

// Runs on one I/O thread during a drain.
class DrainMail final : public Mail {
 public:
  DrainMail(IoThread& io, std::vector<std::unique_ptr<Acceptor>>* acceptors)
      : io_(io), acceptors_(acceptors) {}
  void on_mail() override {
    if (acceptors_ != nullptr) {
      for (const auto& acceptor : *acceptors_) acceptor->stop();
    }
    io_.drain();
  }

 private:
  IoThread& io_;
  std::vector<std::unique_ptr<Acceptor>>* acceptors_;
};

}  // namespace

class Server::Impl {
 public:
  Impl(Options options, Observer observer) : edge_(std::make_shared<EdgeState>()) {
    edge_->options = std::move(options);
    edge_->observer = std::move(observer);
  }
  ~Impl() { stop(); }

  base::Status open();
  base::Result<std::uint16_t> listen(ListenerOptions listener);
  void start();
  bool drain(base::Duration deadline);
  void stop();
  void set_limits(Limits limits) {
    limits.connections = std::min(limits.connections, room_);
    edge_->set_limits(limits);
  }
  const EdgeState& edge() const { return *edge_; }

 private:
  const std::shared_ptr<EdgeState> edge_;  // shared: Responders may outlive the server
  std::vector<std::unique_ptr<IoThread>> threads_;
  std::vector<std::unique_ptr<Acceptor>> acceptors_;
  std::unique_ptr<Reactor> reactor_;
  std::size_t room_ = 0;  // connections that there are files for
  bool started_ = false;
};

base::Status Server::Impl::open() {
  Options& options = edge_->options;
  ::signal(SIGPIPE, SIG_IGN);
  const std::size_t files = raise_open_files();
  room_ = files > 2 * kOtherFiles ? files - kOtherFiles : files / 2;
  options.limits.connections = std::min(options.limits.connections, room_);
  set_limits(options.limits);
  std::vector<LoopClient*> clients;
  for (unsigned i = 0; i < std::max(1U, options.io_threads); ++i) {
    threads_.push_back(std::make_unique<IoThread>(options.tick));
    if (!threads_.back()->ok()) {
      return base::fail(base::Errc::Internal, "start the HTTP threads: no event descriptors");
    }
    if (options.on_tick) threads_.back()->each_tick([&options, i] { options.on_tick(i); });
    clients.push_back(threads_.back().get());
  }
  try {
    reactor_ = std::make_unique<Reactor>(clients, "slipway-http");
  } catch (const std::exception&) {
    return base::fail(base::Errc::Internal, "start the HTTP threads: no epoll");
  }
  return {};
}

base::Result<std::uint16_t> Server::Impl::listen(ListenerOptions listener) {
  if (started_) return base::fail(base::Errc::Internal, "listen after start");
  auto acceptor = Acceptor::open(std::move(listener), edge_, threads_);
  if (!acceptor) return base::fail(std::move(acceptor.error()));
  acceptors_.push_back(std::move(*acceptor));
  return acceptors_.back()->port();
}

void Server::Impl::start() {
  if (std::exchange(started_, true)) return;
  for (const auto& acceptor : acceptors_) acceptor->start();
  reactor_->start();
}

bool Server::Impl::drain(base::Duration deadline) {
  edge_->draining = true;
  if (!started_) return true;
  for (const auto& thread : threads_) {
    auto* acceptors = thread == threads_.front() ? &acceptors_ : nullptr;
    thread->mailbox()->post(std::make_shared<DrainMail>(*thread, acceptors));
  }
  return edge_->wait_until_empty(deadline);
}

void Server::Impl::stop() {
  reactor_.reset();  // joins
  for (const auto& thread : threads_) thread->on_detach();
  acceptors_.clear();
  threads_.clear();
}

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Server::~Server() = default;

base::Result<std::unique_ptr<Server>> Server::open(Options options, Observer observer) {
  auto impl = std::make_unique<Impl>(std::move(options), std::move(observer));
  if (auto opened = impl->open(); !opened) return base::fail(std::move(opened.error()));
  return std::unique_ptr<Server>(new Server(std::move(impl)));
}

base::Result<std::uint16_t> Server::listen(ListenerOptions listener) {
  return impl_->listen(std::move(listener));
}
void Server::start() { impl_->start(); }
bool Server::drain(base::Duration deadline) { return impl_->drain(deadline); }
void Server::stop() { impl_->stop(); }
void Server::set_limits(const Limits& limits) { impl_->set_limits(limits); }
const EdgeCounters& Server::counters() const { return impl_->edge().counters; }
const Options& Server::options() const { return impl_->edge().options; }

}  // namespace slipway::api
