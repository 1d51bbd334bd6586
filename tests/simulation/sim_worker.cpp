#include <fmt/format.h>

#include "tests/simulation/simulator.hpp"
#include "tests/simulation/workload.hpp"

// A worker process of the simulation: the real core, its clock, and what a thread would do.
namespace slipway::simulation {

using namespace std::chrono_literals;  // NOLINT: tests

SimWorker::SimWorker(Simulator& s, std::uint64_t n, std::string worker_name)
    : sim(s),
      number(n),
      name(std::move(worker_name)),
      clock(s.timeline, s.random.between(-2s, 2s), s.random.between(1s, 1000000s)),
      backend(s.cloud, s.random.next(), "simulated"),
      numbered(s.cloud, s.random.next(), Workload::kNumbered) {
  workers::WorkerCoreOptions options;
  options.session = session = s.random.id<domain::SessionId>(clock.now());
  options.name = name;
  options.slots = static_cast<std::uint32_t>(1 + s.random.below(8));
  options.drain_timeout = 20s;
  core = std::make_unique<workers::WorkerCore>(
      options, std::vector<workers::Backend*>{&backend, &numbered},
      [this](const domain::WorkerInput& message) { send(message); });
  for (NetworkBackend* each : {&backend, &numbered}) {
    each->in_process = [this](const std::function<void()>& what) { in_turn(what); };
  }
  wake_after(0ms);
}

void SimWorker::send(const domain::WorkerInput& message) {
  if (const auto* report = std::get_if<domain::WorkerReport>(&message); report && report->outcome) {
    sim.trace("{} reports {} token {} {} {}", name, base::to_string(report->task), report->token,
              base::enum_name(report->outcome->kind), report->outcome->error.detail);
  }
  const workers::Frames frames = writer_.write(message, core->epoch());
  sim.carry(up, [this, frames] { sim.server.receive(fmt::format("w{}", number), frames); });
}

void SimWorker::receive(const workers::Frames& frames) {
  if (!alive) return;
  const std::array<std::string_view, 2> views{frames.header, frames.body};
  auto message = reader_.read_server_message(views);
  if (!message) violate("wire", message.error().message);
  if (const auto* order = std::get_if<domain::WorkOrder>(&message->message)) {
    sim.invariants.ordered(order->task, order->token, session);
  }
  inbox_.push_back({message->epoch, std::move(message->message)});
  wake_after(0ms);
}

void SimWorker::wake_after(Duration delay) {
  const Duration at = sim.timeline.now() + std::max(delay, Duration(0));
  if (at >= wake_at_) return;
  wake_at_ = at;
  sim.timeline.after(delay, [this, mine = ++wake_number_] {
    if (mine != wake_number_) return;
    wake_at_ = Duration::max();
    turn();
  });
}

void SimWorker::in_turn(const std::function<void()>& what) {
  core->begin_turn(clock.now(), clock.steady());
  backend.on_timer({});
  numbered.on_timer({});
  what();
  core->end_turn();
}

void SimWorker::turn() {
  if (!alive) return;
  if (sim.timeline.now() < frozen_until) return wake_after(frozen_until - sim.timeline.now());
  in_turn([this] {
    for (Received& r : std::exchange(inbox_, {})) core->on_message(r.epoch, std::move(r.message));
  });
  if (core->finished()) {
    alive = false;
    sim.trace("{} has finished", name);
    return;
  }
  Duration wait = 60s;
  const SteadyTime next = core->next_timer();
  if (next != SteadyTime::max()) wait = std::min(wait, next - clock.steady());
  for (const NetworkBackend* each : {&backend, &numbered}) {
    const auto due = each->next_timer();
    if (due) wait = std::min(wait, *due - (kStart + sim.timeline.now()));
  }
  wake_after(std::max(wait, Duration(100)));
}

}  // namespace slipway::simulation
