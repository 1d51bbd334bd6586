#include <fmt/format.h>

#include "tests/simulation/seen_log.hpp"
#include "tests/simulation/simulator.hpp"

// The server process of the simulation: starts from the log, takes inputs in batches, crashes.
namespace slipway::simulation {

using namespace std::chrono_literals;  // NOLINT: tests
using eventstore::Input;
using eventstore::MemoryLog;

SimServer::SimServer(Simulator& sim)
    : clock(sim.timeline, Duration(0), Duration(77777777)), sim_(sim) {}

domain::World SimServer::recover() {
  domain::World world;
  if (!snapshot_.empty() && sim_.random.chance(0.7)) {
    for (const std::string& piece : snapshot_) {
      if (sim_.options.plant == Plant::SnapshotForgets && piece[0] == 6) continue;
      if (!world.read_snapshot_piece(piece)) violate("snapshot-readable", "a piece is not");
    }
    world.finish_snapshot();
  }
  auto cursor = log_.read(world.next_seq());
  base::JsonParser parser;
  eventstore::Record record;
  while ((*cursor)->next(record).value_or(false)) {
    world.evolve(*domain::decode_record(record.payload, parser));
  }
  return world;
}

void SimServer::take_snapshot() {
  snapshot_.clear();
  const auto keep = [this](std::string_view piece) {
    snapshot_.emplace_back(piece);
    return true;
  };
  if (!core_->world().write_snapshot(keep)) violate("snapshot-readable", "it was not written");
}

void SimServer::start() {
  ++incarnation;
  sim_.trace("server starts, incarnation {}", incarnation);
  sim_.invariants.follow(log_);
  domain::World world = recover();
  sim_.invariants.folded_equals(world, "after recovery");
  eventstore::SequencerOptions options;
  options.fence = sim_.options.plant != Plant::NoFence;
  if (lists_clouds(sim_.options.plant)) options.reconcile.interval = 30s;
  options.batch_events_max = 1 + sim_.random.below(200);
  if (sim_.options.plant == Plant::LeasesNeverEnd) options.policy.lease_timeout = 100h;
  seen_log_ = std::make_unique<SeenLog>(log_, sim_.options.plant);
  core_ = std::make_unique<eventstore::SequencerCore>(*seen_log_, std::move(world), clock, options,
                                                      sim_.random.next());
  core_->set_effects(this);
  core_->set_space([this] { return space; });
  sim_.read_models.restart();
  core_->add_listener(&sim_.read_models);
  broker_ = std::make_unique<workers::BrokerCore>(
      [this](domain::WorkerInput&& input) { push(Input(std::move(input))); },
      [](const domain::SecretRef&, const std::string&) -> base::Result<base::Secret> {
        return base::fail(base::Errc::NotFound, "no secrets here");
      });
  broker_->set_send([this](const std::string& route, workers::Frames&& frames) {
    SimWorker* to = sim_.worker(route);
    if (to == nullptr) return false;
    sim_.carry(to->down, [to, frames] { to->receive(frames); });
    return true;
  });
  if (sim_.options.plant == Plant::AnswerBeforeSync) log_.skip_syncs_for_test();
  turn_soon(0ms);
}

void SimServer::crash(std::string_view why, Duration down) {
  if (!is_up()) return;
  ++sim_.crashes;
  sim_.trace("server crashes: {}", why);
  core_.reset();
  broker_.reset();
  inputs_.clear();
  log_.crash();
  sim_.timeline.after(down, [this] { start(); });
}

void SimServer::deliver_to_another(const domain::WorkerEffect& order) {
  for (const auto& status : core_->workers()) {
    if (status.session == order.session) continue;
    domain::WorkerEffect copy = order;
    copy.session = status.session;
    return broker_->on_effect(std::move(copy));
  }
}

void SimServer::drain(const std::string& name) {
  if (!is_up()) return;
  push(Input(eventstore::DrainRequest{name, [](bool) {}}));
}

void SimServer::fill_disk(eventstore::SpaceState state, Duration length) {
  sim_.trace("the disk is nearly full for {} ms", length.count() / 1000);
  space = state;
  sim_.timeline.after(length, [this] { space = eventstore::SpaceState::Normal; });
}

bool SimServer::submit(std::unique_ptr<eventstore::Submission> submission) {
  if (!is_up()) return false;
  push(Input(std::move(submission)));
  return true;
}

void SimServer::receive(const std::string& route, const workers::Frames& frames) {
  if (!is_up()) return;
  const std::string from = fmt::format("{}/{}", route, incarnation);
  const std::array<std::string_view, 2> views{frames.header, frames.body};
  broker_->on_message({from, nullptr}, views);
}

void SimServer::push(Input input) {
  inputs_.push_back(std::move(input));
  turn_soon(sim_.random.between(100us, 5ms));
}

void SimServer::turn_soon(Duration delay) {
  const Duration at = sim_.timeline.now() + delay;
  if (at >= turn_at_) return;
  turn_at_ = at;
  sim_.timeline.after(delay, [this, mine = ++turn_number_] {
    if (mine != turn_number_) return;
    turn_at_ = Duration::max();
    if (is_up()) turn();
  });
}

void SimServer::turn() {
  if (!sim_.calm && sim_.random.chance(0.0005)) {
    static constexpr std::array kFaults{MemoryLog::Fault::FailBefore, MemoryLog::Fault::Torn,
                                        MemoryLog::Fault::AnswerLost};
    log_.fault_next(kFaults[static_cast<std::size_t>(sim_.random.below(3))]);
  }
  std::vector<Input> inputs = std::exchange(inputs_, {});
  const auto status = process(inputs);
  if (!status) return crash("the log failed", sim_.random.between(10ms, 40s));
  sim_.invariants.follow(log_);
  sim_.read_models.turn();
  if (++turns_ % 256 == 0) sim_.invariants.folded_equals(core_->world(), "while it runs");
  if (sim_.random.chance(0.002)) take_snapshot();

  Duration wait = 10s;
  if (const auto due = core_->next_timer()) wait = std::min(wait, *due - clock.now());
  if (const auto due = core_->next_lease_expiry()) wait = std::min(wait, *due - clock.steady());
  turn_soon(std::max(wait, Duration(100)));
}

// A report with an old token, or of a session that does not hold the lease.
bool SimServer::is_stale(const Input& input) const {
  const auto* message = std::get_if<domain::WorkerInput>(&input);
  const auto* report = message == nullptr ? nullptr : std::get_if<domain::WorkerReport>(message);
  if (report == nullptr) return false;
  const domain::Task* task = core_->world().task(report->task);
  return task == nullptr || task->state != domain::TaskState::Running ||
         task->token != report->token || task->session != report->session;
}

// Such a report changes nothing: it is processed by itself, and the log must not show it.
base::Status SimServer::process_stale(Input& input) {
  std::vector<Input> none;
  if (auto status = core_->process(none); !status) return status;
  if (!is_stale(input)) return {};
  const auto before = log_.head().next_seq;
  const auto report = std::get<domain::WorkerReport>(std::get<domain::WorkerInput>(input));
  std::vector<Input> one;
  one.push_back(std::move(input));
  if (auto status = core_->process(one); !status) return status;
  // The session may be given work now that it is heard of again; but nothing in its own name.
  auto cursor = log_.read(before);
  base::JsonParser parser;
  eventstore::Record record;
  while ((*cursor)->next(record).value_or(false)) {
    const auto body = domain::decode_record(record.payload, parser);
    if (record.seq < before || !body->envelope.actor.starts_with("worker/")) continue;
    violate("stale-changes-nothing", fmt::format("a report of token {} changed task {}",
                                                 report.token, base::to_string(report.task)));
  }
  input = domain::WorkerInput(domain::WorkerGoodbye{});
  return {};
}

base::Status SimServer::process(std::vector<Input>& inputs) {
  std::vector<Input> batch;
  for (Input& input : inputs) {
    if (is_stale(input)) {
      if (auto status = core_->process(batch); !status) return status;
      if (auto status = process_stale(input); !status) return status;
    }
    batch.push_back(std::move(input));
  }
  return core_->process(batch);
}

void SimServer::post(std::vector<domain::WorkerEffect>&& effects) {
  for (domain::WorkerEffect& effect : effects) {
    if (const auto* order = std::get_if<domain::WorkOrder>(&effect.message)) {
      if (sim_.options.plant == Plant::DeliverTwice) deliver_to_another(effect);
      sim_.trace("lease {} {} token {} attempt {}{}", base::to_string(order->task),
                 base::enum_name(order->command), order->token, order->attempt,
                 order->cancel ? " cancel" : "");
    }
    broker_->on_effect(std::move(effect));
  }
}

}  // namespace slipway::simulation
