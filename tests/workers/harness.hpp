#pragma once
// One WorkerCore against the stand-in for the sequencer, in one thread on a manual clock. Messages
// pass at once, unless the test loses them.
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/base/clock.hpp"
#include "tests/workers/support.hpp"
#include "workers/backends/backend.hpp"
#include "workers/worker_core.hpp"

namespace slipway::workers::test {

inline const base::Time kStart = *base::parse_rfc3339("2026-03-01T12:00:00Z");

// Keeps calls and answers none by itself.
class ScriptedBackend final : public Backend {
 public:
  struct Call {
    std::string operation;
    std::string ref;
    std::string key;
    domain::FencingToken token = 0;
    bool lookup = false;
    base::SteadyTime deadline{};
    Answer answer;
  };

  explicit ScriptedBackend(std::string name = "simulated") : called(std::move(name)) {}
  std::string_view name() const override { return called; }
  Duration call_timeout() const override { return timeout; }
  Duration settle_time() const override { return settle; }
  void perform(const BackendCall& call, Answer answer) override {
    keep(call, false, std::move(answer));
  }
  void lookup(const BackendCall& call, Answer answer) override {
    keep(call, true, std::move(answer));
  }

  std::string called;
  Duration timeout = 10s;
  Duration settle = 1s;
  std::vector<Call> calls;

 private:
  void keep(const BackendCall& call, bool lookup, Answer answer) {
    calls.push_back({std::string(call.operation), call.ref, call.correlation_key(),
                     call.order().token, lookup, call.deadline, std::move(answer)});
  }
};

inline BackendAnswer made(std::string ref, bool settled = false) {
  BackendAnswer answer;
  answer.ref = std::move(ref);
  answer.settled = settled;
  return answer;
}
inline BackendAnswer found(std::vector<FoundResource> resources) {
  BackendAnswer answer;
  answer.found = std::move(resources);
  return answer;
}
inline BackendAnswer failure(BackendError error) { return BackendAnswer::failed(std::move(error)); }

class Bench {
 public:
  explicit Bench(Backend& b, WorkerCoreOptions options = {}) : Bench({&b}, std::move(options)) {}
  Bench(const std::vector<Backend*>& backends, WorkerCoreOptions options)
      : backend(*backends.at(0)),
        stand_in([this](domain::WorkerEffect&& e) { to_worker.push_back(std::move(e)); }) {
    options.session = id<domain::SessionId>(7);
    options.name = "local";
    core = std::make_unique<WorkerCore>(
        options, backends, [this](const domain::WorkerInput& m) { to_server.push_back(m); });
    turn();
  }

  // Until nobody has anything left to say.
  void turn() {
    do {
      core->begin_turn(clock.now(), clock.steady());
      for (auto& answer : std::exchange(answers, {})) answer();
      for (auto& effect : std::exchange(to_worker, {})) {
        if (lose_to_worker && lose_to_worker(effect)) continue;
        core->on_message(effect.epoch, std::move(effect.message));
      }
      if (std::exchange(drain_now, false)) core->drain();
      core->end_turn();
      stand_in.now = clock.now();
      for (auto& message : std::exchange(to_server, {})) {
        if (lose_to_server && lose_to_server(message)) continue;
        stand_in.take(message);
      }
    } while (!to_worker.empty());
  }

  // Timers run when they are due, not all at the end.
  void advance(Duration d) {
    const base::SteadyTime end = clock.steady() + d;
    while (true) {
      const base::SteadyTime next = core->next_timer();
      if (next > end) break;
      clock.advance(std::max(next - clock.steady(), Duration(1)));
      turn();
    }
    if (end > clock.steady()) clock.advance(end - clock.steady());
    turn();
  }

  // Answers the n-th call that the (first) scripted backend was asked.
  void answer(std::size_t n, BackendAnswer with) {
    answer(static_cast<ScriptedBackend&>(backend), n, std::move(with));
  }
  void answer(ScriptedBackend& scripted, std::size_t n, BackendAnswer with) {
    Answer call = scripted.calls.at(n).answer;
    answers.push_back([call, with]() mutable { call(std::move(with)); });
    turn();
  }

  void lease(const WorkOrder& order) {
    stand_in.lease(order);
    turn();
  }
  void drain() {
    drain_now = true;
    turn();
  }
  const KnownTask& task(std::uint64_t n) { return stand_in.tasks[id<TaskId>(n)]; }

  Backend& backend;
  base::ManualClock clock{kStart};
  std::deque<domain::WorkerEffect> to_worker;
  std::vector<domain::WorkerInput> to_server;
  std::vector<std::function<void()>> answers;
  bool drain_now = false;
  std::function<bool(const domain::WorkerEffect&)> lose_to_worker;
  std::function<bool(const domain::WorkerInput&)> lose_to_server;
  StandIn stand_in;
  std::unique_ptr<WorkerCore> core;
};

template <class M>
bool is(const domain::WorkerEffect& effect) {
  return std::holds_alternative<M>(effect.message);
}

}  // namespace slipway::workers::test
