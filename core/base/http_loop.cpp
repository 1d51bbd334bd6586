#include "core/base/http_loop.hpp"

#include <algorithm>
#include <csignal>
#include <deque>
#include <list>
#include <utility>

#include "core/base/crypto.hpp"
#include "core/base/http_transfer.hpp"

namespace slipway::base {
namespace {

using SteadyClock = std::chrono::steady_clock;
constexpr int kMaxPauseMs = 1000;

// The library's TLS raises SIGPIPE on a closed connection; this thread wants it never.
void block_sigpipe() {
  sigset_t pipe;
  sigemptyset(&pipe);
  sigaddset(&pipe, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
}

void wipe_request(HttpRequest& request) {
  wipe(request.body);
  for (HttpHeader& header : request.headers) wipe(header.value);
}

struct Timer {
  SteadyClock::time_point due;
  std::uint64_t order = 0;  // of two that are due together, the first set runs first
  std::function<void()> job;
};
constexpr auto kLater = [](const Timer& a, const Timer& b) {
  return a.due != b.due ? a.due > b.due : a.order > b.order;
};

}  // namespace

struct HttpLoop::Call {
  Call(HttpRequest&& r, Done&& d) : request(std::move(r)), done(std::move(d)), transfer{request} {}
  HttpRequest request;
  Done done;
  HttpTransfer transfer;
  SteadyClock::time_point until{};  // zero: no limit
  std::unique_ptr<CURL, FreeEasy> easy;
};

struct HttpLoop::Impl {
  std::unique_ptr<CURLM, FreeMulti> multi{curl_multi_init()};
  std::list<std::unique_ptr<Call>> in_flight;  // after `multi`: gone before it
  std::deque<std::unique_ptr<Call>> waiting;
  std::vector<std::unique_ptr<CURL, FreeEasy>> spare;  // handles, as many as were used at once
  std::vector<Timer> timers;                           // a heap, the earliest first
  std::uint64_t timers_set = 0;
};

HttpLoop::HttpLoop(Options options) : options_(options) {
  init_http();
  impl_ = std::make_unique<Impl>();
  curl_multi_setopt(impl_->multi.get(), CURLMOPT_MAXCONNECTS,
                    static_cast<long>(options_.kept_connections));
  thread_ = std::thread([this] { run(); });
}

HttpLoop::~HttpLoop() { stop(); }

void HttpLoop::post(std::function<void()> job) {
  {
    Lock lock(mu_);
    if (stopping_) return;
    posted_.push_back(std::move(job));
  }
  curl_multi_wakeup(impl_->multi.get());
}

void HttpLoop::stop() {
  {
    Lock lock(mu_);
    stopping_ = true;
  }
  if (!thread_.joinable()) return;
  curl_multi_wakeup(impl_->multi.get());
  thread_.join();
  for (auto& call : impl_->in_flight) {
    curl_multi_remove_handle(impl_->multi.get(), call->easy.get());
    wipe_request(call->request);
  }
  impl_->in_flight.clear();
  impl_->waiting.clear();
  impl_->timers.clear();
  Lock lock(mu_);
  posted_.clear();
}

HttpLoop::Counters HttpLoop::counters() const {
  const Atomics& a = atomics_;
  return {a.requests,  a.connections, a.timeouts,  a.broken,
          a.too_large, a.rejected,    a.in_flight, a.waiting};
}

void HttpLoop::send(HttpRequest&& request, Done done) {
  auto call = std::make_unique<Call>(std::move(request), std::move(done));
  if (call->request.timeout.count() > 0) call->until = SteadyClock::now() + call->request.timeout;
  if (impl_->waiting.size() >= options_.max_waiting) {
    ++atomics_.rejected;
    after({}, [done = std::move(call->done)] {
      done(tl::unexpected(HttpError{HttpError::Kind::Invalid, "too many calls are waiting"}));
    });
    return;
  }
  impl_->waiting.push_back(std::move(call));  // started by the next turn
  ++atomics_.waiting;
}

void HttpLoop::after(Duration delay, std::function<void()> job) {
  impl_->timers.push_back({SteadyClock::now() + delay, impl_->timers_set++, std::move(job)});
  std::push_heap(impl_->timers.begin(), impl_->timers.end(), kLater);
}

void HttpLoop::run() {
  block_sigpipe();
  while (!stopping_) {
    take_posted();
    run_due();
    start_waiting();
    int running = 0;
    curl_multi_perform(impl_->multi.get(), &running);
    finish_calls();
    if (stopping_) return;
    curl_multi_poll(impl_->multi.get(), nullptr, 0, pause_ms(), nullptr);
  }
}

void HttpLoop::take_posted() {
  std::vector<std::function<void()>> jobs;
  {
    Lock lock(mu_);
    jobs.swap(posted_);
  }
  for (auto& job : jobs) job();
}

void HttpLoop::start_waiting() {
  while (!impl_->waiting.empty() && impl_->in_flight.size() < options_.max_in_flight) {
    auto call = std::move(impl_->waiting.front());
    impl_->waiting.pop_front();
    --atomics_.waiting;
    start(std::move(call));
  }
}

void HttpLoop::start(std::unique_ptr<Call> call) {
  if (impl_->spare.empty()) {
    call->easy.reset(curl_easy_init());
  } else {
    call->easy = std::move(impl_->spare.back());
    impl_->spare.pop_back();
  }
  if (call->until != SteadyClock::time_point{}) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(call->until - SteadyClock::now());
    if (left.count() <= 0) {
      return finish(std::move(call), tl::unexpected(HttpError{HttpError::Kind::Connect,
                                                              "its time ran out in the queue"}));
    }
    call->request.timeout = left;
  }
  if (!set_up(call->easy.get(), call->transfer)) {
    return finish(std::move(call), tl::unexpected(malformed_request()));
  }
  ++atomics_.requests;
  ++atomics_.in_flight;
  curl_easy_setopt(call->easy.get(), CURLOPT_PRIVATE, call.get());
  curl_multi_add_handle(impl_->multi.get(), call->easy.get());
  impl_->in_flight.push_back(std::move(call));
}

void HttpLoop::finish_calls() {
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(impl_->multi.get(), &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    CURL* easy = message->easy_handle;
    const CURLcode code = message->data.result;
    curl_multi_remove_handle(impl_->multi.get(), easy);
    const auto at = std::find_if(impl_->in_flight.begin(), impl_->in_flight.end(),
                                 [&](const auto& call) { return call->easy.get() == easy; });
    auto call = std::move(*at);
    impl_->in_flight.erase(at);
    --atomics_.in_flight;
    long opened = 0;
    curl_easy_getinfo(easy, CURLINFO_NUM_CONNECTS, &opened);
    atomics_.connections += static_cast<std::uint64_t>(opened);
    HttpResult result = conclude(easy, code, call->transfer);
    finish(std::move(call), std::move(result));
  }
}

void HttpLoop::finish(std::unique_ptr<Call> call, HttpResult&& result) {
  count(result);
  wipe_request(call->request);
  impl_->spare.push_back(std::move(call->easy));
  const Done done = std::move(call->done);
  call.reset();
  done(std::move(result));
}

void HttpLoop::count(const HttpResult& result) {
  if (result) return;
  switch (result.error().kind) {
    case HttpError::Kind::Timeout:
      ++atomics_.timeouts;
      break;
    case HttpError::Kind::TooLarge:
      ++atomics_.too_large;
      break;
    default:
      ++atomics_.broken;
      break;
  }
}

void HttpLoop::run_due() {
  const auto now = SteadyClock::now();  // what a job sets anew waits for the next turn
  while (!impl_->timers.empty() && impl_->timers.front().due <= now) {
    std::pop_heap(impl_->timers.begin(), impl_->timers.end(), kLater);
    const std::function<void()> job = std::move(impl_->timers.back().job);
    impl_->timers.pop_back();
    job();
  }
}

// What waits for a place is started when a call ends, which wakes the poll.
int HttpLoop::pause_ms() const {
  if (!impl_->waiting.empty() && impl_->in_flight.size() < options_.max_in_flight) return 0;
  if (impl_->timers.empty()) return kMaxPauseMs;
  const auto left =
      std::chrono::ceil<std::chrono::milliseconds>(impl_->timers.front().due - SteadyClock::now());
  return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, kMaxPauseMs));
}

}  // namespace slipway::base
