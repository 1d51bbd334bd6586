#pragma once
// The network between a worker and its cloud, and the worker's own end: passes calls on to a real
// backend, and disturbs one of them.
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "workers/backends/backend.hpp"
#include "workers/backends/completion_queue.hpp"

namespace slipway::workers::contract {

enum class Trouble : std::uint8_t {
  None,
  Error,         // does not reach the cloud; may succeed later
  Refusal,       // does not reach it; will never succeed
  Broken,        // carried out, but answered with an error that leaves that open
  BadEnd,        // likewise, and it will never succeed
  LostAnswer,    // carried out, and never answered
  Twice,         // carried out two times over
  KilledBefore,  // the worker's process ends before the call reaches the cloud
  KilledAfter,   // when it has been carried out, and before anybody hears of it
  Frozen,        // as KilledBefore, but the call goes out when thaw() says so
  Cancelled,     // a client cancels the task just before the call
};

// What is to happen, and what did. Shared by all processes of a rig.
struct Disturbance {
  Trouble trouble = Trouble::None;
  std::size_t at = 0;  // which call of the task under test, from 0
  domain::TaskId task;
  std::function<void()> cancel;

  std::size_t calls = 0;           // that were begun; asking again what is waited for counts once
  std::vector<std::string> asked;  // "vm.create", "lookup vm.create", ...
};

class FaultyBackend final : public Backend {
 public:
  // `clock_ahead`: by how much the rig's steady clock is ahead of the one the backend reads.
  FaultyBackend(std::unique_ptr<Backend> inner, Disturbance& disturbance,
                std::function<base::Duration()> clock_ahead);

  std::string_view name() const override { return inner_->name(); }
  base::Duration call_timeout() const override { return inner_->call_timeout(); }
  base::Duration settle_time() const override { return inner_->settle_time(); }
  void attach(CompletionQueue& queue) override { inner_->attach(queue); }
  void perform(const BackendCall& call, Answer answer) override { ask(call, false, answer); }
  void lookup(const BackendCall& call, Answer answer) override { ask(call, true, answer); }
  void inventory(const InventoryCall& call, Answer answer) override;
  void on_timer(base::Time now) override { inner_->on_timer(now); }
  std::optional<base::Time> next_timer() const override { return inner_->next_timer(); }

  bool dead() const { return dead_; }  // its process has ended; nothing it says is heard
  bool frozen() const { return frozen_.has_value(); }
  std::size_t in_flight() const { return in_flight_; }
  // Lets the call go out that was held back.
  void thaw(base::Time now);

 private:
  void ask(const BackendCall& call, bool lookup, const Answer& answer);
  void pass_on(const BackendCall& call, bool lookup, Answer answer);
  Trouble next_trouble(const BackendCall& call, bool lookup);

  const std::unique_ptr<Backend> inner_;
  Disturbance& disturbance_;
  const std::function<base::Duration()> clock_ahead_;
  bool dead_ = false;
  std::size_t in_flight_ = 0;
  std::string waits_for_;  // the call that was answered "not yet"
  std::optional<BackendCall> frozen_;
};

}  // namespace slipway::workers::contract
