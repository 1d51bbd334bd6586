#pragma once
// Carries bytes between WebSocket clients and the VNC servers of their guests, as they are: what is
// said there is between the two. One thread with poll(); a side that does not take its bytes stops
// the other from being read, so that nothing piles up.
#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

#include "api/edge/responder.hpp"
#include "core/base/mutex.hpp"

namespace slipway::api::nano {

class DisplayRelay {
 public:
  static constexpr std::size_t kMaxLinks = 256;
  static constexpr std::size_t kMaxWaiting = 1U << 20U;  // bytes from a client, not yet taken

  DisplayRelay();
  ~DisplayRelay();

  // One client and one server. All functions from any thread.
  class Link {
   public:
    // From the client. False: the server takes nothing, or is gone; the client is to be closed.
    bool to_server(std::string_view bytes);
    void close();

   private:
    friend class DisplayRelay;
    int fd = -1;             // the relay thread's
    bool connected = false;  // likewise
    std::function<void(std::string_view)> to_client;
    std::function<bool()> client_takes;
    std::function<void()> gone;
    DisplayRelay* relay = nullptr;
    base::Mutex mu;
    std::string waiting GUARDED_BY(mu);
    bool closed GUARDED_BY(mu) = false;
  };
  struct Client {
    std::function<void(std::string_view)> send;
    std::function<bool()> takes;  // it has room for more
    std::function<void()> gone;   // once, when the server has left
  };
  // Connects to "host:port", a numeric address. nullptr: that is none, or too many are open.
  std::shared_ptr<Link> open(const std::string& display, Client client);

 private:
  void run(const std::stop_token& stop);
  void wake() const;
  bool turn(Link& link, short events);
  bool read(Link& link) const;
  static bool write(Link& link);

  int wake_fd_ = -1;
  base::Mutex mu_;
  std::map<int, std::shared_ptr<Link>> links_ GUARDED_BY(mu_);  // shared: with the client's side
  std::jthread thread_;
};

}  // namespace slipway::api::nano
