#pragma once
// Coroutines for operations that wait for a cloud many times and are still read from top to bottom:
//
//   Async<int> count(Api& api) {
//     const Reply reply = co_await api.call(...);
//     co_return reply.ok() ? 1 : 0;
//   }
//
// One thread (the loop's): nothing here is locked. A coroutine starts when it is awaited or
// spawned, owns its arguments (take them by value or be sure that they outlive it), and is
// destroyed where it stands when its Async is: callbacks that would go on with it must be gone by
// then, see HttpLoop.
//
// g++ 12 miscompiles braces of an aggregate inside a co_await expression and a co_await inside ?:
// or
// &&. So: build the argument first, await in a statement of its own.
#include <coroutine>
#include <deque>
#include <exception>
#include <list>
#include <optional>
#include <utility>

#include "core/base/http_loop.hpp"

namespace slipway::workers::openstack {

namespace detail {

struct PromiseBase {
  std::coroutine_handle<> next;  // who awaits

  struct Final {
    bool await_ready() noexcept { return false; }
    template <class P>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<P> ended) noexcept {
      const std::coroutine_handle<> awaiting = ended.promise().next;
      return awaiting ? awaiting : std::noop_coroutine();
    }
    void await_resume() noexcept {}
  };
  std::suspend_always initial_suspend() noexcept { return {}; }
  Final final_suspend() noexcept { return {}; }
  void unhandled_exception() { std::terminate(); }  // expected failures are values
};

template <class T>
struct Promise : PromiseBase {
  std::optional<T> value;
  template <class U>
  void return_value(U&& v) {
    value.emplace(std::forward<U>(v));
  }
  T take() { return std::move(*value); }
};
template <>
struct Promise<void> : PromiseBase {
  void return_void() {}
  void take() {}
};

}  // namespace detail

template <class T>
class [[nodiscard]] Async {
 public:
  struct promise_type : detail::Promise<T> {
    Async get_return_object() {
      return Async(std::coroutine_handle<promise_type>::from_promise(*this));
    }
  };

  Async(Async&& other) noexcept : frame_(std::exchange(other.frame_, {})) {}
  Async& operator=(Async&&) = delete;
  ~Async() {
    if (frame_) frame_.destroy();
  }

  bool await_ready() const { return false; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> awaiting) {
    frame_.promise().next = awaiting;
    return frame_;
  }
  T await_resume() { return frame_.promise().take(); }

 private:
  explicit Async(std::coroutine_handle<promise_type> frame) : frame_(frame) {}
  std::coroutine_handle<promise_type> frame_;
};

// The coroutines that nobody awaits. Each is let go when it ends, the rest with the nursery.
class Nursery {
 public:
  explicit Nursery(base::HttpLoop& loop) : loop_(loop) {}
  std::size_t size() const { return running_.size(); }

  void spawn(Async<void> job) {
    running_.emplace_back();
    const auto at = std::prev(running_.end());
    at->emplace(run(std::move(job), at));
    start(**at);
  }

 private:
  struct Root {  // an Async that can be started, and resumes nobody
    struct promise_type {
      Root get_return_object() {
        return Root(std::coroutine_handle<promise_type>::from_promise(*this));
      }
      std::suspend_always initial_suspend() noexcept { return {}; }
      std::suspend_always final_suspend() noexcept { return {}; }
      void return_void() {}
      void unhandled_exception() { std::terminate(); }
    };
    explicit Root(std::coroutine_handle<promise_type> f) : frame(f) {}
    Root(Root&& other) noexcept : frame(std::exchange(other.frame, {})) {}
    Root& operator=(Root&&) = delete;
    ~Root() {
      if (frame) frame.destroy();
    }
    std::coroutine_handle<promise_type> frame;
  };
  using Roots = std::list<std::optional<Root>>;

  Root run(Async<void> job, Roots::iterator at) {
    co_await job;
    loop_.after({}, [this, at] { running_.erase(at); });  // not while it stands on it
  }
  static void start(Root& root) { root.frame.resume(); }

  base::HttpLoop& loop_;
  Roots running_;
};

// co_await pause(loop, 1s)
struct Pause {
  base::HttpLoop& loop;
  base::Duration time;
  bool await_ready() const { return time <= base::Duration::zero(); }
  void await_suspend(std::coroutine_handle<> waiting) {
    loop.after(time, [waiting] { waiting.resume(); });
  }
  void await_resume() {}
};

// Lets one in at a time, in the order of arrival: who asks for the same thing at once finds the
// answer of the first.
//   const Turns::Turn turn = co_await turns.take();
class Turns {
 public:
  class Turn {
   public:
    explicit Turn(Turns& turns) : turns_(&turns) {}
    Turn(Turn&& other) noexcept : turns_(std::exchange(other.turns_, nullptr)) {}
    Turn& operator=(Turn&&) = delete;
    ~Turn() {
      if (turns_ != nullptr) turns_->pass_on();
    }

   private:
    Turns* turns_;
  };
  struct Wait {
    Turns& turns;
    bool await_ready() { return !std::exchange(turns.taken_, true); }
    void await_suspend(std::coroutine_handle<> waiting) { turns.waiting_.push_back(waiting); }
    Turn await_resume() { return Turn(turns); }
  };

  explicit Turns(base::HttpLoop& loop) : loop_(loop) {}
  Wait take() { return {*this}; }

 private:
  void pass_on() {
    if (waiting_.empty()) {
      taken_ = false;
      return;
    }
    loop_.after({}, [next = waiting_.front()] { next.resume(); });
    waiting_.pop_front();
  }

  base::HttpLoop& loop_;
  bool taken_ = false;
  std::deque<std::coroutine_handle<>> waiting_;
};

}  // namespace slipway::workers::openstack
