#pragma once
// The whole service in one thread on virtual time: the real SequencerCore, BrokerCore, wire codec,
// WorkerCores and simulated cloud; a log that can crash, a network and clouds that misbehave,
// clients that ask for anything. All that happens follows from the seed.
#include <fmt/format.h>

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "eventstore/memory_log.hpp"
#include "eventstore/sequencer.hpp"
#include "tests/simulation/cloud.hpp"
#include "tests/simulation/invariants.hpp"
#include "tests/simulation/sim_read_models.hpp"
#include "workers/broker_core.hpp"
#include "workers/worker_core.hpp"

namespace slipway::simulation {

struct SimulationOptions {
  std::uint64_t seed = 1;
  std::chrono::minutes minutes{10};  // with faults; then it is left in peace until all has ended
  Plant plant = Plant::None;
  bool print_trace = false;
};

struct Outcome {
  bool ok = true;
  std::string invariant;
  std::string what;
  std::deque<std::string> trace;  // the last lines
  std::uint64_t events = 0;
  std::uint64_t tasks = 0;
  std::uint64_t crashes = 0;
  std::uint64_t digest = 0;  // of all that happened: the same for the same seed
};

Outcome simulate(const SimulationOptions& options);

class Simulator;

// One connection's one direction: in order, unless the fault is that it is not.
struct Link {
  Duration last{};       // when the newest message arrives
  Duration cut_until{};  // what is sent before is lost
};

class SimWorker {
 public:
  SimWorker(Simulator& sim, std::uint64_t number, std::string name);
  void send(const domain::WorkerInput& message);
  void receive(const workers::Frames& frames);
  void turn();
  void kill() { alive = false; }

  Simulator& sim;
  const std::uint64_t number;
  const std::string name;
  domain::SessionId session;
  bool alive = true;
  Duration frozen_until{};
  SimClock clock;
  Link up;
  Link down;
  NetworkBackend backend;
  NetworkBackend numbered;  // the same store under the name of a cloud that numbers its nodes
  std::unique_ptr<workers::WorkerCore> core;

 private:
  struct Received {
    std::uint64_t epoch;
    domain::ServerMessage message;
  };
  void wake_after(Duration delay);
  void in_turn(const std::function<void()>& what);
  std::vector<Received> inbox_;
  std::uint64_t wake_number_ = 0;
  Duration wake_at_ = Duration::max();
  workers::WireWriter writer_;
  workers::WireReader reader_;
};

class SimServer final : public eventstore::EffectSink {
 public:
  explicit SimServer(Simulator& sim);
  void start();
  void crash(std::string_view why, Duration down);
  void receive(const std::string& route, const workers::Frames& frames);
  bool submit(std::unique_ptr<eventstore::Submission> submission);
  void post(std::vector<domain::WorkerEffect>&& effects) override;
  // An operator asks a worker to go.
  void drain(const std::string& name);
  void fill_disk(eventstore::SpaceState state, Duration length);
  bool is_up() const { return core_ != nullptr; }
  const eventstore::SequencerCore& core() const { return *core_; }
  eventstore::MemoryLog& log() { return log_; }

  SimClock clock;
  std::uint64_t incarnation = 0;
  eventstore::SpaceState space = eventstore::SpaceState::Normal;

 private:
  void deliver_to_another(const domain::WorkerEffect& order);
  void push(eventstore::Input input);
  void turn_soon(Duration delay);
  void turn();
  base::Status process(std::vector<eventstore::Input>& inputs);
  base::Status process_stale(eventstore::Input& input);
  bool is_stale(const eventstore::Input& input) const;
  domain::World recover();
  void take_snapshot();

  Simulator& sim_;
  eventstore::MemoryLog log_;
  std::unique_ptr<eventstore::EventLog> seen_log_;  // what the sequencer is given
  std::unique_ptr<eventstore::SequencerCore> core_;
  std::unique_ptr<workers::BrokerCore> broker_;
  std::vector<eventstore::Input> inputs_;
  std::vector<std::string> snapshot_;
  Duration turn_at_ = Duration::max();
  std::uint64_t turn_number_ = 0;
  std::uint64_t turns_ = 0;
};

class Workload;

class Simulator {
 public:
  explicit Simulator(const SimulationOptions& options);
  ~Simulator();
  Outcome run();

  template <class... Args>
  void trace(fmt::format_string<Args...> format, Args&&... args) {
    trace_line(fmt::format(format, std::forward<Args>(args)...));
  }
  void trace_line(std::string line);
  // Carries a message over a link, with what may happen to it on the way.
  void carry(Link& link, std::function<void()> deliver);
  SimWorker* worker(const std::string& route);
  SimWorker& start_worker(const std::string& name);

  const SimulationOptions options;
  Timeline timeline;
  Random random;
  bool calm = false;  // no more faults
  Invariants invariants;
  SharedCloud cloud;
  SimServer server;
  SimReadModels read_models;
  std::vector<std::unique_ptr<SimWorker>> workers;
  std::uint64_t crashes = 0;

 private:
  Duration turned_back_{};  // the server's wall clock, in all: timers are late by that
  void chaos();
  void strike();
  void calm_down();
  void replace(const std::string& name, Duration after);
  SimWorker* any_worker();
  void run_to_the_end();
  std::unique_ptr<Workload> workload_;
  std::deque<std::string> trace_;
  std::uint64_t digest_ = 14695981039346656037ULL;
  std::uint64_t names_ = 0;
};

}  // namespace slipway::simulation
