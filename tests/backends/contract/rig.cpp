#include "tests/backends/contract/rig.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

namespace slipway::workers::contract {

using namespace std::chrono_literals;  // NOLINT: tests
using base::Duration;
using domain::Outcome;
using domain::OutcomeKind;
using domain::TaskId;
using domain::WorkOrder;

namespace {

constexpr std::uint32_t kMaxAttempts = 8;
constexpr auto kPatience = 4min;  // of real time, for one task
constexpr std::string_view kSecret = "correct horse battery";

const base::Time kStart = *base::parse_rfc3339("2026-03-01T12:00:00Z");

}  // namespace

RigClock::RigClock(bool is_virtual) : is_virtual_(is_virtual) {}

base::Time RigClock::now() const { return (is_virtual_ ? kStart : system_.now()) + ahead(); }

base::SteadyTime RigClock::steady() const {
  return (is_virtual_ ? base::SteadyTime(Duration(1)) : system_.steady()) + ahead();
}

// In the order of dependency: a backend's threads may push into the queue until they are gone.
struct Rig::Process {
  explicit Process(std::function<void()> wake) : completions(std::move(wake)) {}
  CompletionQueue completions;
  std::unique_ptr<FaultyBackend> backend;
  std::unique_ptr<WorkerCore> core;
};

Rig::Rig(CloudUnderTest& cloud)
    : cloud_(cloud),
      clock_(cloud.virtual_time()),
      stand_in_([this](domain::WorkerEffect&& e) { deliver(std::move(e)); }) {
  stand_in_.heartbeat_interval = 5s;
  start_process();
}

Rig::~Rig() = default;

std::string Rig::backend_name() const { return std::string(process_->backend->name()); }

void Rig::deliver(domain::WorkerEffect&& effect) { to_worker_.push_back(std::move(effect)); }

void Rig::start_process() {
  to_worker_.clear();
  to_server_.clear();
  auto process = std::make_unique<Process>([this] {
    const std::lock_guard lock(mu_);
    has_come_ = true;
    came_.notify_all();
  });
  process->backend = std::make_unique<FaultyBackend>(cloud_.connect(), disturbance_,
                                                     [this] { return clock_.ahead(); });
  process->backend->attach(process->completions);
  WorkerCoreOptions options;
  options.session = domain::SessionId(ids_.next());
  options.name = "contract";
  FaultyBackend* backend = process->backend.get();
  process->core = std::make_unique<WorkerCore>(options, std::vector<Backend*>{backend},
                                               [this, backend](const domain::WorkerInput& m) {
                                                 if (!backend->dead()) to_server_.push_back(m);
                                               });
  process_ = std::move(process);
  turn();
}

// Until nobody has anything left to say, or the process is dead.
void Rig::turn() {
  do {
    WorkerCore& core = *process_->core;
    core.begin_turn(clock_.now(), clock_.steady());
    process_->completions.run();
    for (auto& effect : std::exchange(to_worker_, {})) {
      Secrets secrets;
      if (std::holds_alternative<WorkOrder>(effect.message)) {
        secrets.add("secret", base::Secret(std::string(kSecret)));
      }
      core.on_message(effect.epoch, std::move(effect.message), std::move(secrets));
    }
    core.end_turn();
    stand_in_.now = clock_.now();
    for (auto& message : std::exchange(to_server_, {})) stand_in_.take(message);
  } while (!process_->backend->dead() && !to_worker_.empty());
}

// The fence is the place of the lease in the log: it grows over all tasks.
void Rig::lease(WorkOrder order) {
  order.fence = ++fence_;
  order.lease_timeout = std::max<Duration>(30s, 3 * process_->backend->call_timeout());
  stand_in_.now = clock_.now();
  stand_in_.lease(std::move(order));
}

void Rig::disturb(Trouble trouble, std::size_t at) {
  disturbance_.trouble = trouble;
  disturbance_.at = at;
}

Outcome Rig::run(const WorkOrder& order) {
  const TaskId id = order.task;
  disturbance_.task = id;
  disturbance_.calls = 0;
  disturbance_.asked.clear();
  disturbance_.cancel = [this, id] {
    WorkOrder& known = stand_in_.tasks[id].order;
    known.cancel = true;
    deliver({stand_in_.session, stand_in_.epoch, domain::CancelLease{id, known.token}, "demo"});
  };
  const auto lease_again = [&] {
    WorkOrder next = stand_in_.tasks[id].order;
    ++next.token;
    ++next.attempt;
    next.granted_step.clear();
    lease(std::move(next));
  };
  lease(order);
  const auto give_up_at = std::chrono::steady_clock::now() + kPatience;
  while (true) {
    turn();
    const test::KnownTask& task = stand_in_.tasks[id];
    const bool patient = std::chrono::steady_clock::now() < give_up_at;
    if (task.ended() || !patient || task.order.attempt > kMaxAttempts) {
      EXPECT_TRUE(patient) << "the task has not ended in time";
      break;
    }
    if (process_->backend->dead()) {
      if (process_->backend->in_flight() > 0 && !process_->backend->frozen()) {
        wait();
        continue;
      }
      if (process_->backend->frozen()) frozen_.push_back(std::move(process_));
      start_process();
      lease_again();
    } else if (task.outcome) {
      lease_again();
    } else {
      wait();
    }
  }
  disturbance_.trouble = Trouble::None;
  return stand_in_.tasks[id].outcome.value_or(Outcome{.kind = OutcomeKind::Retry});
}

// For the next timer or answer. Time in which nothing is under way is skipped.
void Rig::wait() {
  const auto next = process_->core->next_timer();
  const Duration left = std::clamp<Duration>(next - clock_.steady(), 1us, 1h);
  if (clock_.is_virtual()) return clock_.skip(left);
  if (process_->backend->in_flight() > 0) {
    came(std::min<Duration>(left, 5s));
  } else if (!came(std::min(left, cloud_.real_pause()))) {
    clock_.skip(std::max<Duration>(process_->core->next_timer() - clock_.steady(), 1us));
  }
}

bool Rig::came(Duration at_most) {
  std::unique_lock lock(mu_);
  came_.wait_for(lock, at_most, [this] { return has_come_; });
  return std::exchange(has_come_, false);
}

void Rig::thaw() {
  for (auto& process : frozen_) {
    process->backend->thaw(clock_.now());
    const auto give_up_at = std::chrono::steady_clock::now() + kPatience;
    while (process->backend->in_flight() > 0 && std::chrono::steady_clock::now() < give_up_at) {
      if (clock_.is_virtual()) clock_.skip(1s);
      process->backend->on_timer(clock_.now());
      if (!clock_.is_virtual()) came(100ms);
      process->completions.run();
    }
    EXPECT_EQ(process->backend->in_flight(), 0U) << "the late call was not answered";
  }
  frozen_.clear();
}

std::shared_ptr<domain::Inventory> Rig::inventory(BackendError* error) {
  std::optional<BackendAnswer> answered;
  process_->backend->on_timer(clock_.now());
  process_->backend->inventory({.installation = cloud_.installation(),
                                .deadline = clock_.steady() + process_->backend->call_timeout()},
                               [&](BackendAnswer&& a) {
                                 if (a.kind != BackendAnswer::Kind::Progress) {
                                   answered = std::move(a);
                                 }
                               });
  const auto give_up_at = std::chrono::steady_clock::now() + kPatience;
  while (!answered && std::chrono::steady_clock::now() < give_up_at) {
    if (clock_.is_virtual()) clock_.skip(1ms);
    process_->backend->on_timer(clock_.now());
    if (!clock_.is_virtual()) came(100ms);
    process_->completions.run();
  }
  if (!answered) return nullptr;
  if (error != nullptr) *error = answered->error;
  return answered->inventory;
}

std::string Rig::ref_of(const TaskId& task, const std::string& step) {
  for (const domain::StepRecord& record : stand_in_.tasks[task].order.steps) {
    if (record.step == step) return record.backend_ref;
  }
  return {};
}

}  // namespace slipway::workers::contract
