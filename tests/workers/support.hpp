#pragma once
// A stand-in for the sequencer, and builders. The stand-in keeps what a log would keep of each task
// (steps, token, outcome), leases what it is given, and refuses what carries an old token.
#include <algorithm>
#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/base/uuid.hpp"
#include "core/domain/plan.hpp"
#include "core/domain/worker_messages.hpp"

namespace slipway::workers::test {

using namespace std::chrono_literals;  // NOLINT: tests
using base::Duration;
using domain::CommandKind;
using domain::OutcomeKind;
using domain::TaskId;
using domain::WorkOrder;

template <class Id>
Id id(std::uint64_t n) {
  Id out;
  out.bytes[6] = 0x70;
  for (int i = 0; i < 8; ++i) {
    out.bytes[static_cast<std::size_t>(15 - i)] = static_cast<std::uint8_t>(n >> (8 * i));
  }
  return out;
}

inline WorkOrder order_for(CommandKind command, std::uint64_t n) {
  WorkOrder order;
  order.task = id<TaskId>(n);
  order.token = 1;
  order.command = command;
  order.backend = "simulated";
  order.vm = id<domain::VmId>(n + 1'000'000);
  order.spec.name = "web-" + std::to_string(n);
  order.spec.project = "demo";
  order.spec.size = {"m1.small", 1, 2048, 20};
  order.spec.backend = "simulated";
  order.spec.host = "sim-1";
  order.lease_timeout = 30s;
  return order;
}

// What the log would know of a task.
struct KnownTask {
  WorkOrder order;
  bool leased = false;
  std::vector<domain::WorkerReport> reports;
  std::optional<domain::Outcome> outcome;
  bool ended() const {
    return outcome && outcome->kind != OutcomeKind::Retry &&
           outcome->kind != OutcomeKind::HandedBack;
  }
};

class StandIn {
 public:
  using Post = std::function<void(domain::WorkerEffect&&)>;
  explicit StandIn(Post post) : post_(std::move(post)) {}

  // Grants the first step with the lease, as the sequencer does.
  void lease(WorkOrder order) {
    KnownTask& task = tasks[order.task];
    const auto plan = domain::plan_of(order.command);
    if (order.steps.empty() && !order.cancel && !plan.empty() && !plan[0].repeatable) {
      order.granted_step = plan[0].name;
      order.steps.push_back({.step = order.granted_step,
                             .token = order.token,
                             .call_deadline = now + order.lease_timeout});
    }
    order.asked_at_us = asked_at_us;
    order.epoch = epoch;
    task.order = order;
    task.leased = true;
    task.outcome.reset();
    send(std::move(order));
  }
  // The next attempt: what the reports said of the steps is in its order.
  void lease_again(const TaskId& id) {
    WorkOrder order = tasks[id].order;
    ++order.token;
    ++order.attempt;
    order.granted_step.clear();
    lease(std::move(order));
  }

  void take(const domain::WorkerInput& input) {
    std::visit([this](const auto& m) { on(m); }, input);
  }

  std::map<TaskId, KnownTask> tasks;
  std::vector<domain::WorkerHello> hellos;
  std::vector<domain::VmInspection> inspections;
  std::size_t heartbeats = 0;
  std::size_t goodbyes = 0;
  std::size_t reports = 0;
  bool draining_seen = false;
  domain::SessionId session;
  std::uint64_t epoch = 1;
  base::Time now{};
  Duration heartbeat_interval = 5s;
  std::int64_t asked_at_us = 0;
  bool answers_heartbeats = true;
  bool acknowledge = true;  // false: reports are folded, the answers lost

 private:
  template <class M>
  void send(M&& message) {
    post_({session, epoch, std::forward<M>(message), "demo"});
  }
  std::vector<domain::HeldLease> lost(const std::vector<domain::HeldLease>& held) {
    std::vector<domain::HeldLease> out;
    for (const auto& lease : held) {
      const KnownTask& task = tasks[lease.task];
      if (!task.leased || task.order.token != lease.token) out.push_back(lease);
    }
    return out;
  }
  void on(const domain::WorkerHello& m) {
    hellos.push_back(m);
    session = m.session;
    asked_at_us = m.asked_at_us;
    send(domain::Welcome{m.session, epoch, heartbeat_interval, lost(m.held), m.asked_at_us});
  }
  void on(const domain::WorkerHeartbeat& m) {
    ++heartbeats;
    draining_seen |= m.draining;
    asked_at_us = m.asked_at_us;
    if (!answers_heartbeats) return;
    send(domain::HeartbeatAck{.lost = lost(m.held), .asked_at_us = m.asked_at_us});
  }
  void on(const domain::WorkerGoodbye&) { ++goodbyes; }
  void on(const domain::InventoryPage&) {}
  void on(const domain::VmInspection& m) { inspections.push_back(m); }
  void on(const domain::WorkerReport& m) {
    ++reports;
    asked_at_us = m.asked_at_us;
    KnownTask& task = tasks[m.task];
    task.reports.push_back(m);
    domain::ReportAck ack{.report_id = m.report_id, .task = m.task, .token = m.token};
    ack.lease_lost = !task.leased || task.order.token != m.token;
    if (!ack.lease_lost) {
      for (const auto& done : m.steps_done) fold(task.order, done);
      if (m.begin) ack.granted_step = begin(task.order, *m.begin);
      if (m.outcome) end(task, *m.outcome);
    }
    if (acknowledge) send(std::move(ack));
  }
  static domain::StepRecord& record(WorkOrder& order, const std::string& step) {
    const auto found = std::find_if(order.steps.begin(), order.steps.end(),
                                    [&](const auto& s) { return s.step == step; });
    if (found != order.steps.end()) return *found;
    order.steps.push_back({.step = step});
    return order.steps.back();
  }
  static void fold(WorkOrder& order, const domain::StepDone& done) {
    domain::StepRecord& r = record(order, done.step);
    r.state = done.undone ? domain::StepState::Undone : domain::StepState::Done;
    if (!done.undone) r.backend_ref = done.backend_ref;
  }
  std::string begin(WorkOrder& order, const domain::StepBegin& begin) const {
    if (!begin.undo) {
      domain::StepRecord& r = record(order, begin.step);
      r.state = domain::StepState::Started;
      r.token = order.token;
      r.call_deadline = now + begin.call_timeout;
    }
    return begin.step;
  }
  static void end(KnownTask& task, const domain::Outcome& outcome) {
    task.outcome = outcome;
    task.leased = false;
    for (const auto& step : outcome.steps_not_begun) {
      std::erase_if(task.order.steps, [&](const auto& s) {
        return s.step == step && s.state == domain::StepState::Started;
      });
    }
  }

  Post post_;
};

}  // namespace slipway::workers::test
