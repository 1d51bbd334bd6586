#include "tests/simulation/simulator.hpp"

#include <fmt/format.h>

#include "tests/simulation/workload.hpp"

namespace slipway::simulation {

using namespace std::chrono_literals;  // NOLINT: tests

namespace {
constexpr std::size_t kTraceLines = 80;
}

Simulator::Simulator(const SimulationOptions& o)
    : options(o),
      random(o.seed),
      cloud(timeline, random, o.plant),
      server(*this),
      read_models(server.log(), o.seed, o.plant),
      workload_(std::make_unique<Workload>(*this)) {
  invariants.tell = [this](std::string line) { trace_line(std::move(line)); };
}

Simulator::~Simulator() = default;

void Simulator::trace_line(std::string line) {
  std::string text =
      fmt::format("{:>10.4f} {}", static_cast<double>(timeline.now().count()) / 1e6, line);
  for (const char c : text) {
    digest_ = (digest_ ^ static_cast<std::uint8_t>(c)) * 1099511628211ULL;
  }
  if (options.print_trace) fmt::print("{}\n", text);
  trace_.push_back(std::move(text));
  if (trace_.size() > kTraceLines) trace_.pop_front();
}

void Simulator::carry(Link& link, std::function<void()> deliver) {
  Duration delay = random.between(100us, 4ms);
  bool in_order = true;
  if (!calm) {
    if (timeline.now() < link.cut_until || random.chance(0.01)) return;
    if (random.chance(0.02)) delay = random.between(5ms, 3s);
    if (random.chance(0.002)) delay = random.between(3s, 45s);
    in_order = !random.chance(0.01);
    if (random.chance(0.01)) timeline.after(delay + random.between(0s, 5s), deliver);
  }
  Duration at = timeline.now() + delay;
  if (in_order) {
    at = std::max(at, link.last);
    link.last = at;
  }
  timeline.after(at - timeline.now(), std::move(deliver));
}

SimWorker* Simulator::worker(const std::string& route) {
  for (const auto& w : workers) {
    if (route.starts_with(fmt::format("w{}/", w->number))) return w->alive ? w.get() : nullptr;
  }
  return nullptr;
}

SimWorker& Simulator::start_worker(const std::string& name) {
  trace("worker {} starts", name);
  workers.push_back(std::make_unique<SimWorker>(*this, workers.size(), name));
  return *workers.back();
}

void Simulator::replace(const std::string& name, Duration after) {
  // Under the same name, or as another machine altogether.
  const std::string next = random.chance(0.7) ? name : fmt::format("worker-{}", ++names_);
  timeline.after(after, [this, next] { start_worker(next); });
}

SimWorker* Simulator::any_worker() {
  std::vector<SimWorker*> alive;
  for (const auto& w : workers) {
    if (w->alive) alive.push_back(w.get());
  }
  return alive.empty() ? nullptr : random.pick(alive);
}

void Simulator::chaos() {
  if (calm) return;
  strike();
  timeline.after(random.between(0s, 12s), [this] { chaos(); });
}

void Simulator::strike() {
  SimWorker* w = any_worker();
  if (random.chance(0.04)) {
    const bool read_only = random.chance(0.5);
    server.fill_disk(
        read_only ? eventstore::SpaceState::ReadOnly : eventstore::SpaceState::RefuseNew,
        random.between(0s, 40s));
  }
  if (w != nullptr && random.chance(0.04)) {
    trace("an operator drains {}", w->name);
    server.drain(w->name);
    replace(w->name, random.between(5s, 40s));
  }
  if (lists_clouds(options.plant) && random.chance(0.05)) cloud.meddle();
  const std::uint64_t kind = random.below(100);
  if (kind < 8) {
    server.crash("killed", random.between(10ms, 60s));
  } else if (kind < 18) {
    const Duration jump = random.between(-600s, 600s);
    trace("the server's wall clock jumps {} s", jump.count() / 1000000);
    server.clock.jump_wall(jump);
    turned_back_ += std::max(-jump, Duration(0));
  } else if (w == nullptr) {
    replace("worker-1", 1s);
  } else if (kind < 40) {
    const Duration d = random.chance(0.7) ? random.between(0s, 20s) : random.between(20s, 150s);
    trace("{} freezes for {} ms", w->name, d.count() / 1000);
    w->frozen_until = timeline.now() + d;
    // Sometimes it is replaced meanwhile, and comes back beside its successor.
    if (random.chance(0.2)) replace(w->name, d / 2);
  } else if (kind < 60) {
    trace("{} is killed", w->name);
    w->kill();
    replace(w->name, random.between(0s, 40s));
  } else if (kind < 68) {
    trace("{} is drained", w->name);
    w->core->begin_turn(w->clock.now(), w->clock.steady());
    w->core->drain();
    w->core->end_turn();
    w->turn();
    replace(w->name, random.between(5s, 40s));
  } else if (kind < 76) {
    w->clock.jump_wall(random.between(-3600s, 3600s));
  } else {
    const Duration d = random.between(0s, 60s);
    trace("{} is cut off for {} ms", w->name, d.count() / 1000);
    if (random.chance(0.7)) w->up.cut_until = timeline.now() + d;
    if (random.chance(0.7)) w->down.cut_until = timeline.now() + d;
  }
}

void Simulator::calm_down() {
  calm = true;
  cloud.faults.on = false;
  server.space = eventstore::SpaceState::Normal;
  trace("all faults stop");
  for (const auto& w : workers) {
    if (w->alive && w->frozen_until > timeline.now()) w->frozen_until = timeline.now();
  }
  for (const auto& w : workers) {
    if (w->alive) w->turn();
  }
  start_worker(fmt::format("worker-{}", ++names_));
}

void Simulator::run_to_the_end() {
  server.start();
  workload_->begin();
  for (int i = 0; i < 3; ++i) start_worker(fmt::format("worker-{}", ++names_));
  timeline.after(5s, [this] { chaos(); });
  const Duration faulty = options.minutes;
  while (timeline.step(faulty)) {
  }
  calm_down();
  while (!server.is_up()) timeline.step(timeline.now() + 100s);
  const base::Time quiet = server.clock.now();
  const domain::Seq quiet_seq = invariants.world().next_seq();
  const auto& world = invariants.world();
  while (timeline.now() < faulty + 2h + turned_back_ &&
         (world.task_count() > 0 || !world.leases().due().empty() || !server.is_up())) {
    timeline.step(timeline.now() + 10s);
  }
  const Duration settled = timeline.now() + 5min;  // what is late comes, and clouds are listed
  while (timeline.step(settled)) {
  }
  while (timeline.now() < settled + 10min && world.task_count() > 0) {
    timeline.step(timeline.now() + 10s);
  }
  invariants.all_ended(quiet, quiet_seq, 70s + turned_back_);
  invariants.folded_equals(server.core().world(), "at the end");
  invariants.meddled(cloud.store(), cloud.meddling);
  invariants.inventory(cloud.store(), cloud.meddling);
  invariants.ledger(cloud.store(), cloud.meddling);
  read_models.rebuilt_equals_live();
}

Outcome Simulator::run() {
  Outcome out;
  try {
    run_to_the_end();
  } catch (const Violation& v) {
    out.ok = false;
    out.invariant = v.invariant;
    out.what = v.what;
  }
  out.trace = trace_;
  out.events = invariants.events();
  out.tasks = invariants.tasks().size();
  out.crashes = crashes;
  out.digest = digest_;
  return out;
}

Outcome simulate(const SimulationOptions& options) { return Simulator(options).run(); }

}  // namespace slipway::simulation
