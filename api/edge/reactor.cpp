#include "api/edge/reactor.hpp"

#include <pistache/os.h>
#include <pistache/reactor.h>

#include <cstdint>
#include <exception>
#include <utility>

namespace slipway::api {
namespace {

namespace aio = Pistache::Aio;
namespace polling = Pistache::Polling;

// Pistache tags the descriptors it watches itself (its shutdown event) with their number; ours
// carry a pointer, which is never that small.
constexpr std::uint64_t kPistacheTags = 1U << 24;

IoEvents to_events(const aio::FdSet::Entry& entry, bool peer_closed) {
  return {entry.isReadable(), entry.isWritable(), peer_closed, entry.isHangup()};
}

// One per thread: Pistache clones the prototype given to it, once for each of its workers.
class Loop final : public aio::Handler, public Poller {
  PROTOTYPE_OF(aio::Handler, Loop)

 public:
  Loop(const std::vector<LoopClient*>& clients, std::size_t& next)
      : clients_(clients), next_(next) {}
  Loop(const Loop& prototype)
      : aio::Handler(), clients_(prototype.clients_), next_(prototype.next_) {
    client_ = clients_[next_++];
  }

  void registerPoller(polling::Epoll& epoll) override {
    epoll_ = &epoll;
    client_->on_attach(*this);
  }

  void onReady(const aio::FdSet& fds) override {
    client_->on_round_begin();
    for (const auto& entry : fds) {
      const std::uint64_t tag = entry.getTag().value();
      if (tag < kPistacheTags) continue;
      reinterpret_cast<FdHandler*>(tag)->on_io(to_events(entry, shut_down(entry)));
    }
    client_->on_round_end();
  }

  bool watch(int fd, FdHandler& handler) override {
    using polling::NotifyOn;
    try {
      epoll_->addFd(fd,
                    Pistache::Flags<NotifyOn>(NotifyOn::Read) | NotifyOn::Write | NotifyOn::Hangup |
                        NotifyOn::Shutdown,
                    polling::Tag(reinterpret_cast<std::uint64_t>(&handler)), polling::Mode::Edge);
      return true;
    } catch (const std::exception&) {
      return false;
    }
  }
  void unwatch(int fd) override {
    try {
      epoll_->removeFd(fd);
    } catch (const std::exception&) {  // closed under us: then it is not watched
    }
  }

 private:
  // The entry has no name for that flag; its base has, but is private: the one cast that may still
  // convert to it is the old one.
  static bool shut_down(const aio::FdSet::Entry& entry) {
    return ((const polling::Event&)entry).flags.hasFlag(polling::NotifyOn::Shutdown);
  }

  const std::vector<LoopClient*>& clients_;
  std::size_t& next_;
  LoopClient* client_ = nullptr;
  polling::Epoll* epoll_ = nullptr;
};

}  // namespace

class Reactor::Impl {
 public:
  Impl(const std::vector<LoopClient*>& clients, const char* name) : clients_(clients) {
    reactor_.init(aio::AsyncContext(clients_.size(), name));
    reactor_.addHandler(std::make_shared<Loop>(clients_, next_));
  }
  ~Impl() { reactor_.shutdown(); }
  void start() { reactor_.run(); }

 private:
  std::vector<LoopClient*> clients_;
  std::size_t next_ = 0;
  aio::Reactor reactor_;
};

Reactor::Reactor(const std::vector<LoopClient*>& clients, const char* name)
    : impl_(std::make_unique<Impl>(clients, name)) {}
Reactor::~Reactor() = default;
void Reactor::start() { impl_->start(); }

}  // namespace slipway::api
