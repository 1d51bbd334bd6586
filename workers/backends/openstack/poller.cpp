#include "workers/backends/openstack/poller.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/base/clock.hpp"

namespace slipway::workers::openstack {

namespace {

// Nova notes changes by the second, and its hosts' clocks differ a little.
constexpr base::Duration kOverlap = std::chrono::seconds(5);
// Before the first answer the cloud's clock is not known.
constexpr base::Duration kFirstLook = std::chrono::minutes(2);
constexpr base::Duration kRoundTimeout = std::chrono::seconds(30);
constexpr base::Duration kAskSinglyAfter = std::chrono::seconds(30);
constexpr base::Duration kAskFirstAfter = std::chrono::seconds(6);  // of one never told of
constexpr base::Duration kTick = std::chrono::milliseconds(500);    // deadlines are kept to this
constexpr std::size_t kSinglesARound = 4;
constexpr std::size_t kMaxPages = 200;

std::string rfc3339_seconds(base::Time t) {
  std::string text = base::rfc3339(t);  // "2026-02-18T18:37:46.000123Z"
  return text.substr(0, 19) + "Z";
}

}  // namespace

Poller::Watch::Watch(Poller& poller, std::string id) : poller_(poller), id_(std::move(id)) {
  Known& known = poller_.known_[id_];
  if (known.watches++ == 0) known.told_at = steady_now();
}

Poller::Watch::~Watch() {
  const auto at = poller_.known_.find(id_);
  if (at != poller_.known_.end() && --at->second.watches == 0) poller_.known_.erase(at);
}

struct Poller::NextRound {
  Poller& poller;
  base::SteadyTime deadline;
  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> waiting) {
    poller.waiters_.push_back({waiting, poller.begun_ + 1, deadline});
    poller.wake();
  }
  void await_resume() {}
};

Async<std::optional<Server>> Poller::Watch::next(base::SteadyTime deadline) {
  const std::uint64_t round = poller_.begun_ + 1;
  NextRound next{poller_, deadline};
  co_await next;
  if (poller_.ended_ < round) co_return std::nullopt;  // its time was up
  Known& known = poller_.known_[id_];
  while (!known.server && steady_now() < deadline) {  // its single turn has not come yet
    NextRound another{poller_, deadline};
    co_await another;
  }
  co_return known.server;
}

void Poller::wake() {
  if (std::exchange(running_, true)) return;
  nursery_.spawn(run());
  watch_deadlines();
}

// A round may hang for long; who waits is told in time all the same.
void Poller::watch_deadlines() {
  if (std::exchange(ticking_, true)) return;
  api_.loop().after(kTick, [this] {
    ticking_ = false;
    resume_waiters(true);
    if (running_) watch_deadlines();
  });
}

Async<void> Poller::run() {
  while (!waiters_.empty()) {
    Pause pause{api_.loop(), options_.poll_interval};
    co_await pause;
    const bool good = co_await round();
    ++(good ? counters_.rounds : counters_.failures);
    resume_waiters(!good);
  }
  running_ = false;
}

Async<bool> Poller::round() {
  const std::uint64_t number = ++begun_;
  const base::Time since =
      cloud_time_ ? *cloud_time_ - kOverlap : base::SystemClock().now() - kFirstLook;
  std::string path = fmt::format("/servers/detail?limit={}&changes-since={}", options_.page_size,
                                 encoded(rfc3339_seconds(since)));
  const bool good = co_await read_pages(std::move(path), steady_now() + kRoundTimeout);
  if (!good) co_return false;
  co_await ask_singly();
  ended_ = number;
  co_return true;
}

Async<bool> Poller::read_pages(std::string path, base::SteadyTime deadline) {
  std::optional<base::Time> asked;
  for (std::size_t page = 0; page < kMaxPages; ++page) {
    Call list{.path = path, .deadline = deadline};
    const Reply reply = co_await api_.call(std::move(list));
    if (!reply.ok()) co_return false;
    if (page == 0) asked = reply.date;
    std::string last;
    std::size_t count = 0;
    for (base::JsonArrayIterator it(reply["servers"]); it; ++it, ++count) {
      Server server = parse_server(it.value());
      last = server.id;
      take(std::move(server));
    }
    if (reply["servers_links"].size() == 0 || count == 0) break;
    const std::size_t marker = path.find("&marker=");
    path = path.substr(0, marker) + "&marker=" + encoded(last);
  }
  if (asked) cloud_time_ = asked;
  co_return true;
}

// Those that no list has told of, or not for long.
Async<void> Poller::ask_singly() {
  std::vector<std::string> ids;
  const base::SteadyTime now = steady_now();
  for (const auto& [id, known] : known_) {
    const bool due = now - known.told_at > (known.server ? kAskSinglyAfter : kAskFirstAfter);
    if (due && ids.size() < kSinglesARound) ids.push_back(id);
  }
  for (const std::string& id : ids) {
    ++counters_.singles;
    Call one{.path = "/servers/" + id, .deadline = now + kRoundTimeout};
    const Reply reply = co_await api_.call(std::move(one));
    if (reply.ok()) {
      take(parse_server(reply["server"]));
    } else if (reply.is(404)) {
      Server gone;
      gone.id = id;
      gone.gone = true;
      take(std::move(gone));
    }
  }
}

void Poller::take(Server server) {
  const auto at = known_.find(server.id);
  if (at == known_.end()) return;
  at->second.told_at = steady_now();
  at->second.server = std::move(server);
}

void Poller::resume_waiters(bool only_expired) {
  const base::SteadyTime now = steady_now();
  const auto over = [&](const Waiter& w) {
    return w.deadline <= now || (!only_expired && w.round <= ended_);
  };
  std::vector<std::coroutine_handle<>> woken;
  for (const Waiter& w : waiters_) {
    if (over(w)) woken.push_back(w.frame);
  }
  std::erase_if(waiters_, over);
  for (const auto frame : woken) frame.resume();
}

}  // namespace slipway::workers::openstack
