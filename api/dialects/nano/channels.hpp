#pragma once
// Monitor channels: tickets, each for one look at one guest's display. A channel's id is the right
// to use it, since a browser's WebSocket can bring no header of its own: it is random, works once,
// and is gone if nobody comes in time.
#include <map>
#include <optional>
#include <string>

#include "core/base/clock.hpp"
#include "core/base/mutex.hpp"

namespace slipway::api::nano {

struct Channel {
  std::string guest;    // its id
  std::string display;  // "host:port" of its VNC server; empty: the backend serves none
};

class Channels {
 public:
  static constexpr std::size_t kMax = 1000;
  Channels(const base::Clock& clock, base::Duration patience)
      : clock_(clock), patience_(patience) {}

  // Its id; nullopt: too many wait to be used.
  std::optional<std::string> open(Channel channel);
  // Takes it away; nullopt if there is none of that id.
  std::optional<Channel> take(std::string_view id);

 private:
  struct Entry {
    Channel channel;
    base::SteadyTime until{};
  };
  const base::Clock& clock_;
  const base::Duration patience_;
  base::Mutex mu_;
  std::map<std::string, Entry, std::less<>> entries_ GUARDED_BY(mu_);
};

}  // namespace slipway::api::nano
