#pragma once
// Waits for servers to change. However many are waited for, one list a round serves them all:
// GET /servers/detail?changes-since=T has only what changed, where a GET of each server would cost
// the cloud two calls to Neutron every time. T is the cloud's own clock. A server of which no list
// says anything for long is asked for by itself, in case a change slipped through. Rounds are made
// while somebody waits. On the loop's thread.
#include <coroutine>
#include <map>
#include <string>
#include <vector>

#include "workers/backends/openstack/api.hpp"
#include "workers/backends/openstack/server.hpp"

namespace slipway::workers::openstack {

class Poller {
 public:
  struct Counters {
    std::uint64_t rounds = 0;
    std::uint64_t failures = 0;  // rounds without an answer; who waits goes on waiting
    std::uint64_t singles = 0;   // servers asked for by themselves
  };

  Poller(const Options& options, Api& api, Nursery& nursery)
      : options_(options), api_(api), nursery_(nursery) {}

  // A server being waited for: what is known of it is kept as long as this lives.
  class Watch {
   public:
    Watch(Poller& poller, std::string id);
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;
    ~Watch();
    // The server as a round that began after this call saw it; nullopt when none did by `deadline`.
    Async<std::optional<Server>> next(base::SteadyTime deadline);

   private:
    Poller& poller_;
    const std::string id_;
  };

  const Counters& counters() const { return counters_; }

 private:
  struct Known {
    std::size_t watches = 0;
    std::optional<Server> server;
    base::SteadyTime told_at{};  // last, or when the first watch began
  };
  struct Waiter {
    std::coroutine_handle<> frame;
    std::uint64_t round = 0;  // that will do
    base::SteadyTime deadline{};
  };
  struct NextRound;

  void wake();
  Async<void> run();
  Async<bool> round();
  Async<bool> read_pages(std::string path, base::SteadyTime deadline);
  Async<void> ask_singly();
  void take(Server server);
  void watch_deadlines();
  void resume_waiters(bool only_expired);

  const Options& options_;
  Api& api_;
  Nursery& nursery_;
  std::map<std::string, Known> known_;
  std::vector<Waiter> waiters_;
  std::uint64_t begun_ = 0;  // rounds
  std::uint64_t ended_ = 0;
  bool running_ = false;
  bool ticking_ = false;
  std::optional<base::Time> cloud_time_;  // when the last good round was answered
  Counters counters_;
};

}  // namespace slipway::workers::openstack
