#pragma once
// A server for tests: the sequencer over a memory log and a clock that is moved by hand. Commands
// and messages are put in, turn() decides what is in, and what left is looked at. Tasks, VMs and
// sessions are small numbers, as in tests/domain/story.hpp.
//
//   SequencerHarness server;
//   const auto answer = server.submit(create(1));
//   server.hello(1);
//   ASSERT_TRUE(server.turn());
//   EXPECT_EQ(answer->task, task(1));
//   EXPECT_EQ(server.order(1)->token, 1U);
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "eventstore/memory_log.hpp"
#include "eventstore/sequencer.hpp"
#include "tests/domain/story.hpp"

namespace slipway::eventstore::testing {

using namespace domain::testing;  // NOLINT: tests
using domain::TaskState;
using domain::VmState;

// Counts syncs, and notes what each made durable.
class CountedLog final : public EventLog {
 public:
  explicit CountedLog(MemoryLog& log) : log_(log) {}
  struct Sync {
    std::size_t records = 0;
    std::size_t events = 0;
    std::size_t forgotten = 0;
  };
  std::vector<Sync> syncs;

  base::Status append(const LogBatch& batch) override;
  const LogHead& head() const override { return log_.head(); }
  base::Result<std::unique_ptr<LogCursor>> read(Seq from) const override { return log_.read(from); }
  base::Result<std::optional<Record>> find(Seq seq, std::string& storage) const override {
    return log_.find(seq, storage);
  }
  base::Result<std::vector<Seq>> stream_records(std::string_view key, Seq from,
                                                std::size_t limit) const override {
    return log_.stream_records(key, from, limit);
  }
  base::Result<std::optional<std::string>> idempotency(std::string_view key) const override {
    return log_.idempotency(key);
  }
  base::Result<std::optional<std::string>> secret(std::string_view ref) const override {
    return log_.secret(ref);
  }
  base::Result<std::vector<LogBatch::Put>> range(LogColumn column, std::string_view from,
                                                 std::string_view to,
                                                 std::size_t limit) const override {
    return log_.range(column, from, to, limit);
  }
  std::uint64_t free_bytes() const override { return log_.free_bytes(); }

 private:
  MemoryLog& log_;
};

// What a client has heard.
struct Heard {
  int answers = 0;
  int refusals = 0;
  bool replayed = false;
  std::string body;
  domain::TaskId task;
  base::Errc code{};
  std::size_t syncs_before = 0;  // how many there had been when it heard
  bool answered() const { return answers + refusals > 0; }
};
using HeardPtr = std::shared_ptr<Heard>;

struct Ask {
  std::string key = {};
  std::string fingerprint = "f";
  std::vector<std::string> secrets = {};  // refs; the values are dull
  std::string once = {};                  // the answer shows this secret, and nothing else needs it
  bool dry_run = false;
};

class SequencerHarness final : public EffectSink, public SequencerObserver {
 public:
  explicit SequencerHarness(SequencerOptions o = {});

  // ---- what comes in ----
  HeardPtr submit(const domain::Command& command, const Ask& ask = {});
  void hello(std::uint64_t session_number, std::uint32_t slots = 8,
             std::vector<domain::HeldLease> held = {}, const std::string& worker = "w1");
  void heartbeat(std::uint64_t session_number, std::vector<domain::HeldLease> held = {});
  void report(domain::WorkerReport report, std::uint64_t session_number = 1);
  void push(Input input) { inputs_.push_back(std::move(input)); }

  base::Status turn();
  // Time goes by in steps of a second, with heartbeats of `alive` and a turn after each.
  void passes(base::Duration d, std::vector<std::uint64_t> alive = {});
  // The process dies: what was not synced is gone, and so is memory. A new one starts.
  void restart();
  // A life in short: accepted, leased to session 1, and made.
  void make_vm(std::uint64_t n);

  // ---- what went out, since the last clear() ----
  const domain::WorkOrder* order(std::uint64_t task_number) const;  // the newest
  template <class M>
  std::vector<const M*> messages() const {
    std::vector<const M*> out;
    for (const auto& e : sent) {
      if (const auto* m = std::get_if<M>(&e.message)) out.push_back(m);
    }
    return out;
  }
  void clear() { sent.clear(); }

  // ---- what is ----
  const domain::World& world() const { return core->world(); }
  const domain::Task* live(std::uint64_t n) const { return world().task(task(n)); }
  TaskState state(std::uint64_t n) const;
  // The types of a task's events, in order, as the log has them: "TaskReady TaskLeased ...".
  std::string history(std::uint64_t task_number) const;
  std::vector<domain::RecordBody> records() const;

  void post(std::vector<domain::WorkerEffect>&& effects) override;
  void on_append(std::size_t, std::size_t, base::Duration) override {}
  void on_idempotency(std::string_view result) override {
    idempotency += std::string(result) + " ";
  }
  void on_stale_report() override { ++stale_reports; }
  void on_lease_expired() override { ++expired_leases; }
  void on_timer_late(base::Duration) override {}

  SequencerOptions options;
  MemoryLog disk;
  CountedLog log{disk};
  base::ManualClock clock{kStart};
  std::unique_ptr<SequencerCore> core;
  SpaceState space = SpaceState::Normal;
  std::vector<domain::WorkerEffect> sent;
  std::size_t syncs_before_sent = 0;
  std::string idempotency;
  int stale_reports = 0;
  int expired_leases = 0;

 private:
  void start();
  std::vector<Input> inputs_;
  std::uint64_t report_ids_ = 0;
};

}  // namespace slipway::eventstore::testing
